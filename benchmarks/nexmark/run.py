"""Computes the queries' SQL with DuckDB: python run.py DIRECTORY QUERY.sql... where DIRECTORY has the logs.

Each log is a folder of DIRECTORY, with persons.json, auctions.json, bids.json and labels.json: a record a line, in which an event
may occur more than once. Writes JSON lines {"log", "query", "output", "row"}. Columns called x__fsum, x__mean, x__stddev (of the
whole) and x__stddev1 (of a sample) are lists, of which Python computes the number exactly and rounds it once.
"""
import json
import math
import os
import sys
from decimal import Decimal
from fractions import Fraction

import duckdb

TABLES = {
    "person": ("persons", "id BIGINT, name VARCHAR, email VARCHAR, city VARCHAR, state VARCHAR, date_time BIGINT"),
    "auction": ("auctions", "id BIGINT, item VARCHAR, initial_bid BIGINT, reserve DECIMAL(12, 2), date_time BIGINT, expires BIGINT,"
                " seller BIGINT, category BIGINT"),
    "bid": ("bids", "id BIGINT, auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, date_time BIGINT"),
    "label": ("labels", "auction BIGINT, label VARCHAR, date_time BIGINT"),
}


def root(x):
    """The square root of a fraction, rounded once."""
    if x == 0:
        return 0.0
    shift = max(0, 140 - (x.numerator.bit_length() - x.denominator.bit_length()))
    shift += shift % 2
    scaled = (x.numerator << shift) // x.denominator
    whole = math.isqrt(scaled)
    sticky = int(whole * whole != scaled or (x.numerator << shift) % x.denominator != 0)
    return float(Fraction(2 * whole + sticky, 2 << (shift // 2)))


def deviation(values, less):
    values = [Fraction(v) for v in values]
    n = len(values)
    if n <= less:
        return None
    return root((sum(v * v for v in values) - sum(values) ** 2 / n) / (n - less))


REDUCE = {
    "fsum": math.fsum,
    "mean": lambda v: float(sum(map(Fraction, v)) / len(v)),
    "stddev": lambda v: deviation(v, 0),
    "stddev1": lambda v: deviation(v, 1),
}


def plain(value):
    if isinstance(value, Decimal):
        return str(value)
    return value


def main():
    directory, queries = sys.argv[1], sys.argv[2:]
    for log in sorted(os.listdir(directory)):
        db = duckdb.connect()
        for table, (topic, columns) in TABLES.items():
            db.execute(f"CREATE TABLE all_{table} ({columns})")
            db.execute(f"COPY all_{table} FROM '{directory}/{log}/{topic}.json' (FORMAT json)")
            db.execute(f"CREATE TABLE {table} AS SELECT DISTINCT * FROM all_{table}")
        for query in queries:
            with open(query, encoding="utf-8") as f:
                statements = duckdb.extract_statements(f.read())
            for output, statement in enumerate(statements):
                result = db.execute(statement)
                reduce = [REDUCE.get(c[0].partition("__")[2], plain) for c in result.description]
                for row in result.fetchall():
                    row = [f(v) for f, v in zip(reduce, row)]
                    print(json.dumps({"log": log, "query": os.path.basename(query)[:-4], "output": output, "row": row}))


main()
