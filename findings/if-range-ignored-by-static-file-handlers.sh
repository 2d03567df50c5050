#!/usr/bin/env bash
# What a web server makes of If-Range, when a file has been replaced since its first half was fetched.
#
# A good guess: a static file handler that sends a strong ETag or a Last-Modified, and says "Accept-Ranges: bytes",
# also honours If-Range (RFC 9110, 13.1.5). Whoever resumes with the validator of the first half gets either 206 with
# the rest of the same file, or 200 with all of the new one. So a client need not look at the 206 again.
#
# What happens: of four that were asked with the validator of the old file, one honours it.
# - aiohttp 3.13.2 reads If-Range as a date only (web_request.py, BaseRequest.if_range). An entity-tag is no date, so
#   the header counts as absent: 206 with bytes of the NEW file, though the tag it sent itself does not match. With the
#   old date it sends 200.
# - Tornado 6.5.2 (web.py, StaticFileHandler.get) and Bottle 0.13.4 (static_file) never look at If-Range: 206 with bytes
#   of the new file, with tag and date alike.
# - Starlette 0.49.1 honours both: 200.
# A client that appends such a 206 has one file made of two, of exactly the right length. It has to compare every
# validator of the 206 with those of the first answer, and the server's word in the status code is not enough.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    aiohttp==3.13.2 bottle==0.13.4 tornado==6.5.2 starlette==0.49.1 uvicorn==0.38.0
cat >"$folder/serve.py" <<'PYTHON'
import sys

name, folder, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if name == "aiohttp":
    from aiohttp import web

    app = web.Application()
    app.router.add_static("/", folder)
    web.run_app(app, host="127.0.0.1", port=port, print=None)
elif name == "bottle":
    import bottle

    bottle.route("/<file>")(lambda file: bottle.static_file(file, root=folder))
    bottle.run(host="127.0.0.1", port=port, quiet=True)
elif name == "tornado":
    import asyncio

    import tornado.web

    async def main():
        handler = (r"/(.*)", tornado.web.StaticFileHandler, {"path": folder})
        tornado.web.Application([handler]).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())
else:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.staticfiles import StaticFiles

    app = Starlette()
    app.mount("/", StaticFiles(directory=folder))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
PYTHON
cat >"$folder/ask.py" <<'PYTHON'
import http.client
import importlib.metadata
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

EXPECTED = {  # status with the old entity-tag, with the old date
    "aiohttp": (206, 200),
    "bottle": (206, 206),
    "tornado": (206, 206),
    "starlette": (200, 200),
}


def get(port, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/a.bin", headers={key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


wrong = 0
for name, expected in EXPECTED.items():
    folder = tempfile.mkdtemp()
    file = pathlib.Path(folder, "a.bin")
    file.write_bytes(b"A" * 1000)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, sys.argv[1], name, folder, str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                _, first, _ = get(port)
                break
            except OSError:
                time.sleep(0.1)
        file.write_bytes(b"B" * 1000)
        os.utime(file, (1_700_000_100, 1_700_000_100))
        rest = {"Range": "bytes=500-"}
        by_tag, tagged, body = get(port, If_Range=first["ETag"], **rest)
        by_date, _, _ = get(port, If_Range=first["Last-Modified"], **rest)
    finally:
        server.terminate()
        server.wait()
    print(f"{name} {importlib.metadata.version(name)}: If-Range with the old tag {by_tag} ({body[:1]} x {len(body)}),"
          f" with the old date {by_date}")
    print(f"    tag before {first['ETag'][:24]}..., in that answer {tagged['ETag'][:24]}...")
    wrong += (by_tag, by_date) != expected
sys.exit(f"{wrong} of them do something else now" if wrong else 0)
PYTHON
"$folder/venv/bin/python" "$folder/ask.py" "$folder/serve.py"
