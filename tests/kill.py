"""Ends one end of a transfer at many instants, and looks at what a second one makes of what is left. See kill.sh."""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1 << 20
NAME = "data.bin"
SOURCE_BYTES = 200_000_000
# So the transfer takes 2 s.
LIMIT = "100MB/s"
# What came so long before a kill, but for so many bytes, is there for the second transfer.
KEPT_AFTER_S, KEPT_BUT_BYTES = 1.0, 8 * MIB
CHANGED_AFTER_MS = 1500
# No single wait is longer.
WAIT_S = 60
CASES_AT_ONCE = 3
# What says nothing about a kill.
DULL_EVENTS = {"sample", "preview", "state", "bottleneck", "process", "service"}


class Wrong(Exception):
    """What a case shows, where it cannot go on."""


# ---- one process ----


class End:
    """An Arraylift. Its events are kept, each with the time at which it was read."""

    running, is_over = set(), False

    def __init__(self, label, folder, *command):
        if End.is_over:
            raise Wrong("it was ended from outside")
        self.label, self.command = label, [str(part) for part in command]
        self.events, self.is_silent = [], False
        self.changed = threading.Condition()
        self.complaint_path = os.path.join(folder, f"{label}.stderr")
        with open(self.complaint_path, "wb") as complaint:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaint, text=True
            )
        self.running.add(self.process)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.reader.join()
        self.running.discard(self.process)

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                with self.changed, contextlib.suppress(json.JSONDecodeError):  # a kill can cut a line
                    self.events.append((time.monotonic(), json.loads(line)))
                    self.changed.notify_all()
        with self.changed:
            self.is_silent = True
            self.changed.notify_all()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait_for(self, *names, since=0):
        """The first event of these, from the event number `since` on: when it was read, and what it says."""

        def found():
            return next((event for event in self.events[since:] if event[1].get("event") in names), None)

        with self.changed:
            self.changed.wait_for(lambda: found() or self.is_silent, WAIT_S)
            if event := found():
                return event
        ending = "it ended" if self.is_silent else f"it ran on for {WAIT_S} s"
        raise Wrong(f"{self.label} said nothing of {' or '.join(names)}: {ending}")

    def exit_code(self):
        try:
            return self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.label} did not end within {WAIT_S} s") from None

    def last_sample(self, before):
        """The bytes that it had told of until then."""
        samples = [event["bytes"] for at, event in self.events if event.get("event") == "sample" and at <= before]
        return samples[-1] if samples else 0

    def complaint(self):
        with open(self.complaint_path, encoding="utf-8", errors="replace") as lines:
            return lines.read().strip()


# ---- one case ----


@dataclasses.dataclass
class Case:
    victim: str
    after_ms: int
    receiver: str
    streams: int
    change: str = ""

    @property
    def name(self):
        change = f", source {self.change}" if self.change else ""
        streams = "1 stream" if self.streams == 1 else f"{self.streams} streams"
        return f"{self.victim} killed after {self.after_ms} ms, {self.receiver}, {streams}{change}"


