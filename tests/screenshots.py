"""Makes the pictures of README.md and docs/manual.md from the real window. See screenshots.sh."""

import array
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from desktop import Window

# Where things stand in a window of 1280 by 800 points.
SEND_TO_WHILE_RECEIVING = (157, 89)
THIS_MACHINE_WHILE_SENDING = (72, 223)
FLOAT_RANGE = (96, 70)
LIMIT_OF_1_GB = (966, 622)
NO_LIMIT = (998, 622)


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


def dark(arraylift, folder, picture):
    """A transfer that runs, with a limit that came and went, above three others: verified, failed and listening."""
    left = (
        '(theme: Dark, form: (source: File, path: "embeddings.npy", to: "3e10", endpoint: ReceiveAt, sink: Discard, '
        'send_to: "127.0.0.1:25000", receive_at: "127.0.0.1:0"))'
    )
    with Window(arraylift, left, folder) as window:
        window.key("ctrl+Return")
        window.wait_for_title("listening")
        window.click(*SEND_TO_WHILE_RECEIVING)
        window.key("ctrl+Return")
        window.wait_for_title("failed")
        window.click(*THIS_MACHINE_WHILE_SENDING)
        window.key("ctrl+Return")
        window.wait_for_title("verified")
        window.click(*FLOAT_RANGE)
        window.key("ctrl+Return")
        window.wait_for_title("transferring")
        time.sleep(3)
        window.click(*LIMIT_OF_1_GB)
        time.sleep(1)
        window.click(*NO_LIMIT)
        time.sleep(2.5)
        window.picture(picture)


def light(arraylift, folder, picture):
    """A transfer that is done, above another."""
    left = (
        '(theme: Light, form: (source: File, path: "embeddings.npy", to: "375,000,000", step: "0.125", sink: Discard))'
    )
    with Window(arraylift, left, folder) as window:
        window.key("ctrl+Return")
        window.wait_for_title("verified")
        window.click(*FLOAT_RANGE)
        window.key("ctrl+Return")
        window.wait_for_title("transferring")
        window.wait_for_title("verified")
        time.sleep(1)
        window.picture(picture)
        window.close()


def compare(arraylift, folder, picture):
    """What a comparison came to, files and sizes with it, on a page as high as all of it."""
    into = os.path.join(folder, "into")
    os.mkdir(into)
    left = f'(theme: Dark, form_open: false, form: (sink: File, sink_path: "{into}"))'
    with Window(arraylift, left, folder) as window:
        window.size(1100, 1060)
        window.key("ctrl+r")
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
    slowly = ["--connections", "1000", "--bytes", "100000", "--slowly", "300", "--seconds", "60", "--wait"]
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
            time.sleep(3)
            window.picture(picture)
    finally:
        for process in running:
            process.kill()
            process.wait()


def main():
    arraylift, assets = sys.argv[1:]
    arraylift = os.path.abspath(arraylift)
    # What runs elsewhere on this machine is not to be seen.
    runtime = tempfile.TemporaryDirectory()
    os.environ["XDG_RUNTIME_DIR"] = runtime.name
    with tempfile.TemporaryDirectory() as folder:
        write_embeddings(os.path.join(folder, "embeddings.npy"), 1_000_000)
        dark(arraylift, folder, os.path.join(assets, "window-dark.png"))
        light(arraylift, folder, os.path.join(assets, "window-light.png"))
        service(arraylift, folder, os.path.join(assets, "window-service.png"))
        compare(arraylift, folder, os.path.join(assets, "window-compare.png"))


if __name__ == "__main__":
    main()
