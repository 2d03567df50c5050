#!/usr/bin/env python3
"""The Python recipe on one end of a socket: the bytes of an array and nothing else.

    raw_peer.py send 127.0.0.1 25000 --count 50000000
    raw_peer.py receive unix:$XDG_RUNTIME_DIR/arrays --count 50000000 --module array --listen
"""

import array
import time

import endpoint

# NumPy's name of a type, and the standard library's.
TYPECODES = {"f8": "d", "f4": "f", "i8": "q", "i4": "i", "i2": "h", "u1": "B"}


def send_from(arr, dest):
    view = memoryview(arr).cast("B")
    while len(view):
        nsent = dest.send(view)
        view = view[nsent:]


def recv_into(arr, source):
    view = memoryview(arr).cast("B")
    while len(view):
        nrecv = source.recv_into(view)
        if nrecv == 0:  # the recipe has no such line: it would ask forever
            raise EOFError(f"the peer closed with {len(view)} bytes missing")
        view = view[nrecv:]


def counted(module, dtype, count):
    """0, 1, 2, ... as many as asked for."""
    if module == "array":
        code = TYPECODES[dtype]
        if dtype == "u1":
            return array.array(code, (n & 0xFF for n in range(count)))
        return array.array(code, range(count))
    import numpy

    if dtype == "f8":
        return numpy.arange(0.0, count)
    return numpy.arange(count).astype(dtype)


def zeros(module, dtype, count):
    if module == "array":
        code = TYPECODES[dtype]
        return array.array(code, bytes(array.array(code).itemsize * count))
    import numpy

    return numpy.zeros(count, dtype)


def main():
    parser = endpoint.parser(__doc__, ["send", "receive"])
    parser.add_argument("--count", type=int, required=True, help="how many elements")
    parser.add_argument("--dtype", choices=sorted(TYPECODES), default="f8")
    parser.add_argument("--module", choices=["numpy", "array"], default="numpy", help="what the array is made of")
    args = parser.parse_args()

    make = counted if args.action == "send" else zeros
    a = make(args.module, args.dtype, args.count)
    before = list_of(a)
    with endpoint.open_socket(args) as stream:
        connected = time.perf_counter()
        if args.count:  # a view of nothing cannot be cast
            if args.action == "send":
                send_from(a, stream)
            else:
                recv_into(a, stream)
        seconds = time.perf_counter() - connected
    after = list_of(a)
    endpoint.say(
        event="finished",
        action=args.action,
        dtype=args.dtype,
        count=len(a),
        bytes=memoryview(a).nbytes,
        seconds=seconds,
        before=before,
        after=after,
        sha256=endpoint.sha256(a),
    )


def list_of(a):
    """a[0:10] as plain numbers."""
    return a[0:10].tolist()


if __name__ == "__main__":
    main()
