#!/usr/bin/env bash
# Cuts the power of a disk at the moment when a receiver has said that an array is on disk, and 10 seconds later, and
# looks at what is left of it; and in the middle of a transfer, which has to go on from what had been marked as on disk,
# and of a tree, of which what has a name has to be whole. The disk is an ext4 image on a loop device: its copy is what a
# machine would find that starts again. Usage: tests/power_cut.sh [BINARY]; needs root, or says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/arraylift}")
[[ -x $binary ]] || { echo "there is no $binary: build it first"; exit 1; }

work=$(mktemp -d)
disk=$work/disk
after=$work/after
mkdir "$disk" "$after"
running=()
finish() {
    local pid
    for pid in "${running[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
    umount "$disk" 2>/dev/null
    umount "$after" 2>/dev/null
    rm -rf "$work"
}
trap 'finish || true' EXIT

truncate -s 384M "$work/image"
# Nothing is to be written for another reason than that it was asked for.
if ! { mkfs.ext4 -q "$work/image" && mount -o loop,commit=300 "$work/image" "$disk"; } 2>"$work/why"; then
    echo "skipped: a power cut needs mkfs.ext4 and a loop device, which are not to be had here ($(head -n 1 "$work/why"))"
    exit 0
fi

export XDG_RUNTIME_DIR=$work NO_PROXY=127.0.0.1
elements=1_000_000
"$binary" loopback "range:0:$elements" --into "$work/expected.npy" --preview 0 >/dev/null
tail -c 8000000 "$work/expected.npy" >"$work/expected.bin"
failures=0

# listen COMMAND...: starts a receiver, and sets `address` to where it listens.
listen() {
    : >"$work/said"
    "$binary" "$@" --json >"$work/said" 2>"$work/complaint" &
    running+=($!)
    for _ in {1..200}; do
        address=$(sed -n 's/.*"event":"listening","address":"\([^"]*\)".*/\1/p' "$work/said" | head -n 1)
        [[ -z $address ]] || return 0
        sleep 0.05
    done
    echo "nobody listens: $(cat "$work/complaint")"
    exit 1
}

stop() {
    kill "${running[-1]}"
    wait "${running[-1]}" || true
    unset 'running[-1]'
}

cut_power() { cp --sparse=always "$work/image" "$work/$1"; }

# survived CUT FILE EXPECTED: whether the file is there, whole, after that cut.
survived() {
    local result=0
    mount -o loop "$work/$1" "$after"
    tail -c 8000000 "$after/$2" 2>/dev/null | cmp -s - "$3" || result=1
    umount "$after"
    return $result
}

# case_done NAME FILE: the array was said to be in FILE just now.
case_done() {
    cut_power now
    if survived now "$2" "$work/expected.bin"; then
        echo "kept: $1"
    else
        echo "LOST: $1"
        failures=$((failures + 1))
    fi
    kept+=("$2")
}
kept=()

mkdir "$disk/inbox" "$disk/workers"
head -c 9000000 /dev/zero >"$disk/there.bin"
sync

