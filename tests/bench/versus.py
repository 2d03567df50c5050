"""Measures Arraylift, the Python recipe and other programs in turn on loopback, and prints Markdown tables. See versus.sh."""

import argparse
import contextlib
import copy
import os
import statistics
import sys

import floors
import ours
import pages
import rivals
from common import Missing, Unusable, all_good, measure, median, print_origin, print_rates, ratio

MIB = 1 << 20
# The larger of two arrays that are handed over.
LARGE = 20

ARRAYS = {
    floors.RECIPE: rivals.recipe,
    floors.MEMCPY: rivals.memcpy,
    floors.IPERF3: rivals.iperf3(),
    "iperf3 -Z -C reno": rivals.iperf3("--congestion", "reno"),
    floors.CUBIC: rivals.iperf3("--congestion", "cubic"),
    "pyzmq, copy=False": rivals.pyzmq,
    "pyarrow Flight, DoGet": rivals.flight,
    floors.FRESH: ours.fresh(),
    "arraylift loopback --no-verify": ours.fresh("--no-verify"),
    floors.REUSED: ours.reused(),
    floors.UNVERIFIED_REUSED: ours.reused("--no-verify"),
    "arraylift send, receive": ours.send_receive,
    "arraylift loopback --streams 2": ours.fresh("--streams", 2),
    "arraylift loopback --streams 4": ours.fresh("--streams", 4),
    "arraylift loopback --streams 8": ours.fresh("--streams", 8),
}
# Of those, who is measured on cold pages too.
COLD = [floors.RECIPE, floors.IPERF3, floors.FRESH, floors.REUSED, "arraylift send, receive"]
FILES = {
    "nc": rivals.netcat,
    "mbuffer": rivals.mbuffer,
    "rsync daemon": rivals.rsync,
    "nginx + curl": rivals.nginx,
    floors.FILE: ours.file_to_file(),
    "arraylift send, receive --receive-route recv": ours.file_to_file("--receive-route", "recv"),
    "arraylift send, receive --receive-route splice": ours.file_to_file("--receive-route", "splice"),
}


def arrays_on_warm_pages(options):
    rates = measure(chosen(ARRAYS, options), options, pages.warm)
    print(f"Arrays, {size(options)} over TCP loopback, warm pages:\n")
    every = range(options.rounds)
    print_rates(rates, [ratio_to(base, rates, every) for base in (floors.RECIPE, floors.IPERF3, floors.MEMCPY)])
    print("\nWarm: so much memory was touched and freed just before each. memcpy moves nothing, and iperf3 keeps nothing.")
    return rates


def arrays_on_cold_pages(options):
    fewer = copy.copy(options)
    fewer.rounds = min(options.rounds, 3)
    rates = measure(chosen({name: ARRAYS[name] for name in COLD}, options), fewer, pages.cold)
    print(f"\nArrays, {size(options)} over TCP loopback, cold pages:\n")
    usable = floors.in_cold_rounds(rates)
    more = [("to the recipe where that was cold", lambda name: ratio_of(usable, name, floors.RECIPE))]
    print_rates(rates, [*more, ratio_to(floors.IPERF3, rates, range(fewer.rounds))])
    cost = [median(series, floors.RECIPE) for series in (rates, usable)]
    if cost[0] and not cost[1]:
        print("\nThe recipe was never under 1 GB/s: here, its pages were not cold, and ratios to it are left out.")
    print("\nCold: all free memory that the host had in place was held meanwhile, so that it had to bring more.")
    return rates


def files(options):
    contestants = chosen(FILES, options)
    if not contestants:
        return {}
    os.makedirs(options.folder, exist_ok=True)
    try:
        make_source(options)
        measured = {name: onto_new_file(contestant) for name, contestant in contestants.items()}
        rates = measure(measured, options, pages.warm)
    finally:
        remove(options.source)
        remove(options.sink)
    print(f"\nA warm file to a new file, {options.bytes / 1e6:.0f} MB over TCP loopback:\n")
    present = [name for name in floors.RIVALS_FOR_FILES if median(rates, name)]
    best = max(present, key=lambda name: median(rates, name), default="")
    print_rates(rates, [ratio_to(best, rates, range(options.rounds))] if best else [])
    print("\nTimed alike, from the start of the client to the end of what receives; contents compared; nothing is synced.")
    return rates


def onto_new_file(contestant):
    def measured(options):
        remove(options.sink)
        try:
            return contestant(options)
        finally:
            remove(options.sink)

    return measured


def make_source(options):
    with open(options.source, "wb") as file:
        for start in range(0, options.bytes, MIB):
            file.write(os.urandom(min(MIB, options.bytes - start)))
    # Reads it all: it is in the page cache now.
    options.source_sha256 = rivals.sha256_of(options.source)


