#!/usr/bin/env bash
# A Zarr array of which one chunk was lost on the way.
#
# A good guess: an array whose metadata says that it has four chunks, and of which three are there, cannot be read where
# the fourth was: an error, as h5py, NumPy and Parquet readers raise one for a file that is too short.
#
# What happens (zarr 3.1.6, NumPy 2.2.6; Zarr v3 specification, "fill_value"): a chunk that is not there reads as the
# fill value, 0 if none was given. So a copy of a folder that left out a file (a pattern, a full disk, a name too long,
# an object store's listing) is an array of the right shape with zeros in it: no error, no warning, exit 0. It cannot be
# told from an array in which that chunk holds zeros only: by default (write_empty_chunks) those are not written either,
# so counting the chunks proves nothing. Only a checksum of the whole tree, taken where it was whole, does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.2.6 zarr==3.1.6
venv/bin/python -W error - <<'PYTHON'
import pathlib
import sys

import numpy as np
import zarr


def chunks(name):
    return sorted(path.name for path in pathlib.Path(name, "c").iterdir())


def made(name, values):
    array = zarr.create_array(name, shape=values.shape, chunks=(1000,), dtype=values.dtype)
    array[:] = values
    return chunks(name)


print(f"zarr {zarr.__version__}, NumPy {np.__version__}")
values = np.arange(1.0, 4001.0)
whole = made("a.zarr", values)
pathlib.Path("a.zarr/c/2").unlink()
read = zarr.open_array("a.zarr", mode="r")[:]
print(f"chunks {whole}, of which 2 is removed: elements 1999 to 2001 read {read[1999:2002].tolist()}")
values[2000:3000] = 0
zeros = made("b.zarr", values)
print(f"an array with zeros there, complete, has chunks {zeros}")
as_found = bool((read == values).all()) and zeros == ["0", "1", "3"] == chunks("a.zarr")
sys.exit(0 if as_found else "it does something else now")
PYTHON
