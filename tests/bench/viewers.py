"""Twenty viewers of a running engine, of whom the first ten read and the others do not.

usage: viewers.py SOCKET; says {"event": "attached"} and goes on until its input ends.
"""

import selectors
import socket
import sys

VIEWERS = 20


def main():
    viewers = []
    for _ in range(VIEWERS):
        viewer = socket.socket(socket.AF_UNIX)
        viewer.connect(sys.argv[1])
        # The first line: the engine has let it in.
        assert viewer.recv(4096)
        viewers.append(viewer)
    with selectors.DefaultSelector() as selector:
        for viewer in viewers[: VIEWERS // 2]:
            selector.register(viewer, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        print('{"event": "attached"}', flush=True)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    return
                if not key.fileobj.recv(65536):
                    selector.unregister(key.fileobj)


main()
