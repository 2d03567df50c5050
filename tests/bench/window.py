"""Measures a transfer without a window, beside one and in one, in turn, and prints a Markdown table. See window.sh."""

import argparse
import os
import re
import statistics
import sys

from common import Unusable, all_good, loopback, measure, print_origin, print_rates, ratio
from desktop import Trouble, Window

UNITS = {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12}
HEADLESS = "without a window: arraylift loopback --json"


def headless(options):
    return loopback(options, "--into", "discard", "--wire", "native")


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
    left = f'(form: (to: "{options.count}", sink: Discard, wire: "native"))'
    return Window(options.arraylift, left)


def by_round(rates, name):
    """The median of each round's ratio: what a noisy machine does to a whole round, it does to both."""
    pairs = [(own, other) for own, other in zip(rates[name], rates[HEADLESS]) if own and other]
    return f"{statistics.median(own / other for own, other in pairs):.3f}" if pairs else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=1_000_000_000, help="how many f64; too few end unseen")
    options = parser.parse_args()
    options.bytes = 8 * options.count
    options.range = f"range:0:{options.count}"
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
    print_origin("tests/bench/window.sh", sys.argv[2:])
    return 0 if all_good(rates) else 1


if __name__ == "__main__":
    sys.exit(main())
