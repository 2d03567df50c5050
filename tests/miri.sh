#!/usr/bin/env bash
# Runs under miri what it can run of src/sys/ and of the bookkeeping that decides who owns which byte: it finds
# undefined behaviour that tests pass over. Needs a nightly toolchain with miri; where there is none it skips.
# Arguments are passed on to the tests, such as a name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
toolchain=${ARRAYLIFT_MIRI_TOOLCHAIN:-nightly}

if ! cargo "+$toolchain" miri --version >/dev/null 2>&1; then
    echo "skipped: the toolchain $toolchain has no miri (rustup +$toolchain component add miri rust-src)"
    exit 0
fi

# The other modules of src/sys/ are system calls on sockets, files and signals, which miri does not have.
what=(sys::memory:: sys::sigbus:: sys::tcp_info:: sys::zerocopy:: ledger:: wire::native::outgoing:: queue::)
((!$#)) || what=("$@")
# Property tests read the clock and the system's random numbers. Miri is a thousand times slower than the machine.
export MIRIFLAGS="-Zmiri-disable-isolation ${MIRIFLAGS:-}" PROPTEST_CASES=${PROPTEST_CASES:-2}
exec cargo "+$toolchain" miri test --locked --no-default-features --lib -- "${what[@]}"
