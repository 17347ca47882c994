SELECT a.id || ',' || a.category AS key, min(b.date_time) AS start, max(b.date_time) + 121000 AS "end", max(b.price), count(*)
FROM auction a JOIN bid b ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.expires
GROUP BY a.id, a.category