class Run:
    """A case in a folder of its own."""

    def __init__(self, case, arraylift, source, folder):
        self.case, self.arraylift, self.source, self.folder = case, arraylift, source, folder
        self.into = os.path.join(folder, "into")
        os.mkdir(self.into)
        self.ends, self.wrong, self.told = [], [], "it was not reached"
        self.killed_at = self.begun_at = time.monotonic()
        self.stack = contextlib.ExitStack()
        if case.change:
            self.source = shutil.copyfile(source, os.path.join(folder, NAME))

    def end(self, label, *command):
        more = ("--preview", "0", "--json")
        self.ends.append(self.stack.enter_context(End(label, self.folder, self.arraylift, *command, *more)))
        return self.ends[-1]

    def receive(self, label, address):
        keep = ("--keep-free", "0") if self.case.receiver == "serve" else ()
        receiver = self.end(label, self.case.receiver, address, "--into", f"{self.into}/", *keep)
        return receiver, receiver.wait_for("listening")[1]["address"]

    def send(self, label, address, *more):
        return self.end(label, "send", self.source, address, "--streams", self.case.streams, *more)

    def go(self):
        """What it comes to, in words; what is wrong is in `wrong`."""
        with self.stack:
            try:
                return self.interrupt_and_repeat()
            except Wrong as wrong:
                self.wrong.append(str(wrong))
                return ""

    def interrupt_and_repeat(self):
        receiver, address = self.receive("receiver", "127.0.0.1:0")
        sender = self.send("sender", address, "--limit", LIMIT)
        self.begun_at, _ = receiver.wait_for("started")
        time.sleep(max(0, self.begun_at + self.case.after_ms / 1000 - time.monotonic()))
        self.killed_at = time.monotonic()
        if self.case.victim == "sender":
            sender.kill()
            receiver.wait_for("failed", "finished", "cancelled")
        else:
            receiver.kill()
            sender.exit_code()
        moved = receiver.last_sample(self.killed_at)
        long_ago = receiver.last_sample(self.killed_at - KEPT_AFTER_S)
        self.told = f"the receiver had told of {moved} bytes until then, and of {long_ago} {KEPT_AFTER_S} s before"
        was_whole = os.path.exists(os.path.join(self.into, NAME))

        if self.case.change:
            CHANGES[self.case.change](self.source)
        if self.case.victim == "receiver":
            receiver, _ = self.receive("receiver, again", address)
        since = len(receiver.events)
        sender = self.send("sender, again", address)
        self.expect(sender.exit_code() == 0, f"the second send failed, with the exit code {sender.process.returncode}")
        started, finished = (receiver.wait_for(name, since=since)[1] for name in ("started", "finished"))
        receiver.process.terminate()
        code = receiver.exit_code()
        self.expect(code == 0, f"the receiver ended with the exit code {code}")

        if was_whole:
            self.look_at_both()
            return "too late: it was whole before the kill"
        self.look_at_events(started, finished, max(0, long_ago - KEPT_BUT_BYTES))
        left = self.look_at_folder()
        return f"{finished.get('resumed_bytes', 0) / 1e6:.1f} of {moved / 1e6:.1f} MB were there{left}"

    def expect(self, is_so, otherwise):
        if not is_so:
            self.wrong.append(otherwise)

    def look_at_events(self, started, finished, kept):
        total = os.path.getsize(self.source)
        self.expect(finished["bytes"] == total, f"`bytes` of `finished` is {finished['bytes']}, not {total}")
        self.expect(finished["verified"] is True, f"`verified` of `finished` is {finished['verified']}")
        for event in (started, finished):
            # Where nothing was there, it is not told.
            resumed = event.get("resumed_bytes", 0)
            self.expect(resumed <= total, f"`resumed_bytes` of `{event['event']}` is {resumed}, of {total}")
            if not self.case.change:
                self.expect(resumed >= kept, f"`resumed_bytes` of `{event['event']}` is {resumed}, not at least {kept}")

    def look_at_folder(self):
        """One file, with the bytes of the source as it is now. What is left of another source is told, not wrong."""
        self.compare(NAME)
        others = sorted(name for name in os.listdir(self.into) if name != NAME)
        may_be_left = [name for name in others if self.case.change and ".part" in name]
        self.wrong += [f"{name} is left" for name in others if name not in may_be_left]
        return f"; left of the old one: {', '.join(may_be_left)}" if may_be_left else ""

    def look_at_both(self):
        """A file that was whole before the kill is never replaced: the second one has a number."""
        for name in sorted(os.listdir(self.into)):
            if name in (NAME, "-1".join(os.path.splitext(NAME))) and not self.case.change:
                self.compare(name)
            elif ".part" in name:
                self.wrong.append(f"{name} is left")

    def compare(self, name):
        difference = first_difference(self.source, os.path.join(self.into, name))
        self.expect(not difference, f"{name}: {difference}")

    def story(self, names_left_out=frozenset()):
        """What each process said, with seconds from the first one's `started` on."""
        yield f"the kill: {self.killed_at - self.begun_at:+.3f} s; {self.told}"
        for end in self.ends:
            yield f"{end.label}: {' '.join(end.command)}"
            for at, said in end.events:
                if said.get("event") not in names_left_out:
                    yield f"  {at - self.begun_at:+.3f} s {json.dumps(said)}"
            yield f"  exit code {end.process.returncode}; {end.complaint() or 'nothing on standard error'}"


