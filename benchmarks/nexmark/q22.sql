SELECT auction || ',' || id AS key, date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", split_part(url, '/', 4), split_part(url, '/', 5), split_part(url, '/', 6) FROM bid
