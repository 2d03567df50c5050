"""A web server that fails in one way a path, on the standard library alone. The file that it has is what it is given.

    python3 http_server.py FILE [BREAK_AFTER]

Prints HOST:PORT, then each GET as a line of JSON: path, range, if_range. HEAD is answered as the last GET was, or as
one without a range would be. BREAK_AFTER is after how many bytes of a
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
OLD, NEW = "Last-Modified: Thu, 26 Nov 2026 10:00:00 GMT", "Last-Modified: Thu, 26 Nov 2026 10:00:01 GMT"
# As old as the second of the answer.
FRESH = "Last-Modified: Fri, 27 Nov 2026 09:59:59 GMT"
OTHER = FILE[::-1]
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
    method, path, _ = line.split()
    return method, path, headers


class HeadOnly:
    """A connection that lets the head of an answer through, and no body."""

    def __init__(self, connection):
        self.connection, self.is_over = connection, False

    def sendall(self, data):
        if not self.is_over:
            head, end, _ = data.partition(b"\r\n\r\n")
            self.connection.sendall(head + end)
            self.is_over = bool(end)

    def __getattr__(self, name):
        return getattr(self.connection, name)


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def all_of_it(connection, *lines, body=FILE):
    connection.sendall(head("200 OK", f"Content-Length: {len(body)}", *lines) + body)


def part(connection, headers, *lines, shift=0, most=None, of=FILE):
    if "range" not in headers:
        return all_of_it(connection, *lines, body=of)
    first, last = headers["range"].removeprefix("bytes=").split("-")
    first = int(first) + shift
    last = int(last) if last else len(FILE) - 1
    if most is not None:
        last = min(last, first + most - 1)
    body = of[first : last + 1]
    told = f"Content-Range: bytes {first}-{last}/{len(FILE)}"
    connection.sendall(head("206 Partial Content", f"Content-Length: {len(body)}", told, *lines) + body)


def breaks_off(connection, *lines):
    connection.sendall(head("200 OK", f"Content-Length: {len(FILE)}", *lines) + FILE[:BREAK_AFTER])


def slowly(connection, first, unit, pause):
    """Sends one thing, and then another one again and again for 20 seconds."""
    connection.sendall(first)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        connection.sendall(unit)
        time.sleep(pause)


def reset(connection):
    """Ends the connection by RST once everything was taken, which the kernel does not wait for by itself."""
    outgoing = struct.pack("i", 0)
    while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, outgoing))[0]:
        time.sleep(0.001)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer(connection, path, headers, number):
    is_first, is_head = number == 1, isinstance(connection, HeadOnly)
    if path == "/whole" or path == "/mute-head" and not is_head:
        all_of_it(connection, ETAG)
    elif path == "/breaks":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG)
    elif path == "/dated":
        lines = "Last-Modified: Thu, 26 Nov 2026 10:00:00 GMT", DATE
        breaks_off(connection, *lines) if is_first else part(connection, headers, *lines)
    elif path == "/nameless":
        breaks_off(connection)
    elif path == "/nameless-once":
        breaks_off(connection) if is_first else all_of_it(connection)
    elif path == "/weak":
        breaks_off(connection, 'ETag: W/"v1"') if is_first else all_of_it(connection, 'ETag: W/"v1"')
    elif path == "/outlives":
        # A tag that is kept for the process's life, as Tornado does.
        if is_first:
            breaks_off(connection, ETAG, OLD, DATE)
        elif "range" in headers:
            part(connection, headers, ETAG, NEW, DATE)
        else:
            all_of_it(connection, ETAG, NEW, DATE, body=OTHER)
    elif path == "/fresh":
        breaks_off(connection, ETAG, FRESH, DATE) if is_first else all_of_it(connection, ETAG, FRESH, DATE, body=OTHER)
    elif path == "/rewritten":
        if is_first and not is_head:
            all_of_it(connection, ETAG, body=FILE[:BREAK_AFTER] + OTHER[BREAK_AFTER:])
        else:
            all_of_it(connection, 'ETag: "v2"', body=OTHER)
    elif path == "/says-less":
        # Written anew while it came, which HEAD does not tell: it names no version.
        if is_head:
            connection.sendall(head("200 OK", f"Content-Length: {len(FILE)}"))
        elif is_first:
            all_of_it(connection, ETAG, body=FILE[:BREAK_AFTER] + OTHER[BREAK_AFTER:])
        else:
            all_of_it(connection, 'ETag: "v2"', body=OTHER)
    elif path == "/never-named":
        all_of_it(connection)
    elif path == "/always-new":
        all_of_it(connection, f'ETag: "{number}{is_head}"')
    elif path == "/always-rewritten":
        all_of_it(connection, f'ETag: "{number}{is_head}"', body=bytes([number]) * len(FILE))
    elif path == "/named":
        name = "filename=\"plain.npy\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.npy"
        all_of_it(connection, ETAG, f"Content-Disposition: attachment; {name}")
    elif path == "/named-badly":
        all_of_it(connection, ETAG, 'Content-Disposition: attachment; filename="../../.evil.npy"')
    elif path == "/replaced":
        # Whole at first; a part of it is asked for next.
        if is_first and not is_head:
            all_of_it(connection, ETAG, "Accept-Ranges: bytes")
        elif headers.get("if-range", '"v2"') == '"v2"':
            part(connection, headers, 'ETag: "v2"', "Accept-Ranges: bytes", of=OTHER)
        else:
            all_of_it(connection, 'ETag: "v2"', body=OTHER)
    elif path == "/always-replaced":
        all_of_it(connection, f'ETag: "{number}"', "Accept-Ranges: bytes")
    elif path == "/no-head" and is_head or path == "/no-second-look" and not is_first | is_head:
        connection.sendall(head("403 Forbidden", "Content-Length: 0"))
    elif path in ("/no-head", "/no-second-look"):
        if path == "/no-second-look" and is_head:
            connection.sendall(head("405 Method Not Allowed", "Content-Length: 0"))
        else:
            part(connection, headers, ETAG)
    elif path == "/one-at-a-time":
        if number == 2:
            connection.sendall(head("503 Service Unavailable", "Content-Length: 0"))
        elif is_first:
            all_of_it(connection, ETAG, "Accept-Ranges: bytes")
        else:
            part(connection, headers, ETAG)
    elif path == "/empty":
        connection.sendall(head("204 No Content"))
    elif path == "/copy":
        connection.sendall(head("203 Non-Authoritative Information", f"Content-Length: {len(FILE)}") + FILE)
    elif path == "/created":
        connection.sendall(head("201 Created", f"Content-Length: {len(FILE)}", ETAG) + FILE)
    elif path == "/lengths":
        connection.sendall(head("200 OK", f"Content-Length: {len(FILE)}, {len(FILE)}", ETAG) + FILE)
    elif path == "/hinted":
        hints = head("103 Early Hints", "Link: </a>; rel=preload") + head("102 Processing")
        connection.sendall(b"" if is_head else hints)
        all_of_it(connection, ETAG)
    elif path == "/hinted-at-once":
        hints = b"" if is_head else head("103 Early Hints", "Link: </a>; rel=preload")
        connection.sendall(hints + head("200 OK", f"Content-Length: {len(FILE)}", ETAG) + FILE)
    elif path == "/long-head":
        all_of_it(connection, ETAG, *[f"Set-Cookie: a{number}={'y' * 2000}" for number in range(100)])
    elif path == "/too-long-head":
        all_of_it(connection, ETAG, f"X: {'y' * 300_000}")
    elif path == "/packed":
        connection.sendall(head("200 OK", "Transfer-Encoding: gzip, chunked") + b"1\r\na\r\n0\r\n\r\n")
    elif path == "/drips" or path == "/drips-head" and is_head:
        slowly(connection.connection if is_head else connection, b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.1)
    elif path == "/drips-head":
        all_of_it(connection, ETAG)
    elif path == "/hints-for-ever":
        slowly(connection, b"", head("103 Early Hints"), 0)
    elif path == "/trailers-for-ever":
        chunk = head("200 OK", "Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n"
        slowly(connection, chunk, b"X: y\r\n", 0)
    elif path == "/back-soon":
        # Broken off, then busy, closed and whole again.
        if is_first and not is_head:
            breaks_off(connection)
        elif number == 2:
            connection.sendall(head("502 Bad Gateway", "Content-Length: 0"))
        elif number > 3:
            all_of_it(connection)
    elif path == "/no-rest":
        if is_first:
            breaks_off(connection, ETAG)
        elif "range" in headers:
            connection.sendall(head("403 Forbidden", "Content-Length: 0"))
        else:
            all_of_it(connection, ETAG)
    elif path == "/pieces":
        breaks_off(connection, ETAG) if is_first else part(connection, headers, ETAG, most=100_000)
    elif path == "/one-time":
        if is_first:
            all_of_it(connection, ETAG, "Accept-Ranges: bytes")
        else:
            connection.sendall(head("403 Forbidden", "Content-Length: 0"))
    elif path.startswith("/parts-"):
        how = path.removeprefix("/parts-")
        if "range" not in headers:
            all_of_it(connection, ETAG, "Accept-Ranges: bytes")
        elif how == "unnamed":
            part(connection, headers)
        elif how == "multiple":
            kind = "Content-Type: multipart/byteranges; boundary=x"
            connection.sendall(head("206 Partial Content", kind, "Content-Length: 0"))
        elif how != "closed":
            connection.sendall(head(f"{how} No", "Content-Length: 0"))
    elif path == "/later":
        if is_first:
            connection.sendall(head("503 Service Unavailable", "Retry-After: 1", "Content-Length: 0"))
        else:
            all_of_it(connection, ETAG)
    elif path == "/much-later":
        connection.sendall(head("429 Too Many Requests", "Retry-After: 3600", "Content-Length: 0"))
    elif path == "/ignores-ranges":
        breaks_off(connection, ETAG) if is_first else all_of_it(connection, ETAG)
    elif path == "/changes":
        breaks_off(connection, ETAG) if is_first else all_of_it(connection, 'ETag: "v2"', body=OTHER)
    elif path == "/shrinks":
        if is_first:
            breaks_off(connection, ETAG)
        elif "range" in headers:
            connection.sendall(head("416 Range Not Satisfiable", "Content-Length: 0"))
        else:
            all_of_it(connection, 'ETag: "v2"', body=OTHER[:10])
    elif path == "/unnamed-rest":
        if is_first:
            breaks_off(connection, ETAG)
        else:
            part(connection, headers) if "range" in headers else all_of_it(connection, ETAG)
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
        all_of_it(connection, ETAG, body=OTHER)
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
    elif path == "/mute" or path == "/mute-head" and is_head:
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
        method, path, headers = asked
        is_head = method == "HEAD"
        with LOCK:
            ASKED[path] += not is_head
            number = ASKED[path]
            said = {"path": path, "range": headers.get("range"), "if_range": headers.get("if-range")}
            if not is_head:
                print(json.dumps(said), flush=True)
        try:
            answer(HeadOnly(connection) if is_head else connection, path, headers, number)
        except OSError:
            pass  # whoever asked has gone


with socket.create_server(("127.0.0.1", 0)) as listener:
    print("%s:%d" % listener.getsockname(), flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
