WITH b AS (SELECT *, CASE channel WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3'
  ELSE regexp_extract(url, '[?&]channel_id=([^&]*)', 1) END AS channel_id FROM bid)
SELECT auction || ',' || id || ',' || channel_id AS key, date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", bidder, price
FROM b WHERE channel_id <> ''
