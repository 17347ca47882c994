SELECT auction || ',' || id AS key, date_time // 1000 * 1000 AS start, date_time // 1000 * 1000 + 1000 AS "end", bidder, price::DOUBLE * 0.908::DOUBLE AS euro FROM bid;
-- Python adds up and divides what is called __fsum, __mean and __stddev: exactly, rounded once.
SELECT auction::VARCHAR AS key, date_time // 60000 * 60000 AS start, date_time // 60000 * 60000 + 60000 AS "end", count(*) AS bids,
  list(price::DOUBLE * 0.908::DOUBLE) AS euro__fsum, list(price::DOUBLE * 0.908::DOUBLE) AS mean__mean, list(price) AS spread__stddev
FROM bid GROUP BY ALL
