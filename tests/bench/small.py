"""Measures many small files in rounds that take turns, and prints Markdown tables. See small.sh."""

import argparse
import contextlib
import dataclasses
import functools
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from common import Missing, Program, Unusable, last, print_origin
from rivals import RSYNC_CONFIG, free_port, need, wait_for_listener, write
from service import Service, in_turn, many, print_numbers

FILE_BYTES = 1024
# What either end of a tree may take, however many items it has.
PEAK_BYTES_MAX = 100 << 20
FOLDERS = 100
MBIT, ROUND_TRIP_MS = 1000, 20
OURS, RSYNC, TAR = "arraylift", "rsync daemon", "tar, nc"


# ---- between which ends ----


@dataclasses.dataclass
class Way:
    """Where the receiver listens, and what runs a command at either end."""

    title: str
    host: str = "127.0.0.1"
    sender: tuple = ()
    receiver: tuple = ()
    wan: str = ""

    @contextlib.contextmanager
    def open(self):
        """The way is there. A link begins anew for each run, so that none meets what another one left in its queues."""
        if not self.wan:
            yield
            return
        with Program(self.wan, *ENDS, MBIT, ROUND_TRIP_MS / 2, 0) as link:
            if link.lines.get() != "ready\n":
                raise Unusable(link.complaint("there is no link"))
            yield


ENDS = ("arraylift-near", "arraylift-far")


def ways(options):
    """Loopback, and the link where it can be made."""
    yield Way("loopback")
    if options.wan:
        for name in ENDS:
            subprocess.run(["ip", "netns", "add", name], check=True)
        near, far = (("nsenter", f"--net=/run/netns/{name}") for name in ENDS)
        yield Way(f"{MBIT:,} Mbit/s, {ROUND_TRIP_MS} ms", "10.77.0.2", near, far, options.wan)


# ---- who moves the folder `source` into another folder: seconds, from the sender's start until all is there ----


def arraylift(way, source, again, options):
    """One sender; its receiver lives on for the second run."""
    into = fresh(options)
    receive = ["receive", f"{way.host}:0", "--into", into, "--no-sync", "--json"]
    with way.open(), Program(*way.receiver, options.arraylift, *receive) as receiver:
        address = receiver.first_event("listening")["address"]
        send = [*way.sender, options.arraylift, "send", source, address, "--preview", 0]
        return twice(send, source, into, again)


def rsync(way, source, again, options):
    """A client that sends to a daemon, with what Arraylift keeps of a folder: links, permissions and times."""
    into, port = fresh(options), free_port()
    with way.open(), tempfile.TemporaryDirectory(dir=options.folder) as home:
        # Of another user it could not write into root's folder.
        user = "uid = root\ngid = root\n" if os.geteuid() == 0 else ""
        config = write(home, "rsyncd.conf", RSYNC_CONFIG.format(home=home, folder=into) + "read only = no\n" + user)
        daemon = ["rsync", "--daemon", "--no-detach", "--config", config, "--address", way.host, "--port", port]
        with Program(*way.receiver, *daemon) as server:
            wait_for_listener(server, port)
            send = [*way.sender, "rsync", "-rlpt", source, f"rsync://{way.host}:{port}/files/"]
            return twice(send, source, into, again)


def twice(send, source, into, again):
    """Seconds of the first run. Those of a second one, while nothing has changed, are appended to `again`."""
    took = timed(send)
    compare(source, into)
    unchanged = timed(send)
    compare(source, into)
    again.append(unchanged)
    return took


def timed(command):
    begin = time.perf_counter()
    with Program(*command) as program:
        program.succeed()
        return time.perf_counter() - begin


