#!/usr/bin/env bash
# Makes the pictures of README.md and docs/manual.md, assets/window-*.png, from the real window. The comparison takes minutes.
#
#   tests/screenshots.sh             builds the program first
#   tests/screenshots.sh BINARY      takes this one
#   tests/screenshots.sh BINARY dark history
#                                    makes only window-dark.png and window-history.png
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
trap end_display EXIT

need_packages "${window_packages[@]}" python3
if (($# == 0)); then
    cargo build --release --locked --manifest-path "$root/Cargo.toml"
    set -- "$target/release/arraylift"
fi
start_display
python3 "$root/tests/screenshots.py" "$1" "$root/assets" "${@:2}"
