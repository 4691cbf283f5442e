"""Answers questions with DuckDB over Parquet files, the way ours are answered: one process, the same number of threads,
each question warmed up once.

    python duckdb_questions.py THREADS ROUNDS < questions.json

Standard input is {"files": [path, …], "questions": [sql, …]}; `tests` in the SQL are the files. Prints one JSON object a
question: the seconds of each round, the peak memory of the process during them in bytes, and the first row.
"""

import json
import sys
import time

import duckdb


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_bytes():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def main():
    threads, rounds = int(sys.argv[1]), int(sys.argv[2])
    asked = json.load(sys.stdin)
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET parquet_metadata_cache = true")
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in asked["files"])
    connection.execute(f"CREATE VIEW tests AS SELECT * FROM read_parquet([{files}], hive_partitioning = false)")
    for sql in asked["questions"]:
        connection.execute(sql).fetchall()
        forget_peak()
        seconds = []
        for _ in range(rounds):
            begun = time.perf_counter()
            rows = connection.execute(sql).fetchall()
            seconds.append(time.perf_counter() - begun)
        print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes(), "rows": len(rows), "first": str(rows[:1])}), flush=True)


main()
