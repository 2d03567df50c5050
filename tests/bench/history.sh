#!/usr/bin/env bash
# Measures the history with as many entries as it keeps: how long the latest take to be read, and how much memory it
# takes to list all; prints a Markdown table. The entries are copies of one real transfer.
#
#   tests/bench/history.sh                           5 rounds
#   tests/bench/history.sh --rounds 9
#   ARRAYLIFT=PATH tests/bench/history.sh            another build than this folder's, which is otherwise made first
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
python3 "$root/tests/bench/history.py" "$ARRAYLIFT" "$@"
