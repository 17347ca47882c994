SELECT auction::VARCHAR AS key, date_time // 86400000 * 86400000 AS start, date_time // 86400000 * 86400000 + 86400000 AS "end", count(*), count(*) FILTER (price < 10000), count(*) FILTER (price >= 10000 AND price < 1000000), count(*) FILTER (price >= 1000000),
  min(price), max(price), list(price) AS mean__mean, sum(price)::BIGINT, list(price) AS spread__stddev1
FROM bid GROUP BY ALL
