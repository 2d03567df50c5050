"""Takes connections from a service over multiprocessing.connection, and echoes what comes over each.

usage: mp_worker.py PATH KEYFILE [acknowledge]; ends when the service does.
"""

import os
import socket
import sys
from multiprocessing import reduction
from multiprocessing.connection import Client


def main():
    # What Python does since 3.14 whether it is asked to or not.
    if sys.argv[-1] == "acknowledge":
        reduction.ACKNOWLEDGE = True
    with open(sys.argv[2], "rb") as file:
        service = Client(sys.argv[1], authkey=file.read())
    service.send(os.getpid())
    while True:
        try:
            descriptor = reduction.recv_handle(service)
        except (EOFError, RuntimeError):
            return
        with socket.socket(fileno=descriptor) as client:
            while True:
                data = client.recv(65536)
                if not data:
                    break
                client.sendall(data)


main()
