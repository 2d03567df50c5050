#!/usr/bin/env bash
# Measures what it costs that a file is on disk before it is called done: many small files against `rsync --fsync`, and a
# large one beside `dd conv=fdatasync`. Prints Markdown tables; the exit code is 0 where the small files were at least as
# fast as rsync's.
#
#   tests/bench/durable.sh                           5 rounds, about a minute
#   tests/bench/durable.sh --rounds 9 --folder /mnt
#   tests/bench/durable.sh --before PATH             beside another build, in turn
#   ARRAYLIFT=PATH tests/bench/durable.sh            another build than this folder's, which is otherwise made first
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

{
    need_packages python3 rsync
    if [[ -z ${ARRAYLIFT:-} ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        ARRAYLIFT=$target/release/arraylift
    fi
} >&2
exec python3 "$root/tests/bench/durable.py" "$ARRAYLIFT" "$@"
