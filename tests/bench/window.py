"""Measures a transfer without the window and in it, in turn, and prints a Markdown table. See window.sh."""

import argparse
import os
import re
import sys

from common import Unusable, all_good, loopback, measure, print_origin, print_rates, ratio
from desktop import Trouble, Window

UNITS = {"B/s": 1, "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12}
HEADLESS = "without the window: arraylift loopback --json"


def in_window(window):
    """The rate that the title tells, of one more transfer in this window."""
    window.key("ctrl+Return")
    # Its beginning, lest the title of the one before is read.
    title = window.wait_for_title("transferring", "failed")
    if "failed" not in title:
        title = window.wait_for_title("done", "failed")
    told = re.search(r"done .* at ([\d.]+) (\S+), verified$", title)
    if not told or told[2] not in UNITS:
        raise Unusable(f"the title is {title!r}")
    return float(told[1]) * UNITS[told[2]]


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

    left = f'(form: (to: "{options.count}", sink: Discard, wire: "native"))'
    try:
        with Window(options.arraylift, left) as window:
            contestants = {
                HEADLESS: lambda options: loopback(options, "--into", "discard", "--wire", "native"),
                "in the window, drawn by software": lambda _: in_window(window),
            }
            rates = measure(contestants, options)
            window.close()
    except Trouble as trouble:
        sys.exit(str(trouble))
    print(f"{options.bytes / 1e9:.2f} GB ({options.count:,} f64) over TCP loopback, nothing kept, ", end="")
    print(f"{options.rounds} rounds in turn\n")
    print_rates(rates, [("to without", lambda name: ratio(rates, name, HEADLESS, range(options.rounds)))])
    load = " ".join(f"{load:.2f}" for load in os.getloadavg())
    print(f"\nLoad average afterwards, with these transfers in it: {load}")
    print_origin("tests/bench/window.sh", sys.argv[2:])
    return 0 if all_good(rates) else 1


if __name__ == "__main__":
    sys.exit(main())
