"""Opens what Arraylift receives or has received where it lies, and makes what it sends: NumPy, without a copy.

    map_peer.py npy PATH            a .npy file that may not be whole yet
    map_peer.py attach NAME         shared memory that Arraylift has made, as f64
    map_peer.py make NAME COUNT     shared memory for Arraylift to send: f64, 0 to COUNT

Says in JSON, one object a line, what it sees: how many of the elements are 0, 1, 2 and so on, and whether those behind
the first other one are all zero. A line on standard input lets it look again, or end.
"""

import json
import sys
from multiprocessing import resource_tracker, shared_memory

import numpy


def attach(name):
    """Opens shared memory that is not ours, so that it stays when we end."""
    if sys.version_info >= (3, 13):
        return shared_memory.SharedMemory(name, track=False)
    memory = shared_memory.SharedMemory(name)
    resource_tracker.unregister("/" + memory.name, "shared_memory")
    return memory


def seen(array):
    flat = array.reshape(-1)
    others = numpy.flatnonzero(flat != numpy.arange(flat.size))
    first = int(others[0]) if others.size else flat.size
    return {
        "dtype": array.dtype.str,
        "shape": array.shape,
        "counted": first,
        "zeros_behind": not flat[first + 1 :].any(),
    }


def say(**values):
    print(json.dumps(values), flush=True)


def main():
    what, name = sys.argv[1:3]
    if what == "npy":
        array = numpy.load(name, mmap_mode="r")
        assert isinstance(array, numpy.memmap)
        say(**seen(array))
        sys.stdin.readline()
        say(**seen(array))
    elif what == "attach":
        memory = attach(name)
        array = numpy.ndarray(memory.size // 8, dtype="f8", buffer=memory.buf)
        mapped = numpy.memmap("/dev/shm/" + name, dtype="f8", mode="r")
        say(size=memory.size, same=bool((array == mapped).all()), **seen(array))
        del array
        memory.close()
    else:
        count = int(sys.argv[3])
        memory = shared_memory.SharedMemory(name, create=True, size=8 * count)
        array = numpy.ndarray(count, dtype="f8", buffer=memory.buf)
        array[:] = numpy.arange(count)
        say(size=memory.size)
        sys.stdin.readline()
        del array
        memory.close()
        memory.unlink()


main()
