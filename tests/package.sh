#!/usr/bin/env bash
# Makes the Debian package and tries it: its rules (lintian), its place in menus and software centres, its service, and
# an installation into a root of its own, with a transfer, and nothing left when it is removed.
# Needs cargo-deb, and builds the release binary where that is not up to date. What is not there is named and left out.
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$root"

# A PATH may lack the folders of chroot and of the programs that dpkg runs.
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
clean_root=$work/root
finish() {
    end_display
    rm -rf --one-file-system "$work"
}
trap finish EXIT
passed=0
failures=0
skipped=()

# check NAME COMMAND...: one check; the next one follows, whatever becomes of it.
check() {
    local name=$1
    shift
    if ! "$@" >"$work/said" 2>&1; then
        echo "FAILED: $name"
        sed 's/^/    /' "$work/said"
        failures=$((failures + 1))
    elif grep -q '^skipped: ' "$work/said"; then
        skipped+=("$(sed -n 's/^skipped: //p' "$work/said")")
    else
        echo "ok: $name"
        passed=$((passed + 1))
    fi
}

# has TOOL...: whether all of them are there.
has() {
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || return 1; done
}

# check_with TOOL NAME COMMAND...: the same, where there is that tool.
check_with() {
    local tool=$1
    shift
    if has "$tool"; then check "$@"; else skipped+=("$1: there is no $tool"); fi
}

main() {
    if ! has cargo-deb; then
        echo "skipped: all of it: there is no cargo-deb (cargo install cargo-deb)"
        return 0
    fi
    need_packages dpkg-dev python3 lintian desktop-file-utils appstream debootstrap libglib2.0-bin x11-utils \
        "${window_packages[@]}"
    if ! has dpkg-shlibdeps python3; then
        echo "skipped: all of it: a package needs dpkg-dev and Python"
        return 0
    fi
    assets/package/deb.sh --output "$work/arraylift.deb"
    dpkg-deb -x "$work/arraylift.deb" "$work/files"
    local share=$work/files/usr/share unit=$work/arraylift.service
    check "its changelog and its entry for software centres are of this version" has_one_version
    check_with lintian "lintian finds no error" lintian --fail-on error --profile debian "$work/arraylift.deb"
    check_with desktop-file-validate "the menu entry is valid" desktop-file-validate "$share/applications/arraylift.desktop"
    check "the menu entry has its program and its icons" has_what_menus_need
    if has gio Xvfb xdotool xprop && start_display; then
        check "its menu entry opens the window, which has its icon" opens_from_menu
    else
        skipped+=("a start from the menu: there is no gio, Xvfb, xdotool or xprop")
    fi
    check_with appstreamcli "the entry for software centres is valid" \
        appstreamcli validate --no-net "$share"/metainfo/*.metainfo.xml
    # The program is not installed on this machine, and neither are its pages.
    sed "s|/usr/bin/arraylift|$work/files/usr/bin/arraylift|" "$work/files/usr/lib/systemd/user/arraylift.service" >"$unit"
    mkdir -m 700 "$work/runtime"
    check_with systemd-analyze "the service is valid" valid_unit "$unit"
    check "the service runs as a user's, and writes its own folders alone" tests/user_service.sh "$work/files"

    if make_root; then
        check "it is installed into a clean root" on_root --install "$work/arraylift.deb"
        check "it says its version there" says_its_version
        check "it moves an array there" moves_an_array
        check "it is removed" on_root --purge arraylift
        check "nothing is left of it" nothing_is_left
    else
        skipped+=("an installation into a clean root: roots of one's own are not allowed here (chroot, unshare -r)")
    fi

    local reason
    for reason in "${skipped[@]}"; do echo "skipped: $reason"; done
    echo "package: $passed passed, $failures failed"
    ((failures == 0))
}

version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1; }

has_one_version() {
    [[ $(dpkg-deb --field "$work/arraylift.deb" Version) == "$(version)-1" ]] &&
        [[ $(zcat "$share/doc/arraylift/changelog.Debian.gz" | head -n 1) == "arraylift ($(version)-1) "* ]] &&
        [[ $(grep -o '<release version="[^"]*"' "$share"/metainfo/*.metainfo.xml | head -n 1) == *"\"$(version)\"" ]]
}

has_what_menus_need() {
    local entry=$share/applications/arraylift.desktop program icon
    program=$(sed -n 's/^Exec=\([^ ]*\).*/\1/p' "$entry")
    icon=$(sed -n 's/^Icon=//p' "$entry")
    [[ -x $work/files/usr/bin/$program && -s $share/icons/hicolor/256x256/apps/$icon.png &&
        -s $share/icons/hicolor/scalable/apps/$icon.svg ]]
}

