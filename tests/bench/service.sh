#!/usr/bin/env bash
# Measures a service: many connections at once against a plain Python server, a fast sender beside slow ones, worker
# processes, handing connections over, and memory. Prints Markdown tables and which floors were met; the exit code is 0
# where every floor was met.
#
#   tests/bench/service.sh                           3 rounds, about 3 minutes
#   tests/bench/service.sh --rounds 5
#   tests/bench/service.sh --quick                   a tenth of everything, to see that all of it works
#   ARRAYLIFT=PATH tests/bench/service.sh            another build than this folder's, which is otherwise made first
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
exec python3 "$root/tests/bench/service.py" "$ARRAYLIFT" "$@"
