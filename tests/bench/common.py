"""What the measurements share: running programs that say JSON, rounds in turn, Markdown tables."""

import contextlib
import datetime
import json
import os
import platform
import queue
import shlex
import statistics
import subprocess
import sys
import threading
import time

# No single run may take longer.
TIMEOUT_S = 180


class Unusable(Exception):
    """A run that gave no number, and why."""


class Missing(Exception):
    """What is to be measured is not here: it is left out by name."""


# ---- running programs ----


class Program:
    """A child process. What it says is read as it comes, so that no full pipe ever holds it up; or goes to a file."""

    def __init__(self, *command, watch=False, input=subprocess.DEVNULL, output=subprocess.PIPE):
        self.command = [str(part) for part in command]
        self.errors = ""
        self.lines = queue.SimpleQueue()
        self.peak = 0
        self.process = subprocess.Popen(
            self.command, stdin=input, stdout=output, stderr=subprocess.PIPE, text=True
        )
        self.threads = [threading.Thread(target=self._keep_errors)]
        if self.process.stdout:
            self.threads.append(threading.Thread(target=self._keep_lines))
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
            raise Unusable(self.complaint(f'expected the event "{name}", got {line.strip()[:200]!r}'))
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
                raise Unusable(self.complaint(f"not a JSON line: {line[:200]!r}")) from None
        code = self.process.returncode
        if code != 0:
            said = [event.get("message", "") for event in events if event.get("event") == "failed"]
            raise Unusable(self.complaint(f"exit code {code} {' '.join(said)}"))
        return events

    def document(self):
        """One JSON document, when the process is through."""
        text = "".join(self._rest())
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            raise Unusable(self.complaint(f"not JSON: {text[:200]!r}")) from None

    def succeed(self):
        """Waits until the process is through, and did well."""
        code = self.process.wait()
        if code != 0:
            raise Unusable(self.complaint(f"exit code {code}"))

    def complaint(self, what=""):
        """What went wrong in one line, with the last that it said of that; it is ended."""
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


# ---- Arraylift ----


def loopback(options, *extra):
    """One transfer of the options' range in a process of its own."""
    return loopback_rates(options, *extra)[-1]


def loopback_rates(options, *extra):
    """The rate of each transfer, of which `--repeat` makes several."""
    with Program(options.arraylift, "loopback", options.range, "--json", *extra) as program:
        events = program.events()
    finished = [event for event in events if event.get("event") == "finished" and event.get("side") == "receiver"]
    if not finished:
        last(program, events, "finished", side="receiver")
    return [rate_of(event, options, verified="--no-verify" not in extra) for event in finished]


def rate_of(finished, options, verified):
    """Bytes a second, where it was the whole array and, if it was to be, verified."""
    for key in ("bytes", "rate_bytes_per_s", "verified"):
        if key not in finished:
            raise Unusable(f"arraylift: the finished event has no {key}: {finished}")
    if finished["bytes"] != options.bytes:
        raise Unusable(f"arraylift: {finished['bytes']} bytes, not {options.bytes}")
    if verified and finished["verified"] is not True:
        raise Unusable(f"arraylift: not verified: {finished}")
    return finished["rate_bytes_per_s"]


# ---- rounds and tables ----


def rotated(names, number):
    """Every round begins with another one, so that none always follows the same. All count."""
    first = number % len(names)
    return [(name, True) for name in names[first:] + names[:first]]


def measure(contestants, options, pages=contextlib.nullcontext, order=rotated):
    """Rates by name, one a round; None where a round gave none. Each goes once before, for nothing.

    `order` gives the names of a round in turn, each with whether it counts. `pages` is entered around each. Who is
    Missing is left out.
    """
    names = list(contestants)
    rates = {name: [] for name in names}
    for number in range(options.rounds + 1):
        for name, counts in order(names, number):
            if name not in rates:
                continue
            try:
                with pages(options):
                    rate = contestants[name](options)
            except Missing as missing:
                print(f"left out: {name}: {missing}", file=sys.stderr)
                del rates[name]
                continue
            except Unusable as error:
                print(f"round {number}: {name}: {error}", file=sys.stderr)
                rate = None
            if number > 0 and counts:
                rates[name].append(rate)
            shown = "no result" if rate is None else f"{rate / 1e9:.2f} GB/s"
            shown += "" if counts else ", does not count"
            print(f"round {number} of {options.rounds}: {name}: {shown}", file=sys.stderr)
    return rates


def all_good(rates):
    return all(rate for values in rates.values() for rate in values)


def print_rates(rates, more=()):
    """A table. `more` are further columns: each a title, and what gives the cell of a name."""
    print(f"| what | median GB/s | min..max |{''.join(f' {title} |' for title, _ in more)}")
    print("|---|---|---|" + "---|" * len(more))
    for name, values in rates.items():
        good = [value / 1e9 for value in values if value]
        if not good:
            print(f"| {name} | no result | |{' |' * len(more)}")
            continue
        lost = f" ({len(values) - len(good)} of {len(values)} rounds failed)" if len(good) < len(values) else ""
        cells = [f"{statistics.median(good):.2f}", f"{min(good):.2f}..{max(good):.2f}"]
        cells += [cell(name) for _, cell in more]
        print(f"| {name}{lost} | {' | '.join(cells)} |")


def median(rates, name):
    """The median of what a name reached; None where it reached nothing."""
    good = [rate for rate in rates.get(name, []) if rate]
    return statistics.median(good) if good else None


def ratio(rates, name, base, rounds):
    own = [rates[name][number] for number in rounds if rates[name][number]]
    other = [rates[base][number] for number in rounds if rates[base][number]] if base in rates else []
    return f"{statistics.median(own) / statistics.median(other):.2f}" if own and other else ""


def print_origin(script, arguments):
    """Where, when and how it was measured."""
    print(f"\n{machine()}; {datetime.date.today()}; `{shlex.join([script, *arguments])}`")


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
