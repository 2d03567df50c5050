#!/usr/bin/env bash
# Ends a sender or a receiver by SIGKILL at forty instants of a transfer each, starts it again, sends the same once
# more, and looks at what is on disk and what the receiver told: the file is whole under its name, nothing is left beside
# it, and what had come before was not sent again. Then the same with a source that changed in between.
#
#   tests/kill.sh [BINARY]             some 2 minutes; target/debug/arraylift by default
#   tests/kill.sh BINARY quick         eight instants, half a minute
#   tests/kill.sh BINARY receiver      only cases whose names have all these words; `quick` may stand beside them
#
# KILL_FOLDER says where files lie meanwhile, a temporary folder by default; they take 2 GB. What each process of a case
# that went wrong told is kept in target/kill/.
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

binary=$(realpath "${1:-$target/debug/arraylift}")
[[ -x $binary ]] || { echo "there is no $binary: build it first"; exit 1; }
command -v python3 >/dev/null || { echo "skipped: this needs python3"; exit 0; }
rm -rf "$target/kill"
mkdir -p "$target/kill"
exec timeout --foreground 1800 python3 "$root/tests/kill.py" "$binary" "$target/kill" "${@:2}"
