SELECT auction || ',' || bidder AS key, date_time // 86400000 * 86400000 AS start, date_time // 86400000 * 86400000 + 86400000 AS "end",
  arg_max(id, date_time), arg_max(price, date_time), max(date_time), arg_min(price, date_time) FROM bid GROUP BY auction, bidder, start
