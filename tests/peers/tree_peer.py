#!/usr/bin/env python3
"""Trees of files over the native wire, written from its description alone.

    tree_peer.py send 127.0.0.1:25000 --folder runs
    tree_peer.py send 127.0.0.1:25000 --bad credit
    tree_peer.py receive 127.0.0.1:0 --listen --folder inbox
    tree_peer.py receive 127.0.0.1:0 --listen --folder inbox --tight
    tree_peer.py receive 127.0.0.1:0 --listen --folder inbox --late
    tree_peer.py send 127.0.0.1:25000 --folder runs --streams 3
    tree_peer.py receive 127.0.0.1:0 --listen --folder inbox --partial parts

The second form sends what no sender may, and tells how the receiver answers. `--bad all` names what there is. `--tight`
gives hardly more credit than the page asks for, so that a sender who counts more than it should comes to a halt. `--late`
gives no result before finish, so that a sender who waits for one before it goes on comes to a halt. With `--streams` blocks
of large files come and go over further connections, too; `--cut` closes one within a block. `--partial` claims what lies in
another folder of files that are offered, but for blocks of zeros.
"""

import collections
import contextlib
import os
import select
import socket
import stat
import struct
import sys
import time
import zlib

import endpoint

GREETING = b"ARLIFT\x02\0"
OFFER, ACCEPT, REFUSE, BLOCK, RESULT, ABORT, KEEP_ALIVE = range(1, 8)
JOIN, CLAIM = 9, 13
HELLO, WELCOME, CREDIT, END, DROP, FINISH, SUMMARY, LATER_KINDS = 10, 11, 12, 15, 16, 19, 20, 128
BYTES, CHECKSUM_KIND, WHAT, ITEM, CHECKSUM, REASON, GRAIN, STATUS = 4, 7, 8, 9, 10, 11, 16, 17
PATH, COUNT, DURABLE, MODE, MTIME, TARGET, ROOT, FRESH, ITEMS, REPLACE = 18, 19, 20, 21, 22, 23, 25, 26, 27, 28
FORMS = {BYTES: "<Q", CHECKSUM_KIND: "B", WHAT: "B", ITEM: "<I", CHECKSUM: "<Q", GRAIN: "<I", STATUS: "B", COUNT: "<I"}
STREAMS, TOKEN, FIRST, CLAIMED, CHECKSUMS, KEPT = 14, 15, 30, 31, 32, 33
FORMS |= {STREAMS: "<H", DURABLE: "B", MODE: "<I", MTIME: "<qI", FRESH: "B", ITEMS: "<I", REPLACE: "B", FIRST: "<I", KEPT: "<Q"}
FILE, FOLDER, LINK = 1, 2, 3
STORED, HAD, REFUSED, FAILED, WITHDRAWN = range(5)
CRC32, SMALL, ENDS, SILENCE = 2, 65_536, 1, 20.0
FIRST_CREDIT, AHEAD = (64, 1 << 20), (8192, 16 << 20)
PART_GRAIN, CLAIM_BLOCKS = 128 << 10, 8
TIGHT, TIGHT_STEP = 128 << 10, 16 << 10  # room for an offer and a block, and how seldom it is given anew
HIDING = {0xAD, 0x61C, 0x180E, 0xFEFF, *range(32), *range(127, 160), *range(0x200B, 0x2010), *range(0x2028, 0x202F)}
HIDING |= {*range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)}


class Fault(Exception):
    """What this side has against the other."""


def need(condition, text):
    if not condition:
        raise Fault(text)


def field(tag, value):
    if tag in FORMS:
        value = struct.pack(FORMS[tag], *(value if isinstance(value, tuple) else (value,)))
    return struct.pack("<HH", tag, len(value)) + value


def message(kind, *fields):
    body = b"".join(field(tag, value) for tag, value in fields)
    return struct.pack("<BB2xI", kind, 0, len(body)) + body


def block(item, index, data, flags=0):
    return struct.pack("<BB2xIII", BLOCK, flags, len(data), item, index) + data + struct.pack("<Q", zlib.crc32(data))


