"""Measures a transfer without a window, beside one and in one, in turn, and repeated in one, and prints Markdown tables. See window.sh."""

import argparse
import os
import re
import statistics
import sys
import time

from common import Program, Unusable, all_good, loopback, measure, print_origin, print_rates, ratio
from desktop import Trouble, Window

UNITS = {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12}
HEADLESS = "without a window: arraylift loopback --json"


def headless(options):
    rate = loopback(options, "--into", "discard", "--wire", "native")
    options.took_s = max(options.took_s, options.bytes / rate)
    return rate


def beside(options):
    """The same in a process of its own, while a window that does nothing is open."""
    with window_of(options) as window:
        window.rest()
        rate = headless(options)
        window.close()
    return rate


def in_window(options, hide=False):
    """The rate that the title tells, of one transfer in a window of its own."""
    with window_of(options) as window:
        window.rest()
        window.key("ctrl+Return")
        if hide:
            window.hide()
        # Each look at the title takes milliseconds of the cores that the transfer wants: nobody looks until it is over.
        time.sleep(1.5 * options.took_s)
        # Its beginning, lest the title of the one before is read.
        title = window.wait_for_title("transferring", "done", "failed")
        if "transferring" in title:
            title = window.wait_for_title("done", "failed")
        if hide:
            window.show()
        window.close()
    told = re.search(r"done .* at ([\d.]+) (\S+), verified$", title)
    if not told or told[2] not in UNITS:
        raise Unusable(f"the title is {title!r}")
    return float(told[1]) * UNITS[told[2]]


def window_of(options):
    return window_with(options, f'to: "{options.count}", sink: Discard, wire: "native"')


def window_with(options, form):
    return Window(options.arraylift, f"(form: ({form}))")


def repeated(options, count):
    """How one transfer is repeated for some seconds: the median that the window tells, that of the command line, and
    how many rounds the window made, with nobody moving the mouse."""
    with window_with(options, f'to: "{count}", repeat: true') as window:
        window.rest()
        window.key("ctrl+Return")
        time.sleep(options.seconds)
        window.key("Delete")
        # It has run for so long that it asks: the second answer is yes.
        window.key("Tab")
        window.key("Return")
        title = window.wait_for_title("stopped after", "failed")
        window.close()
    told = re.search(r"stopped after ([\d,]+) rounds?, median ([\d.]+) (\S+),", title)
    if not told:
        raise Unusable(f"the title is {title!r}")
    rounds = int(told[1].replace(",", ""))
    times = min(rounds, 2000)
    program = Program(options.arraylift, "loopback", f"range:0:{count}", "--repeat", times, "--json")
    with program:
        rates = [
            event["rate_bytes_per_s"]
            for event in program.events()
            if event.get("event") == "finished" and event["side"] == "receiver"
        ]
    return float(told[2]) * UNITS[told[3]], statistics.median(rates), rounds


def print_repeated(options):
    """A table of sizes that are repeated. Returns whether all gave numbers."""
    print(f"\nRepeated into memory, {options.seconds} s in the window, {options.rounds} times in turn with the command ", end="")
    print("line; medians of rounds, GB/s\n")
    print("| array | window | command line | ratio, time by time | its range | rounds in the window |")
    print("|---|---|---|---|---|---|")
    is_good = True
    for count in (1_000_000, 50_000_000):
        try:
            told = [repeated(options, count) for _ in range(options.rounds)]
        except Unusable as unusable:
            is_good = False
            print(f"| {8 * count / 1e6:.0f} MB | {unusable} | | | | |")
            continue
        ratios = [window / headless for window, headless, _ in told]
        window, headless, rounds = (statistics.median(numbers) for numbers in zip(*told))
        print(
            f"| {8 * count / 1e6:.0f} MB | {window / 1e9:.2f} | {headless / 1e9:.2f} | {statistics.median(ratios):.3f} "
            f"| {min(ratios):.3f}..{max(ratios):.3f} | {rounds:,.0f} |"
        )
    return is_good


def by_round(rates, name):
    """The median of each round's ratio: what a noisy machine does to a whole round, it does to both."""
    pairs = [(own, other) for own, other in zip(rates[name], rates[HEADLESS]) if own and other]
    return f"{statistics.median(own / other for own, other in pairs):.3f}" if pairs else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=5_000_000_000, help="how many f64; too few end unseen")
    parser.add_argument("--seconds", type=int, default=10, help="how long a transfer is repeated")
    options = parser.parse_args()
    options.bytes = 8 * options.count
    options.range = f"range:0:{options.count}"
    # The longest one so far: the first of all is one without a window.
    options.took_s = 0.0
    if not os.access(options.arraylift, os.X_OK):
        parser.error(f"there is no {options.arraylift}: cargo build --release makes it")

    contestants = {
        HEADLESS: headless,
        "the same beside a window at rest": beside,
        "in the window, drawn by software": in_window,
        "in the window while it is hidden": lambda options: in_window(options, hide=True),
    }
    try:
        rates = measure(contestants, options)
    except Trouble as trouble:
        sys.exit(str(trouble))
    print(f"{options.bytes / 1e9:.2f} GB ({options.count:,} f64) over TCP loopback, nothing kept, ", end="")
    print(f"{options.rounds} rounds in turn\n")
    medians = ("to without", lambda name: ratio(rates, name, HEADLESS, range(options.rounds)))
    print_rates(rates, [medians, ("round by round", lambda name: by_round(rates, name))])
    load = " ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"\nLoad average afterwards, with these transfers in it: {load}")
    is_good = print_repeated(options)
    print_origin("tests/bench/window.sh", sys.argv[2:])
    return 0 if all_good(rates) and is_good else 1


if __name__ == "__main__":
    sys.exit(main())
