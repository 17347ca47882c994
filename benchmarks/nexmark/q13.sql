SELECT b.auction || ',' || b.id AS key, b.date_time // 1000 * 1000 AS start, b.date_time // 1000 * 1000 + 1000 AS "end", b.price, l.label
FROM bid b LEFT JOIN label l ON l.auction = b.auction AND l.date_time <= b.date_time
