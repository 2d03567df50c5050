#!/usr/bin/env bash
# Arrays of ml_dtypes (bfloat16, float8 and so on), saved by np.save and loaded again.
#
# A good guess: either np.save refuses a type that the .npy format has no name for, or all of these types behave alike:
# the file keeps the bytes, and np.load gives an array of raw bytes (`V1`, `V2`) to be viewed as the type again.
#
# What happens (NumPy 2.3.5, ml_dtypes 0.5.4): np.save takes them all without a word and writes the type's kind letter
# and size. bfloat16 becomes '<V2', and float8_e4m3fn, int4, uint4, float4_e2m1fn become '<V1': the type is lost, and
# a.view(type) brings it back. float8_e5m2 alone has the kind letter 'f' and becomes '<f1', which is no type at all:
# np.load raises ValueError ("not a valid dtype descriptor") and the file cannot be read by NumPy any more, though its
# bytes are all there. The two float8 types of the same family end differently. int4 and float4 take a byte an element.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.5 ml_dtypes==0.5.4
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import ml_dtypes
import numpy as np

EXPECTED = {
    "bfloat16": ("<V2", "|V2"),
    "float8_e4m3fn": ("<V1", "|V1"),
    "float8_e5m2": ("<f1", "ValueError"),
    "int4": ("<V1", "|V1"),
    "uint4": ("<V1", "|V1"),
    "float4_e2m1fn": ("<V1", "|V1"),
}
print(f"NumPy {np.__version__}, ml_dtypes {ml_dtypes.__version__}")
wrong = 0
for name, expected in EXPECTED.items():
    array = np.array([1, 2, 3]).astype(getattr(ml_dtypes, name))
    file = io.BytesIO()
    np.save(file, array)
    written = file.getvalue().split(b"'descr': '")[1].split(b"'")[0].decode()
    try:
        loaded = np.load(io.BytesIO(file.getvalue()))
        read = loaded.dtype.str
        same = bool((loaded.view(array.dtype) == array).all())
    except ValueError as error:
        read, same = "ValueError", None
        print(f"    {error}")
    print(f"{name}: written as {written}, read as {read}, the same after view(): {same}")
    wrong += (written, read) != expected or same is False
sys.exit(f"{wrong} of them do something else now" if wrong else 0)
PYTHON
