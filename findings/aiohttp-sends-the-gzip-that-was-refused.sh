#!/usr/bin/env bash
# A file with a compressed copy beside it, asked of aiohttp by a client that wants no compression.
#
# A good guess: `Accept-Encoding: identity, gzip;q=0` forbids gzip (RFC 9110, 12.5.3: a weight of 0 means "not
# acceptable"). And bytes=0-99 of a.npy are the first 100 bytes of a.npy.
#
# What happens (aiohttp 3.13.2, web_fileresponse.py, _get_file_path_stat_encoding): the header is searched for the
# letters "gzip". Where a.npy.gz lies beside a.npy, a client that forbids gzip by q=0 gets the compressed file, and its
# Range counts in that: 206, "Content-Range: bytes 0-99/<length of the .gz>", another ETag. Half an array fetched by a
# client that says nothing of encodings and the rest by one that does (Python's requests always does: "gzip, deflate")
# are halves of two files; a range behind the end of the shorter, compressed one is 416, though the array is longer.
# "Accept-Encoding: identity" alone is safe.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiohttp==3.13.2
venv/bin/python - <<'PYTHON'
import asyncio
import gzip
import pathlib
import sys

import aiohttp
from aiohttp import web

EXPECTED = {
    ("identity", "bytes=0-99"): (206, None, 100_000),
    ("identity, gzip;q=0", "bytes=0-99"): (206, "gzip", None),
    ("gzip, deflate", "bytes=0-99"): (206, "gzip", None),
    ("gzip, deflate", "bytes=70000-"): (416, None, None),
}


async def main():
    folder = pathlib.Path("served")
    folder.mkdir()
    (folder / "a.npy").write_bytes(bytes(100_000))
    compressed = gzip.compress(bytes(100_000))
    (folder / "a.npy.gz").write_bytes(compressed)
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/a.npy"
    print(f"aiohttp {aiohttp.__version__}, a.npy has 100000 bytes and a.npy.gz {len(compressed)}")
    wrong = 0
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        for (encodings, part), (status, encoding, length) in EXPECTED.items():
            headers = {"Accept-Encoding": encodings, "Range": part}
            async with client.get(url, headers=headers) as answer:
                seen = answer.status, answer.headers.get("Content-Encoding")
                told = answer.headers.get("Content-Range")
                print(f"Accept-Encoding: {encodings}, Range: {part}: {seen[0]}, encoding {seen[1]}, {told}")
                whole = int(told.rpartition("/")[2])
                wrong += seen != (status, encoding) or whole != (length or len(compressed))
    await runner.cleanup()
    sys.exit(f"{wrong} answers are other ones now" if wrong else 0)


asyncio.run(main())
PYTHON
