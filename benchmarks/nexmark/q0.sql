SELECT auction || ',' || id AS key, date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", bidder, price, channel, url FROM bid