def tar(way, source, _again, options):
    """tar through nc. There is no second run of it: it would send everything again."""
    into, port = fresh(options), free_port()
    folder, name = os.path.split(source)
    with way.open(), subprocess.Popen(["tar", "-x", "-C", into], stdin=subprocess.PIPE) as unpack:
        with Program(*way.receiver, "nc", "-l", way.host, port, output=unpack.stdin) as listener:
            # It ends when nc does, and not when this program does.
            unpack.stdin.close()
            wait_for_listener(listener, port)
            begin = time.perf_counter()
            with subprocess.Popen(["tar", "-c", "-C", folder, name], stdout=subprocess.PIPE) as pack:
                with Program(*way.sender, "nc", "-N", way.host, port, input=pack.stdout) as sender:
                    pack.stdout.close()
                    sender.succeed()
                listener.succeed()
                unpack.wait()
            took = time.perf_counter() - begin
    if pack.returncode or unpack.returncode:
        raise Unusable(f"tar: exit codes {pack.returncode} and {unpack.returncode}")
    compare(source, into)
    return took


FOLDER_MOVERS = {OURS: arraylift, RSYNC: rsync, TAR: tar}
PROGRAMS = {OURS: (), RSYNC: ("rsync",), TAR: ("tar", "nc")}


def in_turn_by_way(title, source, way, options):
    """Two rows of the table: seconds by who moves the folder, the first time and while nothing has changed."""
    print(f"{title}, {way.title}:", file=sys.stderr)
    again = {name: [] for name in options.movers if name != TAR}
    movers = {name: functools.partial(act, way, source, again.get(name)) for name, act in options.movers.items()}
    yield f"{title}, {way.title}", in_turn(movers, options)
    # The run before the first round does not count.
    yield f"the same, unchanged, {way.title}", {name: values[-options.rounds :] for name, values in again.items()}


# ---- thousands of connections ----


def served(into, *extra):
    """Connections a second of one service, each with one small file."""

    def measured(options):
        with Service(options, *extra, into=into) as service:
            rate = many(options, service.address)
            if into == "folder":
                compare_connections(service.home.name, options)
        return rate

    return measured


def compare_connections(folder, options):
    """What many_senders.py sends by each connection."""
    data = bytes(i * 37 % 251 for i in range(options.bytes))
    wanted = {f"from-{number}.bin" for number in range(options.connections)}
    if set(os.listdir(folder)) != wanted:
        raise Unusable("other files came than were sent")
    for name in wanted:
        with open(os.path.join(folder, name), "rb") as file:
            if file.read() != data:
                raise Unusable(f"other bytes came than were sent: {name}")


# ---- files, and tables ----


def print_peaks(count, options):
    """The most memory that either end takes for a tree of so many empty files, as each says at its end."""
    print(f"| {count:,} empty files | sender, MB | receiver, MB |\n|---|---|---|")
    for per_folder in (1000, count):
        source, into = os.path.join(options.folder, "empty"), fresh(options)
        for first in range(0, count, per_folder):
            folder = os.path.join(source, f"folder-{first}")
            os.makedirs(folder)
            for number in range(first, first + per_folder):
                os.mknod(os.path.join(folder, f"a-name-as-long-as-they-are-{number:08}.npy"), 0o644)
        receive = ["receive", "127.0.0.1:0", "--into", into, "--no-sync", "--once", "--json"]
        with Program(options.arraylift, *receive) as receiver:
            address = receiver.first_event("listening")["address"]
            with Program(options.arraylift, "send", source, address, "--json") as sender:
                ends = [(end, end.events()) for end in (sender, receiver)]
        peaks = [last(*end, "process")["peak_resident_bytes"] for end in ends]
        if max(peaks) > PEAK_BYTES_MAX:
            raise Unusable(f"an end took {max(peaks) / 1e6:.1f} MB")
        if last(*ends[1], "finished")["items"]["stored"] != count + count // per_folder + 1:
            raise Unusable("not all were stored")
        print(f"| {per_folder:,} in a folder | {' | '.join(f'{peak / 1e6:.1f}' for peak in peaks)} |", flush=True)
        shutil.rmtree(source)
        shutil.rmtree(into)
    print()


def make_source(folder, count):
    """A folder with `count` files of random bytes in FOLDERS folders."""
    source = os.path.join(folder, f"{count}-files")
    for number in range(FOLDERS):
        os.makedirs(os.path.join(source, f"folder-{number}"))
    for number in range(count):
        with open(os.path.join(source, f"folder-{number % FOLDERS}", f"{number}.bin"), "wb") as file:
            file.write(os.urandom(FILE_BYTES))
    return source


