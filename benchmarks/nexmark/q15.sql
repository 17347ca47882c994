SELECT '' AS key, date_time // 86400000 * 86400000 AS start, date_time // 86400000 * 86400000 + 86400000 AS "end", count(*), count(*) FILTER (price < 10000), count(*) FILTER (price >= 10000 AND price < 1000000), count(*) FILTER (price >= 1000000), count(DISTINCT bidder),
  count(DISTINCT CASE WHEN price < 10000 THEN bidder END), count(DISTINCT CASE WHEN price >= 1000000 THEN bidder END), count(DISTINCT auction),
  count(DISTINCT channel) -- approx_distinct is exact up to 1,536
FROM bid GROUP BY ALL
