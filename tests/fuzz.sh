#!/usr/bin/env bash
# Looks for bytes of strangers that cost more than their budget or end in a panic: each target for so many seconds (60).
# tests/fuzz.sh [SECONDS [TARGET...]]
# Needs a nightly toolchain; installs cargo-fuzz. What it finds lies under target/fuzz/; what is worth keeping goes,
# minimised, into tests/fuzz/corpus/, which tests/fuzz_corpus.rs runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
shift || true
toolchain=${ARRAYLIFT_FUZZ_TOOLCHAIN:-nightly}

if ! cargo "+$toolchain" --version >/dev/null 2>&1; then
    echo "missing: the toolchain $toolchain (rustup toolchain install $toolchain)"
    exit 1
fi
if ! cargo fuzz --version >/dev/null 2>&1; then cargo install cargo-fuzz --version 0.13.2 --locked --quiet; fi

# The versions that the program is built with.
cp Cargo.lock tests/fuzz/Cargo.lock
targets=("$@")
if ((${#targets[@]} == 0)); then mapfile -t targets < <(cargo fuzz list --fuzz-dir tests/fuzz); fi
found=()
for target in "${targets[@]}"; do
    work=target/fuzz/corpus/$target
    mkdir -p "$work" "target/fuzz/artifacts/$target"
    echo "== $target, $seconds s"
    cargo "+$toolchain" fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz/build "$target" \
        "$work" "tests/fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -timeout=5 -max_len=20000 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="target/fuzz/artifacts/$target/" || found+=("$target")
done
if ((${#found[@]})); then
    echo "FOUND something in: ${found[*]}; the inputs lie in target/fuzz/artifacts/"
    exit 1
fi
echo "Nothing was found in ${#targets[@]} targets."
