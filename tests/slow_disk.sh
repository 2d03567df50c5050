#!/usr/bin/env bash
# Looks whether a disk that is slow is what a transfer is told to have waited for: at either end, over one connection and
# over several. The disk is an ext4 image on a loop device that the kernel lets read and write 40 MB/s, and that programs
# may be ahead of by 16 MiB. Usage: tests/slow_disk.sh [BINARY]; needs root, or says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=$(realpath "${1:-${CARGO_TARGET_DIR:-target}/debug/arraylift}")
[[ -x $binary ]] || { echo "there is no $binary: build it first"; exit 1; }

work=$(mktemp -d)
disk=$work/disk
mkdir "$disk"
device=
throttle=/sys/fs/cgroup/blkio/blkio.throttle
group=/sys/fs/cgroup/arraylift-slow-disk-$$
finish() {
    if [[ -w ${throttle}.write_bps_device && -n $device ]]; then limit_device 0; fi
    umount "$disk" 2>/dev/null
    if [[ -d $group ]]; then
        echo $$ >/sys/fs/cgroup/cgroup.procs
        rmdir "$group"
    fi
    rm -rf "$work"
}
trap 'finish || true' EXIT

skip() {
    echo "skipped: a slow disk needs $1, which is not to be had here"
    exit 0
}

limit_device() {
    echo "$device $1" >"${throttle}.write_bps_device"
    echo "$device $1" >"${throttle}.read_bps_device"
}

# slow_down BYTES_A_SECOND: what this script starts, and what is written for it, gets no more of the device.
slow_down() {
    if [[ -w ${throttle}.write_bps_device ]]; then
        limit_device "$1"
    else
        echo "+io +memory" >/sys/fs/cgroup/cgroup.subtree_control &&
            mkdir "$group" && echo "$device rbps=$1 wbps=$1" >"$group/io.max" && echo $$ >"$group/cgroup.procs"
    fi
}

# is_slow: whether that has an effect.
is_slow() {
    local began=$EPOCHREALTIME
    dd if=/dev/zero of="$disk/tried" bs=1M count=20 conv=fdatasync status=none
    rm "$disk/tried"
    ((${EPOCHREALTIME/./} - ${began/./} > 300000))
}

truncate -s 512M "$work/image"
{ mkfs.ext4 -q "$work/image" && mount -o loop "$work/image" "$disk"; } 2>/dev/null ||
    skip "mkfs.ext4 and a loop device"
device=$(findmnt -nro MAJ:MIN "$disk")
{ echo 1 >"/sys/class/bdi/$device/strict_limit" && echo $((16 << 20)) >"/sys/class/bdi/$device/max_bytes"; } 2>/dev/null ||
    skip "a bound of what waits for one device (Linux 6.2)"
slow_down 40000000 2>/dev/null && is_slow || skip "a control group that slows a loop device down"

failures=0

# says NAME EVENTS PATTERN...: whether the sentence about that transfer has all of these in it.
says() {
    local name=$1 sentence pattern
    sentence=$(sed -n 's/.*"sentence":"\([^"]*\)".*/\1/p' "$2")
    shift 2
    for pattern in "$@"; do
        [[ $sentence == *"$pattern"* ]] && continue
        echo "WRONG: $name: no \"$pattern\" in: $sentence"
        failures=$((failures + 1))
        return
    done
    echo "right: $name: $sentence"
}

for options in "" "--streams 4" "--receive-route recv" "--receive-route map"; do
    # shellcheck disable=SC2086
    "$binary" loopback range:0:10e6 --into "$disk/a.npy" --preview 0 --json $options >"$work/events"
    says "written $options" "$work/events" "The receiver's disk was the limit" "writing waited" "passed until all was on it"
    mv "$disk/a.npy" "$disk/source.npy"
done

for options in "" "--send-route write" "--streams 4"; do
    dd if="$disk/source.npy" iflag=nocache count=0 status=none
    # shellcheck disable=SC2086
    "$binary" loopback "$disk/source.npy" --into discard --preview 0 --json $options >"$work/events"
    says "read $options" "$work/events" "The sender's disk was the limit" "came from it" "reading waited"
done

# The same file is in the page cache now: a disk that nobody waited for is not named.
"$binary" loopback "$disk/source.npy" --into discard --preview 0 --json >"$work/events"
if grep -q '"limit":"sender_disk"' "$work/events"; then
    echo "WRONG: what came from the page cache is told to have come from a disk"
    failures=$((failures + 1))
fi
((failures == 0)) || exit 1
echo "a slow disk is named by whoever waited for it, and only then"
