#!/usr/bin/env python3
"""Computes what the pipelines of this folder must give, without Tidemark.

    truth.py arrivals.jsonl truth.json

Counts, sums, extremes, sorted lists and the bounds of local days are DuckDB's, with ICU's time zones; the days
themselves are the source's own columns. Means are rounded once, from fractions. Sessions, which SQL says badly, are
twenty lines of Python. Every output has two truths: of all flights, and of those in time for the stream.

A flight's row in "told" has the watermark of its own topic partition (here: its airport) as it was before it. It is in
time for a window unless that is at or above the window's end and the allowed lateness. Of a session: the flight's time.

A value that need not be met to the bit is {"about": x, "within": share} or {"any": [x, y]}.
"""

import bisect
import json
import sys
from fractions import Fraction

import duckdb

MINUTE = 60_000
HOUR = 60 * MINUTE
OUT_OF_ORDER, MAX_FUTURE, CONFIRM = 30 * MINUTE, 24 * HOUR, 3

# A quantile is within 1 % of the value at its rank, an estimated count has a standard error of 0.81 %: four of them.
QUANTILE, DISTINCT = 0.01, 4 * 0.0081
DISTINCT_EXACT = 1536


class Watermark:
    """Of a partition: the highest time but for out-of-orderness. A jump of a day, and the start, take 4 events."""

    def __init__(self):
        self.base, self.waiting = None, []

    def value(self):
        return None if self.base is None else self.base - OUT_OF_ORDER

    def see(self, time, identity):
        if self.base is not None and time <= self.base + MAX_FUTURE:
            self.base = max(self.base, time)
            return
        if (time, identity) not in self.waiting:
            bisect.insort(self.waiting, (time, identity))
        if len(self.waiting) > CONFIRM:
            self.base = max(self.base or self.waiting[0][0], self.waiting[0][0])
            while self.waiting and self.waiting[0][0] <= self.base + MAX_FUTURE:
                self.base = max(self.base, self.waiting.pop(0)[0])


def load(db, arrivals):
    """Makes the table "told", a row for each line, in order."""
    db.execute("""
        CREATE TABLE read AS
        SELECT row_number() OVER () AS n, event.*, strptime(day, '%Y-%m-%d')::DATE AS day, clock
        FROM read_json(?, format='newline_delimited', maximum_object_size=65536, columns={day: 'VARCHAR', clock: 'VARCHAR', event:
          'STRUCT(carrier VARCHAR, flight INT, tail_number VARCHAR, origin VARCHAR, destination VARCHAR, departure_delay BIGINT, distance_miles BIGINT)'})
        """, [arrivals])
    db.execute("""
        CREATE TABLE timed AS
        SELECT *, epoch_ms((day + clock::TIME) AT TIME ZONE 'America/New_York') AS t,
          epoch_ms(day::TIMESTAMP AT TIME ZONE 'America/New_York') AS day_start,
          epoch_ms((day + 1)::TIMESTAMP AT TIME ZONE 'America/New_York') AS day_end
        FROM read""")
    marks, rows = {}, []
    for n, origin, t, identity in db.execute("SELECT n, origin, t, carrier || flight FROM timed ORDER BY n").fetchall():
        mark = marks.setdefault(origin, Watermark())
        rows.append((n, mark.value()))
        mark.see(t, identity)
    db.execute("CREATE TABLE marks AS SELECT r[1] AS n, r[2] AS mark FROM (SELECT unnest(from_json(?, '[[\"BIGINT\"]]')) AS r)", [json.dumps(rows)])
    db.execute("CREATE TABLE told AS SELECT * FROM timed JOIN marks USING (n) WHERE departure_delay IS NOT NULL")


