# Sourced by the scripts in tests/, tests/bench/ and .ci/: where things are, and what a test machine needs.
# Everything here can be called again at no cost; nothing is installed that is there already.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
if [[ -n ${CARGO_TARGET_DIR:-} ]]; then export CARGO_TARGET_DIR=$target; fi
export PYTHONDONTWRITEBYTECODE=1
missing_packages=()
python=
nginx=
display_server=
# What the window needs that someone's own machine has anyway, and what looks at it.
# shellcheck disable=SC2034
window_packages=(xvfb libgl1-mesa-dri libegl1 libgl1 libxkbcommon-x11-0 xdotool imagemagick)

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

# Sets nginx to a web server: the machine's own, or one under target/, for an installed one would also be started.
# Without one, nginx is empty.
need_nginx() {
    nginx=$(PATH=$PATH:/usr/sbin command -v nginx || true)
    [[ -z $nginx ]] || return 0
    local folder=$target/nginx
    if [[ ! -x $folder/usr/sbin/nginx ]]; then
        echo "Unpacking nginx into $folder"
        mkdir -p "$folder"
        if ! { (
            cd "$folder"
            apt-get download nginx || { apt-get update && apt-get download nginx; }
            dpkg-deb -x nginx_*.deb .
            rm nginx_*.deb
        ); } </dev/null >"$target/nginx.log" 2>&1 || ! "$folder/usr/sbin/nginx" -v 2>>"$target/nginx.log"; then
            tail -n 5 "$target/nginx.log"
            rm -rf "$folder"
            return 0
        fi
    fi
    nginx=$folder/usr/sbin/nginx
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

# A display of this script's own, on a number that is free. It is there until end_display.
# Without -noreset it would begin anew whenever its last window closes, and turn the next one away meanwhile.
start_display() {
    local display number
    exec {display}<> <(:)
    Xvfb -displayfd "$display" -screen 0 1600x1200x24 -nolisten tcp -noreset >"$target/xvfb.log" 2>&1 </dev/null &
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
