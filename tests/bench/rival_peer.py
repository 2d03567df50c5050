"""An end of a rival that is a Python library, as a process of its own; and this machine's memcpy.

    rival_peer.py pyzmq-receive                 says where it listens, takes one array
    rival_peer.py pyzmq-send ADDRESS COUNT
    rival_peer.py flight-serve COUNT            says where it listens, until it is ended
    rival_peer.py flight-get ADDRESS
    rival_peer.py memcpy COUNT

Each says one JSON line about what happened. `began` and `ended` are of the machine's monotonic clock, which all
processes share.
"""

import ctypes
import hashlib
import json
import mmap
import statistics
import sys
import time

import numpy


def say(**event):
    print(json.dumps(event), flush=True)


def finished(began=None, ended=None, array=None):
    digest = None if array is None else hashlib.sha256(array).hexdigest()
    say(event="finished", began=began, ended=ended, sha256=digest, bytes=None if array is None else array.nbytes)


def pyzmq_receive():
    import zmq

    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        say(event="listening", address=f"tcp://127.0.0.1:{port}")
        frame = socket.recv(copy=False)
        ended = time.monotonic()
        finished(ended=ended, array=numpy.frombuffer(frame.buffer))


def pyzmq_send(address, count):
    import zmq

    array = numpy.arange(0.0, int(count))
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        began = time.monotonic()
        socket.connect(address)
        socket.send(array, copy=False, track=True).wait()
        finished(began=began, array=array)


def flight_serve(count):
    import pyarrow
    from pyarrow import flight

    array = numpy.arange(0.0, int(count))
    table = pyarrow.table({"a": array})

    class Server(flight.FlightServerBase):
        def do_get(self, context, ticket):
            return flight.RecordBatchStream(table)

    server = Server("grpc://127.0.0.1:0")
    say(event="listening", address=f"grpc://127.0.0.1:{server.port}", sha256=hashlib.sha256(array).hexdigest())
    server.serve()


def flight_get(address):
    from pyarrow import flight

    began = time.monotonic()
    with flight.connect(address) as client:
        column = client.do_get(flight.Ticket(b"")).read_all()["a"]
        ended = time.monotonic()
        finished(began=began, ended=ended, array=column.to_numpy())


def memcpy(count):
    length = 8 * int(count)
    places = []
    for _ in range(2):
        padded = -(-length // (2 << 20)) * (2 << 20)
        memory = mmap.mmap(-1, padded, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_HUGEPAGE)
        places.append((ctypes.c_char * padded).from_buffer(memory))
        ctypes.memset(places[-1], 1, padded)
    took = []
    for _ in range(7):
        begin = time.perf_counter()
        ctypes.memmove(*places, length)
        took.append(time.perf_counter() - begin)
    say(event="finished", bytes=length, seconds=statistics.median(took))


ACTIONS = {
    "pyzmq-receive": pyzmq_receive,
    "pyzmq-send": pyzmq_send,
    "flight-serve": flight_serve,
    "flight-get": flight_get,
    "memcpy": memcpy,
}

if __name__ == "__main__":
    ACTIONS[sys.argv[1]](*sys.argv[2:])
