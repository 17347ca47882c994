SELECT a.seller || ',' || a.id AS key, a.date_time // 1000 * 1000 AS start, a.date_time // 1000 * 1000 + 1000 AS "end", p.name, p.city, p.state
FROM auction a JOIN person p ON p.id = a.seller AND p.date_time <= a.date_time
WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')
