#!/usr/bin/env bash
# What curl, wget and aria2 make of half a file, when the server's file has been replaced since.
#
# A good guess: `curl -C -`, `wget -c` and `aria2c -c` send If-Range, or compare ETag or Last-Modified of what they
# have with what they get; at least where they are told to look at times (`curl -z FILE`, `wget -N`,
# `aria2c --conditional-get`). If the file is another one, they begin anew or fail.
#
# What happens (curl 7.88.1, wget 1.21.3, aria2 1.36.0, all of Debian 12, and aiohttp 3.13.2 as the server): none of
# them sends If-Range, none remembers a validator, none looks at those of the 206. Each appends the rest of the new file
# to the half of the old one and ends with 0. The options that look at times do send If-Modified-Since beside Range; the
# server answers that it was modified, by 206 with the range that was asked for, and they append that too. Where an
# array is replaced by one of the same shape, the length is right as well. wget(1) says of -c that wget "has no way of
# verifying that the local file is really a valid prefix of the remote file". The validators that it was sent are one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download curl libcurl4 wget aria2 libaria2-0 libc-ares2 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiohttp==3.13.2
cat >ask.py <<'PYTHON'
import asyncio
import glob
import os
import pathlib
import sys

from aiohttp import web

COMMANDS = [
    "curl -s -C - -o a.npy",
    "curl -s -C - -z a.npy -o a.npy",
    "wget -q -c",
    "wget -q -c -N",
    "aria2c -q -c",
    "aria2c -q -c --conditional-get=true --allow-overwrite=true",
]
libraries = os.path.abspath(glob.glob("root/usr/lib/*-linux-gnu")[0])
environment = dict(os.environ, LD_LIBRARY_PATH=libraries)
programs = os.path.abspath("root/usr/bin")


async def run(command, directory):
    process = await asyncio.create_subprocess_exec(
        f"{programs}/{command[0]}", *command[1:], cwd=directory, env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def main():
    served = pathlib.Path("served")
    served.mkdir()
    (served / "a.npy").write_bytes(b"B" * 100_000)
    asked = []

    @web.middleware
    async def note(request, handler):
        asked.append([name for name in ("If-Range", "If-Modified-Since", "Range") if name in request.headers])
        return await handler(request)

    app = web.Application(middlewares=[note])
    app.router.add_static("/", served)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/a.npy"
    for program in ("curl", "wget", "aria2c"):
        _, output = await run([program, "--version"], ".")
        print(output.split("\n")[0])
    others = 0
    for number, command in enumerate(COMMANDS):
        directory = pathlib.Path(str(number))
        directory.mkdir()
        half = directory / "a.npy"
        half.write_bytes(b"A" * 50_000)
        os.utime(half, (1_700_000_000, 1_700_000_000))
        asked.clear()
        status, _ = await run([*command.split(), url], directory)
        got = half.read_bytes()
        kept, added = got.count(b"A"), got.count(b"B")
        print(f"{command}: exit {status}, {kept} old bytes and {added} new ones; asked with {asked}")
        mixed = status == 0 and len(got) == 100_000 and b"A" in got and b"B" in got
        others += not mixed or any("If-Range" in names for names in asked)
    await runner.cleanup()
    sys.exit(f"{others} of them do something else now" if others else 0)


asyncio.run(main())
PYTHON
venv/bin/python ask.py
