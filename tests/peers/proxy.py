"""A proxy that speaks HTTP, SOCKS4, SOCKS4A and SOCKS5, on the standard library alone, and leads to any server of this
machine.

    python3 proxy.py [USER:PASSWORD [CERTIFICATE KEY]]

Prints HOST:PORT, then what each client asks for, one line each: "GET URL", "HEAD URL", "CONNECT HOST:PORT",
"SOCKS4 HOST:PORT" or "SOCKS5 HOST:PORT". Where a user is named (and not empty), it lets in nobody else. With a
certificate it speaks within TLS. `localhost` is 127.0.0.1 to it.
"""

import base64
import socket
import ssl
import struct
import sys
import threading

USER = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else None
TLS = None
if len(sys.argv) > 2:
    TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    TLS.load_cert_chain(*sys.argv[2:])


def exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError("the client has gone")
        data += more
    return data


def reach(host, port):
    return socket.create_connection(("127.0.0.1" if host == "localhost" else host, int(port)), timeout=20)


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def join(client, server):
    other = threading.Thread(target=pump, args=(server, client), daemon=True)
    other.start()
    pump(client, server)
    other.join(20)
    server.close()


def until_zero(client):
    text = b""
    while (byte := exactly(client, 1)) != b"\0":
        text += byte
    return text.decode()


def socks4(client):
    _, port = struct.unpack(">BH", exactly(client, 3))
    address = exactly(client, 4)
    user = until_zero(client)
    host = until_zero(client) if address[:3] == bytes(3) else socket.inet_ntoa(address)
    print(f"SOCKS4 {host}:{port}", flush=True)
    if USER is not None and user != USER.split(":")[0]:
        return client.sendall(b"\0\x5d" + bytes(6))
    try:
        server = reach(host, port)
    except OSError:
        return client.sendall(b"\0\x5b" + bytes(6))
    client.sendall(b"\0\x5a" + bytes(6))
    join(client, server)


def socks(client):
    methods = exactly(client, exactly(client, 1)[0])
    if USER is None:
        client.sendall(b"\5\0")
    elif 2 not in methods:
        return client.sendall(b"\5\xff")
    else:
        client.sendall(b"\5\2")
        exactly(client, 1)
        given = [exactly(client, exactly(client, 1)[0]).decode() for _ in range(2)]
        client.sendall(b"\1\0" if ":".join(given) == USER else b"\1\1")
    kind = exactly(client, 4)[3]
    if kind == 1:
        host = socket.inet_ntoa(exactly(client, 4))
    else:
        host = exactly(client, exactly(client, 1)[0]).decode()
    (port,) = struct.unpack(">H", exactly(client, 2))
    print(f"SOCKS5 {host}:{port}", flush=True)
    try:
        server = reach(host, port)
    except OSError:
        return client.sendall(b"\5\5\0\1" + bytes(6))
    client.sendall(b"\5\0\0\1" + bytes(6))
    join(client, server)


def http(client, first):
    head = first
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(client, 1)
    line, *headers = head.decode().strip().split("\r\n")
    method, target, version = line.split()
    print(method, target, flush=True)
    wanted = USER and "Basic " + base64.b64encode(USER.encode()).decode()
    given = [header.split(": ", 1)[1] for header in headers if header.lower().startswith("proxy-authorization:")]
    if given != ([wanted] if wanted else []):
        return client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    if method == "CONNECT":
        host, port = target.rsplit(":", 1)
    else:
        authority, _, path = target.removeprefix("http://").partition("/")
        host, port = authority.rsplit(":", 1)
    try:
        server = reach(host, port)
    except OSError:
        return client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
    if method == "CONNECT":
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        kept = [header for header in headers if not header.lower().startswith("proxy-")]
        server.sendall("\r\n".join([f"{method} /{path} {version}", *kept, "", ""]).encode())
    join(client, server)


def serve(client):
    with client:
        try:
            if TLS:
                client = TLS.wrap_socket(client, server_side=True)
            first = exactly(client, 1)
            {b"\4": socks4, b"\5": socks}.get(first, lambda client: http(client, first))(client)
        except (OSError, ValueError):
            pass  # whoever asked has gone, or speaks another protocol


with socket.create_server(("127.0.0.1", 0)) as listener:
    print("%s:%d" % listener.getsockname(), flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
