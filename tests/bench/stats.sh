#!/usr/bin/env bash
# Measures what `--stats` costs: the same transfers with it and without, each in a process of its own, in pairs, in an
# order that changes with each round. Prints a Markdown table; the exit code is 0 where none lost more than 2 %.
#
#   tests/bench/stats.sh                             9 rounds, and one before that does not count
#   tests/bench/stats.sh --rounds 25 --count 50_000_000
#   ARRAYLIFT=PATH tests/bench/stats.sh              another build than this folder's, which is otherwise made first
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

{
    need_packages python3
    if [[ -z ${ARRAYLIFT:-} ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        ARRAYLIFT=$target/release/arraylift
    fi
} >&2
exec python3 "$root/tests/bench/stats.py" "$ARRAYLIFT" "$@"
