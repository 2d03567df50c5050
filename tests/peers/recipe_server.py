"""Accepts TCP clients and hands each to the one worker that connects to a Unix socket.

usage: recipe_server.py PATH CLIENTS; prints its port, and ends when so many clients were handed over.
"""

import array
import os
import socket
import sys


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    work = socket.socket(socket.AF_UNIX)
    work.bind(path)
    work.listen(1)
    clients = socket.create_server(("127.0.0.1", 0))
    print(clients.getsockname()[1], flush=True)
    worker, _ = work.accept()
    for _ in range(count):
        client, _ = clients.accept()
        worker.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [client.fileno()]))])
        assert worker.recv(2) == b"OK"
        client.close()
    os.unlink(path)


main()
