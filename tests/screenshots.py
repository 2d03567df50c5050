"""Makes the pictures of README.md and docs/manual.md from the real window. See screenshots.sh."""

import array
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from desktop import Window

# Where things stand in a window of 1280 by 800 points that have no key.
THIS_MACHINE_WHILE_RECEIVING = (141, 90)
LIST = (220, 400)
LIMIT = (1158, 28)
LIMIT_IN_WORDS = (1106, 82)
FIRST_RUN = (700, 80)
LAY_THIRD_RUN_OVER = (1220, 136)


def write_embeddings(path, rows, columns=768):
    """A file as numpy.save would have written it. Only its beginning takes room on the disk; the rest are zeros."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    chance = random.Random(1)
    values = array.array("f", (round(chance.gauss(0, 0.04), 4) for _ in range(columns)))
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("ascii"))
        file.write(values.tobytes())
        file.truncate(10 + len(header) + 4 * rows * columns)
    # The pictures are not to show how fast this machine finds memory for it.
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def first(arraylift, folder, picture):
    """The window before its first transfer."""
    with Window(arraylift, "(theme: Dark)", folder) as window:
        window.rest()
        window.picture(picture)
        window.close()


def dark(arraylift, folder, picture):
    """A transfer that runs, with a limit that came and went, above three others: verified, failed and listening."""
    left = (
        '(theme: Dark, form: (source: File, path: "embeddings.npy", to: "3e10", endpoint: SendTo, sink: Discard, '
        'send_to: "127.0.0.1:25000", receive_at: "127.0.0.1:0"))'
    )
    with Window(arraylift, left, folder) as window:
        window.key("ctrl+Return")
        window.wait_for_title("failed")
        # From the path over Browse to where it goes: to this machine.
        window.keys("ctrl+n", "Tab", "Tab", "Left", "ctrl+Return")
        window.wait_for_title("verified")
        window.keys("ctrl+l", "ctrl+Return")
        window.wait_for_title("listening")
        window.key("ctrl+b")
        window.click(*THIS_MACHINE_WHILE_RECEIVING)
        # From the path to what kind of source it is: a range.
        window.keys("ctrl+n", "shift+Tab", "Left", "ctrl+Return")
        window.wait_for_title("transferring")
        time.sleep(3)
        limit(window, "1 GB/s")
        time.sleep(1)
        limit(window, "none")
        time.sleep(5)
        window.picture(picture)


def limit(window, rate):
    """Limits the chosen transfer to a rate, as someone types it."""
    window.click(*LIMIT)
    window.click(*LIMIT_IN_WORDS)
    window.key("ctrl+a")
    window.type(rate)
    window.keys("Return", "Escape")


def light(arraylift, folder, picture):
    """A transfer that is done, above another."""
    left = (
        '(theme: Light, form: (source: File, path: "embeddings.npy", to: "375,000,000", step: "0.125", sink: Discard))'
    )
    with Window(arraylift, left, folder) as window:
        window.key("ctrl+Return")
        window.wait_for_title("verified")
        window.keys("ctrl+n", "shift+Tab", "Left", "ctrl+Return")
        window.wait_for_title("transferring")
        window.wait_for_title("verified")
        time.sleep(1)
        window.picture(picture)
        window.close()


def history(arraylift, folder, picture):
    """Many runs, and two of the same array over each other: one of them for a program that reads slowly."""
    with Window(arraylift, "(theme: Dark)", folder) as window:
        # As high as all that is said of two runs.
        window.size(1280, 1000)
        past(arraylift, folder, {**os.environ, "XDG_DATA_HOME": window.settings.name})
        window.key("ctrl+4")
        time.sleep(1)
        window.click(*FIRST_RUN)
        time.sleep(1)
        window.click(*LAY_THIRD_RUN_OVER)
        time.sleep(1)
        window.picture(picture)
        window.close()


def past(arraylift, folder, environment):
    """What there is to be remembered; the latest comes last."""
    there = "127.0.0.1:25000"
    start = lambda *command: subprocess.Popen(
        [arraylift, *command], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    run = lambda *command: start(*command).wait()
    run("send", "embeddings.npy", there, "--timeout", "1s")
    with start("receive", there, "--once", "--into", "discard"):
        time.sleep(1)
        run("send", "embeddings.npy", there)
    run("loopback", "embeddings.npy")
    for count in ("1e6", "1e7", "1e8"):
        run("loopback", f"range:0:{count}")
    run("loopback", "range:0:1e8", "--no-verify")
    run("loopback", "range:0:4e9", "--into", "discard", "--reader-pace", "2GB/s")
    run("loopback", "embeddings.npy", "--into", "discard")
    run("loopback", "range:0:4e9", "--into", "discard")


def compare(arraylift, folder, picture):
    """What a comparison came to, files and sizes with it, on a page as high as all of it."""
    into = os.path.join(folder, "into")
    os.mkdir(into)
    left = f'(theme: Dark, form: (sink: File, sink_path: "{into}"))'
    with Window(arraylift, left, folder) as window:
        window.size(1200, 1060)
        window.keys("ctrl+r", "ctrl+b")
        window.wait_for_title("compare routes")
        # The path has to have been looked at.
        time.sleep(1)
        window.key("ctrl+Return")
        window.wait_for_title("comparing")
        window.wait_for_title("compared")
        time.sleep(1)
        window.picture(picture)
        window.close()


def service(arraylift, folder, picture):
    """A service with 1,000 slow senders and a fast one, and a queue of the window's own."""
    senders = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers", "many_senders.py")
    slowly = ["--connections", "1000", "--bytes", "1000000", "--slowly", "10000", "--seconds", "60", "--wait"]
    run = lambda *command: subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    serving = run(arraylift, "serve", "127.0.0.1:0", "--into", "discard", "--json")
    running = [serving]
    try:
        address = json.loads(serving.stdout.readline())["address"]
        # Nobody else reads it, and a full pipe would hold the service up.
        threading.Thread(target=serving.stdout.read, daemon=True).start()
        many = run(sys.executable, senders, address, *slowly)
        running.append(many)
        many.stdout.readline()
        many.stdin.write("\n")
        many.stdin.flush()
        time.sleep(2)
        running.append(run(arraylift, "send", "embeddings.npy", address, "--limit", "400MB/s"))
        time.sleep(1)
        left = (
            '(theme: Dark, at_once: Some(1), form: (to: "1e9", sink: Discard, limit: "600 MB/s", '
            'send_to: "127.0.0.1:25000", receive_at: "127.0.0.1:0"))'
        )
        with Window(arraylift, left, folder) as window:
            time.sleep(1)
            for _ in range(3):
                window.key("ctrl+Return")
            window.scroll_up(*LIST)
            time.sleep(3)
            window.picture(picture)
    finally:
        for process in running:
            process.kill()
            process.wait()


