"""Arraylift's ways to move the options' array, or file: each gives bytes a second."""

import contextlib
import os
import statistics
import tempfile
import time

from common import Program, Unusable, last, loopback, loopback_rates, rate_of
from rivals import check_sink

# The first transfer of a process gets its regions, the others find them.
REUSED_TRANSFERS = 8


def fresh(*extra):
    """One transfer in a process of its own."""
    return lambda options: loopback(options, *extra)


def reused(*extra):
    """The same again in one process."""

    def measured(options):
        rates = loopback_rates(options, *extra, "--repeat", REUSED_TRANSFERS)
        if len(rates) != REUSED_TRANSFERS:
            raise Unusable(f"arraylift: {len(rates)} transfers, not {REUSED_TRANSFERS}")
        return statistics.median(rates[1:])

    return measured


def two_processes(options, source=None, sink="memory", watch=False):
    """Bytes a second between two processes, and the peak memory of the sender and of the receiver."""
    listen = [options.arraylift, "receive", "127.0.0.1:0", "--into", sink, "--no-sync", "--once", "--json"]
    with Program(*listen, watch=watch) as receiver:
        address = receiver.first_event("listening")["address"]
        with Program(options.arraylift, "send", source or options.range, address, "--json", watch=watch) as sender:
            sender.events()
        finished = last(receiver, receiver.events(), "finished", side="receiver")
    return rate_of(finished, options, verified=True), sender.peak, receiver.peak


def send_receive(options):
    return two_processes(options)[0]


def file_to_file(*receive):
    """Two processes, timed as the rivals for files are: from the sender's start to the receiver's end."""

    def measured(options):
        listen = [options.arraylift, "receive", "127.0.0.1:0", "--into", options.sink, "--no-sync", "--once", "--json", *receive]
        with Program(*listen) as receiver:
            address = receiver.first_event("listening")["address"]
            begin = time.perf_counter()
            with Program(options.arraylift, "send", options.source, address, "--json") as sender:
                sender.succeed()
                receiver.succeed()
                seconds = time.perf_counter() - begin
                sender.events()
            finished = last(receiver, receiver.events(), "finished", side="receiver")
        rate_of(finished, options, verified=True)
        check_sink(options)
        return options.bytes / seconds

    return measured


def handoff(options, source=None):
    """Two processes on one host: the memory itself goes over, and there is nothing to verify."""
    with tempfile.TemporaryDirectory() as home:
        listen = ["receive", f"unix:{os.path.join(home, 'socket')}", "--into", "memory", "--once", "--json"]
        with Program(options.arraylift, *listen) as receiver:
            address = receiver.first_event("listening")["address"]
            # What is not sealed is handed over where it is asked for by name.
            send = [source, "--send-route", "handoff"] if source else [options.range]
            with Program(options.arraylift, "send", *send, address, "--json") as sender:
                route = last(sender, sender.events(), "started")["send_route"]
            finished = last(receiver, receiver.events(), "finished", side="receiver")
    if route != "handoff":
        raise Unusable(f"arraylift: it took the route {route}")
    return rate_of(finished, options, verified=False)


@contextlib.contextmanager
def shared(options):
    """The options' array in shared memory: its name as a source."""
    name = f"shm:arraylift-bench-{os.getpid()}"
    loopback(options, "--into", name, "--no-sync")
    try:
        yield name
    finally:
        os.remove(f"/dev/shm/{name.removeprefix('shm:')}")
