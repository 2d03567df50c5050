#!/usr/bin/env bash
# What `fsync` says of a file in a file system (FUSE) whose program has no `fsync`.
#
# A good guess: it fails. libfuse answers a call that a program does not have with ENOSYS, "Function not implemented",
# and fsync(2) names EINVAL for what "does not support synchronization"; so whoever waits for `fsync` before saying "on
# disk" learns that here nobody knows.
#
# What happens (fusepy 3.0.1, libfuse 2.9.9 of Debian 12, Linux 6.18): it succeeds, at once, and so does fdatasync. The
# kernel takes ENOSYS for "nothing to do", remembers it, and asks the program never again (`fuse_fsync` in its
# fs/fuse/file.c). Any other error comes through, EOPNOTSUPP for one. A program that keeps all in memory, or on another
# machine that it has not written to yet, is told from a disk by no return value: only `statfs` shows that it is FUSE.
set -euo pipefail
folder=$(mktemp -d)
trap 'umount -l "$folder"/silent "$folder"/refusing 2>/dev/null; rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
[[ -w /dev/fuse && $EUID == 0 ]] || { echo "this needs root and /dev/fuse"; exit 2; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fusepy==3.0.1
apt-get download libfuse2 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
FUSE_LIBRARY_PATH=$(echo "$folder"/root/lib/*-linux-gnu/libfuse.so.2)
export FUSE_LIBRARY_PATH
cat >memory.py <<'PY'
import errno
import stat
import sys

from fuse import FUSE, FuseOSError, Operations


class Memory(Operations):
    """A folder of one level whose files are gone with the program."""

    files: dict[str, bytearray] = {}

    def getattr(self, path, fh=None):
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path not in self.files:
            raise FuseOSError(errno.ENOENT)
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": len(self.files[path])}

    def create(self, path, mode, fi=None):
        self.files[path] = bytearray()
        return 0

    def write(self, path, data, offset, fh):
        self.files[path][offset : offset + len(data)] = data
        return len(data)


class Silent(Memory):
    # Not among the calls that libfuse is given.
    fsync = None


class Refusing(Memory):
    def fsync(self, path, datasync, fh):
        raise FuseOSError(errno.EOPNOTSUPP)


FUSE({"silent": Silent, "refusing": Refusing}[sys.argv[1]](), sys.argv[1], foreground=True)
PY
for name in silent refusing; do
    mkdir "$name"
    venv/bin/python memory.py "$name" 2>/dev/null &
    for _ in {1..100}; do mountpoint -q "$name" && break || sleep 0.1; done
done
echo "Linux $(uname -r | cut -d. -f1,2), fusepy 3.0.1, $(basename "$(readlink -f "$FUSE_LIBRARY_PATH")")"
venv/bin/python - <<'PY'
import os


def said(call, name):
    file = os.open(f"{name}/a", os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(file, b"only in memory")
    try:
        return call(file) or "success"
    except OSError as error:
        return error.strerror
    finally:
        os.close(file)


found = {(call.__name__, name): said(call, name) for name in ("silent", "refusing") for call in (os.fsync, os.fdatasync)}
for (call, name), result in found.items():
    print(f"{call} where the program is {name}: {result}")
if list(found.values()) != ["success", "success", "Operation not supported", "Operation not supported"]:
    raise SystemExit("it does something else now")
PY