for options in "" "--streams 4"; do
    name=receive${options// /}
    listen receive 127.0.0.1:0 --into "$disk/$name.npy"
    # shellcheck disable=SC2086
    "$binary" send "range:0:$elements" "$address" $options >/dev/null
    case_done "$name" "$name.npy"
    wait "${running[-1]}" || true
    unset 'running[-1]'
done

listen serve 127.0.0.1:0 --into "$disk/inbox"
"$binary" send "range:0:$elements" "$address" >/dev/null
case_done serve inbox/range.npy
"$binary" send "range:0:$elements" "$address" --streams 4 >/dev/null
case_done "serve, 4 streams" inbox/range-1.npy
stop

listen serve 127.0.0.1:0 --into "$disk/workers" --workers 2
"$binary" send "range:0:$elements" "$address" >/dev/null
case_done "serve, workers" workers/range.npy
stop

listen receive 127.0.0.1:0 --into "$disk/there.bin" --at 1000000
"$binary" send "range:0:$elements" "$address" >/dev/null
case_done "a part of a file" there.bin
wait "${running[-1]}" || true
unset 'running[-1]'

if command -v python3 >/dev/null; then
    mkdir "$work/www"
    cp "$work/expected.bin" "$work/www/fetched.bin"
    : >"$work/said"
    python3 -u -m http.server --bind 127.0.0.1 --directory "$work/www" 0 >"$work/said" 2>/dev/null &
    running+=($!)
    port=
    for _ in {1..200}; do
        port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' "$work/said")
        [[ -z $port ]] || break
        sleep 0.05
    done
    "$binary" fetch "http://127.0.0.1:$port/fetched.bin" --into "$disk" >/dev/null
    case_done fetch fetched.bin
    stop
else
    echo "skipped: fetch needs python3 as a web server"
fi

# In the middle of a transfer: what comes of it is right, and of the 50 MB before the cut no more than the last seconds
# move again.
"$binary" loopback range:0:10_000_000 --into "$work/long.npy" --preview 0 >/dev/null
listen serve 127.0.0.1:0 --into "$disk/inbox"
"$binary" send "$work/long.npy" "$address" --limit 10MB/s >/dev/null 2>&1 &
running+=($!)
sleep 5
cut_power middle
stop
stop
mount -o loop "$work/middle" "$after"
listen serve 127.0.0.1:0 --into "$after/inbox"
there=$("$binary" send "$work/long.npy" "$address" --json | sed -n 's/.*"event":"finished".*"resumed_bytes":\([0-9]*\).*/\1/p')
stop
if ! cmp -s "$work/long.npy" "$after/inbox/long.npy"; then
    echo "LOST: a transfer that went on has other bytes"
    failures=$((failures + 1))
elif ((${there:-0} < 16000000)); then
    echo "LOST: only ${there:-0} bytes were gone on with"
    failures=$((failures + 1))
else
    echo "went on: $there bytes were there after the cut"
fi
umount "$after"

# In the middle of a tree, while somebody else has the disk write down which names there are: what has its name is whole,
# and the same tree once more makes up for the rest.
mkdir "$work/tree"
head -c 32000000 /dev/urandom | split -b 8000 -a 4 - "$work/tree/"
for number in 1 2 3 4 5; do
    into=tree-$number
    mkdir "$disk/$into"
    listen serve 127.0.0.1:0 --into "$disk/$into"
    receiver=${running[-1]}
    "$binary" send "$work/tree" "$address" >/dev/null 2>&1 &
    running+=($!)
    # Not before it has begun; where in a batch of files it is then is chance.
    for _ in {1..200}; do
        [[ ! -e $disk/$into/tree/aaal ]] || break
        sleep 0.01
    done
    sleep "0.0$number"
    kill -STOP "$receiver"
    while [[ $(ps -o state= -p "$receiver") != T ]]; do sleep 0.01; done
    date >"$disk/other"
    sync "$disk/other"
    cut_power middle
    kill -CONT "$receiver"
    stop
    stop
    rm -rf "${disk:?}/$into"
    mount -o loop "$work/middle" "$after"
    there=0 broken=0
    for file in "$after/$into"/tree/????; do
        [[ -e $file ]] || continue
        there=$((there + 1))
        cmp -s "$file" "$work/tree/${file##*/}" || broken=$((broken + 1))
    done
    listen serve 127.0.0.1:0 --into "$after/$into"
    "$binary" send "$work/tree" "$address" >/dev/null || broken=$((broken + 1))
    stop
    if ((broken > 0)) || ! diff -rq "$work/tree" "$after/$into/tree" >/dev/null; then
        echo "LOST: of $there files of a tree that had their names $broken were not whole, or the tree could not be sent again"
        failures=$((failures + 1))
    else
        echo "kept: $there files of a tree"
    fi
    umount "$after"
done

# Without a sync the same cut has to show what it costs, or the cuts above have shown nothing.
"$binary" loopback "range:0:$elements" --into "$disk/careless.npy" --no-sync >/dev/null
cut_power now
if survived now careless.npy "$work/expected.bin"; then
    echo "FAILED: what was not synced survived, so these cuts show nothing"
    failures=$((failures + 1))
else
    echo "lost as it should be: --no-sync"
fi

sleep 10
cut_power later
for file in "${kept[@]}"; do
    survived later "$file" "$work/expected.bin" || { echo "LOST 10 s later: $file"; failures=$((failures + 1)); }
done
((failures == 0)) || exit 1
echo "${#kept[@]} arrays that were said to be on disk were there after a power cut, at once and 10 s later"
