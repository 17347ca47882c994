WITH b AS (SELECT *, price::DOUBLE * 0.908::DOUBLE AS euro, date_time // 3600000 % 24 AS hour FROM bid)
SELECT auction || ',' || id || ',' || CASE WHEN hour BETWEEN 8 AND 18 THEN 'dayTime' WHEN hour <= 6 OR hour >= 20 THEN 'nightTime' ELSE 'otherTime' END AS key,
  date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", bidder, euro, length(url) - length(replace(url, 'c', ''))
FROM b WHERE euro > 1000000 AND euro < 50000000