# The windows of a flight: SQL for lists of (start, end), in ms, by columns of told.
LOCAL_DAY = "[(day_start, day_end)]"
UTC_DAY = f"[(t - t % {24 * HOUR}, t - t % {24 * HOUR} + {24 * HOUR})]"
HOPS = f"list_transform(range(0, 6), lambda i: (t - t % {HOUR} - i * {HOUR}, t - t % {HOUR} - i * {HOUR} + {6 * HOUR}))"
LOCAL_QUARTER = f"""[(t - (t - day_start) % {6 * HOUR}, least(t - (t - day_start) % {6 * HOUR} + {6 * HOUR}, day_end))]"""
LOCAL_DAYS_7 = """list_transform(range(0, 7), lambda i: (epoch_ms((day - i::INT)::TIMESTAMP AT TIME ZONE 'America/New_York'),
  epoch_ms((day - i::INT + 7)::TIMESTAMP AT TIME ZONE 'America/New_York')))"""
THURSDAY = "(day - ((dayofweek(day) + 3) % 7)::INT)"
LOCAL_WEEK = f"""[(epoch_ms({THURSDAY}::TIMESTAMP AT TIME ZONE 'America/New_York'),
  epoch_ms(({THURSDAY} + 7)::TIMESTAMP AT TIME ZONE 'America/New_York'))]"""


def mean(values):
    """Rounded once, from the exact quotient."""
    return float(Fraction(sum(values), len(values)))


def quantile(values, q):
    return {"about": float(sorted(values)[int(q * (len(values) - 1))]), "within": QUANTILE}


def about_distinct(n):
    return n if n <= DISTINCT_EXACT else {"about": float(n), "within": DISTINCT}


TOP = """(SELECT list({'value': destination, 'count': c} ORDER BY c DESC, destination)[:3]
  FROM (SELECT destination, count(*) AS c FROM member m WHERE m.key = g.key AND m.ws = g.ws GROUP BY destination))"""
DAY = {"flights": "count(*)", "mean_delay": "list(departure_delay)", "p95_delay": "list(departure_delay)", "worst": "max(departure_delay)",
       "carriers": "count(DISTINCT carrier)", "destinations": None}
OUTPUTS = {  # key, windows, allowed lateness, SQL of the values
    "departures-new-york-day": ("origin", LOCAL_DAY, HOUR, DAY),
    "departures-utc-day": ("origin", UTC_DAY, HOUR, DAY),
    "departures-rolling-week": ("origin", LOCAL_DAYS_7, HOUR, {
        "flights": "count(*)", "mean_delay": "list(departure_delay)", "median_delay": "list(departure_delay)",
        "aircraft": "count(DISTINCT tail_number)"}),
    "departures-6h-hopping": ("origin", HOPS, 30 * MINUTE, {
        "flights": "count(*)", "delay": "sum(departure_delay)::BIGINT", "best": "min(departure_delay)", "worst": "max(departure_delay)",
        "mean_delay": "list(departure_delay)"}),
    "departures-6h-new-york": ("origin", LOCAL_QUARTER, 30 * MINUTE, {
        "flights": "count(*)", "median_delay": "list(departure_delay)",
        "delays": """[count(*) FILTER (departure_delay < 0), count(*) FILTER (departure_delay BETWEEN 0 AND 14),
          count(*) FILTER (departure_delay BETWEEN 15 AND 59), count(*) FILTER (departure_delay >= 60)]"""}),
    "punctuality": ("carrier", LOCAL_DAY, 30 * MINUTE, {
        "flights": "count(*)", "on_time": "count(*) FILTER (departure_delay < 15)", "share": "list((departure_delay < 15)::INT)",
        "mean_delay": "list(departure_delay)"}),
    "aircraft-weekly": ("''", LOCAL_WEEK, 30 * MINUTE, {
        "flights": "count(*)", "aircraft": "count(DISTINCT tail_number)", "aircraft_about": "count(DISTINCT tail_number)"}),
}
FINISH = {"mean_delay": mean, "share": mean, "p95_delay": lambda v: quantile(v, 0.95), "median_delay": lambda v: quantile(v, 0.5),
          "aircraft_about": about_distinct}


