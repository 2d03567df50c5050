"""Takes pictures of the real window in each of its states. See looks.sh."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

from desktop import Window
from screenshots import own_surroundings

SIZES = {
    "900x600": ((900, 600), 1),
    "1280x800": ((1280, 800), 1),
    "1920x1080": ((1920, 1080), 1),
    "scale-2": ((1280, 800), 2),
}
THEMES = ("Dark", "Light")
# The window's languages, by what they are called here.
LANGUAGES = {"en": "en", "zh": "zh-CN"}
WORDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "assets", "words")
# From nothing: the rail, then what comes after it.
TO_SEARCH = ("Tab", "Tab")
TO_ECHO = ("Tab", "Tab", "Tab")


class Look:
    """A window of one language, theme and size, and where its pictures go."""

    def __init__(self, arraylift, folder, pictures, language, theme, size):
        self.arraylift, self.folder = arraylift, folder
        of = "-".join(["" if language == "en" else f"-{language}", theme.lower(), size])
        self.name = lambda state: os.path.join(pictures, f"{state}{of}.png")
        self.theme, (self.size, self.scale) = theme, SIZES[size]
        self.language = LANGUAGES[language]

    def window(self, form="", more=""):
        left = f'(theme: {self.theme}, language: Some("{self.language}"), {more} form: ({form}))'
        return Window(self.arraylift, left, self.folder, self.size, self.scale)

    def wait_for(self, window, key):
        """Until the title of the window says this text of its language, as far as nothing is filled in."""
        with open(os.path.join(WORDS, f"{self.language}.ftl"), encoding="utf-8") as file:
            texts = dict(line.rstrip("\n").split(" = ", 1) for line in file if " = " in line)
        window.wait_for_title(texts[key].split("{")[0].strip().lower())

    def picture(self, window, state):
        time.sleep(1)
        window.picture(self.name(state))
        print(self.name(state), flush=True)


def transfers(look):
    """The first page, a transfer that runs, the same paused and limited, and one that failed."""
    form = 'to: "4e9", sink: Discard, limit: "1.5 GB/s", send_to: "127.0.0.1:1", receive_at: "127.0.0.1:0"'
    with look.window(form) as window:
        window.rest()
        look.picture(window, "first")
        window.key("ctrl+n")
        look.picture(window, "form")
        window.key("ctrl+Return")
        look.wait_for(window, "phase-transferring")
        time.sleep(6)
        look.picture(window, "running")
        window.key("space")
        time.sleep(2)
        look.picture(window, "paused")
        # From the first field to where it goes: to another machine.
        window.keys("ctrl+n", "Tab", "Tab", "Tab", "Tab", "Right", "ctrl+Return")
        look.wait_for(window, "title-failed")
        look.picture(window, "failed")


def trees(look):
    """A folder: its form, on its way, and done with some of its items failed."""
    source, into = os.path.join(look.folder, "photos"), tempfile.mkdtemp(dir=look.folder)
    for folder in range(20):
        os.makedirs(os.path.join(source, f"{folder:02}"), exist_ok=True)
        for number in range(100):
            path = os.path.join(source, f"{folder:02}", f"{number:03}.jpg")
            if not os.path.exists(path):
                with open(path, "wb") as file:
                    file.write(os.urandom(300_000))
    # What is there and differs is not replaced.
    os.makedirs(os.path.join(into, "photos", "19"))
    for number in range(7):
        with open(os.path.join(into, "photos", "19", f"{number:03}.jpg"), "wb") as file:
            file.write(b"another")
    form = f'source: File, path: "{source}", sink: File, sink_path: "{into}", limit: "60 MB/s"'
    with look.window(form) as window:
        window.rest()
        window.key("ctrl+n")
        look.picture(window, "folder-form")
        window.key("ctrl+Return")
        look.wait_for(window, "phase-transferring")
        time.sleep(5)
        look.picture(window, "folder-running")
        time.sleep(8)
        look.picture(window, "folder-done")


def history(look):
    """What was transferred, and two runs over each other."""
    with look.window() as window:
        environment = {**os.environ, "XDG_DATA_HOME": window.settings.name}
        past(look, environment)
        window.key("ctrl+4")
        time.sleep(1)
        look.picture(window, "history")
        # The row below the picked one, and what lays it over that.
        window.keys(*TO_SEARCH, "Tab", "Down", "Tab", "Return")
        look.picture(window, "two-runs")
        window.close()


def past(look, environment):
    """What there is to be remembered; the latest comes last."""
    run = lambda *command: subprocess.run(
        [look.arraylift, *command],
        cwd=look.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    run("send", "embeddings.npy", "127.0.0.1:1", "--timeout", "1s")
    for count in ("1e6", "1e7", "1e8"):
        run("loopback", f"range:0:{count}")
    run("loopback", "embeddings.npy", "--into", "discard", "--limit", "800MB/s")
    run("loopback", "embeddings.npy", "--into", "discard", "--limit", "1200MB/s")


def compare(look):
    """What a comparison came to, sizes with it."""
    with look.window('to: "1e6"') as window:
        window.keys("ctrl+2", "ctrl+b")
        time.sleep(1)
        window.key("ctrl+Return")
        look.wait_for(window, "compare-title-running")
        look.wait_for(window, "compare-title-done")
        look.picture(window, "compare")
        window.close()


def round_trips(look):
    """Round trips to an echo service."""
    with service(look, "--echo") as (_, address), look.window() as window:
        window.keys("ctrl+3", *TO_ECHO, "ctrl+a")
        window.type(address)
        window.keys("Tab", "Return")
        time.sleep(20)
        look.picture(window, "round-trips")
        window.close()


def a_service(look):
    """A service of another process that receives, and what the window does beside it."""
    with service(look, "--into", "discard") as (running, address), look.window('to: "1e7"') as window:
        for limit in ("40MB/s", "20MB/s"):
            running.append(start(look, "send", "embeddings.npy", address, "--limit", limit))
        window.key("ctrl+Return")
        time.sleep(3)
        look.picture(window, "service")


def interrupted(look):
    """A send whose receiver has gone: while it is tried again, and left alone; and the same of a receiver."""
    into = tempfile.mkdtemp(dir=look.folder)
    source = os.path.join(look.folder, "big.bin")
    if not os.path.exists(source):
        with open(source, "wb") as file:
            file.write(os.urandom(400_000_000))
    with service(look, "--into", into) as (running, address):
        form = f'source: File, path: "{source}", endpoint: SendTo, send_to: "{address}", limit: "40 MB/s"'
        with look.window(form) as window:
            window.rest()
            window.key("ctrl+Return")
            look.wait_for(window, "phase-transferring")
            time.sleep(4)
            running[0].kill()
            look.wait_for(window, "title-interrupted")
            look.picture(window, "trying-again")
            window.key("Delete")
            look.picture(window, "interrupted")
            window.keys("shift+F10")
            look.picture(window, "interrupted-menu")
    port = address.rpartition(":")[2]
    form = f'endpoint: ReceiveAt, receive_at: "127.0.0.1:{port}", sink: File, sink_path: "{into}"'
    with look.window(form) as window:
        window.rest()
        window.key("ctrl+Return")
        look.wait_for(window, "phase-listening")
        sender = start(look, "send", source, f"127.0.0.1:{port}", "--limit", "40MB/s")
        time.sleep(4)
        sender.kill()
        sender.wait()
        look.wait_for(window, "title-interrupted")
        look.picture(window, "interrupted-receiver")


def start(look, *command):
    return subprocess.Popen(
        [look.arraylift, *command],
        cwd=look.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@contextlib.contextmanager
def service(look, *options):
    """A service with its address; what is added to the list ends with it."""
    serving = start(look, "serve", "127.0.0.1:0", *options, "--json")
    running = [serving]
    try:
        address = json.loads(serving.stdout.readline())["address"]
        # Nobody else reads it, and a full pipe would hold the service up.
        threading.Thread(target=serving.stdout.read, daemon=True).start()
        yield running, address
    finally:
        for process in running:
            process.kill()
            process.wait()


def main():
    arraylift, pictures, *wanted = sys.argv[1:]
    arraylift = os.path.abspath(arraylift)
    parts = {
        "transfers": transfers,
        "folder": trees,
        "history": history,
        "compare": compare,
        "round-trips": round_trips,
        "service": a_service,
        "interrupted": interrupted,
    }
    spoken = [language for language in LANGUAGES if language in wanted] or ["en"]
    wanted = set(wanted) - set(LANGUAGES)
    known = {*parts, *(theme.lower() for theme in THEMES), *SIZES}
    if wanted - known:
        sys.exit(f"not known: {', '.join(sorted(wanted - known))}; there are {', '.join([*LANGUAGES, *sorted(known)])}")
    with own_surroundings(arraylift) as folder:
        for part, take in parts.items():
            for language in spoken:
                for theme in THEMES:
                    for size in SIZES:
                        if {part, theme.lower(), size} >= wanted:
                            take(Look(arraylift, folder, pictures, language, theme, size))


if __name__ == "__main__":
    main()
