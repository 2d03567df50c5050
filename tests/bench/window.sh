#!/usr/bin/env bash
# Measures what the window costs: the same transfer without one, beside one and in one, seen and hidden, each in a
# process of its own, in an order that turns, and the same small and large array repeated in a window and by the command
# line; prints Markdown tables.
# The window is drawn by software, on the cores that the transfer wants too: with a graphics card it costs less.
#
#   tests/bench/window.sh                            5 rounds, and one before that does not count
#   tests/bench/window.sh --rounds 9
#   ARRAYLIFT=PATH tests/bench/window.sh             another build than this folder's, which is otherwise made first
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"
trap end_display EXIT

{
    need_packages "${window_packages[@]}" python3
    if [[ -z ${ARRAYLIFT:-} ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        ARRAYLIFT=$target/release/arraylift
    fi
    start_display
} >&2
PYTHONPATH=$root/tests python3 "$root/tests/bench/window.py" "$ARRAYLIFT" "$@"
