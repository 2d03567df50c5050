"""A web server over TLS whose file has no length and ends with the connection: in order, or without close_notify.

    python3 tls_server.py CERT KEY FILE

Prints HOST:PORT. /orderly ends by close_notify, any other path by the end of the connection alone.
"""

import socket
import ssl
import sys

CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
CONTEXT.load_cert_chain(sys.argv[1], sys.argv[2])
FILE = open(sys.argv[3], "rb").read()

with socket.create_server(("127.0.0.1", 0)) as listener:
    print("localhost:%d" % listener.getsockname()[1], flush=True)
    while True:
        plain, _ = listener.accept()
        try:
            connection = CONTEXT.wrap_socket(plain, server_side=True)
            asked = b""
            while b"\r\n\r\n" not in asked:
                asked += connection.recv(65536)
            is_orderly = asked.split()[1] == b"/orderly"
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            if not asked.startswith(b"HEAD"):
                connection.sendall(FILE if is_orderly else FILE[: len(FILE) // 2])
            if is_orderly:
                connection.unwrap()
            connection.shutdown(socket.SHUT_WR)
            connection.close()
        except OSError:
            pass  # whoever asked has gone
