SELECT '' AS key, date_time // 10000 * 10000 AS start, date_time // 10000 * 10000 + 10000 AS "end", max(price), max(price * 1000000 + bidder), list(price ORDER BY price DESC)[1:3]
FROM bid GROUP BY ALL
