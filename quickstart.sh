#!/usr/bin/env bash
# From a fresh checkout to first figures: installs what is missing, builds, takes snapshots of three
# live programs, and shows what each policy would save on them.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: quickstart.sh [--sample] [--program FILE] [--output DIR] [--help]

Installs what is missing (Debian, as root or through sudo), builds pagefold, starts three small perl
programs, takes snapshots of their memory, and runs every policy of configs/quickstart.cfg on them.
Where the memory of live programs may not be read, the sample in traces/samples is taken. Nothing is
left running. It takes a minute or two, most of them for the build.

  --sample        start no programs, take the sample
  --program FILE  install and build nothing, use this pagefold
  --output DIR    where results go (default: out/quickstart in the checkout)
  --help          this text

BUILD_ROOT is the folder for the build (default: build/ in the checkout).
TEXT
}

output=out/quickstart
pagefold=
sample=false
while (($# > 0)); do
    case $1 in
    --sample) sample=true ;;
    --program | --output)
        (($# > 1)) || { usage >&2 && exit 2; }
        case $1 in
        --program) pagefold=$(realpath -- "$2") ;;
        --output) output=$(realpath -m -- "$2") ;;
        esac
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done

. "$(dirname "${BASH_SOURCE[0]}")/.ci/functions.sh"
cd "$checkout"

programs=()

stop_programs()
{
    local program
    for program in "${programs[@]}"; do
        kill "$program" 2>/dev/null || continue
        wait "$program" 2>/dev/null || true
    done
    programs=()
}
trap stop_programs EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts three programs and waits until each has its data in place.
start_programs()
{
    local name
    for name in ann bob cid; do
        rm -f "$output/$name.log"
        perl traces/samples/busy.pl "$name" 120 >"$output/$name.log" 2>&1 &
        programs+=($!)
    done
    local patience
    for name in ann bob cid; do
        for ((patience = 100; patience > 0; patience--)); do
            grep -qs '^ready$' "$output/$name.log" && break
            sleep 0.1
        done
        ((patience > 0)) || return 1
    done
}

# Sets `trace`.
record()
{
    trace=$output/perl.pft
    rm -f "$trace"
    if start_programs && "$pagefold" trace snapshot --epochs 9 --interval 500ms -o "$trace" \
        "${programs[@]}"; then
        note "recorded: $trace"
    else
        trace=traces/samples/real-vms.pft
        note "the memory of live programs cannot be read here (that needs root or ptrace rights):"
        note "taking $trace, three real virtual machines, instead"
    fi
    stop_programs
}

show()
{
    printf '$ pagefold %s\n\n' "$*"
    "$pagefold" "$@"
}

if [[ -z $pagefold ]]; then
    pagefold=$build_root/release/sim/app/pagefold
    heading "packages"
    install_packages build
    heading "build"
    build "$build_root/release" -Dtests=disabled
    note "built: $pagefold"
fi
mkdir -p "$output"

if $sample; then
    heading "a trace: three real virtual machines"
    trace=traces/samples/real-vms.pft
else
    heading "a trace: the memory of three perl programs, every half second for four seconds"
    record
fi
show trace info "$trace"

heading "a run: every policy on the same trace"
show run configs/quickstart.cfg --trace "$trace" -o "$output/run" --force --format table

heading "figures"
show plot "$output/run"
show plot "$output/run" --figure savings --figure cycles --term dumb

heading "done"
program=${pagefold#"$checkout/"}
note "in        $checkout"
note "program   $program"
note "trace     $trace"
note "results   $output/run (stats.json, stats.csv, epochs.csv, marks.csv, config.cfg)"
note "figures   $output/run/plots/savings.svg, $output/run/plots/cycles.svg"
note "next      $program --help"
note "          $program list policies"
note "          README.md"
