"""Those that Arraylift is measured against: each moves the options' array, or file, and gives bytes a second.

Servers listen on free loopback ports with what they need in a temporary folder, and are ended by their process. Where a
rival keeps what it moved, its bytes are compared. A rival that is not installed is Missing.
"""

import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
import time

from common import TIMEOUT_S, Missing, Program, Unusable, last

HERE = os.path.dirname(os.path.abspath(__file__))
RAW_PEER = os.path.join(HERE, "..", "peers", "raw_peer.py")
RIVAL_PEER = os.path.join(HERE, "rival_peer.py")


# ---- arrays ----


def recipe(options):
    """The Python recipe: NumPy arrays, sent and received in place."""
    common = [RAW_PEER, "--count", options.count, "--timeout", TIMEOUT_S]
    with Program(sys.executable, *common, "receive", "127.0.0.1:0", "--listen") as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(sys.executable, *common, "send", address) as sender:
            sent = last(sender, sender.events(), "finished")
        received = last(receiver, receiver.events(), "finished")
    same(sent["sha256"], received["sha256"])
    return received["bytes"] / received["seconds"]


def iperf3(*extra):
    """iperf3 with sendfile; it keeps nothing."""

    def measured(options):
        need("iperf3")
        port = free_port()
        with Program("iperf3", "--server", "--one-off", "--bind", "127.0.0.1", "--port", port, "--json") as server:
            wait_for_listener(server, port)
            command = ["iperf3", "--client", "127.0.0.1", "--port", port, "--bytes", options.bytes, "--zerocopy"]
            with Program(*command, "--json", *extra) as client:
                report = client.document()
        if "error" in report:
            raise Unusable(f"iperf3: {report['error']}")
        try:
            total = report["end"]["sum_received"]
            return total["bytes"] / total["seconds"]
        except KeyError as error:
            raise Unusable(f"iperf3: its report has no {error}") from None

    return measured


def pyzmq(options):
    """One message of the whole array, without copies where pyzmq can."""
    need_module("zmq")
    with Program(sys.executable, RIVAL_PEER, "pyzmq-receive") as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(sys.executable, RIVAL_PEER, "pyzmq-send", address, options.count) as sender:
            sent = last(sender, sender.events(), "finished")
        received = last(receiver, receiver.events(), "finished")
    same(sent["sha256"], received["sha256"])
    return received["bytes"] / (received["ended"] - sent["began"])


def flight(options):
    """pyarrow Flight: DoGet of a table with one column."""
    need_module("pyarrow")
    with Program(sys.executable, RIVAL_PEER, "flight-serve", options.count) as server:
        served = server.first_event("listening")
        with Program(sys.executable, RIVAL_PEER, "flight-get", served["address"]) as client:
            received = last(client, client.events(), "finished")
    same(served["sha256"], received["sha256"])
    return received["bytes"] / (received["ended"] - received["began"])


def memcpy(options):
    """What one thread copies from memory to memory: no rival, but the limit for one copy."""
    with Program(sys.executable, RIVAL_PEER, "memcpy", options.count) as program:
        copied = last(program, program.events(), "finished")
    return copied["bytes"] / copied["seconds"]


# ---- files: from options.source to the new file options.sink, timed from the client's start to the receiver's end ----


def netcat(options):
    need("nc")
    port = free_port()
    with open(options.sink, "xb") as sink, open(options.source, "rb") as source:
        with Program("nc", "-l", "127.0.0.1", port, output=sink) as receiver:
            wait_for_listener(receiver, port)
            with timed(options) as clock, Program("nc", "-N", "127.0.0.1", port, input=source) as sender:
                clock.ended(sender, receiver)
    return clock.rate


