#!/usr/bin/env python3
"""A worker that shows the key, takes what it is handed, and never says that it has it; on the standard library alone.

    mute_worker.py PATH KEYFILE

Prints a line when it has joined, and ends when the service has had enough of it.
"""

import hashlib
import hmac
import json
import os
import socket
import sys


def main():
    path, key_file = sys.argv[1:]
    with open(key_file, "rb") as file:
        key = hashlib.sha256(file.read()).digest()
    service = socket.socket(socket.AF_UNIX)
    service.connect(path)
    lines = service.makefile("r")
    challenge = bytes(json.loads(lines.readline())["challenge"])
    answer = hmac.digest(key, b"arraylift worker" + challenge, "sha256")
    ours = os.urandom(32)
    service.sendall(json.dumps({"answer": [list(answer), list(ours)]}).encode() + b"\n")
    expected = hmac.digest(key, b"arraylift service" + ours, "sha256")
    if not hmac.compare_digest(expected, bytes(json.loads(lines.readline())["answer"])):
        sys.exit("the service has another key")
    if "plan" not in json.loads(lines.readline()):
        sys.exit("no plan came")
    service.sendall(b'"ready"\n')
    print("joined", flush=True)
    kept = []
    while True:
        data, descriptors, _, _ = socket.recv_fds(service, 65536, 16)
        if not data:
            break
        kept += descriptors
    print(len(kept), flush=True)


if __name__ == "__main__":
    main()