def main():
    arraylift, assets, *wanted = sys.argv[1:]
    arraylift = os.path.abspath(arraylift)
    pictures = {
        "first": first,
        "dark": dark,
        "light": light,
        "service": service,
        "history": history,
        "compare": compare,
    }
    with own_surroundings(arraylift) as folder:
        for name in wanted or pictures:
            pictures[name](arraylift, folder, os.path.join(assets, f"window-{name}.png"))


@contextlib.contextmanager
def own_surroundings(arraylift):
    """A folder with an array in it, for windows that see nothing else of this machine: neither what runs elsewhere on it nor
    what was transferred on it or kept of it before. A window also looks for processes that have no folder at run time, where
    they are: in the one for temporary files."""
    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as folder:
        for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TMPDIR"):
            os.environ[name] = os.path.join(own, name)
            os.mkdir(os.environ[name], 0o700)
        os.environ.pop("ARRAYLIFT_HISTORY", None)
        measure_ceilings(arraylift)
        write_embeddings(os.path.join(folder, "embeddings.npy"), 1_000_000)
        yield folder


def measure_ceilings(arraylift):
    """What the machine can do at most, for the windows to draw: the highest of three, as all that runs beside takes from it."""
    kept = os.path.join(os.environ["XDG_CACHE_HOME"], "arraylift", "ceilings.json")
    best = {"sendfile_bytes_per_s": 0}
    for _ in range(3):
        small = [arraylift, "compare", "range:0:1e5", "--rounds", "1", "--measure-ceilings"]
        subprocess.run(small, check=True, stdout=subprocess.DEVNULL)
        with open(kept, encoding="utf-8") as file:
            best = max(best, json.load(file), key=lambda ceilings: ceilings["sendfile_bytes_per_s"])
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(best, file)
    gb_per_s = {name: round(best[name] / 1e9, 1) for name in ("memcpy_bytes_per_s", "sendfile_bytes_per_s")}
    print("ceilings in GB/s:", gb_per_s)


if __name__ == "__main__":
    main()
