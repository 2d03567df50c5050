#!/usr/bin/env bash
# Fields of a structured array, chosen by a list of names, and np.save.
#
# A good guess: `table[["b", "a"]]` is a structured array like any other, so np.save writes it; if it cannot, then the
# order of the two names makes no difference.
#
# What happens (NumPy 2.2.6, numpy/lib/format.py, dtype_to_descr, and numpy/_core/_internal.py, _array_descr): since
# 1.16 such a choice is a view with the old offsets. The .npy header is a list of fields in the order of their bytes,
# with unnamed fields for the gaps, so what is chosen in the order of the file is saved, with all bytes of the fields
# that were NOT chosen written along (the file of one field of a wide table is as long as the table's), and what is
# chosen in another order is refused: ValueError, "dtype.descr is not defined for types with overlapping or
# out-of-order fields", which names neither the fields nor the way out. np.savez fails in the same way and leaves a
# .npz behind that lists the member, of 0 bytes. numpy.lib.recfunctions.repack_fields before it is right for both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
from numpy.lib.recfunctions import repack_fields


def saved(array):
    file = io.BytesIO()
    try:
        np.save(file, array)
    except ValueError as error:
        return f"ValueError: {error}"
    return len(file.getvalue()) - 128


table = np.zeros(1000, dtype=[("a", "<f4"), ("wide", "V100"), ("b", "<f8")])
print(f"NumPy {np.__version__}, a table of {table.nbytes} bytes")
results = {
    'table[["a"]]': saved(table[["a"]]),
    'table[["a", "b"]]': saved(table[["a", "b"]]),
    'table[["b", "a"]]': saved(table[["b", "a"]]),
    'repack_fields(table[["b", "a"]])': saved(repack_fields(table[["b", "a"]])),
}
for text, result in results.items():
    print(f"{text}: {result if isinstance(result, str) else f'{result} bytes behind a header of 128'}")
one, forward, backward, packed = results.values()
as_found = (one, forward, packed) == (112_000, 112_000, 12_000) and str(backward).startswith("ValueError: dtype.descr")
sys.exit(0 if as_found else "it does something else now")
PYTHON
