"""Reads all raw and quarantine files below a directory with fastavro and with
DuckDB and prints, as JSON, what each of them saw. Usage: read.py DIRECTORY
With "json" behind the directory it reads a topic of JSON events with fastavro."""

import datetime
import glob
import hashlib
import importlib.util
import json
import os
import sys

import duckdb
import fastavro

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def digest(rows):
    """SHA-256 over the rows' texts, one a line, in order."""
    return hashlib.sha256("".join(row + "\n" for row in rows).encode()).hexdigest()


def hexed(value):
    return "null" if value is None else bytes(value).hex()


def row_text(offset, timestamp, key, headers, value):
    pairs = " ".join(hexed(k) + "=" + hexed(v) for k, v in headers)
    return f"{offset} {timestamp} {hexed(key)} [{pairs}] {value}"


def raw_value(v):
    return f"{v['id']} {v['n']} {v['x']!r} {v['color']} {v['note']} {v['place']['city']}"


def millis(at):
    """fastavro gives timestamp-millis as a datetime; DuckDB gives the number."""
    return (at - EPOCH) // datetime.timedelta(milliseconds=1)


def with_fastavro(files):
    rows, quarantined, n, x = [], [], 0, 0.0
    for path in files:
        with open(path, "rb") as f:
            for r in fastavro.reader(f):
                headers = [(h["key"], h["value"]) for h in r["headers"]]
                common = (r["offset"], r["timestamp"], r["key"], headers)
                if "reason" in r:
                    quarantined.append(row_text(*common, r["reason"] + " " + hexed(r["value"])))
                    continue
                value = r["value"]
                rows.append(row_text(*common, f"{millis(value['at'])} {raw_value(value)}"))
                n, x = n + value["n"], x + value["x"]
    return rows, quarantined, n, x


def connect():
    con = duckdb.connect()
    where = importlib.util.find_spec("duckdb_ext").submodule_search_locations[0]
    extension = glob.glob(os.path.join(where, "extensions", "*", "*", "avro.duckdb_extension"))[0]
    con.execute(f"LOAD '{extension}'")
    return con


def with_duckdb(files):
    con = connect()
    rows, quarantined, n, x = [], [], 0, 0.0
    for path in files:
        if "_quarantine" in path:
            query = "SELECT \"offset\", timestamp, key, headers, reason, value FROM read_avro(?)"
            for offset, timestamp, key, headers, reason, value in con.execute(query, [path]).fetchall():
                pairs = [(h["key"], h["value"]) for h in headers]
                quarantined.append(row_text(offset, timestamp, key, pairs, reason + " " + hexed(value)))
            continue
        query = "SELECT \"offset\", timestamp, key, headers, value FROM read_avro(?)"
        for offset, timestamp, key, headers, value in con.execute(query, [path]).fetchall():
            pairs = [(h["key"], h["value"]) for h in headers]
            rows.append(row_text(offset, timestamp, key, pairs, f"{value['at']} {raw_value(value)}"))
        n_file, x_file = con.execute("SELECT sum(value.n), sum(value.x) FROM read_avro(?)", [path]).fetchone()
        n, x = n + int(n_file), x + x_file
    return rows, quarantined, n, x


def with_json(files):
    """Events that are JSON texts: fastavro reads the bytes, json what is in them."""
    rows, bad = [], 0
    for path in files:
        with open(path, "rb") as f:
            for r in fastavro.reader(f):
                if "reason" in r:
                    bad += 1
                    continue
                event = json.loads(r["value"])
                rows.append(f"{r['offset']} {event['id']} {event['n']} {r['value'].hex()}")
    rows.sort(key=lambda row: int(row.split(" ", 1)[0]))
    return {"count": len(rows), "rows": digest(rows), "quarantined_count": bad, "files": len(files)}


def main():
    if sys.argv[2:] == ["json"]:
        print(json.dumps(with_json(glob.glob(os.path.join(sys.argv[1], "**", "*.avro"), recursive=True))))
        return
    files = sorted(glob.glob(os.path.join(sys.argv[1], "**", "*.avro"), recursive=True))
    seen = {}
    for name, read in (("fastavro", with_fastavro), ("duckdb", with_duckdb)):
        rows, quarantined, n, x = read(files)
        order = lambda row: int(row.split(" ", 1)[0])
        seen[name] = {
            "files": len(files), "count": len(rows), "sum_n": n, "sum_x": x,
            "rows": digest(sorted(rows, key=order)), "quarantined": digest(sorted(quarantined, key=order)),
            "quarantined_count": len(quarantined), "sample": rows[0],
        }
    print(json.dumps(seen))


main()
