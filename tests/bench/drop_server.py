#!/usr/bin/env python3
"""What a service is compared with: one thread with `selectors` that reads whatever comes, drops it, and counts.

    drop_server.py

Prints where it listens, and ends when its standard input does.
"""

import json
import resource
import selectors
import socket
import sys

READ_BYTES = 1 << 18


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print(json.dumps({"event": "listening", "address": "127.0.0.1:%d" % listener.getsockname()[1]}), flush=True)
    buffer = bytearray(READ_BYTES)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                try:
                    stream, _ = listener.accept()
                except BlockingIOError:
                    continue
                stream.setblocking(False)
                selector.register(stream, selectors.EVENT_READ)
            elif key.fileobj is sys.stdin:
                return
            elif not key.fileobj.recv_into(buffer):
                selector.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    main()