def fields_of(body):
    fields = {}
    while body:
        tag, length = struct.unpack_from("<HH", body)
        value, body = body[4 : 4 + length], body[4 + length :]
        need(len(value) == length and tag not in fields and tag < 0x8000, f"field {tag}")
        if tag in FORMS:
            value = struct.unpack(FORMS[tag], value)
            value = value if tag == MTIME else value[0]
        fields[tag] = value
    return fields


class Wire:
    """Messages over a socket."""

    def __init__(self, stream):
        stream.settimeout(SILENCE)
        self.stream, self.unread, self.heard_bytes = stream, bytearray(), 0

    def send(self, data):
        """Writes, and reads whenever it waits to write: otherwise both sides could wait for each other."""
        view = memoryview(data)
        while view:
            readable, writable, _ = select.select([self.stream], [self.stream], [], SILENCE)
            need(readable or writable, "the peer is silent")
            if readable:
                self.fill()
            if writable:
                view = view[self.stream.send(view[:SMALL]) :]

    def fill(self):
        data = self.stream.recv(1 << 20)
        if not data:
            raise EOFError("the peer closed")
        self.unread += data

    def take(self, count):
        while len(self.unread) < count:
            self.fill()
        taken = bytes(self.unread[:count])
        del self.unread[:count]
        return taken

    def hear(self):
        """The next message that says something: its kind, flags and fields; of a block, all that is in it."""
        while True:
            kind, flags, length = struct.unpack("<BB2xI", self.take(8))
            if kind == BLOCK:
                item, index = struct.unpack("<II", self.take(8))
                data = self.take(length)
                (checksum,) = struct.unpack("<Q", self.take(8))
                return kind, flags, (item, index, data, checksum)
            body = self.take(length)
            self.heard_bytes = 8 + length
            if kind == KEEP_ALIVE or kind >= LATER_KINDS:
                continue
            need(not flags, f"flags {flags} of kind {kind}")
            fields = fields_of(body)
            if kind in (REFUSE, ABORT):
                raise Fault(f"{'refused' if kind == REFUSE else 'gave up'}: {fields.get(REASON, b'').decode()}")
            return kind, flags, fields

    def has_whole(self):
        """Whether a message that says something has come whole; `hear` waits for none then."""
        while len(self.unread) >= 8:
            kind, _, length = struct.unpack_from("<BB2xI", self.unread)
            if len(self.unread) < 8 + length + (16 if kind == BLOCK else 0):
                return False
            if kind != KEEP_ALIVE and kind < LATER_KINDS:
                return True
            del self.unread[: 8 + length]
        return False

    def has_more(self):
        return bool(self.unread) or bool(select.select([self.stream], [], [], 0)[0])


def offer(item, path, what, mode=0o644, mtime=(1, 2), **more):
    fields = [(ITEM, item), (WHAT, what), (PATH, path), (MODE, mode), (MTIME, mtime)]
    if what == FILE:
        fields += [(BYTES, more["size"]), (CHECKSUM_KIND, CRC32), (GRAIN, SMALL)]
    if what == LINK:
        fields += [(TARGET, more["target"])]
    return message(OFFER, *fields)


def hello(root, streams=1):
    return GREETING + message(HELLO, (ROOT, root), (REPLACE, 0), (STREAMS, streams))


def name_fault(name):
    """Why a name may not stand in a tree, or nothing."""
    text = name.decode("utf-8", "ignore")
    if name in (b"", b".", b"..") or len(name) > 255 or b"\0" in name:
        return "no name"
    if any(ord(letter) in HIDING for letter in text):
        return "a character that hides"
    return "the name of a record" if name.lower().endswith(b".part.log") else None


def path_fault(path):
    faults = [fault for fault in map(name_fault, path.split(b"/")) if fault]
    return faults[0] if faults else ("too long" if len(path) > 4095 or path.count(b"/") > 1023 else None)


