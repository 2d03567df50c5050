"""What it costs that files are on disk before they are called done."""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import Program, Unusable, last, print_origin
from service import in_turn, print_numbers

FILES, BYTES = 1000, 100_000
LARGE_BYTES = 400_000_000


def timed(act):
    """Seconds, on a disk that had nothing to do before."""
    os.sync()
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


def run(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Unusable(f"{command}: {done.stderr.strip()[-200:]}")


def fresh(options):
    """An empty folder on the disk that is measured."""
    into = os.path.join(options.folder, "into")
    shutil.rmtree(into, ignore_errors=True)
    os.mkdir(into)
    return into


def sent(arraylift, to, *extra):
    """One sender with several jobs, one service or receiver."""

    def measured(options):
        into = fresh(options)
        with Program(arraylift, to, "127.0.0.1:0", "--into", into, "--json", *extra) as service:
            address = service.first_event("listening")["address"]
            send = [arraylift, "send", options.small, address, "--jobs", options.jobs, "--preview", 0]
            took = timed(lambda: run(*send))
            service.process.terminate()
            durable = not extra
            last(service, service.events(), "finished", verified=True, durable=durable)
        if len(os.listdir(into)) != FILES:
            raise Unusable("files are missing")
        return took

    return measured


def rsynced(*extra):
    return lambda options: timed(lambda into=fresh(options): run("rsync", "-r", *extra, options.small + "/", into + "/"))


def costed(act, costs):
    """The same, which adds the CPU seconds of all programs that took part to `costs`."""

    def measured(options):
        before, value = children_cpu_s(), act(options)
        costs.append(children_cpu_s() - before)
        return value

    return measured


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def looped(*extra):
    def measured(options):
        into = os.path.join(fresh(options), "large.bin")
        command = [options.arraylift, "loopback", options.large, "--into", into, "--preview", 0, *extra]
        return timed(lambda: run(*command))

    return measured


def copied(*extra):
    def measured(options):
        into = os.path.join(fresh(options), "large.bin")
        return timed(lambda: run("dd", f"if={options.large}", f"of={into}", "bs=1M", "status=none", *extra))

    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--before", help="another build, whose small files take turns with those of this one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=16, help="of the one sender")
    parser.add_argument("--folder", default=".", help="on the disk that is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, tempfile.TemporaryDirectory() as runtime:
        # Nobody else's engines are there.
        os.environ["XDG_RUNTIME_DIR"] = runtime
        options.folder = folder
        options.small, options.large = os.path.join(folder, "small"), os.path.join(folder, "large")
        os.mkdir(options.small)
        for number in range(FILES):
            with open(os.path.join(options.small, f"{number}.bin"), "wb") as file:
                file.write(os.urandom(BYTES))
        with open(options.large, "wb") as file:
            for _ in range(LARGE_BYTES // 1_000_000):
                file.write(os.urandom(1_000_000))
        ours, theirs = f"arraylift send --jobs {options.jobs} to serve: verified, on disk", "rsync --fsync"
        small = {ours: sent(options.arraylift, "serve"), theirs: rsynced("--fsync")}
        small["the same to receive"] = sent(options.arraylift, "receive")
        if options.before:
            small["the build before, to serve"] = sent(options.before, "serve")
            small["the build before, to receive"] = sent(options.before, "receive")
        small["arraylift, to serve --no-sync: verified"] = sent(options.arraylift, "serve", "--no-sync")
        small["rsync"] = rsynced()
        costs = {name: [] for name in small}
        small = in_turn({name: costed(act, costs[name]) for name, act in small.items()}, options)
        large = {"arraylift loopback: verified, on disk": looped(), "dd conv=fdatasync": copied("conv=fdatasync")}
        large |= {"arraylift loopback --no-sync: verified": looped("--no-sync"), "dd": copied()}
        large = in_turn(large, options)
    print(f"{options.rounds} rounds in turn, each way once before")
    print_numbers(f"{FILES:,} files of {BYTES:,} bytes", small, "s", 1)
    costs = {name: values[1:] for name, values in costs.items()}
    print_numbers("the same: CPU time of all programs", costs, "s", 1)
    print_numbers(f"one file of {LARGE_BYTES // 1_000_000} MB", large, "s", 1)
    print_origin("tests/bench/durable.sh", sys.argv[2:])
    return 0 if statistics.median(small[ours]) <= statistics.median(small[theirs]) else 1


if __name__ == "__main__":
    sys.exit(main())
