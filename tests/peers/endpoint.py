"""What the peers share: an address on the command line, a socket, and one JSON line about what happened."""

import argparse
import hashlib
import json
import signal
import socket


def parser(doc, actions):
    """A parser with what every peer takes; its help is the peer's own documentation."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=actions)
    parser.add_argument("address", nargs="+", help="HOST PORT, HOST:PORT or unix:PATH")
    parser.add_argument("--listen", action="store_true", help="wait for one connection; port 0 picks a free port")
    parser.add_argument("--timeout", type=int, default=120, help="seconds after which the process ends itself")
    return parser


def open_socket(args):
    """Connects, or listens, says where in one JSON line, and takes one connection. The socket is a blocking one."""
    if args.listen:
        with listen(args) as stream:
            return stream.accept()[0]
    stream, where = unbound(args)
    stream.connect(where)
    return stream


def listen(args):
    """Listens, and says where in one JSON line."""
    stream, where = unbound(args)
    if stream.family != socket.AF_UNIX:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stream.bind(where)
    stream.listen(16)
    say(event="listening", address=name_of(stream))
    return stream


def unbound(args):
    """A socket for the address, and the address. The process ends itself when its time is over."""
    signal.alarm(args.timeout)  # not a socket timeout: that would make the socket a non-blocking one
    address = ":".join(args.address)
    if address.startswith("unix:"):
        family, where = socket.AF_UNIX, address.removeprefix("unix:")
    else:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        family, where = (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))
    return socket.socket(family, socket.SOCK_STREAM), where


def name_of(stream):
    """The address of a listening socket, as it is written on a command line."""
    name = stream.getsockname()
    if stream.family == socket.AF_UNIX:
        return f"unix:{name}"
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def sha256(view):
    """The SHA-256 of the bytes of a buffer."""
    return hashlib.sha256(view).hexdigest()


def say(**event):
    """One JSON line on standard output, at once."""
    print(json.dumps(event, default=str), flush=True)
