# Sourced by tests/run.sh, tests/bench/versus.sh and .ci/run: where things are, and what a test machine needs.
# Everything here can be called again at no cost; nothing is installed that is there already.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
if [[ -n ${CARGO_TARGET_DIR:-} ]]; then export CARGO_TARGET_DIR=$target; fi
export PYTHONDONTWRITEBYTECODE=1
missing_packages=()
python=

# One line a step, with the time since the start.
step() { printf '== %s == (%d:%02d)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60)); }

# Installs the Debian packages that are not there. Where that is not allowed, it says which command would,
# and leaves their names in missing_packages.
need_packages() {
    local package
    missing_packages=()
    if ! command -v dpkg-query >/dev/null; then
        echo "This is not Debian: these packages, or what they are called here, are taken to be there: $*"
        return 0
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing_packages+=("$package")
    done
    ((${#missing_packages[@]})) || return 0

    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get)
    local install=(install -y --no-install-recommends "${missing_packages[@]}")
    if ((EUID != 0)); then
        if ! sudo -n true 2>/dev/null; then
            echo "Missing, and not allowed to install it here. Run: sudo apt-get install ${missing_packages[*]}"
            return 0
        fi
        apt=(sudo -n "${apt[@]}")
    fi
    echo "Installing the Debian packages ${missing_packages[*]}"
    if { "${apt[@]}" update && "${apt[@]}" "${install[@]}"; } </dev/null >"$target/apt.log" 2>&1; then
        missing_packages=()
    else
        tail -n 5 "$target/apt.log"
        echo "Could not install ${missing_packages[*]}; all of what was said: $target/apt.log"
    fi
}

# Sets python to an interpreter that has NumPy, in a virtual environment under target/. Without one, python is empty.
need_python() {
    python=$target/venv/bin/python
    if "$python" -c 'import numpy' 2>/dev/null; then return 0; fi
    echo "Installing NumPy into a virtual environment, $target/venv"
    if { python3 -m venv --clear "$target/venv" && "$python" -m pip install --quiet --disable-pip-version-check numpy; } \
        </dev/null >"$target/venv.log" 2>&1; then
        return 0
    fi
    tail -n 5 "$target/venv.log"
    python=$(command -v python3 || true)
    if [[ -n $python ]] && "$python" -c 'import numpy' 2>/dev/null; then
        echo "Could not; $python has NumPy and serves instead"
        return 0
    fi
    echo "Could not; install NumPy for $(command -v python3 || echo python3), or allow the network"
    python=
}

mkdir -p "$target"
