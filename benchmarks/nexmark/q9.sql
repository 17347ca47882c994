SELECT a.id::VARCHAR AS key, min(b.date_time) AS start, max(b.date_time) + 121000 AS "end",
  first((b.price * 1000000 + a.expires - b.date_time) * 10000 + b.bidder ORDER BY b.price DESC, b.date_time, b.bidder DESC), first(a.item), first(a.seller)
FROM auction a JOIN bid b ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.expires
GROUP BY a.id
