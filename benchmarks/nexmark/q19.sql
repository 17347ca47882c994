SELECT auction::VARCHAR AS key, date_time // 86400000 * 86400000 AS start, date_time // 86400000 * 86400000 + 86400000 AS "end", list(price ORDER BY price DESC)[1:10]
FROM bid GROUP BY ALL
