#!/usr/bin/env python3
"""A peer that does one thing wrong. It connects, or listens for one connection, misbehaves, and says what it did.

    bad_peer.py close 127.0.0.1 25000 --bytes 1000     sends that many bytes (see --file), then closes
    bad_peer.py reset 127.0.0.1 25000 --bytes 1000     the same, but the connection is reset
    bad_peer.py stall 127.0.0.1 25000 --bytes 1000     sends that many bytes, then nothing, until the other end closes
    bad_peer.py trickle 127.0.0.1 25000 --bytes 1000   sends them one by one, 50 ms apart
    bad_peer.py surplus 127.0.0.1 25000 --file a.npy   sends a file and as many zeros after it as --bytes says
    bad_peer.py flip 127.0.0.1 25000 --file a.bin --bytes 1000   sends a file with one bit of that byte turned over
    bad_peer.py noise|http|tls|ssh ...                 speaks something else
    bad_peer.py deaf ... --bytes 1000                  reads that many bytes, then closes with the rest unread
    bad_peer.py silent ...                             neither reads nor writes, until --hold seconds are over
"""

import random
import select
import socket
import struct
import time

import endpoint

TLS_HELLO = bytes.fromhex("16030100310100002d0303") + bytes(32) + bytes.fromhex("000006130113021303010000")
SPOKEN = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: someone-lost\r\n\r\n",
    "tls": TLS_HELLO,
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "noise": random.Random(1).randbytes(65536),
}


def close(stream, args):
    stream.sendall(beginning(args))


def reset(stream, args):
    stream.sendall(beginning(args))
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stall(stream, args):
    stream.sendall(beginning(args))
    drain(stream, args.hold)


def trickle(stream, args):
    for byte in beginning(args):
        stream.sendall(bytes([byte]))
        time.sleep(0.05)


def surplus(stream, args):
    stream.sendall(contents(args) + bytes(args.bytes))
    stream.shutdown(socket.SHUT_WR)
    drain(stream, args.hold)


def flip(stream, args):
    data = bytearray(contents(args))
    data[args.bytes] ^= 1
    stream.sendall(data)
    stream.shutdown(socket.SHUT_WR)
    drain(stream, args.hold)


def speak(stream, args):
    stream.sendall(SPOKEN[args.action])
    drain(stream, args.hold)


def deaf(stream, args):
    left = args.bytes
    while left and (got := len(stream.recv(min(left, 65536)))):
        left -= got


def silent(stream, args):
    time.sleep(args.hold)


def contents(args):
    """The bytes of --file; without one, zeros."""
    if args.file is None:
        return b""
    with open(args.file, "rb") as file:
        return file.read()


def beginning(args):
    """The first --bytes bytes of --file, filled up with zeros."""
    return contents(args)[: args.bytes].ljust(args.bytes, b"\0")


def drain(stream, hold):
    """Reads until the other end closes, `hold` seconds at most: what is unread when a socket closes resets it."""
    deadline = time.monotonic() + hold
    while (left := deadline - time.monotonic()) > 0 and select.select([stream], [], [], left)[0]:
        if not stream.recv(65536):
            return


MODES = {mode.__name__: mode for mode in (close, reset, stall, trickle, surplus, flip, deaf, silent)}
MODES |= dict.fromkeys(SPOKEN, speak)


def main():
    parser = endpoint.parser(__doc__, list(MODES))
    parser.add_argument("--bytes", type=int, default=0, help="how many, or which one")
    parser.add_argument("--file", help="what to begin with; zeros without it")
    parser.add_argument("--hold", type=float, default=10.0, help="seconds for which a stalled or silent peer holds on")
    args = parser.parse_args()

    fault = None
    with endpoint.open_socket(args) as stream:
        try:
            MODES[args.action](stream, args)
        except OSError as error:  # the other end had enough: that is what a test wants to know, not a failure
            fault = type(error).__name__
    endpoint.say(event="finished", action=args.action, bytes=args.bytes, fault=fault)


if __name__ == "__main__":
    main()
