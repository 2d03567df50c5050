#!/usr/bin/env bash
# Measures what frames of the window cost on a core, from input to shapes, where there is much to draw: ten hours of
# history with thousands of changes, 1,000 rows of which 16 run, each over 16 connections, a picture of 256x160 values that
# changes in each frame, a history of 1,000 entries; prints a Markdown table. It fails where a frame takes more than 4 ms.
# Nothing is shown, so no display is needed.
#
#   tests/bench/frame.sh
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

cargo test --release --locked --manifest-path "$root/Cargo.toml" --test app -- \
    --ignored --exact --nocapture frame_time::no_frame_takes_four_milliseconds
