"""Measures the Python recipe, iperf3 and Arraylift in turn on loopback, and prints Markdown tables. See versus.sh."""

import argparse
import datetime
import json
import os
import platform
import queue
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RAW_PEER = os.path.join(HERE, "..", "peers", "raw_peer.py")
# Above this the recipe cannot have been faulting in fresh pages: the system happened to have them at hand.
WARM = 1e9
# No single run may take longer.
TIMEOUT_S = 180
MIB = 1 << 20


class Unusable(Exception):
    """A run that gave no number, and why."""


# ---- running programs ----


class Program:
    """A child process. What it says is read as it comes, so that no full pipe ever holds it up."""

    def __init__(self, *command, watch=False):
        self.command = [str(part) for part in command]
        self.errors = ""
        self.lines = queue.SimpleQueue()
        self.peak = 0
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.threads = [threading.Thread(target=self._keep_errors), threading.Thread(target=self._keep_lines)]
        if watch:
            self.threads.append(threading.Thread(target=self._watch_memory))
        for thread in self.threads:
            thread.start()
        self.timer = threading.Timer(TIMEOUT_S, self.process.kill)
        self.timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.timer.cancel()
        for thread in self.threads:
            thread.join()

    def _keep_errors(self):
        with self.process.stderr as lines:
            self.errors = lines.read()

    def _keep_lines(self):
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)
        self.lines.put(None)

    def _watch_memory(self):
        # VmHWM only grows, so the last look before the end is the peak. (The peak that the kernel gives to a waiting
        # parent begins at the parent's own size.)
        try:
            while self.process.poll() is None:
                with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            self.peak = max(self.peak, int(line.split()[1]) * 1024)
                time.sleep(0.001)
        except (FileNotFoundError, ProcessLookupError):
            pass

    def first_event(self, name):
        """The next line, which must be the event that everything waits for."""
        line = self.lines.get() or ""
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            event = None
        if not isinstance(event, dict) or event.get("event") != name:
            raise Unusable(self._complaint(f'expected the event "{name}", got {line.strip()[:200]!r}'))
        return event

    def _rest(self):
        """The lines that are left, when there are no more to come."""
        rest = list(iter(self.lines.get, None))
        self.process.wait()
        return rest

    def events(self):
        """Everything that is left to say, when the process is through and did well."""
        events = []
        for line in self._rest():
            try:
                events.append(json.loads(line))
            except json.JSONDecodeError:
                raise Unusable(self._complaint(f"not a JSON line: {line[:200]!r}")) from None
        code = self.process.returncode
        if code != 0:
            said = [event.get("message", "") for event in events if event.get("event") == "failed"]
            raise Unusable(self._complaint(f"exit code {code} {' '.join(said)}"))
        return events

    def document(self):
        """One JSON document, when the process is through."""
        text = "".join(self._rest())
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise Unusable(self._complaint(f"not JSON: {text[:200]!r}")) from None

    def _complaint(self, what):
        self.process.kill()
        self.threads[0].join()
        errors = self.errors.strip().splitlines()[-3:]
        return f"{' '.join(self.command)}: {what} {' / '.join(errors)}".strip()


def last(program, events, name, **fields):
    """The last event of that name with those fields."""
    for event in reversed(events):
        if event.get("event") == name and all(event.get(key) == value for key, value in fields.items()):
            return event
    seen = sorted({str(event.get("event")) for event in events})
    raise Unusable(f'{" ".join(program.command)}: no event "{name}" with {fields}; there were {seen}')


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


def loopback(options, *extra):
    with Program(options.arraylift, "loopback", options.range, "--json", *extra) as program:
        finished = last(program, program.events(), "finished", side="receiver")
    return rate_of(finished, options, verified="--no-verify" not in extra)


