#!/usr/bin/env python3
"""NumPy's own save and load on one end of a socket: a .npy header, then the bytes.

    npy_peer.py send 127.0.0.1 25000 --shape 1000,768 --dtype '>f4' --fortran
    npy_peer.py receive 127.0.0.1 0 --listen

NumPy cannot use what `socket.makefile()` gives by default: np.save and np.load see a buffered file and ask it for its
position, np.load seeks, and a socket does neither. An object with nothing but `write` or `read` serves.
"""

import ast
from types import SimpleNamespace

import endpoint
import numpy as np


def send(stream, a):
    np.save(SimpleNamespace(write=stream.sendall), a)


def receive(stream):
    return np.lib.format.read_array(SimpleNamespace(read=stream.makefile("rb").read), max_header_size=327_680)


def dtype_of(text):
    """A type as NumPy writes it in a header: `<f8`, `<U5`, or a list such as `[('x', '<f4'), ('n', '>i2')]`."""
    return np.dtype(ast.literal_eval(text) if text.startswith("[") else text)


def shape_of(text):
    """`3,4` is (3, 4); nothing at all is (), one element without an axis."""
    return tuple(int(part) for part in text.split(",") if part)


def made(dtype, shape, fortran):
    """An array in which every element, and every field of one, is different where its type can tell so many apart."""
    order = "F" if fortran else "C"
    a = np.empty(shape, dtype, order=order)
    count = np.arange(a.size).reshape(shape)
    if dtype.names:
        for name in dtype.names:
            a[name] = count.astype(dtype[name])
    else:
        a[...] = count.astype(dtype)
    return a


def main():
    parser = endpoint.parser(__doc__, ["send", "receive"])
    parser.add_argument("--dtype", type=dtype_of, default="<f8", help="what to send")
    parser.add_argument("--shape", type=shape_of, default="1000", help="what to send: 3,4")
    parser.add_argument("--fortran", action="store_true", help="send in Fortran order")
    args = parser.parse_args()

    with endpoint.open_socket(args) as stream:
        if args.action == "send":
            a = made(args.dtype, args.shape, args.fortran)
            send(stream, a)
        else:
            a = receive(stream)
    endpoint.say(
        event="finished",
        action=args.action,
        dtype=np.lib.format.dtype_to_descr(a.dtype),
        shape=a.shape,
        fortran=a.flags.fnc,
        bytes=a.nbytes,
        values=a.ravel(order="A")[0:10].tolist(),
        sha256=endpoint.sha256(a.tobytes(order="A")),
    )


if __name__ == "__main__":
    main()
