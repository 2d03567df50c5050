#!/usr/bin/env bash
# The recipes that move arrays over Python's sockets without copies, over TLS.
#
# A good guess: ssl.SSLSocket is a socket. recv_into of `memoryview(array)` reads up to as many bytes as the array has,
# sendfile sends a file in large pieces, sendmsg sends several buffers at once.
#
# What happens (python3.11 of Debian 12, Lib/ssl.py, SSLSocket.recv_into, sendfile, sendmsg; OpenSSL 3.0):
# - recv_into takes len() of the buffer, the length of its first axis, for the number of bytes. A thousand float64, all
#   8,000 bytes of them there, give 1,000 bytes; the same as a view of 2 x 500 gives 2 bytes a call. A loop that goes on
#   by the count returned is right and takes 4,000 calls in place of one; code that expects one call to fill the array,
#   as it does on the plain socket, has an eighth of it. `memoryview(array).cast("B")` is right on both.
# - sendfile reads and sends 8,192 bytes at a time (socket.py, _sendfile_use_send); a TLS record holds 16,384.
# - sendmsg and recvmsg_into raise NotImplementedError.
# Later versions of Python count bytes in recv_into.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libssl3 openssl 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH PYTHONHOME=$folder/root/usr
root/usr/bin/openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem \
    -subj /CN=localhost -days 2 -config /dev/null 2>/dev/null
timeout 60 root/usr/bin/python3.11 - <<'PYTHON'
import array
import socket
import ssl
import sys
import tempfile
import threading

server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("cert.pem", "key.pem")
client = ssl.create_default_context(cafile="cert.pem")


def pair(tls):
    here, there = socket.socketpair()
    for end in (here, there):
        end.settimeout(10)
    if tls:
        ends = {}
        accept = threading.Thread(target=lambda: ends.update(here=server.wrap_socket(here, server_side=True)))
        accept.start()
        there = client.wrap_socket(there, server_hostname="localhost")
        accept.join()
        here = ends["here"]
    return here, there


def received(tls, view):
    here, there = pair(tls)
    here.sendall(bytes(8000))
    return there.recv_into(view)


class Noted:
    """A file that notes how much is asked of it at a time."""

    def __init__(self, file):
        self.file, self.sizes, self.mode = file, set(), "rb"

    def read(self, size):
        self.sizes.add(size)
        return self.file.read(size)

    def __getattr__(self, name):
        return getattr(self.file, name)


def sent(tls):
    here, there = pair(tls)
    reader = threading.Thread(target=lambda: all(iter(lambda: there.recv(65536), b"")))
    reader.start()
    with tempfile.TemporaryFile() as file:
        file.truncate(1_000_000)
        noted = Noted(file)
        here.sendfile(noted)
    here.close()
    reader.join()
    return sorted(noted.sizes)


def gathered(tls):
    here, there = pair(tls)
    try:
        return here.sendmsg([b"a", b"b"])
    except NotImplementedError:
        return "NotImplementedError"


print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}")
results = []
for tls in (False, True):
    floats = memoryview(array.array("d", bytes(8000)))
    row = (
        received(tls, floats),
        received(tls, floats.cast("B").cast("d", (2, 500))),
        received(tls, floats.cast("B")),
        sent(tls),
        gathered(tls),
    )
    print(f"{'TLS' if tls else 'plain'}: 1000 float64 {row[0]} bytes, 2 x 500 float64 {row[1]}, as bytes {row[2]};")
    print(f"    sendfile reads by {row[3] or 'sendfile(2), none by itself'}; sendmsg of two buffers: {row[4]}")
    results.append(row)
expected = [(8000, 8000, 8000, [], 2), (1000, 2, 8000, [8192], "NotImplementedError")]
sys.exit(0 if results == expected else "it does something else now")
PYTHON
