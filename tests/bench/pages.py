"""Memory pages as a contestant finds them: in place, or such that the machine has to fetch them first.

A virtual machine's host gives it memory when it is first touched, and takes back what has lain free for a while ("free
page reporting"). A page that the host has to bring is several times as dear as one that is there, so whoever comes first
would pay for everyone. Here every contestant finds the same: `warm` touches and frees more than any of them needs just
before it; `cold` then waits until the host has taken that back. On a machine that owns its memory both are alike.
"""

import mmap
import time

MIB = 1 << 20
# Beside the arrays themselves: sockets, programs, caches.
MORE_BYTES = 256 * MIB
# The kernel reports free pages two seconds after they were freed, in batches.
REPORTED_S = 4


def warm(options):
    """Leaves so much free memory in place that two arrays and whatever is around them fit."""
    touch(2 * options.bytes + MORE_BYTES)


def cold(options):
    """Leaves free memory that the host has taken back, if it does that."""
    touch(2 * options.bytes + MORE_BYTES)
    time.sleep(REPORTED_S)


def touch(length):
    """Seconds that it takes to get so much memory, in huge pages where they are granted; it is free again then."""
    begin = time.perf_counter()
    with mmap.mmap(-1, -(-length // (2 * MIB)) * 2 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, len(memory), mmap.PAGESIZE):
            memory[at] = 1
    return time.perf_counter() - begin
