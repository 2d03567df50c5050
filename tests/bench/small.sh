#!/usr/bin/env bash
# Measures many small files: folders of them on loopback and over a link of 1,000 Mbit/s and a round trip of 20 ms, the
# same again while nothing has changed, and thousands of connections of one small file each. Beside it an rsync daemon
# and tar through nc take turns; what arrived is compared each time. Nothing touches a disk, and nothing is synced.
# How much memory a million empty files take is told, too.
#
#   tests/bench/small.sh [BINARY]                    5 rounds, about 7 minutes; without BINARY it is made first
#   tests/bench/small.sh BINARY --rounds 9
#   tests/bench/small.sh BINARY --quick              one round of a tenth, to see that all of it works
#   WAN=PATH tests/bench/small.sh BINARY             with the rows of the link: PATH is what makes it, or its C source
#
# What makes the link is run as `PATH NAMESPACE NAMESPACE MBIT DELAY_MS LOSS_PERCENT`, with two named network namespaces.
# It gives them the addresses 10.77.0.1 and 10.77.0.2, says `ready`, and ends with its link when it is told to.
# The script has mounts, network and processes of its own, which end with it. Where these are refused, or the user is not
# root, it says so, leaves the link out, and works in /dev/shm.
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/../setup.sh"

binary=
if [[ ${1:-} && $1 != -* ]]; then
    binary=$(realpath "$1")
    shift
fi
wan=${WAN:+$(realpath "$WAN")}
{
    need_packages python3 rsync netcat-openbsd tar iproute2
    if [[ -z $binary ]]; then
        cargo build --release --locked --manifest-path "$root/Cargo.toml"
        binary=$target/release/arraylift
    fi
    if [[ $wan == *.c ]]; then
        cc -O2 -pthread -o "$target/wan" "$wan"
        wan=$target/wan
    fi
} >&2

measure=(python3 "$root/tests/bench/small.py" "$binary" "$@")
own=(unshare --mount --net --pid --fork --kill-child --mount-proc)
# shellcheck disable=SC2016 # It is the shell in there that fills this in.
prepare='ip link set lo up && mount -t tmpfs tmpfs /run'
if ((EUID == 0)) && why=$("${own[@]}" bash -c "$prepare" 2>&1); then
    exec "${own[@]}" bash -c "$prepare"' && exec "$@"' -- "${measure[@]}" --folder /run ${wan:+--wan "$wan"}
fi
echo "no namespaces of its own (${why:-it needs root}): no link, and the machine's own loopback" >&2
exec "${measure[@]}" --folder /dev/shm
