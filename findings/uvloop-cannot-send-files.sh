#!/usr/bin/env bash
# loop.sendfile and loop.sock_sendfile of uvloop.
#
# A good guess: uvloop is a "drop-in replacement" of asyncio's loop (its README), built on libuv, which has
# uv_fs_sendfile. So loop.sendfile is there and fast, and with `fallback=True`, the default, there is at least the loop
# of reads and sends that asyncio falls back to where the system has no sendfile.
#
# What happens (uvloop 0.23.0, uvloop/loop.pyx has neither method, so both are those of asyncio.AbstractEventLoop): both
# raise NotImplementedError with an empty message, whatever `fallback` says, where asyncio of the same Python sends the
# file by sendfile(2). A server that sends files works until somebody sets the faster loop. Whoever writes for both has
# to catch NotImplementedError and copy by hand, with drain() between.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import socket
import sys
import tempfile

import uvloop


async def ask():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setblocking(False)
    found = []
    with tempfile.TemporaryFile() as file, plain:
        file.write(bytes(100_000))
        for name, call in (
            ("sendfile", lambda: loop.sendfile(transport, file)),
            ("sendfile, fallback=False", lambda: loop.sendfile(transport, file, fallback=False)),
            ("sock_sendfile", lambda: loop.sock_sendfile(plain, file)),
        ):
            file.seek(0)
            try:
                result = f"{await call()} bytes sent"
            except NotImplementedError as error:
                result = f"NotImplementedError({str(error)!r})"
            print(f"{type(loop).__module__}, {name}: {result}")
            found.append(result)
    transport.close()
    server.close()
    return found


print(f"Python {sys.version.split()[0]}, uvloop {uvloop.__version__}")
plain, fast = asyncio.run(ask()), uvloop.run(ask())
as_found = plain == ["100000 bytes sent"] * 3 and fast == ["NotImplementedError('')"] * 3
sys.exit(0 if as_found else "it does something else now")
PYTHON
