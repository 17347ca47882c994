SELECT b.auction || ',' || b.id AS key, b.date_time // 1000 * 1000 AS start, b.date_time // 1000 * 1000 + 1000 AS "end", b.price, b.url, a.item, a.seller, a.reserve
FROM auction a JOIN bid b ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.date_time + 120000
WHERE a.category = 10
