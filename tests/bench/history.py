"""Measures `arraylift history` with as many entries as it keeps, and prints a Markdown table. See history.sh."""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from common import Program, print_origin

ENTRIES = 100_000
# Only the latest have their bytes over time.
CURVES = 10_000


def fill(arraylift, path):
    """One transfer, and copies of it until there are as many entries as are kept."""
    command = [arraylift, "loopback", "range:0:10e6", "--into", "discard"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    with sqlite3.connect(path) as history:
        numbers = [(number,) for number in range(2, ENTRIES + 1)]
        history.executemany(
            "INSERT INTO entries SELECT ?, began_unix_ms, command, words FROM entries WHERE id = 1", numbers
        )
        history.executemany("INSERT INTO details SELECT ?, entry FROM details WHERE id = 1", numbers)
        history.executemany("INSERT INTO curves SELECT ?, points FROM curves WHERE id = 1", numbers[-CURVES:])
        history.execute("DELETE FROM curves WHERE id = 1")
    history.close()


def measured(command):
    """Seconds, the most memory in bytes, and how many lines were printed."""
    begin = time.monotonic()
    with Program(*command, watch=True) as program:
        lines = sum(1 for _ in iter(program.lines.get, None))
        code = program.process.wait()
        took_s = time.monotonic() - begin
    if code:
        sys.exit(f"{command}: exit code {code}")
    return took_s, program.peak, lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    arraylift = os.path.abspath(options.arraylift)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_DATA_HOME=folder, XDG_RUNTIME_DIR=folder)
        os.environ.pop("ARRAYLIFT_HISTORY", None)
        path = os.path.join(folder, "arraylift", "history.db")
        fill(arraylift, path)
        print(f"{ENTRIES:,} entries, {os.path.getsize(path) / 1e6:.0f} MB; medians of {options.rounds} rounds\n")
        print("| command | lines | time | memory at most |\n|---|---|---|---|")
        for words in (["history"], ["history", "--last", "200"], ["history", "--last", str(ENTRIES)],
                      ["history", "--last", str(ENTRIES), "--json"], ["history", "--search", "nothing"]):
            runs = [measured([arraylift, *words]) for _ in range(options.rounds)]
            took_s, memory, lines = (statistics.median(values) for values in zip(*runs))
            print(f"| `{' '.join(words)}` | {lines:,} | {took_s * 1e3:.0f} ms | {memory / 1e6:.1f} MB |")
    print_origin("tests/bench/history.sh", sys.argv[2:])


if __name__ == "__main__":
    main()
