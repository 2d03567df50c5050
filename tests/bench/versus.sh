#!/usr/bin/env bash
# Measures the Python recipe, iperf3 and Arraylift in turn on this machine's loopback, and prints Markdown tables.
#
#   tests/bench/versus.sh                            5 rounds, and one before that does not count
#   tests/bench/versus.sh --rounds 9
#   tests/bench/versus.sh --only recipe --only "arraylift loopback"      what to measure: names that begin so
#   ARRAYLIFT=PATH tests/bench/versus.sh             another build than this folder's, which is otherwise made first
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

{
    need_packages iperf3 python3-venv
    need_python
    if [[ -z $python ]]; then exit 1; fi
    if [[ -z ${ARRAYLIFT:-} ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        ARRAYLIFT=$target/release/arraylift
    fi
} >&2
exec "$python" "$root/tests/bench/versus.py" "$ARRAYLIFT" "$target/bench" "$@"