def handoffs(options):
    """Seconds, by name."""
    large = copy.copy(options)
    large.count = LARGE * options.count
    large.bytes, large.range = 8 * large.count, f"range:0:{large.count}"
    handed = {}
    for name, each, exists, rounds in [
        (floors.HANDOFF, options, False, options.rounds),
        (floors.HANDOFF_LARGE, large, True, options.rounds),
        (floors.HANDOFF_LARGE_MADE, large, False, min(options.rounds, 3)),
    ]:
        if not chosen({name: None}, options):
            continue
        if pages.available_bytes() < 2 * each.bytes and each is large:
            print(f"left out: {name}: there is not enough memory", file=sys.stderr)
            continue
        try:
            with ours.shared(each) if exists else contextlib.nullcontext() as source:
                seconds = [each.bytes / ours.handoff(each, source) for _ in range(rounds + 1)][1:]
        except (Unusable, Missing) as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        told = ", ".join(f"{each * 1e6:.0f}" for each in seconds)
        print(f"{name}: {told} microseconds, one before not counted", file=sys.stderr)
        handed[name] = statistics.median(seconds)
    if handed:
        print("\n| two processes over a Unix socket | from connecting to the result, microseconds |\n|---|---|")
        for name, each in handed.items():
            print(f"| {name} | {each * 1e6:,.0f} |")
    return handed


def memory(options):
    """Peak bytes of both processes beyond the array where one is held; prints a table."""
    most = {}
    if not chosen({"arraylift memory": None}, options):
        return most
    os.makedirs(options.folder, exist_ok=True)
    print("\n| two processes | sender's peak MiB | beyond the source | receiver's peak MiB | beyond the sink |")
    print("|---|---|---|---|---|")
    try:
        make_source(options)
        for what, arguments in [
            ("range to memory", {}),
            ("file to file", {"source": options.source, "sink": options.sink}),
        ]:
            remove(options.sink)
            try:
                _, *peaks = ours.two_processes(options, **arguments, watch=True)
            except Unusable as error:
                print(f"memory: {what}: {error}", file=sys.stderr)
                print(f"| {what} | no result | | | |")
                continue
            extra = [peak - options.bytes if peak >= options.bytes else peak for peak in peaks]
            for side, bytes_beyond in zip(("sender", "receiver"), extra):
                most[side] = max(most.get(side, 0), bytes_beyond)
            cells = [f"{number / MIB:.1f}" for pair in zip(peaks, extra) for number in pair]
            print(f"| {what} | {' | '.join(cells)} |")
    finally:
        remove(options.source)
        remove(options.sink)
    print("\nPeaks are VmHWM. An array that was held is taken off: one is, where the peak is larger than it.")
    return most


# ---- helpers ----


def chosen(contestants, options):
    return {
        name: contestant
        for name, contestant in contestants.items()
        if not options.only or any(name.startswith(only) for only in options.only)
    }


def ratio_to(base, rates, rounds):
    return f"to {base}", lambda name: ratio(rates, name, base, rounds)


def ratio_of(rates, name, base):
    own, other = median(rates, name), median(rates, base)
    return f"{own / other:.2f}" if own and other else ""


def size(options):
    return f"{options.bytes / 1e6:.0f} MB ({options.count:,} f64)"


def remove(path):
    if os.path.exists(path):
        os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("folder", help="for files that are moved")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=50_000_000, help="how many f64")
    parser.add_argument("--quick", action="store_true", help="one round of a tenth, to see that all of it works")
    parser.add_argument("--only", action="append", help="measure only what begins so")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.count = 1, options.count // 10
    options.bytes = 8 * options.count
    options.range = f"range:0:{options.count}"
    options.source, options.sink = (os.path.join(options.folder, name) for name in ("source.bin", "sink.bin"))

    if not chosen({**ARRAYS, **FILES, floors.HANDOFF: None, "arraylift memory": None}, options):
        parser.error(f"nothing begins so; there are: {'; '.join([*ARRAYS, *FILES, floors.HANDOFF])}")
    if not os.access(options.arraylift, os.X_OK):
        parser.error(f"there is no {options.arraylift}: cargo build --release makes it")

    print(f"{options.rounds} rounds in turn, medians; each round begins with another, and one before does not count.\n")
    warm = arrays_on_warm_pages(options) if chosen(ARRAYS, options) else {}
    cold = arrays_on_cold_pages(options) if chosen(dict.fromkeys(COLD), options) else {}
    of_files = files(options)
    handed = handoffs(options)
    met = floors.print_floors(warm, cold, of_files, handed, memory(options))
    print_origin("tests/bench/versus.sh", sys.argv[3:])
    return 0 if met and all(map(all_good, (warm, cold, of_files))) else 1


if __name__ == "__main__":
    sys.exit(main())