def two_processes(options, source=None, sink="memory", watch=False):
    """Bytes a second, and the peak memory of the sender and of the receiver."""
    receive = [options.arraylift, "receive", "127.0.0.1:0", "--into", sink, "--once", "--json"]
    with Program(*receive, watch=watch) as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(options.arraylift, "send", source or options.range, address, "--json", watch=watch) as sender:
            sender.events()
        finished = last(receiver, receiver.events(), "finished", side="receiver")
    return rate_of(finished, options, verified=True), sender.peak, receiver.peak


def rate_of(finished, options, verified):
    for key in ("bytes", "rate_bytes_per_s", "verified"):
        if key not in finished:
            raise Unusable(f"arraylift: the finished event has no {key}: {finished}")
    if finished["bytes"] != options.bytes:
        raise Unusable(f"arraylift: {finished['bytes']} bytes, not {options.bytes}")
    if verified and finished["verified"] is not True:
        raise Unusable(f"arraylift: not verified: {finished}")
    return finished["rate_bytes_per_s"]


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


def measure(options, names):
    """Rates by name, one a round; None where a round gave none. Each goes once before, for nothing."""
    rates = {name: [] for name in names}
    for number in range(options.rounds + 1):
        for name in names:
            try:
                rate = CONTESTANTS[name](options)
            except Unusable as error:
                print(f"round {number}: {name}: {error}", file=sys.stderr)
                rate = None
            if number > 0:
                rates[name].append(rate)
            shown = "no result" if rate is None else f"{rate / 1e9:.2f} GB/s"
            print(f"round {number} of {options.rounds}: {name}: {shown}", file=sys.stderr)
    return rates


def cold_rounds(rates):
    """The rounds that count for ratios to the recipe: those in which it had no warm pages, if there is one."""
    recipe_rates = rates.get(RECIPE, [])
    usable = [number for number, rate in enumerate(recipe_rates) if rate]
    return [number for number in usable if recipe_rates[number] < WARM] or usable


def ratio(rates, name, base, rounds):
    own = [rates[name][number] for number in rounds if rates[name][number]]
    other = [rates[base][number] for number in rounds if rates[base][number]] if base in rates else []
    return f"{statistics.median(own) / statistics.median(other):.2f}" if own and other else ""


def print_rates(options, rates):
    cold = cold_rounds(rates)
    every = range(options.rounds)
    print("| what | median GB/s | min..max | to the recipe | to iperf3 -Z |")
    print("|---|---|---|---|---|")
    for name, values in rates.items():
        good = [value / 1e9 for value in values if value]
        if not good:
            print(f"| {name} | no result | | | |")
            continue
        lost = f" ({len(values) - len(good)} of {len(values)} rounds failed)" if len(good) < len(values) else ""
        print(
            f"| {name}{lost} | {statistics.median(good):.2f} | {min(good):.2f}..{max(good):.2f} "
            f"| {ratio(rates, name, RECIPE, cold)} | {ratio(rates, name, IPERF3, every)} |"
        )
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


def machine():
    """This machine in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    settings = {
        "transparent huge pages": "/sys/kernel/mm/transparent_hugepage/enabled",
        "congestion control": "/proc/sys/net/ipv4/tcp_congestion_control",
    }
    words = [models[0] if models else platform.machine(), f"{os.cpu_count()} cores", f"Linux {platform.release()}"]
    for name, path in settings.items():
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                value = file.read().strip()
            chosen = value[value.find("[") + 1 : value.find("]")] if "[" in value else value
            words.append(f"{name} {chosen}")
    return ", ".join(words)


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

    rates = measure(options, names)
    print(f"{options.bytes / 1e6:.0f} MB ({options.count:,} f64) over TCP loopback, {options.rounds} rounds in turn\n")
    print_rates(options, rates)
    complete = not with_arraylift or print_memory(options)
    command = shlex.join(["tests/bench/versus.sh", *sys.argv[3:]])
    print(f"\n{machine()}; {datetime.date.today()}; `{command}`")
    return 0 if complete and all(rate for values in rates.values() for rate in values) else 1


if __name__ == "__main__":
    sys.exit(main())
