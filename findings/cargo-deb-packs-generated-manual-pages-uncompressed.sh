#!/usr/bin/env bash
# What cargo-deb does with manual pages that a build has made.
#
# A good guess: it compresses them, as Debian's policy asks and as it does with every file that goes to /usr/share/man,
# wherever that file lies.
#
# What happens (cargo-deb 3.8.0): it compresses those of the source tree alone. All below target/release/, where its
# manual wants whatever a build makes, counts as built (`IsBuilt::SamePackage`), and what is built is never compressed
# (`compressed_assets` in its src/assets.rs). The package has a plain `page.1`, which lintian calls an error
# (uncompressed-manual-page); cargo-deb itself says nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CARGO_TARGET_DIR=$folder/target
cd "$folder"
cargo install cargo-deb --version 3.8.0 --locked --quiet --root tools --target-dir tools/build
cargo init --quiet --vcs none --name guess program
cd program
cat >>Cargo.toml <<'TOML'
[package.metadata.deb]
maintainer = "Nobody <nobody@example.org>"
assets = [
    ["target/release/guess", "usr/bin/", "755"],
    ["written.1", "usr/share/man/man1/", "644"],
    ["target/release/made.1", "usr/share/man/man1/", "644"],
]
TOML
cargo build --quiet --release
echo '.TH PAGE 1' | tee written.1 >"$CARGO_TARGET_DIR/release/made.1"
../tools/bin/cargo-deb --no-build --quiet --output ../guess.deb >/dev/null
found=$(dpkg-deb --contents ../guess.deb | grep -o 'man1/.\+' | sort | tr '\n' ' ')
echo "$(../tools/bin/cargo-deb --version) packs: $found"
[[ $found == "man1/made.1 man1/written.1.gz " ]] || { echo "it does something else now"; exit 1; }
