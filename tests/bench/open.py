"""Measures what it takes to open the window, and prints a Markdown table. See open.sh."""

import argparse
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time

from common import print_origin

# Nothing of the window opens later than that.
PATIENCE_S = 60
# Long enough for all that opening it has started.
REST_S = 4
# A window that is there later than that is waited for.
FIRST_FRAME_MAX_S = 0.3


class Screen:
    """Looks at single pixels of the X display that DISPLAY names."""

    def __init__(self):
        self.x11 = ctypes.CDLL("libX11.so.6")
        pointer, number = ctypes.c_void_p, ctypes.c_ulong
        self.x11.XOpenDisplay.restype = pointer
        self.x11.XDefaultRootWindow.restype = number
        self.x11.XDefaultRootWindow.argtypes = [pointer]
        self.x11.XGetImage.restype = pointer
        self.x11.XGetImage.argtypes = [pointer, number] + [ctypes.c_int] * 2 + [ctypes.c_uint] * 2 + [number, ctypes.c_int]
        self.x11.XGetPixel.restype = number
        self.x11.XGetPixel.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
        self.x11.XDestroyImage.argtypes = [pointer]
        self.display = self.x11.XOpenDisplay(None)
        self.root = self.x11.XDefaultRootWindow(self.display)

    def is_dark(self):
        """Whether nothing is drawn where a window of any size has its rail: the screen is black, and no theme is."""
        all_planes, z_pixmap = 0xFFFFFFFF, 2
        image = self.x11.XGetImage(self.display, self.root, 20, 300, 1, 1, all_planes, z_pixmap)
        pixel = self.x11.XGetPixel(image, 0, 0)
        self.x11.XDestroyImage(image)
        return pixel == 0

    def wait(self, is_dark, process=None):
        end = time.monotonic() + PATIENCE_S
        while self.is_dark() != is_dark:
            if time.monotonic() > end or (process and process.poll() is not None):
                sys.exit("the window is not shown")
            time.sleep(0.0005)


def opened(arraylift, screen):
    """Seconds to the first frame, CPU seconds until then, and resident bytes at rest."""
    with tempfile.TemporaryDirectory() as folder:
        names = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR")
        environment = {**os.environ, **dict.fromkeys(names, folder), "LIBGL_ALWAYS_SOFTWARE": "1"}
        for name in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
            environment.pop(name, None)
        screen.wait(is_dark=True)
        begin = time.monotonic()
        process = subprocess.Popen([arraylift], env=environment, stdin=subprocess.DEVNULL)
        try:
            screen.wait(is_dark=False, process=process)
            first_frame_s = time.monotonic() - begin
            with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
                user, system = stat.read().rpartition(")")[2].split()[11:13]
            time.sleep(REST_S)
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                resident = next(line for line in status if line.startswith("VmRSS:"))
        finally:
            process.terminate()
            process.wait()
    return first_frame_s, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK"), int(resident.split()[1]) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arraylift", help="the release binary")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--beside", help="another build")
    options = parser.parse_args()
    builds = [os.path.abspath(build) for build in (options.arraylift, options.beside) if build]
    screen = Screen()
    runs = {build: [] for build in builds}
    for at in range(options.rounds + 1):
        for build in builds:
            run = opened(build, screen)
            if at > 0:
                runs[build].append(run)
    print("| build | first frame | min..max | CPU until then | memory at rest |\n|---|---|---|---|---|")
    for build, of_build in runs.items():
        times, cpu, memory = zip(*of_build)
        print(
            f"| {build} | {statistics.median(times) * 1e3:.0f} ms | {min(times) * 1e3:.0f}..{max(times) * 1e3:.0f} ms "
            f"| {statistics.median(cpu) * 1e3:.0f} ms | {statistics.median(memory) / 1e6:.1f} MB |"
        )
    print("\nLoad average afterwards:", " ".join(f"{load:.2f}" for load in os.getloadavg()))
    print_origin("tests/bench/open.sh", sys.argv[2:])
    first_frames_s = [first_frame_s for first_frame_s, *_ in runs[builds[0]]]
    return 0 if statistics.median(first_frames_s) <= FIRST_FRAME_MAX_S else 1


if __name__ == "__main__":
    sys.exit(main())
