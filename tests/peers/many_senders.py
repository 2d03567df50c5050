#!/usr/bin/env python3
"""Thousands of native senders in one thread, on the standard library alone: all connect, then all send at once.

    many_senders.py 127.0.0.1:25000 --connections 10000 --bytes 100000
    many_senders.py 127.0.0.1:25000 --connections 1000 --bytes 100000 --slowly 1 --seconds 20
    many_senders.py 127.0.0.1:25000 --connections 10000 --bytes 100000 --bare

Prints one JSON object: how many were verified by their results, what went wrong, and how long it took. With --bare only
the bytes are sent, to a server that reads and drops them.
"""

import argparse
import collections
import errno
import json
import resource
import selectors
import socket
import struct
import sys
import time
import zlib

GREETING = b"ARLIFT" + struct.pack("<H", 2)
OFFER, ACCEPT, REFUSE, BLOCK, RESULT, ABORT, KEEP_ALIVE = range(1, 8)
HELLO, WELCOME, END, FINISH, SUMMARY = 10, 11, 15, 19, 20
ITEM = struct.pack("<I", 1)
PENDING_MAX = 1000  # connections that are being made at once: no more than a listener's queue holds


def field(tag, value):
    return struct.pack("<HH", tag, len(value)) + value


def message(kind, fields=()):
    body = b"".join(field(*each) for each in fields)
    return struct.pack("<B3xI", kind, len(body)) + body


def offer(name, size):
    """A session's beginning. Without a grain, so that blocks are as long as one likes."""
    fields = [
        (1, b"'|u1'"),
        (2, struct.pack("<Q", size)),
        (4, struct.pack("<Q", size)),
        (5, name.encode()),
        (7, b"\2"),  # CRC-32
        (8, b"\1"),
        (9, ITEM),
    ]
    return GREETING + message(HELLO) + message(OFFER, fields)


class Sender:
    """One connection: what it still has to write, and what it has read."""

    def __init__(self, number, load):
        self.number, self.load = number, load
        self.out, self.inbox = [], b""
        self.greeted = self.is_sending = self.is_stored = self.is_over = False

    def begin(self):
        if self.load.bare:
            self.send_data()
            return
        self.out = [memoryview(offer(f"from-{self.number}.bin", self.load.bytes))]

    def send_data(self):
        data = self.load.data
        head = tail = b""
        if not self.load.bare:
            head = struct.pack("<B3xI4sI", BLOCK, len(data), ITEM, 0)
            tail = struct.pack("<Q", self.load.checksum) + message(END, [(9, ITEM), *self.load.sums]) + message(FINISH)
        self.out = [memoryview(part) for part in (head, data, tail) if part]
        self.is_sending = True

    def write(self, stream, most=None):
        """Writes what there is room for; at most so many bytes of it."""
        while self.out:
            view = self.out[0] if most is None else self.out[0][:most]
            try:
                sent = stream.send(view)
            except BlockingIOError:
                return
            self.out[0] = self.out[0][sent:]
            if not len(self.out[0]):
                self.out.pop(0)
            if most is not None:
                return
        if self.load.bare and self.is_sending:
            stream.shutdown(socket.SHUT_WR)
            self.is_sending = False

    def read(self, stream):
        """Takes what has come. True where that was the end."""
        try:
            came = stream.recv(65536)
        except BlockingIOError:
            return False
        if not came:
            self.is_over = True
            if not self.load.bare:
                raise ConnectionError("closed before the summary")
            return True
        self.inbox += came
        if not self.greeted and len(self.inbox) >= 8:
            if self.inbox[:8] != GREETING:
                raise ConnectionError(f"{self.inbox[:8]!r} is no greeting")
            self.greeted, self.inbox = True, self.inbox[8:]
        while self.greeted and len(self.inbox) >= 8:
            kind, length = struct.unpack_from("<B3xI", self.inbox)
            if len(self.inbox) < 8 + length:
                return False
            body, self.inbox = self.inbox[8 : 8 + length], self.inbox[8 + length :]
            if kind == ACCEPT:
                self.send_data()
            elif kind == RESULT:
                wanted = [(9, ITEM), (17, b"\0"), *self.load.sums]  # stored, and all of it
                if not all(field(*each) in body for each in wanted):
                    raise ConnectionError("the result is of something else")
                self.is_stored = True
            elif kind == SUMMARY and self.is_stored:
                return True
            elif kind not in (WELCOME, KEEP_ALIVE):
                raise ConnectionError(f"message {kind}: {body[4:].decode('utf-8', 'replace')}")
        return False


