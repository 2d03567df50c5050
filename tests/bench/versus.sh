#!/usr/bin/env bash
# Measures Arraylift, the Python recipe and other programs in turn on this machine's loopback, and prints Markdown
# tables: arrays on warm and on cold pages, files, handoff, memory, and which floors and aims were met.
# What is missing is installed where that is allowed, and else left out by name. (Debian's nginx package may start a
# server of its own, which this neither uses nor ends.) The exit code is 0 where every floor was met that was measured.
#
#   tests/bench/versus.sh                            5 rounds, and one before that does not count: about 15 minutes
#   tests/bench/versus.sh --quick                    one round of a tenth, to see that all of it works
#   tests/bench/versus.sh --rounds 9
#   tests/bench/versus.sh --only recipe --only "arraylift loopback"      what to measure: names that begin so
#   ARRAYLIFT=PATH tests/bench/versus.sh             another build than this folder's, which is otherwise made first
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

{
    need_packages iperf3 netcat-openbsd mbuffer rsync nginx-light curl python3-venv
    need_python
    if [[ -z $python ]]; then exit 1; fi
    for module in zmq:pyzmq pyarrow:pyarrow; do need_python_package "${module%%:*}" "${module##*:}"; done
    if [[ -z ${ARRAYLIFT:-} ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        ARRAYLIFT=$target/release/arraylift
    fi
} >&2
exec "$python" "$root/tests/bench/versus.py" "$ARRAYLIFT" "$target/bench" "$@"
