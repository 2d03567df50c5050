# Sourced by the scripts in tests/, tests/bench/ and .ci/: where things are, and what a test machine needs.
# Everything here can be called again at no cost; nothing is installed that is there already.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
if [[ -n ${CARGO_TARGET_DIR:-} ]]; then export CARGO_TARGET_DIR=$target; fi
export PYTHONDONTWRITEBYTECODE=1
# What tests and benchmarks transfer is not for the history of whoever runs them.
export ARRAYLIFT_HISTORY=off
missing_packages=()
python=
nginx=
tinyproxy=
web_python=
display_server=
# What the window needs that someone's own machine has anyway, and what looks at it.
# shellcheck disable=SC2034
window_packages=(xvfb libgl1-mesa-dri libegl1 libgl1 libxkbcommon-x11-0 xdotool imagemagick dbus-daemon)

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

# Sets nginx to a web server, and tinyproxy to a proxy. Without one, it is empty.
need_nginx() { need_program nginx nginx /usr/sbin/nginx; }
need_tinyproxy() { need_program tinyproxy tinyproxy-bin /usr/bin/tinyproxy; }

# need_program NAME PACKAGE PATH: sets the variable NAME to the machine's own program of that name, or to one that is
# unpacked under target/ from a Debian package: an installed one would also be started.
need_program() {
    local name=$1 package=$2 path=$3 folder=$target/$1
    local -n found=$name
    found=$(PATH=$PATH:/usr/sbin command -v "$name" || true)
    [[ -z $found ]] || return 0
    if [[ ! -x $folder$path ]]; then
        echo "Unpacking $name into $folder"
        mkdir -p "$folder"
        if ! { (
            cd "$folder"
            apt-get download "$package" || { apt-get update && apt-get download "$package"; }
            dpkg-deb -x "$package"_*.deb .
            rm "$package"_*.deb
        ); } </dev/null >"$target/$name.log" 2>&1 || ! "$folder$path" -v >>"$target/$name.log" 2>&1; then
            tail -n 5 "$target/$name.log"
            rm -rf "$folder"
            return 0
        fi
    fi
    # shellcheck disable=SC2034 # It is the variable that NAME names.
    found=$folder$path
}

# Sets web_python to an interpreter that has what tests/peers/web_server.py serves with, in a virtual environment under
# target/. Without one, web_python is empty.
need_web_servers() {
    local wanted=$root/tests/peers/web_servers.txt folder=$target/web-servers
    web_python=$folder/bin/python
    if cmp -s "$wanted" "$folder/installed.txt"; then return 0; fi
    echo "Installing web servers into a virtual environment, $folder"
    if { python3 -m venv --clear "$folder" && "$web_python" -m pip install --quiet --disable-pip-version-check -r "$wanted"; } \
        </dev/null >"$target/web-servers.log" 2>&1; then
        cp "$wanted" "$folder/installed.txt"
        return 0
    fi
    tail -n 5 "$target/web-servers.log"
    web_python=
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

# Installs a package for that Python where its module is not there: need_python_package MODULE PACKAGE. One that
# cannot be had is named, and whoever wants it does without.
need_python_package() {
    if "$python" -c "import $1" 2>/dev/null; then return 0; fi
    echo "Installing $2 for $python"
    if "$python" -m pip install --quiet --disable-pip-version-check "$2" </dev/null >"$target/venv.log" 2>&1; then
        return 0
    fi
    tail -n 5 "$target/venv.log"
    echo "Could not install $2"
}

# start_display [WIDTHxHEIGHT]: a display of this script's own, on a number that is free. It is there until end_display.
# Without -noreset it would begin anew whenever its last window closes, and turn the next one away meanwhile.
start_display() {
    local display number
    exec {display}<> <(:)
    Xvfb -displayfd "$display" -screen 0 "${1:-1600x1200}x24" -nolisten tcp -noreset >"$target/xvfb.log" 2>&1 </dev/null &
    display_server=$!
    if ! read -r -t 20 -u "$display" number; then
        exec {display}>&-
        tail -n 5 "$target/xvfb.log"
        return 1
    fi
    exec {display}>&-
    export DISPLAY=:$number
}

# Ends only what start_display has started, and by its number.
end_display() {
    if [[ -z $display_server ]]; then return 0; fi
    kill "$display_server" 2>/dev/null || true
    wait "$display_server" 2>/dev/null || true
    display_server=
}

mkdir -p "$target"