def mbuffer(options):
    need("mbuffer")
    port = free_port()
    with Program("mbuffer", "-q", "-4", "-I", f"127.0.0.1:{port}", "-o", options.sink) as receiver:
        wait_for_listener(receiver, port)
        send = ["mbuffer", "-q", "-4", "-i", options.source, "-O", f"127.0.0.1:{port}"]
        with timed(options) as clock, Program(*send) as sender:
            clock.ended(sender, receiver)
    return clock.rate


def rsync(options):
    """An rsync daemon, and a client that fetches the whole file."""
    need("rsync")
    port = free_port()
    folder, name = os.path.split(options.source)
    with tempfile.TemporaryDirectory() as home:
        config = write(home, "rsyncd.conf", RSYNC_CONFIG.format(home=home, folder=folder))
        daemon = ["rsync", "--daemon", "--no-detach", "--config", config, "--address", "127.0.0.1", "--port", port]
        with Program(*daemon) as server:
            wait_for_listener(server, port)
            fetch = ["rsync", "--whole-file", f"rsync://127.0.0.1:{port}/files/{name}", options.sink]
            with timed(options) as clock, Program(*fetch) as client:
                clock.ended(client)
    return clock.rate


RSYNC_CONFIG = """\
use chroot = no
pid file = {home}/pid
lock file = {home}/lock
log file = {home}/log
[files]
path = {folder}
"""


def nginx(options):
    """nginx with sendfile, and curl."""
    need("nginx")
    need("curl")
    port = free_port()
    folder, name = os.path.split(options.source)
    with tempfile.TemporaryDirectory() as home:
        # Of another user it could not read what lies in someone's own folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config = write(home, "nginx.conf", NGINX_CONFIG.format(home=home, folder=folder, port=port, user=user))
        with Program("nginx", "-p", home, "-c", config, "-e", f"{home}/error.log") as server:
            wait_for_listener(server, port)
            fetch = ["curl", "--silent", "--fail", "--output", options.sink, f"http://127.0.0.1:{port}/{name}"]
            with timed(options) as clock, Program(*fetch) as client:
                clock.ended(client)
    return clock.rate


# One process: what started it can end all of it.
NGINX_CONFIG = """\
daemon off;
master_process off;
{user}
pid {home}/pid;
events {{ }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {folder};
    }}
}}
"""


class Clock:
    """Times one file's way."""

    def __init__(self, options):
        self.options = options
        self.begin = time.perf_counter()
        self.rate = None

    def ended(self, *programs):
        """Waits until these programs have ended well, and for nothing else."""
        for program in programs:
            program.succeed()
        self.rate = self.options.bytes / (time.perf_counter() - self.begin)


@contextlib.contextmanager
def timed(options):
    clock = Clock(options)
    yield clock
    check_sink(options)


def check_sink(options):
    """The file that came is the one that was sent."""
    try:
        if os.path.getsize(options.sink) != options.bytes:
            raise Unusable(f"{os.path.getsize(options.sink)} bytes came, not {options.bytes}")
        same(options.source_sha256, sha256_of(options.sink))
    except FileNotFoundError as error:
        raise Unusable(str(error)) from None


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- what they share ----


def need(program):
    if not which(program):
        raise Missing(f"{program} is not installed")


@functools.cache
def which(program):
    # Servers lie where only root looks by itself.
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def need_module(name):
    if not importlib.util.find_spec(name):
        raise Missing(f"Python's {name} is not installed")


def same(sent, received):
    if sent != received:
        raise Unusable("other bytes came than were sent")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_listener(server, port):
    """Waits until someone listens on the port, in the server's network, without connecting: that could be its only client."""
    deadline = time.monotonic() + 10
    needle = f":{port:04X}"
    while time.monotonic() < deadline and server.process.poll() is None:
        for table in ["tcp", "tcp6"]:
            path = f"/proc/{server.process.pid}/net/{table}"
            with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as lines:
                if any(line.split()[1].endswith(needle) and line.split()[3] == "0A" for line in lines):
                    return
        time.sleep(0.005)
    raise Unusable(f"{server.command[0]}: it did not listen; {server.complaint()}")
