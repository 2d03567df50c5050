#!/usr/bin/env bash
# What `rsync -r`, which is not to copy permissions, leaves of those of a folder that is there.
#
# A good guess: without --perms a folder that is there keeps its mode: "If this option is off, existing files (including
# updated files) retain their existing permissions" (rsync(1), --perms). One of mode 0555 takes nothing from a receiver
# that is not root, or else is 0555 again afterwards.
#
# What happens (rsync 3.5.0 of Debian): the receiver gives the folder's owner write permission, writes into it, and sets
# the mode that it saw at the beginning when all has gone well. Where it is told to end (SIGTERM) the folder stays 0755.
# The mode that was there is noted nowhere, so the next run, which ends well, takes 0755 for it: the folder is writable for
# good. And where a folder of mode 2555 has a group in which the receiver is not, even a run that ends well leaves 0555:
# chmod(2) clears the set-group-ID bit for who is not in the group, both on the way there and back. What is made in that
# folder later has another group than what was made in it before.
set -euo pipefail
if ((EUID != 0)); then echo "this needs root, to be two users"; exit 1; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
chmod 755 .
apt-get download rsync libxxhash0 libpopt0 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
as_user=(setpriv --reuid 54321 --regid 54321 --clear-groups)
mkdir -p from/runs to/runs
head -c 20000000 /dev/urandom >from/runs/a.npy
chown -R 54321:54321 to
mode() { stat -c %a to/runs; }
root/usr/bin/rsync --version | sed -n 1p

chmod 555 to/runs
"${as_user[@]}" root/usr/bin/rsync -r --bwlimit=2000 from/ to/ 2>/dev/null &
sender=$!
for _ in $(seq 100); do
    [[ $(mode) == 555 ]] || break
    sleep 0.1
done
during=$(mode)
kill -TERM "$sender"
wait "$sender" || true
sleep 1
after_term=$(mode)
"${as_user[@]}" root/usr/bin/rsync -r from/ to/
after_next=$(mode)
echo "a folder of mode 555: $during while it receives, $after_term after SIGTERM, $after_next after a run that ends well"

rm -rf to/runs
mkdir to/runs
chown 54321:12345 to/runs
chmod 2555 to/runs
"${as_user[@]}" root/usr/bin/rsync -r from/ to/
of_other_group=$(mode)
echo "a folder of mode 2555 and another group: $of_other_group after a run that ends well"

[[ $during/$after_term/$after_next/$of_other_group == 755/755/755/555 ]] || { echo "it does something else now"; exit 1; }
