"""Accepts TCP clients and hands each to the one worker that connects to a Listener of multiprocessing.connection.

usage: mp_server.py PATH KEYFILE CLIENTS [acknowledge]; prints its port, then the worker's process id, and ends when so many clients
were handed over.
"""

import socket
import sys
from multiprocessing import reduction
from multiprocessing.connection import Listener


def main():
    # What Python does since 3.14 whether it is asked to or not.
    if sys.argv[-1] == "acknowledge":
        reduction.ACKNOWLEDGE = True
    path, count = sys.argv[1], int(sys.argv[3])
    with open(sys.argv[2], "rb") as file:
        key = file.read()
    clients = socket.create_server(("127.0.0.1", 0))
    with Listener(path, "AF_UNIX", authkey=key) as listener:
        print(clients.getsockname()[1], flush=True)
        worker = listener.accept()
        pid = worker.recv()
        print("worker", pid, flush=True)
        for _ in range(count):
            client, _ = clients.accept()
            reduction.send_handle(worker, client.fileno(), pid)
            client.close()


main()
