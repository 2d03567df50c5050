#!/usr/bin/env bash
# Measures what it takes to open the window: how long from the start of the program to the first frame on the screen, the
# CPU time of the program until then, and its memory once it is at rest; prints a Markdown table. The window is drawn by
# software, whose libraries take most of both: with a graphics card it is less. It fails where the median of the first
# frames is above 0.3 s.
#
#   tests/bench/open.sh                              9 rounds, and one before that does not count
#   tests/bench/open.sh --rounds 5
#   tests/bench/open.sh --beside PATH                another build in turn with it
#   ARRAYLIFT=PATH tests/bench/open.sh               another build than this folder's, which is otherwise made first
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
PYTHONPATH=$root/tests python3 "$root/tests/bench/open.py" "$ARRAYLIFT" "$@"