def first_difference(path, other):
    """Where two files differ, in words; empty where they do not."""
    if not os.path.exists(other):
        return "it is not there"
    if os.path.getsize(path) != os.path.getsize(other):
        return f"it has {os.path.getsize(other)} bytes, and not {os.path.getsize(path)}"
    with open(path, "rb") as file, open(other, "rb") as other_file:
        for offset in itertools.count(0, MIB):
            here, there = file.read(MIB), other_file.read(MIB)
            if here != there:
                return f"other bytes from {offset + len(os.path.commonprefix([here, there]))} on"
            if not here:
                return ""


# ---- what becomes of a source between two transfers ----


def replace(path):
    """Another file, of the same length."""
    write_random(f"{path}.new", os.path.getsize(path))
    os.replace(f"{path}.new", path)


def rewrite_in_secret(path):
    """A byte in each 10 MB is another one, and the time of the last change is what it was."""
    times = os.stat(path)
    with open(path, "r+b") as file:
        for offset in range(1_000_003, SOURCE_BYTES, 10_000_000):
            file.seek(offset)
            (byte,) = file.read(1)
            file.seek(offset)
            file.write(bytes([byte ^ 0xFF]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def append(path):
    with open(path, "ab") as file:
        file.write(os.urandom(MIB))


CHANGES = {
    "touched": os.utime,
    "replaced": replace,
    "rewritten in secret": rewrite_in_secret,
    "truncated": lambda path: os.truncate(path, SOURCE_BYTES // 2 + 1),
    "longer": append,
}


def write_random(path, count):
    with open(path, "wb") as file:
        for offset in range(0, count, MIB):
            file.write(os.urandom(min(MIB, count - offset)))


# ---- all cases ----


def cases(is_quick):
    kinds = [("serve", 1), ("receive", 1), ("serve", 4), ("receive", 4)]
    step_ms = 250 if is_quick else 50
    for number, after_ms in enumerate(range(step_ms, 2001, step_ms)):
        yield Case("sender", after_ms, *kinds[number % 4])
        yield Case("receiver", after_ms, *kinds[(number + 1) % 4])
    changed = list(itertools.product(CHANGES, ("sender", "receiver"), (1, 4)))
    for number, (change, victim, streams) in enumerate(changed[::3] if is_quick else changed):
        receiver = ("serve", "receive")[(number // 2 + number // 4) % 2]
        yield Case(victim, CHANGED_AFTER_MS, receiver, streams, change)


class Report:
    """Prints each case when it is done, and keeps what was told in those that went wrong."""

    def __init__(self, folder):
        self.folder, self.lock = folder, threading.Lock()
        self.good = self.late = self.bad = 0

    def add(self, number, run, result):
        with self.lock:
            if End.is_over:
                return
            self.late += result.startswith("too late")
            if not run.wrong:
                self.good += 1
                print(f"good: {run.case.name}: {result}", flush=True)
                return
            self.bad += 1
            print(f"WRONG: {run.case.name}: {result}")
            for line in (*run.wrong, *run.story(DULL_EVENTS)):
                print(f"    {line}")
            path = os.path.join(self.folder, f"{number}.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in (run.case.name, *run.wrong, *run.story()))
            print(f"    all of it: {path}", flush=True)


def main():
    arraylift, kept, *words = sys.argv[1:]
    chosen = [case for case in cases("quick" in words) if all(word == "quick" or word in case.name for word in words)]
    # Whoever ends this ends what it has started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    report = Report(kept)
    with tempfile.TemporaryDirectory(dir=os.environ.get("KILL_FOLDER")) as work:
        # Nobody else's engines are there.
        os.environ["XDG_RUNTIME_DIR"] = work
        source = os.path.join(work, NAME)
        write_random(source, SOURCE_BYTES)

        def go(number, case):
            folder = tempfile.mkdtemp(dir=work)
            run = Run(case, arraylift, source, folder)
            report.add(number, run, run.go())
            shutil.rmtree(folder)

        with concurrent.futures.ThreadPoolExecutor(CASES_AT_ONCE) as pool:
            try:
                for done in [pool.submit(go, number, case) for number, case in enumerate(chosen, 1)]:
                    done.result()
            finally:
                End.is_over = True
                pool.shutdown(wait=False, cancel_futures=True)
                for process in list(End.running):
                    process.kill()
    print(f"{report.good} of {len(chosen)} good; in {report.late} the transfer had ended before the kill")
    return 0 if report.good == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
