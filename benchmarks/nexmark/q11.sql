WITH s AS (SELECT *, coalesce(date_time - lag(date_time) OVER w >= 10000, true) AS new FROM bid WINDOW w AS (PARTITION BY bidder ORDER BY date_time)),
  n AS (SELECT *, sum(new::INT) OVER (PARTITION BY bidder ORDER BY date_time RANGE UNBOUNDED PRECEDING) AS session FROM s)
SELECT bidder::VARCHAR AS key, min(date_time) AS start, max(date_time) + 10000 AS "end", count(*), count(DISTINCT auction) FROM n GROUP BY bidder, session
