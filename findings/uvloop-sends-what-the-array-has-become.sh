#!/usr/bin/env bash
# An array that is written to a transport, and filled with the next values while it is on its way.
#
# A good guess: transport.write is not awaited and promises that what it was given has been taken: asyncio's page says
# that it "does not block; it buffers the data". So a loop that fills one array and writes it again and again sends each
# state of it, on every event loop.
#
# What happens (Python 3.11, asyncio/selector_events.py; uvloop 0.23.0, uvloop/handles/stream.pyx, UVStream.write):
# asyncio sends what the socket takes at once and copies the rest into a bytearray. uvloop keeps a memoryview of the
# caller's array and sends from it later. 100 arrays of 16 bytes arrive right in both, since the socket has room; three
# arrays of 16 MB, all zeros, all ones, all twos, arrive in uvloop as 48 MB of some zeros and otherwise twos, without an
# error. So the loop that was right under asyncio, and in every small test, sends other values in production, on a slow
# link more than on a fast one. `await` of a drain does not help unless the limits
# are set to 0 (transport.set_write_buffer_limits(0)): only then it waits until the buffer is empty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6 uvloop==0.23.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys

import numpy as np
import uvloop


async def sent(elements, rounds):
    """How many elements of each round's value arrive."""
    loop = asyncio.get_running_loop()
    got = bytearray()
    closed = loop.create_future()

    class Receiver(asyncio.Protocol):
        def data_received(self, data):
            got.extend(data)

        def connection_lost(self, error):
            closed.set_result(error)

    server = await loop.create_server(Receiver, "127.0.0.1", 0)
    transport, _ = await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    array = np.empty(elements, "<i4")
    for value in range(rounds):
        array[:] = value
        transport.write(memoryview(array).cast("B"))
    transport.close()
    await closed
    server.close()
    return np.bincount(np.frombuffer(got, "<i4"), minlength=rounds).tolist()


async def both():
    loop = type(asyncio.get_running_loop()).__module__
    small, large = await sent(4, 100), await sent(4_000_000, 3)
    print(f"{loop}: 100 arrays of 16 bytes, each with its own value: {'right' if small == [4] * 100 else small}")
    print(f"{loop}: 4000000 zeros, ones and twos: {large} arrived")
    return small == [4] * 100, large


print(f"Python {sys.version.split()[0]}, NumPy {np.__version__}, uvloop {uvloop.__version__}")
plain, fast = asyncio.run(both()), uvloop.run(both())
same_length = sum(fast[1]) == 12_000_000
as_found = plain == (True, [4_000_000] * 3) and fast[0] and same_length and fast[1][2] > 8_000_000
sys.exit(0 if as_found else "it does something else now")
PYTHON
