#!/usr/bin/env bash
# Takes pictures of the real window in each of its states, dark and light, in several sizes and with scale 2, for people to
# look at: target/looks/STATE-THEME-SIZE.png, in Chinese target/looks/STATE-zh-THEME-SIZE.png.
#
#   tests/looks.sh                     builds the program first
#   tests/looks.sh BINARY              takes this one
#   tests/looks.sh BINARY dark 1920x1080 history
#                                      makes only those that all these words are true of: a theme, a size, or one of
#                                      transfers, folder, history, compare, round-trips, service,
#                                      interrupted
#   tests/looks.sh BINARY zh dark      in Chinese; `en zh` makes them in both languages, none of the two in English
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
trap end_display EXIT

need_packages "${window_packages[@]}" python3
if (($# == 0)); then
    cargo build --release --locked --manifest-path "$root/Cargo.toml"
    set -- "$target/release/arraylift"
fi
# Debian's smallest font with the characters of Chinese.
[[ " ${*:2} " != *" zh "* ]] || need_packages fonts-wqy-microhei
mkdir -p "$target/looks"
start_display 2600x1700
python3 "$root/tests/looks.py" "$1" "$target/looks" "${@:2}"
