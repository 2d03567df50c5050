#!/usr/bin/env bash
# Big-endian NumPy arrays as Arrow arrays and as Arrow tensors.
#
# A good guess: pyarrow.Tensor.from_numpy treats a byte order that is not the machine's as pyarrow.array does, which
# refuses it ("Byte-swapped arrays not supported"), or it swaps the bytes.
#
# What happens (pyarrow 26.0.1, arrow/python/numpy_convert.cc, NdarrayToTensor): the type is found by the kind
# and size alone, and the bytes are taken as they lie. The tensor says double or int32, and its values are those of the
# bytes read backward: 1 becomes 16777216 as int32. Nothing is raised, neither here nor by ipc.write_tensor. FITS files,
# netCDF-3 and much of geophysics give such arrays; `array.astype(array.dtype.newbyteorder("="))` before it is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6 pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pyarrow as pa

print(f"NumPy {np.__version__}, pyarrow {pa.__version__}")
found = []
for dtype in (">f8", ">i4", "<i4"):
    array = np.arange(4).astype(dtype)
    try:
        pa.array(array)
        as_array = "taken"
    except pa.ArrowNotImplementedError as error:
        as_array = f"refused ({error})"
    tensor = pa.Tensor.from_numpy(array)
    sink = pa.BufferOutputStream()
    pa.ipc.write_tensor(tensor, sink)
    back = pa.ipc.read_tensor(pa.BufferReader(sink.getvalue())).to_numpy()
    same = bool((back == array).all())
    print(f"{dtype}: as array {as_array}; as tensor of {tensor.type}: {array.tolist()} came back as {back.tolist()}")
    found.append((as_array.split()[0], same))
sys.exit(0 if found == [("refused", False), ("refused", False), ("taken", True)] else "it does something else now")
PYTHON
