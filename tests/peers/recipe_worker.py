"""Takes connections from a service that hands them over, and echoes what comes over each.

usage: recipe_worker.py PATH; ends when the service does.
"""

import array
import socket
import sys


def main():
    service = socket.socket(socket.AF_UNIX)
    service.connect(sys.argv[1])
    while True:
        message, ancillary, _, _ = service.recvmsg(1, socket.CMSG_LEN(4))
        if not message:
            return
        (descriptor,) = array.array("i", ancillary[0][2])
        service.sendall(b"OK")
        with socket.socket(fileno=descriptor) as client:
            while data := client.recv(65536):
                client.sendall(data)


main()