def windows(db, name, in_time):
    """The rows of an output of windows, from all flights or from those in time."""
    key, spans, lateness, values = OUTPUTS[name]
    only = f"WHERE mark IS NULL OR mark < w[2] + {lateness}" if in_time else ""
    db.execute(f"""
        CREATE OR REPLACE TEMP TABLE member AS
        SELECT {key} AS key, w[1] AS ws, w[2] AS we, carrier, tail_number, destination, departure_delay
        FROM (SELECT *, unnest(list_transform({spans}, lambda s: [s[1], s[2]])) AS w FROM told)
        {only}
        QUALIFY row_number() OVER (PARTITION BY carrier, flight, t, w) = 1""")  # copies count once
    columns = ", ".join(f"{sql} AS {column}" for column, sql in values.items() if sql)
    found = db.execute(f"SELECT key, ws, we, {columns} FROM member GROUP BY key, ws, we ORDER BY ws, key")
    names = [d[0] for d in found.description]
    rows = [dict(zip(names, row)) for row in found.fetchall()]
    tops = {}
    if "destinations" in values:
        tops = {(k, s): v for k, s, v in db.execute(f"SELECT key, ws, {TOP} FROM (SELECT DISTINCT key, ws FROM member) g").fetchall()}
    for r in rows:
        at = r["key"], r["ws"]
        if tops:
            r["destinations"] = tops[at]
        values_of = {c: FINISH.get(c, lambda v: v)(r[c]) for c in values}
        yield {"key": r["key"], "start": r["ws"], "end": r["we"], "values": values_of}


GAPS = {"rotations": 4 * HOUR, "working-days": 9 * HOUR}
SESSION_LATENESS = HOUR


def sessions(db, gap, in_time):
    """The sessions of each aircraft and day."""
    only = f"AND (mark IS NULL OR mark < t + {SESSION_LATENESS})" if in_time else ""
    days = db.execute(f"""
        SELECT tail_number, day_end, list({{'t': t, 'origin': origin, 'destination': destination, 'miles': distance_miles,
          'delay': departure_delay}} ORDER BY t)
        FROM (FROM told WHERE tail_number IS NOT NULL {only} QUALIFY row_number() OVER (PARTITION BY carrier, flight, t) = 1)
        GROUP BY ALL""").fetchall()
    for tail, day_end, flights in days:
        session = []
        for f in [*flights, None]:
            if session and (f is None or f["t"] - session[-1]["t"] >= gap):
                yield session_of(tail, gap, day_end, session)
                session = []
            session.append(f)


def session_of(tail, gap, day_end, flights):
    first, last = flights[0]["t"], flights[-1]["t"]
    return {"key": tail, "start": first, "end": min(last + gap, day_end), "values": {
        "departures": len(flights),
        "airports": len({f["origin"] for f in flights}),
        "first_from": one_of(f["origin"] for f in flights if f["t"] == first),
        "last_to": one_of(f["destination"] for f in flights if f["t"] == last),
        "miles": sum(f["miles"] for f in flights),
        "worst": max(f["delay"] for f in flights),
    }}


def one_of(values):
    """The source has a few aircraft in two places at once; which is first then depends on an event's identity."""
    values = sorted(set(values))
    return values[0] if len(values) == 1 else {"any": values}


def main(arrivals, target):
    db = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    load(db, arrivals)
    truth = {name: {"stream": list(windows(db, name, True)), "all": list(windows(db, name, False))} for name in OUTPUTS}
    truth |= {name: {"stream": list(sessions(db, gap, True)), "all": list(sessions(db, gap, False))} for name, gap in GAPS.items()}
    with open(target, "w", encoding="utf-8") as out:
        json.dump(truth, out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: truth.py arrivals.jsonl truth.json")
    main(sys.argv[1], sys.argv[2])
