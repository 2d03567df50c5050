#!/usr/bin/env bash
# Makes target/debian/arraylift_*.deb of the release binary, which it builds where that is not up to date.
# Needs cargo-deb (cargo install cargo-deb), Python and dpkg-dev.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
release=${CARGO_TARGET_DIR:-target}/release

cargo build --release --locked
# What Cargo.toml takes from there beside the binary: manual pages, completions, and the licences of what is built in.
rm -rf "$release/share"
"$release/arraylift" pages "$release/share" >/dev/null
# cargo-deb compresses no page that a build has made (`compressed_assets` in its src/assets.rs), and lintian wants that.
gzip -9n "$release"/share/man/man1/*
mkdir -p "$release/share/doc/arraylift"
assets/package/third_party.py | gzip -9n >"$release/share/doc/arraylift/third-party.txt.gz"
cargo deb --no-build --locked "$@"
