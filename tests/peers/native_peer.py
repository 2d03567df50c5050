#!/usr/bin/env python3
"""The native wire, written from its description alone: typed, checked arrays, each received where it belongs.

    native_peer.py send 127.0.0.1:25000 --shape 1000,768 --dtype '>f4' --fortran --name weights
    native_peer.py send 127.0.0.1:25000 --count 1000000 --checksum crc64nvme --flip 12345
    native_peer.py send 127.0.0.1:25000 --count 1000000 --block 7001
    native_peer.py receive 127.0.0.1:0 --listen
    native_peer.py receive 127.0.0.1:0 --listen --partial part.bin --claim 0,1,5 --grain 65536
"""

import ast
import contextlib
import math
import select
import socket
import struct
import sys
import time
import zlib

import endpoint
import numpy as np
from npy_peer import dtype_of, made, shape_of

LETTERS, VERSION, ITEM_1 = b"ARLIFT", 2, 1
OFFER, ACCEPT, REFUSE, BLOCK, RESULT, ABORT, KEEP_ALIVE = range(1, 8)
HELLO, WELCOME, CLAIM, END, FINISH, SUMMARY, LATER_KINDS = 10, 11, 13, 15, 19, 20, 128
DTYPE, SHAPE, ORDER, BYTES, NAME, IDENTITY, CHECKSUM_KIND, WHAT, ITEM, CHECKSUM, REASON = range(1, 12)
STREAMS, GRAIN, STATUS, STORED = 14, 16, 17, 0
COUNT, FIRST, CLAIMED, BLOCK_CHECKSUMS, KEPT = 19, 30, 31, 32, 33
# How long each number is.
NUMBERS = {ORDER: 1, BYTES: 8, CHECKSUM_KIND: 1, WHAT: 1, ITEM: 4, CHECKSUM: 8, STREAMS: 2, GRAIN: 4, STATUS: 1}
NUMBERS |= {COUNT: 4, FIRST: 4, KEPT: 8}
MOST_CLAIMED = 4096
LONGEST = {DTYPE: 262_144, SHAPE: 64 * 8, NAME: 4096, IDENTITY: 64, REASON: 1024}
LONGEST |= {CLAIMED: MOST_CLAIMED // 8, BLOCK_CHECKSUMS: MOST_CLAIMED * 8}
LONGEST_BODY, LONGEST_OFFER, LONGEST_BLOCK, SILENCE = 65_536, 327_680, 4_194_304, 30.0
SHORTEST_GRAIN, MOST_BLOCKS, MOST_FIELDS, FIRST_NEEDED_TAG = 65_536, 1 << 24, 64, 0x8000
LONG = 65_535  # in place of a length: the length follows as a u32
CRC64_TABLE = list(range(256))
for _ in range(8):
    CRC64_TABLE = [n >> 1 ^ (0x9A6C9329AC4BC9B5 if n & 1 else 0) for n in CRC64_TABLE]


def crc64nvme(data, crc=0):
    crc ^= 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC64_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFFFFFFFFFF


# In the order of their numbers.
CHECKSUMS = {"none": lambda data, crc=0: 0, "crc64nvme": crc64nvme, "crc32": zlib.crc32}


class Fault(Exception):
    """What this side has against the other, which is told. What happens to this side is an OSError or an EOFError."""


def need(condition, text):
    if not condition:
        raise Fault(text)


def fields_of(body):
    """The fields by their tags, numbers as such, everything else as bytes."""
    fields, tags = {}, set()
    while body:
        need(len(body) >= 4, "a field without a length")
        (tag, length), body = struct.unpack_from("<HH", body), body[4:]
        if length == LONG:
            need(len(body) >= 4, "a field without a length")
            (length,), body = struct.unpack_from("<I", body), body[4:]
        value, body = body[:length], body[length:]
        need(len(value) == length, f"field {tag} is longer than what it is in")
        need(tag not in tags, f"field {tag} comes twice")
        need(tag < FIRST_NEEDED_TAG, f"field {tag} is not known, and has to be")
        tags.add(tag)
        need(len(tags) <= MOST_FIELDS, "more fields than a message may have")
        if tag in NUMBERS:
            need(length == NUMBERS[tag], f"field {tag} has {length} bytes")
            fields[tag] = int.from_bytes(value, "little")
        elif tag in LONGEST:
            need(length <= LONGEST[tag], f"field {tag} has {length} bytes")
            fields[tag] = value
    return fields


class Wire:
    """Messages over a socket. The greeting goes out with the first one."""

    def __init__(self, stream, parting):
        stream.settimeout(SILENCE)
        if stream.family != socket.AF_UNIX:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream, self.parting = stream, parting  # the message by which this side gives up
        self.greeting, self.alive_at = LETTERS + struct.pack("<H", VERSION), 0.0

    def read_into(self, view):
        while len(view):
            count = self.stream.recv_into(view)
            if not count:
                raise EOFError("the peer closed too early")
            view = view[count:]

    def read(self, layout):
        self.read_into(memoryview(data := bytearray(struct.calcsize(layout))))
        return struct.unpack(layout, data)

    def read_greeting(self):
        letters, version = self.read("<6sH")
        if letters != LETTERS:
            raise ConnectionError(f"{letters!r} does not begin a greeting")
        need(version == VERSION, f"the peer speaks version {version} of the native wire, this side version {VERSION}")

    def message(self, *expected):
        """One message: what its body has in it (of a block, how long its data is), or None where it says nothing."""
        kind, flags, zeros, length = self.read("<BB2sI")
        need(not flags or kind >= LATER_KINDS, f"a message of kind {kind} has the flags {flags}")
        need(not any(zeros), f"bytes 2 and 3 of a message of kind {kind} are not zero")
        if kind == BLOCK and BLOCK in expected:
            need(1 <= length <= LONGEST_BLOCK, f"a block of {length} bytes")
            return length
        longest = LONGEST_OFFER if kind == OFFER else LONGEST_BODY
        need(length <= longest, f"a message of kind {kind} with {length} bytes")
        need(kind in (*expected, REFUSE, ABORT, KEEP_ALIVE) or kind >= LATER_KINDS, f"kind {kind} is out of turn")
        (body,) = self.read(f"{length}s")
        need(kind not in (KEEP_ALIVE, FINISH, SUMMARY) or not body, f"a message of kind {kind} with {length} bytes")
        if kind >= LATER_KINDS or kind == KEEP_ALIVE:
            return None
        fields = fields_of(body)
        if kind in (REFUSE, ABORT):
            reason = fields.get(REASON, b"for no reason").decode("utf-8", "replace")
            raise ConnectionAbortedError(f"the peer {'refused' if kind == REFUSE else 'gave up'}: {reason}")
        of_item = kind in (OFFER, ACCEPT, CLAIM, RESULT, END)
        need(not of_item or fields.get(ITEM) == ITEM_1, f"a message of kind {kind} is not about item {ITEM_1}")
        return fields

    def receive(self, *expected):
        while (said := self.message(*expected)) is None:
            pass
        return said

    def hear(self):
        """Takes note of what has been said, without waiting for more."""
        while select.select([self.stream], [], [], 0)[0]:
            self.message(KEEP_ALIVE)

    def send(self, kind, fields=()):
        """A message with fields: pairs of a tag and a number or bytes."""
        body = b""
        for tag, value in fields:
            value = value.to_bytes(NUMBERS[tag], "little") if tag in NUMBERS else value
            long = len(value) >= LONG
            body += struct.pack("<HHI", tag, LONG, len(value)) if long else struct.pack("<HH", tag, len(value))
            body += value
        greeting, self.greeting = self.greeting, b""
        self.stream.sendall(greeting + struct.pack("<B3xI", kind, len(body)) + body)

    def keep_alive(self):
        """Between messages: a keep-alive, but not more than one a second."""
        if time.monotonic() >= self.alive_at + 1.0:
            self.send(KEEP_ALIVE)
            self.alive_at = time.monotonic()

    def part(self, reason):
        """Gives up, then reads until the other end closes: what is unread when a socket closes resets it."""
        with contextlib.suppress(OSError):
            self.send(self.parting, [(REASON, reason.encode()[:1024].decode(errors="ignore").encode())])
            self.stream.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + 5.0
            while time.monotonic() < deadline and self.stream.recv(65_536):
                pass


def check_grain(grain, length):
    need(grain & (grain - 1) == 0 and SHORTEST_GRAIN <= grain <= LONGEST_BLOCK, f"a grain of {grain} bytes")
    need(length <= grain * MOST_BLOCKS, f"too many blocks of {grain} bytes")


def claims_of(blocks):
    """Claims of blocks, each of which has its checksum: the fields of one message after the other."""
    rest = sorted(blocks)
    while rest:
        first = rest[0]
        here = [number for number in rest if number < first + MOST_CLAIMED]
        count, rest = here[-1] - first + 1, rest[len(here) :]
        bits = sum(1 << number - first for number in here).to_bytes((count + 7) // 8, "little")
        checksums = struct.pack(f"<{len(here)}Q", *(blocks[number] for number in here))
        yield [(ITEM, ITEM_1), (FIRST, first), (COUNT, count), (CLAIMED, bits), (BLOCK_CHECKSUMS, checksums)]


def claimed_in(claim, after):
    """The blocks of a claim, each with its checksum, and the first block that the next claim can be about."""
    for tag in (FIRST, COUNT, CLAIMED, BLOCK_CHECKSUMS):
        need(tag in claim, f"the claim has no field {tag}")
    first, count, bits, checksums = claim[FIRST], claim[COUNT], claim[CLAIMED], claim[BLOCK_CHECKSUMS]
    need(first >= after and 1 <= count <= MOST_CLAIMED, f"a claim of {count} blocks from {first} on is not due")
    number = int.from_bytes(bits, "little")
    need(len(bits) == (count + 7) // 8 and number < 1 << count, f"{bits!r} does not say which of {count} are there")
    need(len(checksums) == 8 * number.bit_count(), "there is not a checksum for each block that is claimed")
    numbers = [first + bit for bit in range(count) if number >> bit & 1]
    return dict(zip(numbers, struct.unpack(f"<{len(numbers)}Q", checksums))), first + count


def hear_accept(wire, can_resume, grain, length):
    """How long blocks are to be, and those that the receiver has, each with its checksum."""
    there, after = {}, 0
    while FIRST in (said := wire.receive(CLAIM, ACCEPT)):
        need(can_resume, "a claim of blocks that are on no grid or have no checksum")
        more, after = claimed_in(said, after)
        there |= more
    need(GRAIN in said or not after, "claims without the length of blocks")
    if GRAIN in said:
        need(grain is not None, "a grain for blocks that are on no grid")
        check_grain(grain := said[GRAIN], length)
    need(after == 0 or (after - 1) * grain < length, f"a claim up to block {after} of {length} bytes")
    return grain, there


def room(dtype, shape, fortran):
    """An array, and its bytes in the order they travel in."""
    need(not dtype.hasobject, f"{dtype} is made of Python objects, and their bytes mean nothing elsewhere")
    buffer = np.zeros(dtype.itemsize * math.prod(shape), np.uint8)
    return np.ndarray(shape, dtype, buffer, order="F" if fortran else "C"), memoryview(buffer)


def room_for(offer):
    for tag in (DTYPE, SHAPE, BYTES, CHECKSUM_KIND):
        need(tag in offer, f"the offer has no field {tag}")
    need(offer[CHECKSUM_KIND] < len(CHECKSUMS), f"checksum kind {offer[CHECKSUM_KIND]} is not known")
    need(offer.get(ORDER, 0) <= 1, f"order {offer.get(ORDER)} is not known")
    need(offer.get(WHAT, 0) <= 1, f"what is offered, {offer.get(WHAT)}, is not known")
    if (grain := offer.get(GRAIN)) is not None:
        check_grain(grain, offer[BYTES])
    need(len(offer[SHAPE]) % 8 == 0, "the shape ends within an axis")
    shape = struct.unpack(f"<{len(offer[SHAPE]) // 8}Q", offer[SHAPE])
    try:
        dtype = np.lib.format.descr_to_dtype(ast.literal_eval(offer[DTYPE].decode("ascii")))
        need(dtype.itemsize * math.prod(shape) == offer[BYTES], "shape, dtype and the number of bytes disagree")
        return room(dtype, shape, offer.get(ORDER, 0))
    except (ArithmeticError, LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError) as error:
        raise Fault(f"{offer[DTYPE]!r} of shape {shape}: {error}") from error


def numbers_of(text):
    return [int(number) for number in text.split(",") if number]


def send(wire, args):
    array, memory = room(args.dtype, args.shape, args.fortran)
    array[...] = made(args.dtype, args.shape, args.fortran)
    sha256 = endpoint.sha256(memory)
    kind, checksum, whole = list(CHECKSUMS).index(args.checksum), CHECKSUMS[args.checksum], 0
    descr = repr(np.lib.format.dtype_to_descr(array.dtype)).encode("ascii")
    offer = [(DTYPE, descr), (SHAPE, struct.pack(f"<{array.ndim}Q", *array.shape)), (ORDER, int(args.fortran))]
    offer += [(BYTES, len(memory)), (CHECKSUM_KIND, kind)] + ([(NAME, args.name.encode())] if args.name else [])
    offer += [(ITEM, ITEM_1)] + ([] if args.block else [(GRAIN, args.grain)])
    wire.send(HELLO)
    wire.send(OFFER, offer)
    wire.read_greeting()
    wire.receive(WELCOME)
    grain, there = hear_accept(wire, kind and not args.block, None if args.block else args.grain, len(memory))
    kept, sent = 0, []
    try:
        length = args.block or grain
        # What is not claimed is sent first; the rest is compared.
        numbers = sorted(range(-(-len(memory) // length)), key=lambda number: number in there)
        whole = checksum(memory) if there else 0
        for number in numbers:
            at = number * length
            wire.hear()
            wire.keep_alive()
            data = memory[at : at + length]
            own = checksum(data)
            if there.get(number) == own:
                kept += len(data)
                continue
            sent.append(number)
            if not there:
                whole = checksum(data, whole)
            if args.flip is not None and 0 <= args.flip - at < len(data):
                data[args.flip - at] ^= 1
            wire.stream.sendall(struct.pack("<B3xIII", BLOCK, len(data), ITEM_1, number))
            wire.stream.sendall(data)
            wire.stream.sendall(struct.pack("<Q", own))
        end = [(ITEM, ITEM_1), (BYTES, len(memory))] + ([(CHECKSUM, whole)] if kind else [])
        wire.send(END, end + ([(KEPT, kept)] if there else []))
        wire.send(FINISH)
    except (BrokenPipeError, ConnectionResetError):
        wire.hear()  # the other end may have said why
        raise
    result = wire.receive(RESULT)
    need(result.get(STATUS) == STORED, f"it was not stored: {result.get(REASON)}")
    need(result.get(BYTES) == len(memory), f"{result.get(BYTES)} bytes arrived instead of {len(memory)}")
    need(result.get(CHECKSUM) == (whole if kind else None), "the array arrived with another checksum")
    wire.receive(SUMMARY)
    return array, kind, sha256, args.name, sent


def receive(wire, args):
    wire.read_greeting()
    wire.receive(HELLO)
    offer = wire.receive(OFFER)
    array, memory = room_for(offer)
    kind, grain = offer[CHECKSUM_KIND], offer.get(GRAIN)
    checksum = list(CHECKSUMS.values())[kind]
    wire.send(WELCOME)  # without a field: one connection is enough
    accept, there = [(ITEM, ITEM_1)], {}
    if args.claim and kind and grain:
        grain, part = args.grain, np.fromfile(args.partial, np.uint8)
        accept.append((GRAIN, grain))
        for number in args.claim:
            place = slice(number * grain, min((number + 1) * grain, len(memory)))
            memory[place] = part[place]
            there[number] = checksum(memory[place])
        for claim in claims_of(there):
            wire.send(CLAIM, claim)
    wire.send(ACCEPT, accept)
    wire.parting, came, count = ABORT, [], 0
    while not isinstance(said := wire.receive(BLOCK, END), dict):
        length = said
        item, index = wire.read("<II")
        need(item == ITEM_1 and (grain or index == len(came)), f"block {index} of item {item} is not due")
        at = index * grain if grain else count
        data = memory[at : at + (grain or length)]
        need(len(data) == length and index not in came, f"{length} bytes do not belong at byte {at}, as block {index}")
        wire.read_into(data)
        (sent,) = wire.read("<Q")
        need(sent == checksum(data), f"the checksum of block {index}, bytes {at} to {at + length}, differs")
        came.append(index)
        count += length
        wire.keep_alive()
    whole, end = checksum(memory), said
    kept = sum(len(memory[number * grain :][:grain]) for number in there if number not in came)
    need(count + kept == len(memory), f"{count} bytes came and {kept} are here, of {len(memory)}")
    need(end.get(KEPT, 0) == kept, f"the sender keeps {end.get(KEPT, 0)} bytes where {kept} are here")
    need(end.get(BYTES) == len(memory), f"the sender ends after {end.get(BYTES)} bytes of {len(memory)}")
    need(end.get(CHECKSUM) == (whole if kind else None), "the sender has another checksum of the whole")
    result = [(ITEM, ITEM_1), (STATUS, STORED), (BYTES, len(memory))]
    wire.send(RESULT, result + ([(CHECKSUM, whole)] if kind else []))
    wire.receive(FINISH)
    wire.send(SUMMARY)
    wire.stream.settimeout(5.0)
    with contextlib.suppress(EOFError, ConnectionResetError, TimeoutError):
        wire.receive(KEEP_ALIVE)  # until the sender closes, or says that it does not agree
    return array, kind, endpoint.sha256(memory), offer.get(NAME, b"").decode("utf-8", "replace") or None, came


def main():
    parser = endpoint.parser(__doc__, ["send", "receive"])
    parser.add_argument("--count", dest="shape", type=shape_of, help="what to send: so many elements")
    parser.add_argument("--shape", type=shape_of, default="1000", help="what to send: 3,4")
    parser.add_argument("--dtype", type=dtype_of, default="<f8", help="what to send")
    parser.add_argument("--fortran", action="store_true", help="send in Fortran order")
    parser.add_argument(
        "--grain", type=int, default=1_048_576, help="on what grid to send or to claim: how many bytes a block has"
    )
    parser.add_argument("--block", type=int, help="send blocks of so many bytes, and on no grid")
    parser.add_argument("--checksum", choices=CHECKSUMS, default="crc32", help="with what to send")
    parser.add_argument("--name", help="what to call it")
    parser.add_argument("--partial", help="a file with the bytes of the array, some of which are right")
    parser.add_argument("--claim", type=numbers_of, default=[], help="the blocks of it to claim: 0,1,5")
    parser.add_argument("--flip", type=int, help="turn over a bit of this byte, after its checksum has been taken")
    args = parser.parse_args()

    try:
        with endpoint.open_socket(args) as stream:
            wire = Wire(stream, ABORT if args.action == "send" else REFUSE)
            try:
                array, kind, sha256, name, blocks = (send if args.action == "send" else receive)(wire, args)
            except Fault as fault:
                wire.part(str(fault))
                raise
    except (Fault, OSError, EOFError) as error:
        endpoint.say(event="failed", action=args.action, error=str(error))
        sys.exit(1)
    endpoint.say(
        event="finished",
        action=args.action,
        name=name,
        dtype=np.lib.format.dtype_to_descr(array.dtype),
        shape=array.shape,
        fortran=array.flags.fnc,
        bytes=array.nbytes,
        values=array.ravel(order="A")[0:10].tolist(),
        sha256=sha256,
        verified=kind != 0,
        blocks=blocks,
    )


if __name__ == "__main__":
    main()
