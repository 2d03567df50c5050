#!/usr/bin/env bash
# np.save and np.lib.format.read_array on the files that Python makes of sockets and pipes.
#
# A good guess: socket.makefile("wb") is a file like any other to write to, as it is for pickle, csv and json; buffering
# makes no difference but to the speed. If np.save cannot, then np.savez, which writes more, cannot either.
#
# What happens (NumPy 2.2.6, numpy/lib/format.py, write_array and read_array, and numpy/_core/src/multiarray/convert.c):
# a BufferedWriter with a file descriptor counts as a real file, so the header goes through Python and the data through
# a duplicate of the descriptor, whose position is asked for first: OSError, "obtaining file position failed". The
# header stays in the buffer and is sent when that is closed: the peer gets 128 good bytes and then the end. With
# buffering=0, or "rwb", or an object with nothing but `write`, the very same call works, and so does np.savez into a
# pipe. Reading is alike: read_array takes the unbuffered file and refuses the buffered one, and np.load takes neither,
# since it looks at the first bytes and seeks back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import os
import socket
import sys
import types

import numpy as np

array = np.arange(3.0)
npy = io.BytesIO()
np.save(npy, array)
npy = npy.getvalue()
found = {}
peers = []


def attempt(name, call):
    try:
        result = call()
        found[name] = True
        print(f"{name}: works" + ("" if result is None else f", {result.tolist()}"))
    except OSError as error:
        found[name] = False
        print(f"{name}: {type(error).__name__}, {error}")


def pair():
    here, there = socket.socketpair()
    there.sendall(npy)
    peers.append(there)
    return here


def save(save_to, **how):
    file = pair().makefile(**how)
    save_to(file, array)
    file.flush()


def read(read_from, **how):
    return read_from(pair().makefile(**how))


read_array = np.lib.format.read_array
print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}")
attempt("np.save, makefile('wb')", lambda: save(np.save, mode="wb"))
attempt("np.save, makefile('wb', buffering=0)", lambda: save(np.save, mode="wb", buffering=0))
attempt("np.save, makefile('rwb')", lambda: save(np.save, mode="rwb"))
attempt("np.save, only write", lambda: np.save(types.SimpleNamespace(write=pair().sendall), array))
attempt("np.save, pipe", lambda: np.save(os.fdopen(os.pipe()[1], "wb"), array))
attempt("np.savez, pipe", lambda: np.savez(os.fdopen(pipe[1], "wb"), array) if (pipe := os.pipe()) else None)
attempt("read_array, makefile('rb')", lambda: read(read_array, mode="rb"))
attempt("read_array, makefile('rb', buffering=0)", lambda: read(read_array, mode="rb", buffering=0))
attempt("np.load, makefile('rb')", lambda: read(np.load, mode="rb"))
attempt("np.load, makefile('rb', buffering=0)", lambda: read(np.load, mode="rb", buffering=0))
expected = [False, True, True, True, False, True, False, True, False, False]
sys.exit(0 if list(found.values()) == expected else "it does something else now")
PYTHON
