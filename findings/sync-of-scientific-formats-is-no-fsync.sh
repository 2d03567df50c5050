#!/usr/bin/env bash
# Which system calls make what netCDF4, h5py, Zarr and NumPy have written survive a power cut.
#
# A good guess: netCDF4's Dataset.sync ("Writes all buffered data in the Dataset to the disk file") and h5py's
# File.flush end in fsync, or at least closing the file does; zarr, which writes each chunk under a temporary name and
# renames it, syncs the chunk first.
#
# What happens (netCDF4 1.7.5.1.post1, h5py 3.16.0, zarr 3.1.6, NumPy 2.2.6, all system calls counted by strace): none
# of the first three makes any fsync, fdatasync, msync or syncfs, in sync, flush or close. After each the bytes are in
# the kernel's page cache only: the process may be killed, the machine may not lose power, for the 30 seconds or so that
# writeback takes. zarr's rename without a sync is safe only where the file system writes the bytes before the name
# (ext4(5), auto_da_alloc). Of the four, only flush of a NumPy memory map writes through (msync with MS_SYNC).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
apt-get download strace 2>/dev/null >/dev/null
apt-get download libunwind8 2>/dev/null >/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    numpy==2.2.6 netCDF4==1.7.5.1.post1 h5py==3.16.0 zarr==3.1.6
cat >write.py <<'PYTHON'
import sys

import numpy as np

array = np.arange(100_000.0)
if sys.argv[1] == "netCDF4":
    import netCDF4

    with netCDF4.Dataset("a.nc", "w") as dataset:
        dataset.createDimension("x", len(array))
        dataset.createVariable("v", "f8", ("x",))[:] = array
        dataset.sync()
elif sys.argv[1] == "h5py":
    import h5py

    with h5py.File("a.h5", "w") as file:
        file["v"] = array
        file.flush()
elif sys.argv[1] == "zarr":
    import zarr

    zarr.save_array("a.zarr", array)
else:
    map = np.lib.format.open_memmap("a.npy", "w+", array.dtype, array.shape)
    map[:] = array
    map.flush()
PYTHON
as_found=yes
for library in netCDF4 h5py zarr numpy; do
    LD_LIBRARY_PATH="$(echo root/usr/lib/*-linux-gnu)" root/usr/bin/strace -f -o calls -qq \
        -e trace=fsync,fdatasync,msync,syncfs,sync,sync_file_range venv/bin/python write.py "$library"
    syncs=$(grep -c -E 'sync' calls || true)
    version=$(venv/bin/python -c "from importlib.metadata import version; print(version('$library'))")
    echo "$library $version: $syncs calls that sync $(sed -E 's/^[0-9]+ +//' calls | grep -m1 sync || true)"
    case $library in
        numpy) ((syncs > 0)) || as_found=no ;;
        *) ((syncs == 0)) || as_found=no ;;
    esac
done
[[ $as_found == yes ]] || { echo "they do something else now"; exit 1; }
