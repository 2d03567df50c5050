"""Measures loopback transfers from 4 KiB to 8 GiB over 1 to 8 connections, and memory over many transfers in one process.

Prints Markdown tables. See scale.sh.
"""

import argparse
import os
import statistics
import sys

import pages
from common import Program, Unusable, loopback_rates, print_origin

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
STREAMS = [1, 2, 4, 8]
# In all, for one cell of the table; and not more transfers than that.
CELL_BYTES, CELL_TRANSFERS = 8 * GIB, 100
GROWTH_BYTES = 16 * MIB
GROWTH_FROM, GROWTH_TO = 20, 200


def transfers(options, length, streams):
    """Rates of several transfers of so many bytes in one process, in bytes a second, without the first."""
    each = argparse.Namespace(arraylift=options.arraylift, bytes=length, range=f"range:0:{length // 8}")
    count = max(2, min(CELL_TRANSFERS, CELL_BYTES // length))
    return loopback_rates(each, "--repeat", count, *(["--streams", streams] if streams > 1 else []))[1:]


def print_sizes(options):
    """Whether every cell got a number."""
    complete = True
    print("| bytes |" + "".join(f" {streams} connection{'s' * (streams > 1)}, GB/s |" for streams in STREAMS), end="")
    print(" microseconds over one |\n|---|" + "---|" * (len(STREAMS) + 1))
    length = 4 * KIB
    while length <= options.most:
        if pages.available_bytes() < 2 * length:
            print(f"left out: {named(length)}: there is not enough memory", file=sys.stderr)
            break
        cells, time_us = [], ""
        for streams in STREAMS:
            try:
                rates = transfers(options, length, streams)
            except Unusable as error:
                print(f"{named(length)} over {streams}: {error}", file=sys.stderr)
                cells.append("no result")
                complete = False
                continue
            rate = statistics.median(rates)
            cells.append(f"{rate / 1e9:.3g} ({min(rates) / 1e9:.3g}..{max(rates) / 1e9:.3g})")
            if streams == 1:
                time_us = f"{length / rate * 1e6:,.0f}"
            print(f"{named(length)} over {streams}: {cells[-1]} GB/s", file=sys.stderr)
        print(f"| {named(length)} | {' | '.join(cells)} | {time_us} |", flush=True)
        length *= 8
    print("\nMedian (min..max) of the transfers in one process after its first, from connecting to the verified end.")
    return complete


def named(length):
    for unit, name in [(GIB, "GiB"), (MIB, "MiB")]:
        if length >= unit:
            return f"{length // unit} {name}"
    return f"{length // KIB} KiB"


def print_growth(options):
    """What a process holds after a few transfers and after many. That it does not grow is a test, in tests/cli."""
    count = GROWTH_BYTES // 8
    command = [options.arraylift, "loopback", f"range:0:{count}", "--repeat", GROWTH_TO + 100, "--json"]
    held = {}
    with Program(*command) as program:
        for line in iter(program.lines.get, None):
            for number in (GROWTH_FROM, GROWTH_TO):
                if '"event":"finished"' in line and f'"transfer":{number},' in line:
                    held[number] = resident(program.process.pid), len(os.listdir(f"/proc/{program.process.pid}/fd"))
    if len(held) < 2:
        print("memory growth: no result", file=sys.stderr)
        return False
    print(f"\n| one process, {named(GROWTH_BYTES)} each | resident MiB | descriptors |\n|---|---|---|")
    for number, (memory, descriptors) in held.items():
        print(f"| after {number} transfers | {memory / MIB:.1f} | {descriptors} |")
    return True


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--most", type=int, default=8 * GIB, help="bytes of the largest array")
    options = parser.parse_args()
    if not os.access(options.arraylift, os.X_OK):
        parser.error(f"there is no {options.arraylift}: cargo build --release makes it")
    complete = print_sizes(options)
    complete = print_growth(options) and complete
    print_origin("tests/bench/scale.sh", sys.argv[2:])
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
