#!/usr/bin/env bash
# Validators and ranges of lighttpd, for two files with the same bytes and two names.
#
# A good guess: ETag and Last-Modified come from the file's inode, size and time, so every static file has them. The name
# decides about Content-Type at most.
#
# What happens (lighttpd 1.4.69 of Debian 12, src/http-header-glue.c, http_response_send_file): a file whose extension
# is not in `mimetype.assign` is sent as application/octet-stream WITHOUT ETag and Last-Modified. Debian's table, made
# from /etc/mime.types, knows neither .npy nor .npz, .parquet or .safetensors. Ranges still work: a Range is answered by
# 206. So the arrays and tables on such a server can be resumed, and nothing tells whether the rest belongs to the same
# file, while a .txt beside them has both validators. A conditional request cannot help: there is nothing to put into it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download lighttpd media-types 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
cat >ask.py <<'PYTHON'
import http.client
import pathlib
import re
import socket
import subprocess
import sys
import time

root = pathlib.Path("www")
root.mkdir()
for name in ("a.txt", "a.npy"):
    (root / name).write_bytes(b"A" * 1000)
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
known = set()
for line in pathlib.Path("root/etc/mime.types").read_text().splitlines():
    known.update(end.lower() for end in line.split("#")[0].split()[1:])
table = ", ".join(f'".{end}" => "application/octet-stream"' for end in sorted(known))
pathlib.Path("lighttpd.conf").write_text(
    f'server.document-root = "{root.resolve()}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
    f'server.errorlog = "/dev/null"\nmimetype.assign = ({table})\n'
)


def get(name, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", f"/{name}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


program = "root/usr/sbin/lighttpd"
version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
print(re.sub(r"\s+", " ", version))
server = subprocess.Popen([program, "-D", "-f", "lighttpd.conf", "-m", "root/usr/lib/lighttpd"])
try:
    for _ in range(100):
        try:
            get("a.txt")
            break
        except OSError:
            time.sleep(0.1)
    found = []
    for name in ("a.txt", "a.npy"):
        whole, part = get(name), get(name, Range="bytes=500-")
        seen = (whole.headers["ETag"] is not None, whole.headers["Last-Modified"] is not None, part.status)
        print(f"{name}: ETag {seen[0]}, Last-Modified {seen[1]}, a range is answered by {seen[2]}")
        found.append(seen)
finally:
    server.terminate()
    server.wait()
unknown = [end for end in ("npy", "npz", "parquet", "safetensors") if end not in known]
print("Debian's mime.types does not know: " + ", ".join(unknown))
as_found = found == [(True, True, 206), (False, False, 206)] and len(unknown) == 4
sys.exit(0 if as_found else "it does something else now")
PYTHON
python3 ask.py