def target_fault(path, target):
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    ups = next((n for n, part in enumerate(parts) if part != b".."), len(parts))
    leaves = target[:1] in (b"", b"/") or b".." in parts[ups:] or ups > path.count(b"/")
    return "it leads out of the tree" if leaves else None


def walk(root):
    """Paths on the disk and in the tree, depth first; a folder's path comes again, without what it is, at its end."""
    base = os.path.dirname(os.path.abspath(root))

    def below(place):
        path = os.path.relpath(place, base)
        status = os.lstat(place)
        yield place, path, status
        if stat.S_ISDIR(status.st_mode):
            for name in sorted(os.listdir(place)):
                yield from below(os.path.join(place, name))
            yield place, path, None

    yield from below(os.path.abspath(root))


class Sender:
    def __init__(self, wire, root, connect=None, streams=1):
        self.wire, self.root = wire, root
        self.connect, self.streams, self.others, self.elsewhere = connect, streams, [], 0
        self.item, self.spent, self.credit = 0, 0, FIRST_CREDIT
        self.open, self.folders, self.inside, self.eager = {}, [], {}, False
        self.went_ahead, self.claimed, self.claimed_to, self.kept = {}, {}, {}, 0
        self.counts, self.reasons, self.sent, self.eagerly = [0] * 5, [], 0, 0

    def run(self):
        self.wire.send(hello(os.path.basename(self.root), self.streams))
        need(self.wire.take(8) == GREETING, "it is no peer")
        kind, _, fields = self.wire.hear()
        need(kind == WELCOME, f"kind {kind} in place of a welcome")
        self.eager = bool(fields.get(FRESH))
        for _ in range(1, min(self.streams, fields.get(STREAMS, 1))):
            self.join(fields[TOKEN])
        for place, path, status in walk(self.root):
            if status is None:
                self.left(self.folders.pop())
            else:
                self.offer(place, path, status)
            while self.wire.has_more():
                self.hear()
        while self.open:
            self.hear()
        self.wire.send(message(FINISH))
        while (heard := self.wire.hear())[0] == CREDIT:
            pass
        need(heard[0] == SUMMARY, f"kind {heard[0]} in place of a summary")

    def join(self, token):
        other = Wire(self.connect())
        other.send(GREETING + message(JOIN, (TOKEN, token)))
        need(other.take(8) == GREETING, "it is no peer")
        kind, _, _ = other.hear()
        need(kind == WELCOME, f"kind {kind} in place of a welcome to a further connection")
        self.others.append(other)

    def offer(self, place, path, status):
        what = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: LINK}[stat.S_IFMT(status.st_mode)]
        more = {"size": status.st_size}
        if what == LINK:
            more["target"] = os.readlink(place)
        mtime = divmod(status.st_mtime_ns, 1_000_000_000)
        said = offer(self.item + 1, path, what, stat.S_IMODE(status.st_mode) & 0o777, mtime, **more)
        at_once = self.eager and what == FILE and 0 < status.st_size <= SMALL
        ahead = len(said) + (status.st_size + 24 if at_once else 0)
        while self.item >= self.credit[0] or self.spent + ahead > self.credit[1]:
            self.hear()
        self.item, self.spent = self.item + 1, self.spent + ahead
        parent = self.folders[-1] if self.folders else None
        self.open[self.item] = (what, place, parent)
        if parent and what != LINK:
            self.inside[parent].add(self.item)
        if what == FOLDER:
            self.folders.append(self.item)
            self.inside[self.item] = {self.item}
        self.wire.send(said)
        if at_once:
            self.eagerly += 1
            self.went_ahead[self.item] = status.st_size + 24
            self.send_file(self.item)

    def send_file(self, item, grain=SMALL):
        _, place, _ = self.open[item]
        with open(place, "rb") as file:
            data = file.read()
        claimed, kept = self.claimed.pop(item, {}), 0
        if 0 < len(data) <= SMALL:
            self.wire.send(block(item, 0, data, ENDS))
        else:
            wires = [self.wire, *self.others]
            # From the last block on: they come in any order.
            for index in reversed(range(-(-len(data) // grain))):
                piece = data[index * grain : (index + 1) * grain]
                if claimed.get(index) == zlib.crc32(piece):
                    kept += len(piece)
                    continue
                wire = wires[index % len(wires)]
                self.elsewhere += wire is not self.wire
                wire.send(block(item, index, piece))
            more = [(KEPT, kept)] if kept else []
            self.wire.send(message(END, (ITEM, item), (BYTES, len(data)), (CHECKSUM, zlib.crc32(data)), *more))
        self.sent, self.kept = self.sent + len(data) - kept, self.kept + kept
        self.has_said(item)

    def claim(self, fields):
        """The receiver has some of these blocks."""
        item, first, count = fields[ITEM], fields[FIRST], fields[COUNT]
        need(item in self.open and first >= self.claimed_to.get(item, 0), f"a claim of item {item} is out of turn")
        need(1 <= count <= 4096 and len(fields[CLAIMED]) == (count + 7) // 8, f"a claim of {count} blocks")
        there = [first + bit for bit in range(count) if fields[CLAIMED][bit // 8] >> bit % 8 & 1]
        checksums = struct.unpack(f"<{len(there)}Q", fields[CHECKSUMS])
        self.claimed.setdefault(item, {}).update(zip(there, checksums))
        self.claimed_to[item] = first + count

    def left(self, item):
        self.has_said(item, folder=item)

    def has_said(self, item, folder=None):
        """Nothing more is to be said of an item in its folder; of a folder in itself: nothing more is offered there."""
        folder = folder or self.open[item][2]
        while folder in self.open and item in self.inside[folder]:
            self.inside[folder].discard(item)
            if self.inside[folder]:
                return
            self.wire.send(message(END, (ITEM, folder), (BYTES, 0)))
            item, folder = folder, self.open[folder][2]

    def hear(self):
        kind, _, fields = self.wire.hear()
        if kind == CREDIT:
            self.credit = max(self.credit[0], fields[ITEMS]), max(self.credit[1], fields[BYTES])
        elif kind == ACCEPT:
            if fields[ITEM] in self.went_ahead:
                self.spent -= self.went_ahead[fields[ITEM]]
            else:
                need(GRAIN in fields or fields[ITEM] not in self.claimed, "claims of blocks of no length")
                self.send_file(fields[ITEM], fields.get(GRAIN, SMALL))
        elif kind == CLAIM:
            self.claim(fields)
        else:
            need(kind == RESULT, f"kind {kind} is out of turn")
            for item in range(fields[ITEM], fields[ITEM] + fields.get(COUNT, 1)):
                need(item in self.open, f"a result for item {item}")
                self.has_said(item)
                del self.open[item]
                self.counts[fields[STATUS]] += 1
                self.eager &= fields[STATUS] != HAD
                if REASON in fields:
                    self.reasons.append(fields[REASON].decode())


class Receiver:
    def __init__(self, wire, into, args, listener=None):
        self.wire, self.into, self.items, self.ahead = wire, into, {}, 0
        # The numbers of folders by their places, and how much in each place has no result.
        self.folders, self.inside = {}, collections.Counter()
        self.streams, self.cut, self.listener, self.others, self.elsewhere = args.streams, args.cut, listener, {}, 0
        self.token, self.partial, self.kept, self.again = os.urandom(16), args.partial, 0, 0
        tight, late = args.tight, args.late
        self.tight, self.given = tight, FIRST_CREDIT
        self.late, self.results = late, b""
        self.counts, self.came, self.eagerly, self.last = [0] * 5, 0, 0, 0

    def run(self):
        need(self.wire.take(8) == GREETING, "it is no peer")
        kind, _, fields = self.wire.hear()
        need(kind == HELLO and ROOT in fields, "no tree is to come")
        root = fields[ROOT]
        fresh = b"/" not in root and not os.path.lexists(os.path.join(self.into, root))
        more = [(STREAMS, self.streams), (TOKEN, self.token)] if self.streams > 1 else []
        self.wire.send(GREETING + message(WELCOME, *([(FRESH, 1)] if fresh else []), *more))
        if not self.tight:
            self.wire.send(message(CREDIT, (ITEMS, AHEAD[0]), (BYTES, AHEAD[1])))
        finished = False
        while not finished or self.items:
            self.hear_others()
            if not self.wire.has_whole():
                continue
            kind, flags, said = self.wire.hear()
            if kind == OFFER:
                need(not finished, "an offer after finish")
                self.ahead += self.wire.heard_bytes
                self.offered(said)
            elif kind == BLOCK:
                self.block(flags, *said)
            elif kind == END:
                self.end(said[ITEM], said)
            elif kind == DROP and said[ITEM] in self.items:
                self.settle(said[ITEM], WITHDRAWN)
            elif kind == FINISH:
                finished = True
            if self.tight:
                self.give_credit()
        self.wire.send(self.results + message(SUMMARY))

    def hear_others(self):
        """Takes what has come over further connections, and waits until something comes over any, or has come whole."""
        streams = [self.wire.stream, *self.others] + ([self.listener] if self.listener else [])
        is_whole = self.wire.has_whole()
        ready, _, _ = select.select(streams, [], [], 0 if is_whole else SILENCE)
        need(ready or is_whole, "the peer is silent")
        for stream in ready:
            if stream is self.wire.stream:
                self.wire.fill()
            elif stream is self.listener:
                other = Wire(stream.accept()[0])
                need(other.take(8) == GREETING, "it is no peer")
                kind, _, fields = other.hear()
                need(kind == JOIN and fields[TOKEN] == self.token, "it does not join")
                other.send(GREETING + message(WELCOME))
                self.others[other.stream] = other
            else:
                self.hear_other(self.others[stream])

    def hear_other(self, other):
        other.fill()
        if self.cut and len(other.unread) > 100:
            del self.others[other.stream]
            other.stream.close()
            self.cut = False
            return
        while other.has_whole():
            kind, flags, said = other.hear()
            need(kind == BLOCK and not flags, f"kind {kind} over a further connection")
            need(self.items[said[0]]["wanted"], "a block that nobody waits for")
            self.elsewhere += 1
            self.block(flags, *said)

    def give_credit(self):
        credit = self.last + AHEAD[0], max(self.given[1], self.ahead + TIGHT)
        if credit[0] >= self.given[0] + AHEAD[0] // 2 or credit[1] >= self.given[1] + TIGHT_STEP:
            self.given = credit
            self.wire.send(message(CREDIT, (ITEMS, credit[0]), (BYTES, credit[1])))

    def offered(self, fields):
        item, path, what = fields[ITEM], fields[PATH], fields[WHAT]
        self.last += 1
        need(item == self.last, f"item {item} is out of turn")
        place = os.path.join(self.into, path)
        self.inside[os.path.dirname(place)] += 1
        self.items[item] = {"place": place, "fields": fields, "blocks": {}, "wanted": False, "end": None}
        self.items[item] |= {"grain": fields.get(GRAIN), "claimed": {}}
        why = path_fault(path) or (target_fault(path, fields[TARGET]) if what == LINK else None)
        if why:
            self.settle(item, REFUSED, why)
        elif what == FOLDER:
            os.makedirs(place, exist_ok=True)
            self.folders[place] = item
        elif what == LINK:
            if not os.path.islink(place):
                os.symlink(fields[TARGET], place)
            self.settle(item, STORED)
        elif os.path.lexists(place):
            status = os.lstat(place)
            same = divmod(status.st_mtime_ns, 1_000_000_000) == fields[MTIME] and status.st_size == fields[BYTES]
            self.settle(item, HAD if same else REFUSED, None if same else "another one is there")
        else:
            self.items[item]["wanted"] = True
            more = self.claim(item)
            self.wire.send(message(ACCEPT, (ITEM, item), *more))

    def claim(self, item):
        """Claims what there is of a file, and returns what its accept says of that."""
        open_ = self.items[item]
        size = open_["fields"][BYTES]
        part = self.partial and os.path.join(os.fsencode(self.partial), open_["fields"][PATH])
        if not part or size <= open_["grain"] or not os.path.exists(part):
            return []
        with open(part, "rb") as file:
            data = file.read(size)
        open_["grain"] = PART_GRAIN
        blocks = -(-size // PART_GRAIN)
        for index in range(blocks):
            piece = data[index * PART_GRAIN : (index + 1) * PART_GRAIN]
            if any(piece) and len(piece) == min(PART_GRAIN, size - index * PART_GRAIN):
                open_["claimed"][index] = piece
        for first in range(0, blocks, CLAIM_BLOCKS):
            count = min(CLAIM_BLOCKS, blocks - first)
            there = [bit for bit in range(count) if first + bit in open_["claimed"]]
            checksums = [zlib.crc32(open_["claimed"][first + bit]) for bit in there]
            packed = struct.pack(f"<{len(there)}Q", *checksums)
            about = [(ITEM, item), (FIRST, first), (COUNT, count), (CLAIMED, bytes([sum(1 << bit for bit in there)]))]
            self.wire.send(message(CLAIM, *about, (CHECKSUMS, packed)))
        return [(GRAIN, PART_GRAIN)]

    def block(self, flags, item, index, data, checksum):
        need(item <= self.last, f"a block of item {item}")
        if item not in self.items:
            self.eagerly += 1
            self.ahead += len(data) + 24
            return
        open_ = self.items[item]
        size, grain = open_["fields"][BYTES], open_["grain"]
        need(index not in open_["blocks"] and len(data) == min(grain, size - index * grain), f"block {index} is not due")
        need(zlib.crc32(data) == checksum, "a damaged block")
        open_["blocks"][index] = data
        self.again += open_["claimed"].pop(index, None) is not None
        self.came += len(data)
        if flags & ENDS:
            need(index == 0 and len(data) == size, "an end within a file")
            self.store(item)
        self.store_if_whole(item)

    def end(self, item, fields):
        if item not in self.items:
            return
        open_ = self.items[item]
        need(open_["end"] is None, "a second end")
        if open_["fields"][WHAT] == FOLDER:
            # Blocks may come later, over other connections.
            inside = [other for other in self.items.values() if os.path.dirname(other["place"]) == open_["place"]]
            need(all(other["end"] for other in inside), "the end of a folder before those of what is in it")
            open_["end"] = fields
            self.leave(item)
            return
        need(fields[BYTES] == open_["fields"][BYTES], "an end of another length")
        open_["end"] = fields
        self.store_if_whole(item)
        need(self.streams > 1 or item not in self.items, "an end within a file")

    def leave(self, item):
        """A folder that had its end is done when all in it has its result."""
        open_ = self.items.get(item)
        if open_ and open_["end"] is not None and not self.inside[open_["place"]]:
            self.finish_mode(open_)
            self.settle(item, STORED)

    def store_if_whole(self, item):
        """Stores a file that had its end: blocks may come over other connections, and later."""
        open_ = self.items.get(item)
        if not open_ or open_["end"] is None:
            return
        there = {**open_["claimed"], **open_["blocks"]}
        unsent, kept = sum(map(len, open_["claimed"].values())), open_["end"].get(KEPT, 0)
        need(unsent >= kept, "more was kept than was claimed and has not come")
        if len(there) < -(-open_["fields"][BYTES] // open_["grain"]) or unsent > kept:
            return
        self.kept, open_["blocks"] = self.kept + kept, there
        need(open_["end"].get(CHECKSUM) == zlib.crc32(self.content(open_)), "another checksum of the whole")
        self.store(item)

    def content(self, open_):
        return b"".join(data for _, data in sorted(open_["blocks"].items()))

    def store(self, item):
        open_ = self.items[item]
        with open(open_["place"], "xb") as file:
            file.write(self.content(open_))
        self.finish_mode(open_)
        self.settle(item, STORED)

    def finish_mode(self, open_):
        seconds, nanoseconds = open_["fields"][MTIME]
        time_ns = seconds * 1_000_000_000 + nanoseconds
        os.chmod(open_["place"], open_["fields"][MODE] & 0o777)
        os.utime(open_["place"], ns=(time_ns, time_ns))

    def settle(self, item, status, reason=None):
        self.counts[status] += 1
        folder = os.path.dirname(self.items.pop(item)["place"])
        fields = [(ITEM, item), (STATUS, status)] + ([(REASON, reason.encode())] if reason else [])
        result = message(RESULT, *fields)
        if self.late:
            self.results += result
        else:
            self.wire.send(result)
        self.inside[folder] -= 1
        self.leave(self.folders.get(folder))


def whole(item, path, data=b"x"):
    """A small file with its offer."""
    return offer(item, path, FILE, size=len(data)) + block(item, 0, data, ENDS)


ROOT_OFFER = offer(1, b"bad", FOLDER, 0o755)
# What no sender may say after its hello; the answer is an abort, or the result of item 2, where there is one.
BAD = {
    "credit": b"".join(offer(n, b"f%d" % n, FOLDER) for n in range(1, 20_000)),
    "bytes": ROOT_OFFER + offer(2, b"bad/f", FILE, size=SMALL + 1) + block(2, 1, b"x"),
    "order": ROOT_OFFER + offer(3, b"bad/f", FOLDER),
    "again": ROOT_OFFER + ROOT_OFFER,
    "end within": ROOT_OFFER + offer(2, b"bad/f", FILE, size=10) + message(END, (ITEM, 2), (BYTES, 10), (CHECKSUM, 0)),
    "short block": ROOT_OFFER + offer(2, b"bad/f", FILE, size=10) + block(2, 0, b"123456789"),
    "long block": ROOT_OFFER + offer(2, b"bad/f", FILE, size=10) + block(2, 0, b"12345678901"),
    "second block": ROOT_OFFER + offer(2, b"bad/f", FILE, size=10) + block(2, 1, b"1234567890"),
    "damaged": ROOT_OFFER + offer(2, b"bad/f", FILE, size=2) + block(2, 0, b"ab", ENDS).replace(b"ab", b"ac"),
    "not offered": ROOT_OFFER + block(7, 0, b"x", ENDS),
    "of a folder": ROOT_OFFER + block(1, 0, b"x", ENDS),
    "end of nothing": message(END, (ITEM, 9), (BYTES, 0)),
    "second end": ROOT_OFFER + offer(2, b"bad/f", FILE, size=10) + message(END, (ITEM, 1), (BYTES, 0)) * 2,
    "after end": ROOT_OFFER
    + offer(2, b"bad/f", FILE, size=10)
    + message(END, (ITEM, 1), (BYTES, 0))
    + offer(3, b"bad/g", FILE, size=10),
    "drop of a folder": ROOT_OFFER + message(DROP, (ITEM, 1), (REASON, b"it has changed")),
    "drop of nothing": message(DROP, (ITEM, 9), (REASON, b"it has changed")),
    "folder of bytes": ROOT_OFFER + message(END, (ITEM, 1), (BYTES, 5)),
    "second finish": ROOT_OFFER + message(FINISH) + message(FINISH),
    "after finish": ROOT_OFFER + message(FINISH) + offer(2, b"bad/f", FOLDER),
    "an array": message(OFFER, (ITEM, 1), (1, b"'|u1'"), (2, struct.pack("<Q", 1)), (BYTES, 1), (CHECKSUM_KIND, 0)),
    "hello again": message(HELLO, (ROOT, b"bad")),
    "unknown flag": ROOT_OFFER + struct.pack("<BB2xIII", BLOCK, 2, 1, 1, 0) + b"x" + bytes(8),
    "no grain": message(OFFER, (ITEM, 1), (WHAT, FILE), (PATH, b"f"), (MODE, 0), (MTIME, (0, 0)), (BYTES, 1), (CHECKSUM_KIND, 0)),
    "time": offer(1, b"f", FOLDER, mtime=(0, 1_000_000_000)),
    "long path": offer(1, b"f" * 4096, FOLDER),
    "keep-alives": ROOT_OFFER + message(KEEP_ALIVE) * 10_000,
    "dots": ROOT_OFFER + whole(2, b"bad/../../f"),
    "dot": ROOT_OFFER + whole(2, b"bad/./f"),
    "absolute": ROOT_OFFER + whole(2, b"/tmp/f"),
    "empty": ROOT_OFFER + whole(2, b""),
    "zero": ROOT_OFFER + whole(2, b"bad/\0"),
    "control": ROOT_OFFER + whole(2, b"bad/a\x1b[2J"),
    "bidi": ROOT_OFFER + whole(2, "bad/a\u202etxt".encode()),
    "long name": ROOT_OFFER + whole(2, b"bad/" + b"f" * 256),
    "deep": ROOT_OFFER + whole(2, b"/".join([b"d"] * 1025)),
    "record": ROOT_OFFER + whole(2, b"bad/f.PART.log"),
    "no folder": ROOT_OFFER + whole(2, b"bad/none/f"),
    "out": ROOT_OFFER + offer(2, b"bad/l", LINK, target=b"../../x"),
    "far": ROOT_OFFER + offer(2, b"bad/l", LINK, target=b"/etc/passwd"),
    "behind": ROOT_OFFER + offer(2, b"bad/l", LINK, target=b"d/../../../x"),
}


def misbehave(wire, what):
    """How a receiver answers what no sender may say: with an abort or a result, in words."""
    with contextlib.suppress(ConnectionError, EOFError):
        wire.send(hello(b"bad") + BAD[what])
    need(wire.take(8) == GREETING, "it is no peer")
    deadline = time.monotonic() + SILENCE
    while time.monotonic() < deadline:
        kind, _, fields = wire.hear()
        if kind == RESULT and fields[STATUS] in (REFUSED, FAILED):
            return f"result {fields[STATUS]}: {fields[REASON].decode()}"
        need(kind in (WELCOME, CREDIT, ACCEPT, RESULT), f"kind {kind} is out of turn")
    raise Fault("it takes all of it")


def main():
    parser = endpoint.parser(__doc__, ["send", "receive"])
    parser.add_argument("--folder", help="what to send, or where to")
    parser.add_argument("--tight", action="store_true", help="give hardly any credit")
    parser.add_argument("--late", action="store_true", help="give no result before finish")
    parser.add_argument("--streams", type=int, default=1, help="over so many connections")
    parser.add_argument("--partial", help="claim what lies in this folder of what is offered")
    parser.add_argument("--cut", action="store_true", help="close a further connection within a block")
    parser.add_argument("--bad", choices=[*BAD, "all"], help="send this, and tell the answer")
    args = parser.parse_args()
    if args.bad == "all":
        endpoint.say(bad=list(BAD))
        return
    listener = endpoint.listen(args) if args.listen else None
    try:
        with listener.accept()[0] if listener else endpoint.open_socket(args) as stream:
            wire = Wire(stream)
            if args.bad:
                try:
                    answer = misbehave(wire, args.bad)
                except Fault as fault:
                    answer = str(fault)
                endpoint.say(event="answer", answer=answer)
                return
            folder = os.fsencode(args.folder)
            if args.action == "send":
                side = Sender(wire, folder, lambda: endpoint.open_socket(args), args.streams)
            else:
                side = Receiver(wire, folder, args, listener if args.streams > 1 else None)
            side.run()
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_WR)
    except (Fault, OSError, EOFError, struct.error) as error:
        endpoint.say(event="failed", action=args.action, error=str(error))
        sys.exit(1)
    moved = side.sent if args.action == "send" else side.came
    reasons = getattr(side, "reasons", [])
    told = {"counts": side.counts, "bytes": moved, "eagerly": side.eagerly, "elsewhere": side.elsewhere, "reasons": reasons}
    endpoint.say(event="finished", **told, kept=side.kept, again=getattr(side, "again", 0))


if __name__ == "__main__":
    main()
