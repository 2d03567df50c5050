"""Measures what --stats costs, in turn with the same transfers without it, and prints a Markdown table. See stats.sh."""

import argparse
import os
import random
import statistics
import sys
import tempfile

from common import Program, all_good, last, measure, print_origin, print_rates, rate_of


def moved(*extra, seen=None, own_folder=False):
    """The rate of one transfer. How much each end looked at, a share of the array, goes to `seen`."""

    def contestant(options):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            into = ["--into", folder, "--no-sync"] if own_folder else []
            command = (options.arraylift, "loopback", options.range, "--json", *extra, *into)
            with Program(*command) as program:
                events = program.events()
        if seen is not None:
            told = [event for event in events if event.get("event") == "stats"]
            seen.append(min(event["seen"] / event["values"] for event in told))
        finished = last(program, events, "finished", side="receiver")
        return rate_of(finished, options, verified="--no-verify" not in extra)

    return contestant


STATS = ", --stats"


def in_pairs(names, number):
    """Each way with --stats and without, one right after the other, and which comes first turns. Both come after the
    same, a transfer of their own way that does not count: what came before may leave memory cold, or a disk busy. The
    ways come in another order each round, the same one with every run."""
    ways = [name for name in names if not name.endswith(STATS)]
    random.Random(number).shuffle(ways)
    for way in ways:
        pair = [way, way + STATS]
        yield way, False
        for name in pair if number % 2 else pair[::-1]:
            yield name, True


def by_round(rates, name, base):
    """The median of each round's ratio: what a noisy machine does to a whole round, it does to both."""
    pairs = [own / other for own, other in zip(rates[name], rates[base]) if own and other]
    return statistics.median(pairs) if pairs else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=lambda text: int(text.replace("_", "")), default=250_000_000, help="of f64")
    parser.add_argument("--folder", help="for files, on the disk that is measured")
    options = parser.parse_args()
    options.bytes, options.range = 8 * options.count, f"range:0:{options.count}"
    # Nobody else's engines are there, and no history.
    os.environ["ARRAYLIFT_HISTORY"] = "off"

    ways = {
        "into memory": ("--into", "memory"),
        "kept nowhere": ("--into", "discard"),
        "kept nowhere, not verified": ("--into", "discard", "--no-verify"),
        "over 4 streams, kept nowhere": ("--into", "discard", "--streams", "4"),
        "into a new file": (),
    }
    contestants, shares = {}, {}
    for name, extra in ways.items():
        own_folder = "--into" not in extra
        contestants[name] = moved(*extra, own_folder=own_folder)
        shares[name] = []
        contestants[name + STATS] = moved(*extra, "--stats", seen=shares[name], own_folder=own_folder)
    rates = measure(contestants, options, order=in_pairs)

    def cost(name):
        base = name.removesuffix(STATS)
        return "" if name == base else f"{by_round(rates, name, base):.3f}"

    def looked_at(name):
        base = name.removesuffix(STATS)
        return "" if name == base or not shares[base] else f"{statistics.median(shares[base]):.1%}"

    print(f"{options.bytes / 1e9:.2f} GB ({options.count:,} f64) over TCP loopback, {options.rounds} rounds in turn\n")
    print_rates(rates, [("round by round, to without", cost), ("looked at", looked_at)])
    load = " ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"\nLoad average afterwards, with these transfers in it: {load}")
    print_origin("tests/bench/stats.sh", sys.argv[2:])
    lost = [name for name in ways if (by_round(rates, name + STATS, name) or 0) < 0.98]
    return 0 if all_good(rates) and not lost else 1


if __name__ == "__main__":
    sys.exit(main())
