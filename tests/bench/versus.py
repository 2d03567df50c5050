"""Measures the Python recipe, iperf3 and Arraylift in turn on loopback, and prints Markdown tables. See versus.sh."""

import argparse
import os
import shutil
import socket
import sys
import time

from common import (
    TIMEOUT_S,
    Program,
    Unusable,
    all_good,
    last,
    loopback,
    measure,
    print_origin,
    print_rates,
    rate_of,
    ratio,
)

HERE = os.path.dirname(os.path.abspath(__file__))
RAW_PEER = os.path.join(HERE, "..", "peers", "raw_peer.py")
# Above this the recipe cannot have been faulting in fresh pages: the system happened to have them at hand.
WARM = 1e9
MIB = 1 << 20


# ---- what is measured: each gives bytes a second ----


def recipe(options):
    common = [RAW_PEER, "--count", options.count, "--timeout", TIMEOUT_S]
    with Program(sys.executable, *common, "receive", "127.0.0.1:0", "--listen") as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(sys.executable, *common, "send", address) as sender:
            sent = last(sender, sender.events(), "finished")
        received = last(receiver, receiver.events(), "finished")
    if sent["sha256"] != received["sha256"]:
        raise Unusable("the recipe delivered other bytes than it sent")
    return received["bytes"] / received["seconds"]


def iperf3(options, *extra):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Program("iperf3", "--server", "--one-off", "--bind", "127.0.0.1", "--port", port, "--json") as server:
        wait_for_listener(server, port)
        command = ["iperf3", "--client", "127.0.0.1", "--port", port, "--bytes", options.bytes, "--zerocopy", "--json"]
        with Program(*command, *extra) as client:
            report = client.document()
    if "error" in report:
        raise Unusable(f"iperf3: {report['error']}")
    try:
        total = report["end"]["sum_received"]
        return total["bytes"] / total["seconds"]
    except KeyError as error:
        raise Unusable(f"iperf3: its report has no {error}") from None


def wait_for_listener(server, port):
    """Waits until someone listens on the port, without connecting: that would be the server's only client."""
    deadline = time.monotonic() + 10
    needle = f"0100007F:{port:04X}"
    while time.monotonic() < deadline and server.process.poll() is None:
        with open("/proc/net/tcp", encoding="ascii") as table:
            if any(line.split()[1] == needle and line.split()[3] == "0A" for line in table):
                return
        time.sleep(0.01)
    raise Unusable("iperf3: the server did not listen")


def two_processes(options, source=None, sink="memory", watch=False):
    """Bytes a second, and the peak memory of the sender and of the receiver."""
    receive = [options.arraylift, "receive", "127.0.0.1:0", "--into", sink, "--once", "--json"]
    with Program(*receive, watch=watch) as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(options.arraylift, "send", source or options.range, address, "--json", watch=watch) as sender:
            sender.events()
        finished = last(receiver, receiver.events(), "finished", side="receiver")
    return rate_of(finished, options, verified=True), sender.peak, receiver.peak


CONTESTANTS = {
    "recipe: numpy, sent and received in place": recipe,
    "iperf3 -Z, nothing kept": iperf3,
    "iperf3 -Z -C reno, nothing kept": lambda options: iperf3(options, "--congestion", "reno"),
    "arraylift loopback": loopback,
    "arraylift loopback --no-verify": lambda options: loopback(options, "--no-verify"),
    "arraylift send, receive": lambda options: two_processes(options)[0],
}
RECIPE, IPERF3, *_ = CONTESTANTS


# ---- rounds and tables ----


def cold_rounds(rates):
    """The rounds that count for ratios to the recipe: those in which it had no warm pages, if there is one."""
    recipe_rates = rates.get(RECIPE, [])
    usable = [number for number, rate in enumerate(recipe_rates) if rate]
    return [number for number in usable if recipe_rates[number] < WARM] or usable


def print_table(options, rates):
    cold = cold_rounds(rates)
    every = range(options.rounds)
    more = [
        ("to the recipe", lambda name: ratio(rates, name, RECIPE, cold)),
        ("to iperf3 -Z", lambda name: ratio(rates, name, IPERF3, every)),
    ]
    print_rates(rates, more)
    if RECIPE in rates:
        warm = [number + 1 for number, rate in enumerate(rates[RECIPE]) if rate and rate >= WARM]
        print(f"\n{what_it_met(warm, [number + 1 for number in cold])}")


def what_it_met(warm, counted):
    if not warm:
        return "The recipe met cold pages in every round."
    if warm == counted:
        return "The recipe met warm pages in every round: ratios to it are lower than on cold ones."
    return f"The recipe met warm pages in rounds {warm}: ratios to it are from rounds {counted} only."


def print_memory(options):
    """Peak memory of both processes, beyond the array itself where one is held; whether all was measured."""
    complete = True
    os.makedirs(options.folder, exist_ok=True)
    source, sink = os.path.join(options.folder, "source.bin"), os.path.join(options.folder, "sink.bin")
    print("\n| two processes | GB/s | sender's peak MiB | beyond the source | receiver's peak MiB | beyond the sink |")
    print("|---|---|---|---|---|---|")
    try:
        with open(source, "wb") as file:
            for start in range(0, options.bytes, MIB):
                file.write(os.urandom(min(MIB, options.bytes - start)))
        for what, arguments in [
            ("range to memory", {}),
            ("file to file", {"source": source, "sink": sink}),
        ]:
            remove(sink)
            try:
                rate, *peaks = two_processes(options, **arguments, watch=True)
            except Unusable as error:
                print(f"memory: {what}: {error}", file=sys.stderr)
                print(f"| {what} | no result | | | | |")
                complete = False
                continue
            cells = [cell for peak in peaks for cell in (f"{peak / MIB:.1f}", f"{beyond(peak, options) / MIB:.1f}")]
            print(f"| {what} | {rate / 1e9:.2f} | {' | '.join(cells)} |")
    finally:
        remove(source)
        remove(sink)
    print("\nPeaks are VmHWM. An array that was held is taken off: one is, where the peak is larger than it.")
    return complete


def beyond(peak, options):
    return peak - options.bytes if peak >= options.bytes else peak


def remove(path):
    if os.path.exists(path):
        os.remove(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("folder", help="for files that are moved")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=50_000_000, help="how many f64")
    parser.add_argument("--only", action="append", help="measure only what begins so")
    options = parser.parse_args()
    options.bytes = 8 * options.count
    options.range = f"range:0:{options.count}"

    names = [name for name in CONTESTANTS if not options.only or any(name.startswith(only) for only in options.only)]
    if not names:
        parser.error(f"nothing begins so; there are: {'; '.join(CONTESTANTS)}")
    if not shutil.which("iperf3"):
        print("iperf3 is not installed: left out", file=sys.stderr)
        names = [name for name in names if not name.startswith("iperf3")]
    with_arraylift = any(name.startswith("arraylift") for name in names)
    if with_arraylift and not os.access(options.arraylift, os.X_OK):
        parser.error(f"there is no {options.arraylift}: cargo build --release makes it")

    rates = measure({name: CONTESTANTS[name] for name in names}, options)
    print(f"{options.bytes / 1e6:.0f} MB ({options.count:,} f64) over TCP loopback, {options.rounds} rounds in turn\n")
    print_table(options, rates)
    complete = not with_arraylift or print_memory(options)
    print_origin("tests/bench/versus.sh", sys.argv[3:])
    return 0 if complete and all_good(rates) else 1


if __name__ == "__main__":
    sys.exit(main())
