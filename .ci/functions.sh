# shellcheck shell=bash
# What quickstart.sh and run-tests.sh share. Sourced, by bash.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_root=${BUILD_ROOT:-$checkout/build}
mkdir -p "$build_root"
build_root=$(cd "$build_root" && pwd)

heading() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }

fail()
{
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# install_packages PURPOSE...: what .ci/packages lists for these purposes and is not there yet.
install_packages()
{
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        note "no apt-get here: taking for granted what .ci/packages lists"
        return 0
    fi
    local name purpose missing=()
    while read -r name purpose; do
        [[ -n $name && $name != '#'* && " $* " == *" $purpose "* ]] || continue
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed ||
            missing+=("$name")
    done <"$checkout/.ci/packages"
    if ((${#missing[@]} == 0)); then
        note "all packages are there"
        return 0
    fi
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
    if (($(id -u) != 0)); then
        command -v sudo >/dev/null ||
            fail "not root, and no sudo: as root, run apt-get install ${missing[*]}"
        apt=(sudo "${apt[@]}")
    fi
    note "installing ${missing[*]}"
    # Lists that are there may still do; only if they do not are they fetched.
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" \
            >/dev/null; } ||
        fail "apt-get could not install ${missing[*]}"
}

# set_up FOLDER [MESON OPTION]...: what meson has to say is of interest only if it fails.
set_up()
{
    local said
    said=$(meson setup "$1" "$checkout" "${@:2}" 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
}

# compile FOLDER: progress on one line of a terminal, elsewhere what goes wrong.
compile()
{
    local quiet=(--quiet)
    [[ -t 1 ]] && quiet=()
    ninja -C "$1" "${quiet[@]}"
}

# build FOLDER [MESON OPTION]...: sets FOLDER up, anew if what is there is of no use, and builds.
build()
{
    local folder=$1 options="${CC-} ${*:2}"
    if [[ -f $folder/build.ninja && $(cat "$folder/options" 2>/dev/null) == "$options" ]]; then
        compile "$folder" && return 0
        note "$folder does not build as it is: starting afresh"
    fi
    rm -rf "$folder"
    set_up "$@" && printf '%s\n' "$options" >"$folder/options" && compile "$folder"
}
