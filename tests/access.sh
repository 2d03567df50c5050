#!/usr/bin/env bash
# Compares what the real window says over AT-SPI, of each node its role, name, value and states, with tests/window/trees.
#
#   tests/access.sh             compares
#   tests/access.sh --update    writes what is said now
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
trap end_display EXIT

need_packages "${window_packages[@]}" at-spi2-core
if [[ ${1:-} == --update ]]; then export ARRAYLIFT_UPDATE_TREES=1; fi
unset WAYLAND_DISPLAY
export LIBGL_ALWAYS_SOFTWARE=1
start_display
cargo test --manifest-path "$root/Cargo.toml" --test window at_spi -- --ignored --nocapture
