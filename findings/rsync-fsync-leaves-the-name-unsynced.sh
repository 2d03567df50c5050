#!/usr/bin/env bash
# What `rsync --fsync` syncs.
#
# A good guess: once `rsync --fsync` has ended with 0, the files are on disk under their names: "Cause the receiving
# side to fsync each finished file. This may slow down the transfer, but can help to provide peace of mind when updating
# critical files" (rsync(1)).
#
# What happens (rsync 3.5.0 of Debian 12): each file is written under a temporary name, synced
# under that, and renamed after it. The folder is never synced, and fsync(2) says what follows: "Calling fsync() does
# not necessarily ensure that the entry in the directory containing the file has also reached disk. For that an explicit
# fsync() on a file descriptor for the directory is also needed." After a power cut the bytes may lie under
# `.a.npy.XXXXXX`, a name that the next rsync does not look at, and the old file under the real one. Nor does it sync
# folders that it makes. `sync -f FOLDER` after it closes the gap.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download rsync strace libunwind8 libxxhash0 libpopt0 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
mkdir -p from/runs to
head -c 1000000 /dev/urandom >from/a.npy
head -c 1000000 /dev/urandom >from/runs/b.npy
root/usr/bin/rsync --version | sed -n 1p
root/usr/bin/strace -f -y -qq -o calls -e trace=fsync,fdatasync,syncfs,sync,rename,renameat,renameat2 \
    root/usr/bin/rsync -a --fsync from/ to/
sed -E "s/^[0-9]+ +//; s#<$folder/#<#g; s/\.([ab]\.npy)\.[A-Za-z0-9]+/.\1.XXXXXX/g" calls |
    grep -E '^[a-z0-9]+\(' | tee order
# A sync of each file, a rename after it, and no call that syncs the folder.
[[ $(grep -c '^fsync(.*\.npy\.XXXXXX' order) == 2 && $(grep -c '^rename' order) == 2 ]] &&
    [[ $(grep -c -E '^(fsync|fdatasync|syncfs|sync)\(' order) == 2 ]] ||
    { echo "it does something else now"; exit 1; }
