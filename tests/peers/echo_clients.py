"""Ten plain sockets in one thread: each sends its own bytes to an echo service and checks what comes back.

usage: echo_clients.py HOST PORT BYTES
"""

import selectors
import socket
import sys

CLIENTS = 10


class Client:
    """Sends and receives as it can; done when everything is back and the service has closed, too."""

    def __init__(self, number, address, size):
        self.out = bytes((number * 31 + index * 7) % 251 for index in range(size))
        self.sent = 0
        self.back = bytearray()
        self.socket = socket.create_connection(address)
        self.socket.setblocking(False)

    def write(self):
        """Whether there is more to be sent."""
        self.sent += self.socket.send(self.out[self.sent : self.sent + 65536])
        if self.sent < len(self.out):
            return True
        self.socket.shutdown(socket.SHUT_WR)
        return False

    def read(self):
        """Whether there is more to come."""
        piece = self.socket.recv(65536)
        self.back += piece
        return bool(piece)


def main():
    host, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with selectors.DefaultSelector() as selector:
        for number in range(CLIENTS):
            client = Client(number, (host, port), size)
            selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        same = 0
        while selector.get_map():
            for key, events in selector.select():
                client = key.data
                if events & selectors.EVENT_WRITE and not client.write():
                    selector.modify(client.socket, selectors.EVENT_READ, client)
                if events & selectors.EVENT_READ and not client.read():
                    same += client.back == client.out
                    selector.unregister(client.socket)
                    client.socket.close()
    print(same)


main()
