SELECT bidder::VARCHAR AS key, date_time // 10000 * 10000 AS start, date_time // 10000 * 10000 + 10000 AS "end", count(*) FROM bid GROUP BY ALL
