#!/usr/bin/env bash
# Runs every test of Arraylift. What is missing on a Debian machine with Rust is installed first, and named.
# What cannot be installed is named, too: the tests that need it are left out, and the summary says so.
set -euo pipefail
# shellcheck source=tests/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$root"

results=()
skipped=()
failures=0
home=$(mktemp -d)

finish() {
    end_display
    rm -rf "$home"
}
trap finish EXIT

# run NAME COMMAND...: one step; a failure is counted and the next step follows.
run() {
    local name=$1 log=$target/test.log start=$SECONDS outcome=passed counts
    shift
    step "$name"
    "$@" </dev/null 2>&1 | tee "$log" || outcome=FAILED
    [[ $outcome == passed ]] || failures=$((failures + 1))
    counts=$(awk '/^test result:/ { passed += $4; failed += $6; ignored += $8; any = 1 }
        END { if (any) printf "%d passed, %d failed, %d ignored, ", passed, failed, ignored }' "$log")
    results+=("$(printf '%-7s %s (%s%d s)' "$outcome" "$name" "$counts" $((SECONDS - start)))")
}

step "what is needed"
if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust first, see https://rustup.rs"
    exit 1
fi
packages=("${window_packages[@]}" at-spi2-core jwm mesa-vulkan-drivers libvulkan1 x11-utils python3-venv iproute2 openssl
    strace groff-base zsh fish fontconfig fonts-wqy-microhei)
command -v cc >/dev/null || packages+=(gcc libc6-dev)
need_packages "${packages[@]}"
need_python
need_nginx
need_tinyproxy
need_web_servers

# Everything is drawn by software, so that pictures are the same on every machine, and nothing of the user's is touched.
unset WAYLAND_DISPLAY WAYLAND_SOCKET DISPLAY
export LIBGL_ALWAYS_SOFTWARE=1 XDG_DATA_HOME=$home/data XDG_CONFIG_HOME=$home/config XDG_CACHE_HOME=$home/cache
drivers=(/usr/share/vulkan/icd.d/lvp_icd.*.json)
if [[ -e ${drivers[0]} ]]; then
    export VK_DRIVER_FILES=${drivers[0]} VK_ICD_FILENAMES=${drivers[0]}
else
    skipped+=("tests named snapshot: there is no Vulkan driver that draws in software (mesa-vulkan-drivers)")
fi
if command -v Xvfb >/dev/null && command -v xdotool >/dev/null && command -v import >/dev/null; then
    start_display || {
        failures=$((failures + 1))
        results+=("FAILED  the display did not start; what it said: $target/xvfb.log")
    }
else
    skipped+=("tests named window: they need Xvfb, xdotool and ImageMagick")
fi
[[ -x /usr/libexec/at-spi-bus-launcher ]] ||
    skipped+=("tests named at_spi: there is no bus of AT-SPI (at-spi2-core)")
command -v jwm >/dev/null || skipped+=("tests named window_manager: there is no window manager (jwm)")
if [[ -n $python ]]; then
    export ARRAYLIFT_PYTHON=$python
else
    skipped+=("tests named python: there is no Python with NumPy")
fi
if [[ -n $nginx ]]; then
    export ARRAYLIFT_NGINX=$nginx
else
    skipped+=("tests named nginx: there is no nginx")
fi
if [[ -n $tinyproxy ]]; then
    export ARRAYLIFT_TINYPROXY=$tinyproxy
else
    skipped+=("tests named tinyproxy: there is no tinyproxy")
fi
if [[ -n $web_python && -n $nginx ]]; then
    export ARRAYLIFT_WEB_PYTHON=$web_python
else
    skipped+=("tests named web_servers: there is no nginx, or no servers of tests/peers/web_servers.txt")
fi
strace -o /dev/null true 2>/dev/null ||
    skipped+=("tests named strace: there is no strace, or it may not look at a process here")
unshare -rm true 2>/dev/null ||
    skipped+=("tests named namespace: mounts of one's own are not allowed here (unshare -rm)")
if ((EUID != 0)) || ! command -v setpriv >/dev/null; then
    skipped+=("tests named another_user: only root can take another user's number (setpriv)")
fi
mkdir -p "$target/screenshots"
export ARRAYLIFT_SCREENSHOTS=$target/screenshots

if [[ -n $python ]]; then run "python peers" "$python" tests/peers/check.py; fi
# Its tests are all among the ones below: only that it builds without a window system is shown here.
run "headless build" cargo build --no-default-features
if ((${#skipped[@]} == 0)); then
    run "everything" cargo test --no-fail-fast --lib --bins --tests -- --include-ignored
else
    # By the first word that is quoted in `skipped`: tests that need what is missing are ignored ones with that name.
    leave_out=()
    for reason in "${skipped[@]}"; do
        name=${reason#tests named }
        leave_out+=(--skip "${name%%:*}")
    done
    run "everything but ignored tests" cargo test --no-fail-fast --lib --bins --tests
    run "ignored tests" cargo test --no-fail-fast --lib --bins --tests -- --ignored "${leave_out[@]}"
fi
run "kills" tests/kill.sh "$target/debug/arraylift" quick
run "power cuts" tests/power_cut.sh
run "slow disks" tests/slow_disk.sh
run "examples in the documentation" cargo test --doc
run "example: move a range and read it" cargo run --quiet --example move_range
run "example: receive into memory" cargo run --quiet --example receive_into_memory -- --alone
run "example: watch events" cargo run --quiet --example watch_events

step "summary"
printf '%s\n' "${results[@]}"
for reason in "${skipped[@]}"; do echo "skipped $reason"; done
screenshots=("$target"/screenshots/*)
if [[ -e ${screenshots[0]} ]]; then echo "screenshots: $target/screenshots"; fi
if ((failures)); then
    echo "FAILED: $failures of ${#results[@]} steps"
    exit 1
fi
echo "All that ran passed."
