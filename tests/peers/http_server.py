"""A web server that fails in one way a path, on the standard library alone. The file that it has is what it is given.

    python3 http_server.py FILE [BREAK_AFTER]

Prints HOST:PORT, then each request as a line of JSON: path, range, if_range. BREAK_AFTER is after how many bytes of a
body the paths that break off do so, each in its first answer.
"""

import fcntl
import json
import socket
import struct
import sys
import termios
import threading
import time
from collections import Counter

FILE = open(sys.argv[1], "rb").read()
BREAK_AFTER = int(sys.argv[2]) if len(sys.argv) > 2 else 0
ETAG, DATE = 'ETag: "v1"', "Date: Fri, 27 Nov 2026 10:00:00 GMT"
ASKED = Counter()
LOCK = threading.Lock()


def request(reader):
    line = reader.readline().decode()
    if not line.strip():
        return None
    headers = {}
    while (header := reader.readline().decode().strip()) != "":
        name, value = header.split(":", 1)
        headers[name.lower()] = value.strip()
    return line.split()[1], headers


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def all_of_it(connection, *lines, body=FILE):
    connection.sendall(head("200 OK", f"Content-Length: {len(body)}", *lines) + body)


def part(connection, headers, *lines, shift=0, most=None):
    first, last = headers["range"].removeprefix("bytes=").split("-")
    first = int(first) + shift
    last = int(last) if last else len(FILE) - 1
    if most is not None:
        last = min(last, first + most - 1)
    body = FILE[first : last + 1]
    told = f"Content-Range: bytes {first}-{last}/{len(FILE)}"
    connection.sendall(head("206 Partial Content", f"Content-Length: {len(body)}", told, *lines) + body)


def breaks_off(connection, *lines):
    connection.sendall(head("200 OK", f"Content-Length: {len(FILE)}", *lines) + FILE[:BREAK_AFTER])


def reset(connection):
    """Ends the connection by RST once everything was taken, which the kernel does not wait for by itself."""
    outgoing = struct.pack("i", 0)
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, outgoing))[0]:
        time.sleep(0.001)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer(connection, path, headers, number):
    is_first = number == 1
    if path == "/whole":
        all_of_it(connection, ETAG)
    elif path == "/breaks":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG)
    elif path == "/dated":
        lines = "Last-Modified: Thu, 26 Nov 2026 10:00:00 GMT", DATE
        breaks_off(connection, *lines) if is_first else part(connection, headers, *lines)
    elif path == "/nameless":
        breaks_off(connection)
    elif path == "/ignores-ranges":
        breaks_off(connection, ETAG) if is_first else all_of_it(connection, ETAG)
    elif path == "/changes":
        breaks_off(connection, ETAG) if is_first else all_of_it(connection, 'ETag: "v2"', body=FILE[::-1])
    elif path == "/shrinks":
        breaks_off(connection, ETAG) if is_first else connection.sendall(head("416 Range Not Satisfiable", "Content-Length: 0"))
    elif path == "/unnamed-rest":
        breaks_off(connection, ETAG) if is_first else part(connection, headers)
    elif path == "/crumbs":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG, most=1)
    elif path == "/encoded":
        all_of_it(connection, ETAG, "Content-Encoding: gzip")
    elif path == "/endless":
        connection.sendall(head("200 OK", f"Content-Length: {2**64 - 1}", ETAG) + FILE)
    elif path == "/here-and-there":
        where = "breaks" if is_first else "changed"
        connection.sendall(head("302 Found", f"Location: /{where}", "Content-Length: 0"))
    elif path == "/changed":
        all_of_it(connection, ETAG, body=FILE[::-1])
    elif path == "/elsewhere":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG, shift=1)
    elif path == "/little-by-little":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG, most=2 << 20)
    elif path == "/busy":
        if is_first:
            breaks_off(connection, ETAG)
        elif number == 2:
            connection.sendall(head("503 Service Unavailable", "Content-Length: 0"))
        else:
            part(connection, headers, ETAG)
    elif path == "/never-again":
        if is_first:
            breaks_off(connection, ETAG)
    elif path == "/silent":
        if is_first:
            breaks_off(connection, ETAG)
            connection.settimeout(20)
            connection.recv(1)
        else:
            part(connection, headers, ETAG)
    elif path == "/mute":
        connection.settimeout(20)
        connection.recv(1)
    elif path in ("/chunked", "/chunked-breaks"):
        connection.sendall(head("200 OK", "Transfer-Encoding: chunked", ETAG))
        for at in range(0, len(FILE), 99_999):
            chunk = FILE[at : at + 99_999]
            connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if path == "/chunked":
            connection.sendall(b"0\r\n\r\n")
    elif path == "/until-reset":
        connection.sendall(head("200 OK") + FILE[:BREAK_AFTER])
        reset(connection)
    elif path == "/until-closed":
        connection.sendall(head("200 OK") + FILE)
    elif path == "/round":
        connection.sendall(head("302 Found", "Location: /round", "Content-Length: 0"))
    elif path == "/leads-to-whole":
        connection.sendall(head("307 Temporary Redirect", "Location: whole", "Content-Length: 0"))
    elif path == "/signed/a.npy":
        connection.sendall(head("302 Found", "Location: ?sig=abc", "Content-Length: 0"))
    elif path == "/raw":
        connection.sendall(head("302 Found", 'Location: /größe "1" here.npy', "Content-Length: 0"))
    elif path in ("/signed/a.npy?sig=abc", "/gr%C3%B6%C3%9Fe%20%221%22%20here.npy"):
        all_of_it(connection, ETAG)
    elif path == "/to-a-user":
        connection.sendall(head("302 Found", "Location: //user:secret@127.0.0.1/whole", "Content-Length: 0"))
    elif path == "/nowhere":
        connection.sendall(head("302 Found", "Content-Length: 0"))
    elif path == "/garbage":
        connection.sendall(b"\x00\x01 I speak another protocol\r\n\r\n" * 10)
    elif path == "/contradicts":
        connection.sendall(head("200 OK", "Content-Length: 5", "Content-Length: 6") + b"12345")
    elif path == "/huge":
        connection.sendall(head("200 OK", f"Content-Length: {2**60}", ETAG))
    elif path == "/endless-head":
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000)
    else:
        connection.sendall(head("404 Not Found", "Content-Length: 0"))


def serve(connection):
    with connection:
        asked = request(connection.makefile("rb"))
        if asked is None:
            return
        path, headers = asked
        with LOCK:
            ASKED[path] += 1
            number = ASKED[path]
            said = {"path": path, "range": headers.get("range"), "if_range": headers.get("if-range")}
            print(json.dumps(said), flush=True)
        try:
            answer(connection, path, headers, number)
        except OSError:
            pass  # whoever asked has gone


with socket.create_server(("127.0.0.1", 0)) as listener:
    print("%s:%d" % listener.getsockname(), flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
