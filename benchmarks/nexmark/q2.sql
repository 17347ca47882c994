SELECT auction || ',' || id AS key, date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", price FROM bid WHERE auction % 123 = 0
