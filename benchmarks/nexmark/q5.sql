WITH w AS (SELECT unnest(generate_series(date_time // 2000 * 2000 - 8000, date_time // 2000 * 2000, 2000)) AS start, auction FROM bid),
  n AS (SELECT start, auction, count(*) AS n FROM w GROUP BY ALL)
SELECT '' AS key, start, start + 10000 AS "end", sum(n)::BIGINT, list([auction, n] ORDER BY n DESC, auction)[1:3] FROM n GROUP BY start
