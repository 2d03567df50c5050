#!/usr/bin/env bash
# A structured array with some hundred fields, saved and loaded again by the same NumPy.
#
# A good guess: what np.save has written np.load reads, in the same process and without options. Nothing warns.
#
# What happens (NumPy 2.3.5, lib/_format_impl.py, _MAX_HEADER_SIZE): np.load refuses a header of more than 10,000
# characters with a ValueError ("may not be safe to load securely"), and np.save has no such bound and says nothing. A
# table of 500 float64 columns named field_0, field_1, ... has a header of 10,998. np.memmap's sibling
# np.lib.format.open_memmap(mode="w+") writes such a file as well, and then refuses it. Only max_header_size=, or
# allow_pickle=True, which switches the check off altogether, reads it. Whoever checks a writer by loading small examples does not see it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np

print(f"NumPy {np.__version__}")


def saved(fields):
    array = np.zeros(2, [(f"field_{index}", "<f8") for index in range(fields)])
    file = io.BytesIO()
    np.save(file, array)
    return array, file.getvalue()


def loads(content, **options):
    try:
        return np.load(io.BytesIO(content), **options)
    except ValueError as error:
        return str(error).splitlines()[0]


results = []
for fields in (400, 500):
    array, content = saved(fields)
    plain, larger, pickle = loads(content), loads(content, max_header_size=1 << 20), loads(content, allow_pickle=True)
    for what, got in [("np.load", plain), ("max_header_size=2**20", larger), ("allow_pickle=True", pickle)]:
        print(f"{fields} fields, {what}: {got if isinstance(got, str) else 'read'}")
        results.append(not isinstance(got, str))
sys.exit(0 if results == [True, True, True, False, True, True] else "it does something else now")
PYTHON
