WITH e AS (
  SELECT id AS who, date_time, 1 AS p, 0 AS a, name, NULL AS reserve FROM person
  UNION ALL SELECT seller, date_time, 0, 1, NULL, reserve FROM auction)
SELECT who::VARCHAR AS key, date_time // 10000 * 10000 AS start, date_time // 10000 * 10000 + 10000 AS "end", sum(p)::BIGINT, sum(a)::BIGINT, max(name), sum(reserve) FROM e GROUP BY ALL
