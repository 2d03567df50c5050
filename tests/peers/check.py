#!/usr/bin/env python3
"""The peers against each other, so that a failing test of Arraylift is never a mistake in a peer."""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
NPY_ARRAYS = [
    ["--shape", "1000"],
    ["--shape", "0"],
    ["--shape", ""],
    ["--shape", "3,5,7", "--dtype", ">f4", "--fortran"],
    ["--shape", "300,2", "--dtype", "<U5"],
    ["--shape", "99", "--dtype", "[('x', '<f4'), ('n', '>i2'), ('s', 'S3')]"],
    # A description that is longer than the longest short field.
    ["--shape", "2", "--dtype", repr([(f"f{i:04}", "<f4") for i in range(4000)])],
]


def start(peer, *args):
    command = [sys.executable, os.path.join(HERE, peer), *args, "--timeout", "60"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(process):
    out, _ = process.communicate()
    assert process.returncode == 0, process.args
    return json.loads(out.splitlines()[-1])


def both(peer, sender_args, receiver_args, address="127.0.0.1:0"):
    """Sends to a receiver that listens; the last line of each."""
    receiver = start(peer, "receive", address, *receiver_args, "--listen")
    where = json.loads(receiver.stdout.readline())["address"]
    sent, received = result(start(peer, "send", where, *sender_args)), result(receiver)
    assert sent["sha256"] == received["sha256"], (sent, received)
    assert sent["bytes"] == received["bytes"], (sent, received)
    return sent, received


def check_raw(folder):
    for count in ["0", "1", "1000003"]:
        for sender in ["numpy", "array"]:
            for receiver in ["numpy", "array"]:
                sent, received = both(
                    "raw_peer.py",
                    ["--count", count, "--module", sender],
                    ["--count", count, "--module", receiver],
                    f"unix:{folder}/{count}-{sender}-{receiver}" if sender == receiver else "127.0.0.1:0",
                )
                assert not any(received["before"]), received
                assert received["after"] == sent["after"] == list(range(min(int(count), 10))), received
    both("raw_peer.py", ["--count", "70000", "--dtype", "u1"], ["--count", "70000", "--dtype", "u1"], "[::1]:0")


def check_npy():
    for array in NPY_ARRAYS:
        sent, received = both("npy_peer.py", array, [])
        for key in ["dtype", "shape", "fortran", "values"]:
            assert sent[key] == received[key], (sent, received)


def check_native(folder):
    for array in NPY_ARRAYS:
        for blocks in [["--block", "1000"], ["--grain", "65536"]]:
            sent, received = both("native_peer.py", [*array, *blocks, "--name", "an array"], [])
            for key in ["dtype", "shape", "fortran", "values", "name"]:
                assert sent[key] == received[key], (sent, received)
    for checksum in ["none", "crc64nvme", "crc32"]:
        for count in ["0", "1", "30011"]:  # none, less than one, and several blocks that do not end with an element
            for blocks in [["--grain", "65536"], ["--block", "7001"]]:
                array = ["--count", count, "--dtype", "<i4", *blocks, "--checksum", checksum]
                sent, received = both("native_peer.py", array, [], f"unix:{folder}/{checksum}-{count}{blocks[0]}")
                assert received["verified"] == sent["verified"] == (checksum != "none"), received
                assert received["values"] == list(range(min(int(count), 10))), received
        # A byte of the third block, turned over: both ends name the block, where there is something to tell it by.
        receiver = start("native_peer.py", "receive", "[::1]:0", "--listen")
        where = json.loads(receiver.stdout.readline())["address"]
        sender = start("native_peer.py", "send", where, *array, "--flip", "15000")
        sent, received = (json.loads(peer.communicate()[0].splitlines()[-1]) for peer in (sender, receiver))
        if checksum == "none":
            assert sent["sha256"] != received["sha256"], (sent, received)
        else:
            assert "block 2, bytes 14002 to 21003," in received["error"] and received["error"] in sent["error"], (sent, received)
            assert sender.returncode == receiver.returncode == 1


def check_handoff(folder):
    for count in ["1", "512", "1537"]:
        for options in [[], ["--unsealed"]]:
            address = f"unix:{folder}/handoff-{count}-{len(options)}"
            both("handoff_peer.py", ["--count", count, *options], [], address)


def check_bad(folder):
    data = os.path.join(folder, "data")
    with open(data, "wb") as file:
        file.write(os.urandom(100_000))
    # Every mode ends by itself against a peer of the recipe that expects a million bytes.
    for mode in "close reset stall trickle surplus flip http tls ssh noise silent deaf".split():
        bad = start("bad_peer.py", mode, "127.0.0.1:0", "--listen", "--bytes", "20", "--file", data, "--hold", "0.5")
        where = json.loads(bad.stdout.readline())["address"]
        action = "send" if mode == "deaf" else "receive"
        command = [sys.executable, os.path.join(HERE, "raw_peer.py"), action, where, "--count", "125000"]
        peer = subprocess.run(command, check=False, capture_output=True, text=True)
        assert result(bad)["action"] == mode
        # Fewer than a million bytes are missed by a receiver; a sender may have put all of its own into a buffer.
        assert peer.returncode != 0 or mode == "deaf", (mode, peer)


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_raw(folder)
        check_npy()
        check_native(folder)
        check_handoff(folder)
        check_bad(folder)
    print("the peers agree with each other")


if __name__ == "__main__":
    main()