# Started by the entry, as a menu does it, with the package's folders before the machine's.
opens_from_menu() {
    local entry=$share/applications/arraylift.desktop class window process
    class=$(sed -n 's/^StartupWMClass=//p' "$entry")
    mkdir -p "$work/home"
    env -u WAYLAND_DISPLAY HOME="$work/home" XDG_DATA_DIRS="$share" PATH="$work/files/usr/bin:$PATH" LIBGL_ALWAYS_SOFTWARE=1 \
        XDG_DATA_HOME="$work/home" XDG_CONFIG_HOME="$work/home" XDG_CACHE_HOME="$work/home" gio launch "$entry"
    window=$(timeout 60 xdotool search --sync --onlyvisible --class "^$class\$" | head -n 1)
    [[ -n $window ]] || return 1
    process=$(xdotool getwindowpid "$window")
    [[ $(xprop -id "$window" -f _NET_WM_ICON 32c ' $0 x $1\n' _NET_WM_ICON) == *" 256 x 256" ]] || return 1
    kill "$process"
    for _ in {1..100}; do
        kill -0 "$process" 2>/dev/null || return 0
        sleep 0.1
    done
    echo "it goes on after it was asked to end"
    return 1
}

valid_unit() {
    local said
    said=$(XDG_RUNTIME_DIR=$work/runtime systemd-analyze verify --user --man=no "$1" 2>&1) || { echo "$said"; return 1; }
    echo "$said"
    # What it does not know it only warns of.
    [[ -z $said ]]
}

# A small Debian where that can be made, else the few files that the program needs, with a database of dpkg's own.
make_root() {
    if ((EUID != 0)); then
        as_root=(unshare --map-root-user)
        "${as_root[@]}" true 2>/dev/null || return 1
    elif has debootstrap && make_debian; then
        return 0
    fi
    echo "the clean root is a bare one: the package's dependencies are not looked at"
    forced=(--force-depends)
    local file
    rm -rf "$clean_root"
    mkdir -p "$clean_root"/{tmp,dev,proc,var/lib/dpkg/{info,updates,triggers}}
    touch "$clean_root"/var/lib/dpkg/{status,available} "$clean_root/dev/null"
    while read -r file; do
        mkdir -p "$clean_root$(dirname "$file")"
        cp -L "$file" "$clean_root$file"
    done < <(ldd "$work/files/usr/bin/arraylift" | grep -o '/[^ ]*')
    in_root /none 2>"$work/said" || [[ $? == 127 ]]
}

make_debian() {
    local suite log=$target/debootstrap.log downloads=$target/debootstrap
    mkdir -p "$downloads"
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    debootstrap --variant=minbase --cache-dir="$downloads" "$suite" "$clean_root" >"$log" 2>&1 && return 0
    tail -n 3 "$log"
    return 1
}

# in_root COMMAND...: without a display, a home and a user's folders.
in_root() { env -i PATH="$PATH" "${as_root[@]}" chroot "$clean_root" "$@"; }

# on_root OPTION...: dpkg, on the clean root. Lists the files before a package is installed.
on_root() {
    [[ -e $work/before ]] || list_root >"$work/before"
    "${as_root[@]}" dpkg --root="$clean_root" "${forced[@]}" "$@"
}

# Everything in the root, without dpkg's own records and what is in no package.
list_root() {
    (cd "$clean_root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/log -o -path ./tmp \) -prune -o -print | sort)
}

says_its_version() {
    [[ $(in_root /usr/bin/arraylift --version) == "arraylift $(version)" ]]
}

# What it has received is looked at from outside.
moves_an_array() {
    in_root /usr/bin/arraylift loopback range:0:1_000_000 --into /tmp/moved.npy --no-history
    [[ $(stat -c %s "$clean_root/tmp/moved.npy") == 8000128 ]]
}

nothing_is_left() {
    list_root | diff "$work/before" - && ! dpkg --root="$clean_root" --status arraylift 2>/dev/null
}

forced=()
as_root=()
main
