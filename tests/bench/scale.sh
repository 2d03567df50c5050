#!/usr/bin/env bash
# Measures loopback transfers from 4 KiB to 8 GiB over 1 to 8 connections, and what a process holds after many of them,
# and prints Markdown tables.
#
#   tests/bench/scale.sh                             about five minutes
#   tests/bench/scale.sh --most 134217728            no array larger than that, in bytes
#   ARRAYLIFT=PATH tests/bench/scale.sh              another build than this folder's, which is otherwise made first
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
exec python3 "$root/tests/bench/scale.py" "$ARRAYLIFT" "$@"