class Load:
    def __init__(self, options):
        self.bytes, self.bare, self.slowly = options.bytes, options.bare, options.slowly
        self.data = bytes(i * 37 % 251 for i in range(options.bytes))
        self.checksum = zlib.crc32(self.data)
        self.sums = [(4, struct.pack("<Q", options.bytes)), (10, struct.pack("<Q", self.checksum))]
        host, _, port = options.endpoint.rpartition(":")
        self.address = (host, int(port))
        self.selector = selectors.DefaultSelector()
        self.errors = collections.Counter()
        self.verified = 0

    def connect_all(self, count):
        """All of them, so that they are there at once."""
        streams, pending = [], {}
        while len(streams) + len(pending) < count or pending:
            while len(streams) + len(pending) < count and len(pending) < PENDING_MAX:
                stream = socket.socket()
                stream.setblocking(False)
                if stream.connect_ex(self.address) not in (0, errno.EINPROGRESS):
                    raise ConnectionError("nobody listens")
                self.selector.register(stream, selectors.EVENT_WRITE)
                pending[stream] = True
            for key, _ in self.selector.select(1):
                stream = key.fileobj
                self.selector.unregister(stream)
                del pending[stream]
                if code := stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(code, errno.errorcode[code])
                streams.append(stream)
        return streams

    def send_all(self, streams, seconds):
        for number, stream in enumerate(streams):
            self.selector.register(stream, selectors.EVENT_READ | selectors.EVENT_WRITE, sender := Sender(number, self))
            sender.begin()
        deadline = time.monotonic() + seconds
        while self.selector.get_map() and time.monotonic() < deadline:
            if self.slowly:
                time.sleep(0.5)
            for key, ready in self.selector.select(1):
                self.turn(key.fileobj, key.data, ready)
        left = len(self.selector.get_map())
        for key in list(self.selector.get_map().values()):
            self.close(key.fileobj)
        return left

    def turn(self, stream, sender, ready):
        try:
            if ready & selectors.EVENT_WRITE:
                sender.write(stream, self.slowly if sender.is_sending else None)
            if ready & selectors.EVENT_READ and sender.read(stream):
                self.verified += 1
                self.close(stream)
                return
            if sender.out and not self.slowly:
                sender.write(stream)
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if sender.out else 0)
            if self.selector.get_key(stream).events != wanted:
                self.selector.modify(stream, wanted, sender)
        except OSError as error:
            self.errors[str(error)] += 1
            self.close(stream)

    def close(self, stream):
        self.selector.unregister(stream)
        stream.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("endpoint")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=120, help="not longer than this in all")
    parser.add_argument("--slowly", type=int, help="so many bytes each half second and connection")
    parser.add_argument("--bare", action="store_true", help="only the bytes, and no result")
    parser.add_argument("--wait", action="store_true", help="for a line on standard input before anything is sent")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    load = Load(options)
    began = time.monotonic()
    streams = load.connect_all(options.connections)
    connected = time.monotonic()
    if options.wait:
        print(json.dumps({"connected": len(streams)}), flush=True)
        sys.stdin.readline()
    sending = time.monotonic()
    left = load.send_all(streams, options.seconds)
    ended = time.monotonic()
    print(
        json.dumps(
            {
                "verified": load.verified,
                "left": left,
                "errors": dict(load.errors),
                "connect_s": connected - began,
                "send_s": ended - sending,
                "connections_per_s": load.verified / (connected - began + ended - sending),
            }
        )
    )
    return 0 if load.verified == options.connections else 1


if __name__ == "__main__":
    sys.exit(main())
