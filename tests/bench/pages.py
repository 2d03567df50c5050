"""Memory pages as a contestant finds them: in place, or such that this machine's host has to bring them first.

A virtual machine's host gives it memory when it is first touched, and takes back most of what lies free ("free page
reporting"). A page that the host has to bring is several times as dear as one that is there, so whoever comes first
would pay for everyone. Here every contestant of a series finds the same. On a machine that owns its memory both
series are alike, and the table says so.
"""

import contextlib
import mmap
import time

MIB = 1 << 20
# Beside the arrays themselves: sockets, programs, caches.
MORE_BYTES = 256 * MIB
# Memory is taken hold of in such pieces; one is cold that takes so many times as long as the fastest did.
PIECE_BYTES = 64 * MIB
COLD = 2.5
# So many in a row, and what follows is cold, too.
COLD_PIECES = 3


@contextlib.contextmanager
def warm(options):
    """Touches and frees, just before, so much memory that two arrays and whatever is around them fit."""
    with taken(2 * options.bytes + MORE_BYTES, mmap.MADV_HUGEPAGE):
        pass
    yield


@contextlib.contextmanager
def cold(options):
    """Holds on to all free memory that is in place, meanwhile: small pages, which take fragments first.

    What contestants need themselves is left; where everything else was warm, so are they.
    """
    with contextlib.ExitStack() as held:
        fastest, in_a_row, left = float("inf"), 0, available_bytes() - 4 * options.bytes - 4 * MORE_BYTES
        while in_a_row < COLD_PIECES and left > PIECE_BYTES:
            begin = time.perf_counter()
            held.enter_context(taken(PIECE_BYTES, mmap.MADV_NOHUGEPAGE))
            seconds = time.perf_counter() - begin
            fastest, left = min(fastest, seconds), left - PIECE_BYTES
            in_a_row = in_a_row + 1 if seconds > COLD * fastest else 0
        yield


def taken(length, advice):
    """So many bytes of memory, touched."""
    memory = mmap.mmap(-1, -(-length // (2 * MIB)) * 2 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without huge pages
        memory.madvise(advice)
    for at in range(0, len(memory), mmap.PAGESIZE):
        memory[at] = 1
    return memory


def available_bytes():
    """What can be had without anyone losing theirs."""
    with open("/proc/meminfo", encoding="ascii") as info:
        return next(1024 * int(line.split()[1]) for line in info if line.startswith("MemAvailable:"))
