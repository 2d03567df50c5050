"""The real window on the X display that DISPLAY names: started, driven by keys and clicks, looked at and closed."""

import json
import os
import subprocess
import tempfile
import time

# Longer than the slowest machine needs for anything here.
PATIENCE_S = 600


class Trouble(Exception):
    """What did not come about."""


class Window:
    """Arraylift's window. `left` are the settings as the run before would have left them behind, in RON."""

    def __init__(self, arraylift, left="()", folder=None, size=(1280, 800), scale=1):
        self.settings = tempfile.TemporaryDirectory()
        os.mkdir(os.path.join(self.settings.name, "arraylift"))
        with open(os.path.join(self.settings.name, "arraylift", "app.ron"), "w", encoding="utf-8") as file:
            file.write(f'{{"settings": {json.dumps(left)}}}')
        environment = {**os.environ, "XDG_DATA_HOME": self.settings.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
        environment["WINIT_X11_SCALE_FACTOR"] = str(scale)
        environment.pop("WAYLAND_DISPLAY", None)
        self.process = subprocess.Popen(
            [os.path.abspath(arraylift)], cwd=folder, env=environment, stdin=subprocess.DEVNULL
        )
        self.id = None
        self.pixels = (size[0] * scale, size[1] * scale)
        # A frame of four times the pixels takes longer.
        self.pause_s = 0.3 * scale * scale

    def __enter__(self):
        try:
            pid = str(self.process.pid)
            self.id = self._until("a window", lambda: output("search", "--onlyvisible", "--pid", pid).split("\n")[0])
            # There may be no window manager that would give the focus.
            self.size(*self.pixels)
            output("windowfocus", "--sync", self.id)
            self.point_at_nothing()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.settings.cleanup()

    def rest(self):
        """Waits until all that opening it has started is done: it has used no processor for half a second."""
        before = None

        def is_at_rest():
            nonlocal before
            time.sleep(0.5)
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
                # User and system time; the name before them may have spaces, and is in parentheses.
                used = stat.read().rpartition(")")[2].split()[11:13]
            rests, before = used == before, used
            return rests

        self._until("a window at rest", is_at_rest)

    def key(self, key):
        output("windowfocus", "--sync", self.id, "key", "--clearmodifiers", key)
        # Of two Tab keys that come with one frame only one counts.
        time.sleep(self.pause_s)

    def keys(self, *keys):
        """One after the other."""
        for key in keys:
            self.key(key)

    def type(self, text):
        output("windowfocus", "--sync", self.id, "type", "--clearmodifiers", text)
        time.sleep(0.3)

    def click(self, x, y):
        """Clicks there, and takes the mouse away again, so that nothing is drawn as pointed at."""
        output("mousemove", "--sync", "--window", self.id, str(x), str(y))
        time.sleep(0.2)
        # As slow as a hand: drawing in software may take a tenth of a second.
        output("mousedown", "1")
        time.sleep(0.2)
        output("mouseup", "1")
        time.sleep(0.2)
        self.point_at_nothing()
        time.sleep(0.2)

    def scroll_up(self, x, y):
        """To the beginning of the list that is there."""
        output("mousemove", "--sync", "--window", self.id, str(x), str(y))
        time.sleep(0.2)
        output("click", "--repeat", "30", "--delay", "20", "4")
        self.point_at_nothing()
        time.sleep(0.2)

    def point_at_nothing(self):
        # The corner of the screen, which no window reaches.
        output("mousemove", "99999", "99999")

    def size(self, width, height):
        output("windowsize", "--sync", self.id, str(width), str(height))

    def hide(self):
        output("windowunmap", self.id)

    def show(self):
        output("windowmap", "--sync", self.id)

    def title(self):
        return output("getwindowname", self.id)

    def wait_for_title(self, *parts):
        """The title, as soon as it has one of these parts."""
        return self._until(f"a title with {parts}", lambda: self._title_with(parts))

    def _title_with(self, parts):
        title = self.title()
        return title if any(part in title for part in parts) else None

    def picture(self, path):
        subprocess.run(["import", "-window", self.id, "-strip", path], check=True)

    def close(self):
        """Closes it as someone would, when nothing runs any more."""
        self.key("ctrl+q")
        if self.process.wait(PATIENCE_S) != 0:
            raise Trouble(f"the window closed with {self.process.returncode}")

    def _until(self, what, probe):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and self.process.poll() is None:
            found = probe()
            if found:
                return found
            # Each look costs a few milliseconds, which the transfer that is waited for does not get.
            time.sleep(0.25)
        title = f"the title is {self.title()!r}" if self.id else "there is no window"
        raise Trouble(f"waited in vain for {what}; {title}")


def output(*arguments):
    done = subprocess.run(["xdotool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()
