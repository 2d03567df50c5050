#!/usr/bin/env bash
# An array that is written again within the second, and rsync.
#
# A good guess: rsync's quick check compares size and modification time as the file systems at both ends have them, to
# the nanosecond; since 3.1.3 it also copies the nanoseconds. So a checkpoint that was rewritten is sent again.
#
# What happens (rsync 3.5.0 of Debian 12; rsync(1), "--modify-window"): the times are compared by whole seconds, and
# nanoseconds count only with `--modify-window=-1`. Text files change
# their size when they change. Arrays do not: a .npy of the same shape has always the same length, so for them the time
# is all there is, and a value that was rewritten 800 ms later is left out with exit 0. rsync run again does not find it
# either, ever, until the file is written once more or `--checksum` is asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download rsync libxxhash0 libpopt0 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
rsync=root/usr/bin/rsync
"$rsync" --version | sed -n 1p
mkdir from to
write() { # value, time
    head -c 1000 /dev/zero | tr '\0' "$1" >from/a.npy
    touch --date="2026-01-01 00:00:$2 UTC" from/a.npy
}
write A 00.100000000
"$rsync" -a from/ to/
write B 00.900000000
"$rsync" -a from/ to/
first=$(head -c 1 to/a.npy)
echo "by default: the source has $(head -c 1 from/a.npy), what was copied has $first"
echo "times: $(stat -c %y from/a.npy), $(stat -c %y to/a.npy)"
"$rsync" -a --modify-window=-1 from/ to/
second=$(head -c 1 to/a.npy)
echo "with --modify-window=-1: $second"
[[ $first == A && $second == B ]] || { echo "it does something else now"; exit 1; }
