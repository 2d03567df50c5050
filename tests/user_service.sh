#!/usr/bin/env bash
# Runs the service of the Debian package under a systemd of its own, as a user who exists nowhere else, and looks at what
# it receives and where it can write. Usage: tests/user_service.sh FOLDER, with the package unpacked; tests/package.sh
# does so. Nothing but its own mounts, processes and network is touched; where these are not allowed, it says so.
set -euo pipefail

user=54321
manager=/lib/systemd/systemd
groups=()

skip() {
    echo "skipped: the service under a systemd of its own: $1"
    exit 0
}

# Groups of processes of its own, as systemd sorts what it starts into such. They go with what is in them.
make_groups() {
    local top
    for top in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
        [[ -e $top/cgroup.procs ]] || continue
        mkdir "$top/arraylift-test.$$" 2>/dev/null || continue
        groups+=("$top/arraylift-test.$$")
        chown -R "$user" "${groups[-1]}"
    done
    ((${#groups[@]}))
}

remove_groups() {
    local group
    for group in "${groups[@]}"; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
}

# With mounts, processes and a network of its own, all of which end with it.
inside() {
    local files=$1 group
    shift
    for group in "$@"; do echo $$ >"$group/cgroup.procs"; done
    ip link set lo up
    mount -t tmpfs tmpfs /run
    mount -t tmpfs tmpfs /home
    mount -t tmpfs tmpfs /mnt
    mkdir -p /run/systemd/{system,unit-root} "/run/user/$user" /home/someone/.config/systemd/user
    cp "$files/usr/bin/arraylift" /mnt/
    sed 's|/usr/bin/arraylift|/mnt/arraylift|' "$files/usr/lib/systemd/user/arraylift.service" \
        >/home/someone/.config/systemd/user/arraylift.service
    chown -R "$user:$user" /home/someone "/run/user/$user"
    chmod 700 "/run/user/$user"

    as_user "$manager" --user --log-target=console >/mnt/log 2>&1 &
    for _ in {1..100}; do
        as_user systemctl --user is-system-running 2>/dev/null | grep -q 'running\|degraded' && break
        sleep 0.1
    done
    as_user systemctl --user is-system-running 2>/dev/null | grep -q 'running\|degraded' ||
        skip "it does not start here ($(tail -n 1 /mnt/log))"

    as_user systemctl --user start arraylift
    sleep 1
    as_user systemctl --user is-active arraylift || fail "it does not run"
    as_user /mnt/arraylift send range:0:1_000_000 127.0.0.1:25000 --preview 0 || fail "it takes nothing"
    [[ $(stat -c %s /home/someone/Arraylift/range.npy) == 8000128 ]] || fail "its folder lacks what it has taken"
    as_user /mnt/arraylift status | grep -q 'serve 127.0.0.1:25000' || fail "status does not see it"

    local process
    process=$(as_user systemctl --user show arraylift -p MainPID --value)
    as_service() { as_user nsenter --target "$process" --mount --user --preserve-credentials "$@"; }
    as_service touch /home/someone/Arraylift/inside || fail "it cannot write its folder"
    if as_service touch /home/someone/outside 2>/dev/null; then fail "it writes outside of its folder"; fi
    if as_service touch "/run/user/$user/outside" 2>/dev/null; then fail "it writes next to its control socket"; fi
    grep -q '^NoNewPrivs:.1' "/proc/$process/status" || fail "it can get rights"

    as_user systemctl --user stop arraylift
    [[ $(as_user systemctl --user show arraylift -p Result --value) == success ]] || fail "it does not end well"
    [[ $(as_user /mnt/arraylift history --json | grep -c '"command":"serve"') == 1 ]] || fail "its history lacks what it took"
}

as_user() {
    setpriv --reuid "$user" --regid "$user" --clear-groups env -i PATH=/usr/bin:/bin HOME=/home/someone \
        XDG_RUNTIME_DIR="/run/user/$user" "$@"
}

fail() {
    echo "the service: $1"
    as_user systemctl --user status arraylift --no-pager || true
    exit 1
}

if [[ $1 == --inside ]]; then
    inside "${@:2}"
    exit
fi
((EUID == 0)) || skip "only root can make users and mounts"
[[ -x $manager ]] || skip "there is no systemd"
for tool in setpriv nsenter ip; do command -v "$tool" >/dev/null || skip "there is no $tool"; done
setpriv --reuid "$user" --regid "$user" --clear-groups unshare --map-root-user --mount true 2>/dev/null ||
    skip "users get no namespaces here"
trap remove_groups EXIT
make_groups || skip "no group of processes can be made here"
unshare --mount --propagation private --net --pid --fork --kill-child --mount-proc "${BASH_SOURCE[0]}" --inside "$(realpath "$1")" \
    "${groups[@]}"
