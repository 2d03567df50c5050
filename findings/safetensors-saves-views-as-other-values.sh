#!/usr/bin/env bash
# Transposed and strided NumPy arrays, saved by safetensors.numpy and loaded again.
#
# A good guess: safetensors.numpy.save either copies an array that is not contiguous (as np.save and ndarray.tobytes do)
# or refuses it, as safetensors.torch refuses tensors that are not contiguous. Either way what is loaded equals what was
# saved.
#
# What happens: up to 0.7.0 it copied (ndarray.tobytes), and all values were right. 0.8.0 takes the address of the first
# element and the number of bytes (safetensors/numpy.py, _flatten: data_ptr=tensor.ctypes.data,
# data_len=tensor.nbytes) and looks at neither the strides nor the flags. `a.T` is written in the order of `a`, and
# `a[::2]` as the first half of `a`: no error, no warning, right dtype, right shape, other values. A big-endian array is
# right, since it is copied on its way. The page of `save` says "Tensors need to be contiguous and dense"; so it said
# when others were saved right. np.ascontiguousarray before saving is right in all versions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
cat >"$folder/ask.py" <<'PYTHON'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

rows = np.arange(6.0).reshape(2, 3)
arrays = {
    "contiguous": rows,
    "transposed": rows.T,
    "every second": np.arange(12.0)[::2],
    "Fortran order": np.asfortranarray(rows),
    "big-endian": rows.astype(">f8"),
    "transposed, made contiguous": np.ascontiguousarray(rows.T),
}
expected_wrong = sys.argv[1].split(",") if sys.argv[1] else []
print(f"NumPy {np.__version__}, safetensors {safetensors.__version__}")
wrong = []
for name, array in arrays.items():
    loaded = load(save({"a": array}))["a"]
    assert loaded.shape == array.shape
    if np.array_equal(loaded, array):
        print(f"{name}: the same values")
    else:
        wrong.append(name)
        print(f"{name}: {array.ravel().tolist()} was loaded as {loaded.ravel().tolist()}")
sys.exit(0 if wrong == expected_wrong else "it does something else now")
PYTHON
for version in 0.7.0 0.8.0; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6 "safetensors==$version"
done
"$folder/0.7.0/bin/python" "$folder/ask.py" ""
"$folder/0.8.0/bin/python" "$folder/ask.py" "transposed,every second,Fortran order"
