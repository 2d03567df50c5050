#!/usr/bin/env bash
# The strong ETag of Tornado's StaticFileHandler, after its file was rewritten.
#
# A good guess: the tag is the SHA-512 of the content, so it is the strongest of all validators: two answers with the
# same tag have the same bytes, and Last-Modified beside it can be ignored.
#
# What happens (Tornado 6.5.2, web.py, StaticFileHandler._get_cached_version): the hash is taken once for each path and
# kept for the life of the process. After the file was rewritten the answer has the new bytes, a new Last-Modified, and
# the tag of the OLD content. A conditional request with that tag is answered by 304 though the content is another one.
# Only StaticFileHandler.reset() takes it back. So the weaker-looking date is the one that tells: a
# client that resumes or caches has to compare both wherever both are there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tornado==6.5.2
cat >"$folder/ask.py" <<'PYTHON'
import asyncio
import hashlib
import os
import pathlib
import sys
import tempfile

import tornado
import tornado.httpclient
import tornado.httpserver
import tornado.netutil
import tornado.web


async def main():
    folder = tempfile.mkdtemp()
    file = pathlib.Path(folder, "a.bin")
    handler = (r"/(.*)", tornado.web.StaticFileHandler, {"path": folder})
    server = tornado.httpserver.HTTPServer(tornado.web.Application([handler]))
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/a.bin"
    client = tornado.httpclient.AsyncHTTPClient()

    async def get(**headers):
        return await client.fetch(url, headers=headers, raise_error=False)

    answers = []
    for content, time in [(b"old", 1_700_000_000), (b"new", 1_700_000_100)]:
        file.write_bytes(content)
        os.utime(file, (time, time))
        answer = await get()
        tag = answer.headers["ETag"].strip('"')
        is_its = tag == hashlib.sha512(answer.body).hexdigest()
        print(f"{answer.body}: Last-Modified {answer.headers['Last-Modified']}, ETag {tag[:16]}..., "
              f"{'the' if is_its else 'NOT the'} SHA-512 of these bytes")
        answers.append((answer.body, answer.headers["Last-Modified"], tag, is_its))
    again = await get(**{"If-None-Match": f'"{answers[0][2]}"'})
    print(f"If-None-Match with the tag of b'old': {again.code}")
    (body, date, tag, is_its), (body2, date2, tag2, is_its2) = answers
    as_found = body != body2 and date != date2 and tag == tag2 and is_its and not is_its2 and again.code == 304
    sys.exit(0 if as_found else "it does something else now")


print(f"Tornado {tornado.version}")
asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/ask.py"