def fresh(options):
    """An empty folder."""
    into = os.path.join(options.folder, "into")
    shutil.rmtree(into, ignore_errors=True)
    os.mkdir(into)
    return into


def compare(source, into):
    if os.listdir(into) != [os.path.basename(source)]:
        raise Unusable(f"something else is there than what was sent: {os.listdir(into)}")
    if contents(source) != contents(os.path.join(into, os.path.basename(source))):
        raise Unusable("other files came than were sent")


def contents(folder):
    """The bytes of each file by its path, and None for each folder."""
    found = {}
    for path, folders, files in os.walk(folder):
        inside = os.path.relpath(path, folder)
        found |= {os.path.join(inside, name): None for name in folders}
        for name in files:
            with open(os.path.join(path, name), "rb") as file:
                found[os.path.join(inside, name)] = file.read()
    return found


def print_rows(rows, movers):
    others = [name for name in movers if name != OURS]
    titles = [f"{name}, s" for name in movers] + [f"{name} : {OURS}" for name in others]
    print(f"| what | {' | '.join(titles)} |\n|{'---|' * (1 + len(titles))}")
    for title, seconds in rows:
        middle = {name: statistics.median(values) for name, values in seconds.items() if values}
        shown = {name: f"{value:.3f} ({min(seconds[name]):.3f}..{max(seconds[name]):.3f})" for name, value in middle.items()}
        cells = [shown.get(name, "") for name in movers]
        cells += [f"{middle[name] / middle[OURS]:.2f}" if {name, OURS} <= middle.keys() else "" for name in others]
        print(f"| {title} | {' | '.join(cells)} |")


def all_measured(numbers, options):
    return all(len(values) == options.rounds for values in numbers.values())


def is_there(name):
    """Whether this one can take part; where it cannot, it is said."""
    try:
        for program in PROGRAMS[name]:
            need(program)
    except Missing as missing:
        print(f"left out: {name}: {missing}")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of a tenth of everything")
    parser.add_argument("--folder", default="/dev/shm", help="where everything lies for the time of a run")
    parser.add_argument("--wan", help="what makes the link")
    options = parser.parse_args()
    # Whoever ends this ends what it has started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    tenth = 10 if options.quick else 1
    options.rounds = 1 if options.quick else options.rounds
    options.connections, options.bytes = 10_000 // tenth, 100_000
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        # Nobody else's engines are there.
        os.environ["XDG_RUNTIME_DIR"] = options.folder = folder
        few, lots = 2000 // tenth, 10_000 // tenth
        print(f"Medians (min..max) of {options.rounds} rounds in turn, each once before; nothing is on a disk or synced.\n")
        options.movers = {name: act for name, act in FOLDER_MOVERS.items() if is_there(name)}
        loopback, *links = ways(options)
        loads = [(few, loopback), *((few, link) for link in links), (lots, loopback)]
        sources = {count: make_source(folder, count) for count in (few, lots)}
        rows = [
            row
            for count, way in loads
            for row in in_turn_by_way(f"{count:,} files of 1 KiB in {FOLDERS} folders", sources[count], way, options)
        ]
        print_rows(rows, options.movers)
        if not links:
            print("\nleft out: the link: WAN names nothing that makes one, or it is not allowed here")
        print()
        print_peaks(1_000_000 // tenth, options)
        kept, dropped = "serve --into FOLDER --no-sync", "serve --into discard"
        connections = in_turn({kept: served("folder", "--no-sync"), dropped: served("discard")}, options)
        print_numbers(f"{options.connections:,} connections at once, {options.bytes:,} bytes each", connections, "connections/s", 1)
    typed = ["--quick"] if options.quick else ["--rounds", str(options.rounds)]
    print_origin("tests/bench/small.sh", typed)
    return 0 if all(all_measured(numbers, options) for _, numbers in [*rows, ("", connections)]) else 1


if __name__ == "__main__":
    sys.exit(main())
