"""Runs a program for which one system call fails once: fail_once.py TOLD CALL ERROR NTH [ARG=VALUE | ARG&BITS]... -- PROGRAM...

The NTH call (from 1) of that number fails with that error, of those whose arguments have the values, or all of the bits.
All others are done. The file TOLD comes to be when it fails. The program replaces this process; another one, of its own,
decides about the calls (seccomp_unotify(2)) and ends after the program and all that it has started.

Threads and processes are made by clone(2): clone3(2), whose flags lie where no filter sees them, is told to be none.
"""

import ctypes
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import threading

ARCHES = {"x86_64": (0xC000003E, 317, 435, 59), "aarch64": (0xC00000B7, 277, 435, 221)}
ARCH, SECCOMP, CLONE3, EXECVE = ARCHES[os.uname().machine]
PR_SET_NO_NEW_PRIVS, SET_MODE_FILTER, NEW_LISTENER = 38, 1, 8
ALLOW, ERRNO, USER_NOTIF = 0x7FFF0000, 0x00050000, 0x7FC00000
LOAD, AND, JUMP_EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
RECV, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
ENOSYS = 38


def program_of(call, conditions):
    """The filter: calls that may be the one are asked about."""
    lines = [(LOAD, 0, 0, 0), (JUMP_EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERRNO | ENOSYS)]
    checks = [(JUMP_EQUAL, call)]
    for condition in conditions:
        arg, bits = (condition.split("&") + [None])[:2]
        value = bits
        if bits is None:
            arg, value = condition.split("=")
        checks.append((LOAD, 16 + 8 * int(arg)))
        if bits is not None:
            checks.append((AND, int(bits)))
        checks.append((JUMP_EQUAL, int(value)))
    for at, (code, value) in enumerate(checks):
        # Past the rest of the checks and the question.
        otherwise = len(checks) - at if code == JUMP_EQUAL else 0
        lines.append((code, 0, otherwise, value))
    lines += [(RETURN, 0, 0, USER_NOTIF), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines), len(lines)


def listener_of(call, conditions):
    """Puts the filter in force for this process. Who has the descriptor is asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    code, lines = program_of(call, conditions)
    code = ctypes.create_string_buffer(code, len(code))
    filter = ctypes.create_string_buffer(struct.pack("@HP", lines, ctypes.addressof(code)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener = libc.syscall(SECCOMP, SET_MODE_FILTER, NEW_LISTENER, filter)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def decide(listener, told, error, nth):
    """Answers until nobody is left whom the filter holds for."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    seen = 0
    while True:
        (_, events), = poll.poll()
        if not events & select.POLLIN:
            return
        asked = bytearray(80)
        try:
            fcntl.ioctl(listener, RECV, asked)
        except FileNotFoundError:
            continue  # It was killed meanwhile.
        identity, = struct.unpack_from("=Q", asked)
        seen += 1
        answer = struct.pack("=QqiI", identity, 0, 0, CONTINUE)
        if seen == nth:
            with open(told, "w"):
                pass
            answer = struct.pack("=QqiI", identity, 0, -error, 0)
        try:
            fcntl.ioctl(listener, SEND, answer)
        except FileNotFoundError:
            pass


def main():
    told, call, error, nth = sys.argv[1], *map(int, sys.argv[2:5])
    end = sys.argv.index("--")
    conditions, program = sys.argv[5:end], sys.argv[end + 1 :]
    # The program's own beginning is none of its calls.
    nth += call == EXECVE
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        if os.fork() == 0:
            _, (listener, *_), _, _ = socket.recv_fds(theirs, 1, 1)
            os.closerange(0, 3)
            ours.close()
            theirs.close()
            decide(listener, told, error, nth)
        os._exit(0)
    os.wait()
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    hand_over(ours, lambda: listener_of(call, conditions))
    os.execv(program[0], program)


def hand_over(to, make_listener):
    """Makes the listener here, and sends it on a thread that the filter does not hold for: nobody answers yet."""
    made, sent, listeners = threading.Event(), threading.Event(), []

    def send():
        made.wait()
        socket.send_fds(to, [b"x"], listeners)
        sent.set()

    threading.Thread(target=send, daemon=True).start()
    listeners.append(make_listener())
    made.set()
    sent.wait()


main()
