"""Measures a service in rounds that take turns, and prints Markdown tables. See service.sh."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from common import Program, Unusable, last, print_origin

HERE = os.path.dirname(os.path.abspath(__file__))
MANY = os.path.join(HERE, "..", "peers", "many_senders.py")
VIEWERS = os.path.join(HERE, "viewers.py")
DROP = os.path.join(HERE, "drop_server.py")
SLOW_BYTES = 50  # of a slow sender, each half second


class Service:
    """A running service over a folder of its own, or what else it is told."""

    def __init__(self, options, *extra, into="folder"):
        self.home = tempfile.TemporaryDirectory(dir=options.folder)
        sink = self.home.name if into == "folder" else into
        self.program = Program(options.arraylift, "serve", "127.0.0.1:0", "--into", sink, "--json", *extra, watch=True)
        self.address = self.program.first_event("listening")["address"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.__exit__()
        self.home.cleanup()

    def end(self):
        """What it told, when it has ended well."""
        self.program.process.terminate()
        return self.program.events()


def many(options, address, *extra):
    """Connections a second."""
    load = ["--connections", options.connections, "--bytes", options.bytes]
    with Program(sys.executable, MANY, address, *load, *extra) as senders:
        result = senders.document()
    if result["verified"] != options.connections:
        raise Unusable(f"not all were verified: {result}")
    return result["connections_per_s"]


def served(into, *extra, bare=False):
    def measured(options):
        raw = ["--wire", "raw", "--dtype", "u8", "--count", str(options.bytes)] if bare else []
        with Service(options, *extra, *raw, into=into) as service:
            rate = many(options, service.address, *["--bare"] * bare)
            last(service.program, service.end(), "finished", verified=None if bare else True)
            options.peaks.append(service.program.peak)
        return rate

    return measured


def dropped(options):
    with Program(sys.executable, DROP, input=subprocess.PIPE) as server:
        rate = many(options, server.first_event("listening")["address"], "--bare")
        server.process.stdin.close()
    return rate


def sent(options, address, count, *extra):
    """A sender of so many f64, to be waited for with `rate`."""
    return Program(options.arraylift, "send", f"range:0:{count}", address, "--json", *extra)


def rate(sender):
    return last(sender, sender.events(), "finished")["rate_bytes_per_s"]


def alone(options):
    with Service(options, into="memory") as service, sent(options, service.address, options.fast) as sender:
        return rate(sender)


def viewed(options):
    """One sender while twenty are attached to the service, half of whom do not read."""
    with Service(options, into="memory") as service:
        path = os.path.join(os.environ["XDG_RUNTIME_DIR"], "arraylift", f"{service.program.process.pid}.sock")
        with Program(sys.executable, VIEWERS, path, input=subprocess.PIPE) as viewers:
            viewers.first_event("attached")
            with sent(options, service.address, options.fast) as sender:
                result = rate(sender)
            viewers.process.stdin.close()
    return result


def beside_slow(options):
    """One fast sender while many slow ones have their connections open and move a few bytes."""
    slowly = ["--connections", options.slow, "--bytes", 100_000, "--slowly", SLOW_BYTES, "--seconds", 60, "--wait"]
    with Service(options, "--slowest", "1", into="memory") as service:
        with Program(sys.executable, MANY, service.address, *slowly, input=subprocess.PIPE) as slow:
            slow.lines.get()
            slow.process.stdin.write("\n")
            slow.process.stdin.flush()
            with sent(options, service.address, options.fast) as sender:
                return rate(sender)


class Workers(Service):
    """A service that receives into memory with two worker processes, once both are there."""

    def __init__(self, options):
        super().__init__(options, "--workers", "2", into="memory")
        self.options = options
        while json.loads(self.program.lines.get())["event"] != "worker_ready":
            pass

    def together(self, count):
        """Bytes a second of so many senders, from the first one's beginning to the last one's end."""
        senders = [sent(self.options, self.address, self.options.fast) for _ in range(count)]
        ends = [last(sender, sender.events(), "finished") for sender in senders]
        for sender in senders:
            sender.__exit__()
        # They begin together: the slowest one's time is that of all.
        return count * min(end["rate_bytes_per_s"] for end in ends)


def fresh(count):
    """By workers that have received nothing yet: their memory comes from the kernel."""

    def measured(options):
        with Workers(options) as service:
            return service.together(count)

    return measured


def handing_over(options):
    """Seconds, the median of connections that come one after the other."""
    with Service(options, "--workers", "2", into="discard") as service:
        for _ in range(options.handed):
            with sent(options, service.address, 10) as sender:
                sender.events()
        events = service.end()
    return statistics.median(event["after_s"] for event in events if event["event"] == "handed_over")


def in_turn(contestants, options, rounds=None):
    """Numbers by name, one a round; each goes once before, for nothing, and every round begins with another one."""
    rounds = rounds or options.rounds
    names, numbers = list(contestants), {name: [] for name in contestants}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            try:
                value = contestants[name](options)
            except Unusable as error:
                print(f"round {number}: {name}: {error}", file=sys.stderr)
                continue
            print(f"round {number} of {rounds}: {name}: {value:.6g}", file=sys.stderr)
            if number > 0:
                numbers[name].append(value)
    return numbers


def print_numbers(title, numbers, unit, scale):
    print(f"\n| {title} | median {unit} | min..max |\n|---|---|---|")
    for name, values in numbers.items():
        shown = [value * scale for value in values]
        cells = f"{statistics.median(shown):,.2f} | {min(shown):,.2f}..{max(shown):,.2f}" if shown else "no result | "
        print(f"| {name} | {cells} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--folder", help="where arrays land for the time of a run")
    options = parser.parse_args()
    tenth = 10 if options.quick else 1
    options.connections, options.bytes = 10_000 // tenth, 100_000
    options.slow, options.fast, options.handed = 1000 // tenth, 125_000_000 // tenth, 200 // tenth
    options.rounds = 1 if options.quick else options.rounds
    options.peaks = []
    # Nobody else's engines are there.
    runtime = tempfile.TemporaryDirectory()
    os.environ["XDG_RUNTIME_DIR"] = runtime.name

    python, folder = "Python, selectors: read and dropped", "arraylift serve --into FOLDER: verified and kept"
    discard, workers = "arraylift serve --into discard: verified", "arraylift serve --into FOLDER --workers 2"
    same = "arraylift serve --wire raw --into discard: the same bytes"
    # What is near enough to each other to need more rounds.
    pair_rounds = 3 * options.rounds
    all_at_once = in_turn({python: dropped, same: served("discard", bare=True)}, options, pair_rounds)
    kept = {discard: served("discard"), folder: served("folder"), workers: served("folder", "--workers", "2")}
    all_at_once |= in_turn(kept, options)
    print(f"{options.connections:,} connections at once, {options.bytes:,} bytes each; {options.rounds} rounds in turn, ", end="")
    print(f"and {pair_rounds} of the first two and of those with workers that had four before")
    print_numbers("all at once", all_at_once, "connections/s", 1)
    single, slow = "one sender alone", f"beside {options.slow:,} slow ones"
    watched = "with 20 attached, of whom 10 do not read"
    first_one, first_four = "one sender, the first of 2 workers", "four senders, the first of 2 workers, together"
    firsts = {first_one: fresh(1), first_four: fresh(4)}
    large = in_turn({single: alone, slow: beside_slow, watched: viewed, **firsts}, options)
    one, four = "one sender, 2 workers that had four before", "four senders, 2 workers that had four before, together"
    with Workers(options) as service:
        service.together(4)
        large |= in_turn({one: lambda _: service.together(1), four: lambda _: service.together(4)}, options, pair_rounds)
    print_numbers(f"{8 * options.fast / 1e9:.1f} GB a sender into memory", large, "GB/s", 1e-9)
    handed = in_turn({"handed to a worker": handing_over}, options)
    print_numbers("a connection", handed, "µs", 1e6)

    middle = {name: statistics.median(values) for table in (all_at_once, large, handed) for name, values in table.items() if values}
    floors = [
        ("connections a second, the same bytes", middle[same] / middle[python], ">=", 1.0, "x Python's"),
        ("peak memory of the service", max(options.peaks) / 2**20, "<=", 200.0, "MiB"),
        ("a fast sender beside slow ones", middle[slow] / middle[single], ">=", 0.8, "of its rate alone"),
        ("a sender while 20 are attached", middle[watched] / middle[single], ">=", 0.95, "of its rate alone"),
        ("four senders, two workers", middle[four] / middle[one], ">=", 0.9, "of one alone"),
        ("handing a connection over", middle["handed to a worker"] * 1e6, "<=", 100.0, "µs"),
    ]
    print("\n| what | measured | floor | |\n|---|---|---|---|")
    good = True
    for name, value, sense, floor, unit in floors:
        met = value >= floor if sense == ">=" else value <= floor
        good &= met
        print(f"| {name} | {value:.2f} {unit} | {sense} {floor:g} {unit} | {'met' if met else 'NOT MET'} |")
    print_origin("tests/bench/service.sh", sys.argv[2:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
