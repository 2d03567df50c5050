#!/usr/bin/env python3
"""Takes an array that is handed over, or hands one over: no byte moves, whatever its size. docs/manual.md has the same, in short.

    handoff_peer.py receive unix:$XDG_RUNTIME_DIR/arrays --listen
    handoff_peer.py send unix:$XDG_RUNTIME_DIR/arrays --count 50000000 --unsealed
"""

import ast
import fcntl
import math
import mmap
import os
import socket
import struct
import sys
import tempfile

import endpoint
import numpy

OFFER, ACCEPT, RESULT, ABORT, KEEP_ALIVE, HANDOFF, HELLO, WELCOME, END, FINISH, SUMMARY = 1, 2, 5, 6, 7, 8, 10, 11, 15, 19, 20
DTYPE, SHAPE, ORDER, BYTES, NAME, CHECKSUM_KIND, ITEM, REASON, HANDOFF_FIELD, POSITION, STATUS = 1, 2, 3, 4, 5, 7, 9, 11, 12, 13, 17
GREETING = b"ARLIFT\x02\x00"
ITEM_1, STORED = {ITEM: struct.pack("<I", 1)}, {STATUS: b"\x00"}


def say(s, kind, fields=(), descriptors=()):
    body = b"".join(struct.pack("<HH", tag, len(value)) + value for tag, value in dict(fields).items())
    socket.send_fds(s, [struct.pack("<B3xI", kind, len(body)) + body], descriptors)


def hear(s, wanted):
    """The fields of the next message, and the descriptor that came with it."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(s, 8, 1)
        kind, length = struct.unpack("<B3xI", header)
        body, fields = s.recv(length, socket.MSG_WAITALL) if length else b"", {}
        while body:
            tag, size = struct.unpack_from("<HH", body)
            fields[tag], body = body[4 : 4 + size], body[4 + size :]
        if kind == wanted:
            return fields, *descriptors
        if kind != KEEP_ALIVE:
            raise ConnectionError(fields.get(REASON, b"a message of kind %d" % kind).decode())


def number(value):
    return int.from_bytes(value, "little")


def take(s):
    """The array, as it lies in the sender's memory. Who still has it cannot change it, unless it was not sealed."""
    assert s.recv(8, socket.MSG_WAITALL) == GREETING
    hear(s, HELLO)
    (offer,) = hear(s, OFFER)
    assert HANDOFF_FIELD in offer, "the sender hands nothing over"
    s.sendall(GREETING)
    say(s, WELCOME)
    say(s, ACCEPT, ITEM_1 | {HANDOFF_FIELD: b"\x01"})
    handoff, descriptor = hear(s, HANDOFF)
    at, length = number(handoff[POSITION]), number(offer[BYTES])
    # Private for reading is the same pages, and works for sealed memory on every kernel.
    memory = mmap.mmap(descriptor, at + length, mmap.MAP_PRIVATE, mmap.PROT_READ)
    os.close(descriptor)
    dtype = numpy.lib.format.descr_to_dtype(ast.literal_eval(offer[DTYPE].decode("ascii")))
    shape = struct.unpack(f"<{len(offer[SHAPE]) // 8}Q", offer[SHAPE])
    array = numpy.frombuffer(memory, dtype, math.prod(shape), at)
    assert hear(s, END)[0][BYTES] == offer[BYTES]
    say(s, RESULT, ITEM_1 | STORED | {BYTES: offer[BYTES]})
    hear(s, FINISH)
    say(s, SUMMARY)
    return array.reshape(shape, order="F" if number(offer.get(ORDER, b"")) else "C")


def give(s, array, sealed=True):
    """Hands a copy of the array over that nobody can change any more, or as a file that anyone still can."""
    if sealed:
        descriptor = os.memfd_create("array", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:
        descriptor, path = tempfile.mkstemp()
        os.unlink(path)
    with open(descriptor, "wb") as file:
        file.write(array.tobytes("A"))
        file.flush()
        if sealed:
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
        descr = repr(numpy.lib.format.dtype_to_descr(array.dtype)).encode("ascii")
        size = {BYTES: struct.pack("<Q", array.nbytes)}
        offer = ITEM_1 | size | {DTYPE: descr, SHAPE: struct.pack(f"<{array.ndim}Q", *array.shape)}
        s.sendall(GREETING)
        say(s, HELLO)
        say(s, OFFER, offer | {CHECKSUM_KIND: b"\x00", HANDOFF_FIELD: b"\x01" if sealed else b"\x02"})
        assert s.recv(8, socket.MSG_WAITALL) == GREETING
        hear(s, WELCOME)
        (answer,) = hear(s, ACCEPT)
        assert HANDOFF_FIELD in answer, "the receiver takes no handoff: it would have to be sent blocks"
        say(s, HANDOFF, ITEM_1 | {POSITION: bytes(8)}, [descriptor])
        say(s, END, ITEM_1 | size)
        say(s, FINISH)
        (result,) = hear(s, RESULT)
        assert (ITEM_1 | STORED | size).items() <= result.items(), "it was not stored"
        hear(s, SUMMARY)


def main():
    parser = endpoint.parser(__doc__, ["send", "receive"])
    parser.add_argument("--count", type=int, default=1000, help="what to send: so many f64")
    parser.add_argument("--unsealed", action="store_true", help="hand a file over that can still be changed")
    args = parser.parse_args()
    with endpoint.open_socket(args) as s:
        if args.action == "receive":
            array = take(s)
        else:
            array = numpy.arange(args.count, dtype="<f8")
            try:
                give(s, array, not args.unsealed)
            except ConnectionError as error:
                endpoint.say(event="failed", action=args.action, error=str(error))
                sys.exit(1)
        said = {"values": array.ravel(order="A")[0:10].tolist(), "bytes": array.nbytes, "shape": array.shape}
        endpoint.say(event="finished", action=args.action, sha256=endpoint.sha256(array.data), **said)


if __name__ == "__main__":
    main()
