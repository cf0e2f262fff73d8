#!/usr/bin/env bash
# What a newcomer meets first: configurations, samples, quickstart.sh, the installed program.
# usage: test_quickstart.sh PAGEFOLD SOURCE_ROOT BUILD_ROOT. Cases in TAP.
set -u

pagefold=$(realpath "$1")
source_root=$(realpath "$2")
build_root=$(realpath "$3")
folder=$(mktemp -d "${TMPDIR:-/tmp}/pagefold-quickstart-XXXXXX")
trap 'rm -rf "$folder"' EXIT
export NO_COLOR=1 BUILD_ROOT=$build_root
number=0

# check SENTENCE COMMAND...: a case; what COMMAND says is shown if it fails.
check()
{
    local sentence=$1 said
    shift
    number=$((number + 1))
    if said=$("$@" 2>&1); then
        echo "ok $number $sentence"
    else
        echo "not ok $number $sentence"
        printf '%s\n' "$said" | tail -n 30 | sed 's/^/# /'
    fi
}

skip()
{
    number=$((number + 1))
    echo "ok $number $1 # SKIP $2"
}

# ends_with STATUS COMMAND...
ends_with()
{
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    ((status == wanted)) || { echo "exit status $status, not $wanted" && return 1; }
}

configurations_begin_with_a_sentence()
{
    local file
    for file in "$source_root"/configs/*.cfg "$source_root"/configs/*/*.cfg; do
        head -n 1 "$file" | grep -qE '^# [A-Z].*[.:]$' || { echo "$file" && return 1; }
    done
}

configurations_are_right()
{
    local file
    for file in "$source_root"/configs/*.cfg "$source_root"/configs/*/*.cfg; do
        "$pagefold" config check "$file" || return 1
    done
}

samples_are_whole()
{
    "$pagefold" trace verify "$source_root"/traces/samples/real-vms.pft &&
        "$pagefold" trace verify "$source_root"/traces/samples/real-pages.pft &&
        "$pagefold" trace verify "$source_root"/traces/samples/tiny.trace
}

samples_are_small()
{
    local bytes
    bytes=$(cat "$source_root"/traces/samples/*.pft | wc -c)
    ((bytes <= 4 * 1024 * 1024)) || { echo "$bytes bytes" && return 1; }
}

# saved_over_time RESULTS POLICY: saved pages at each epoch.
saved_over_time()
{
    awk -F , -v policy="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "memory.saved_pages") column = i }
        $1 == policy { print $column }' "$1/epochs.csv"
}

# From less than a twentieth of where they end, over fifty rows at least, and they stay.
savings_grow()
{
    saved_over_time "$1" esx | awk '
        NR == 1 { first = $1 } { last = $1 } $1 > top { top = $1 }
        END { print first, last, top; exit !(NR > 50 && first * 20 < last && last > 0.9 * top) }'
}

no_policy_beats_the_oracle()
{
    saved_over_time "$1" oracle >"$folder/oracle" && saved_over_time "$1" esx >"$folder/esx" &&
        paste "$folder/oracle" "$folder/esx" | awk '
            $2 > $1 { print "row " NR ": " $0; wrong = 1 } END { exit wrong || NR == 0 }'
}

two_passes_at_least()
{
    awk -F , '$1 == "esx" && $2 == "policy.passes" { passes = $4 }
              END { print passes; exit !(passes >= 2) }' "$1/stats.csv"
}

figures_are_there()
{
    grep -q '</svg>' "$1/plots/savings.svg" && grep -q '</svg>' "$1/plots/cycles.svg"
}

quickstart() { "$source_root/quickstart.sh" --program "$pagefold" "$@"; }

# left_running FOLDER: programs of quickstart.sh, whose output goes to logs there.
left_running()
{
    local log
    for log in /proc/[0-9]*/fd/1; do
        [[ $(readlink "$log" 2>/dev/null) == "$1"/*.log ]] && echo "$log"
    done
}

nothing_is_left() { [[ -z $(left_running "$1") ]] || { left_running "$1" && return 1; }; }

# stopped_in_the_middle FOLDER: a signal to the shell and to all that it started.
stopped_in_the_middle()
{
    setsid "$source_root/quickstart.sh" --program "$pagefold" --output "$1" >"$folder/log" 2>&1 &
    local shell=$! patience status=0
    for ((patience = 100; patience > 0; patience--)); do
        [[ -n $(left_running "$1") ]] && break
        sleep 0.05
    done
    kill -TERM -- "-$shell"
    wait "$shell" || status=$?
    ((patience > 0 && status == 143)) || { echo "status $status" && cat "$folder/log" && return 1; }
    nothing_is_left "$1"
}

installed_elsewhere()
{
    DESTDIR=$folder/root meson install -C "$build_root" --no-rebuild >/dev/null || return 1
    local program data
    program=$(find "$folder/root" -name pagefold -type f -perm -u+x)
    data=$(find "$folder/root" -path '*/share/pagefold' -type d)
    mkdir -p "$folder/links" && ln -sf "$program" "$folder/links/pf" && cd "$folder/links" &&
        ./pf run "$data/configs/quickstart.cfg" -o "$folder/installed" &&
        [[ -f $folder/installed/stats.json ]]
}

policies_can_be_compiled_against_the_installation()
{
    local headers
    headers=$(find "$folder/root" -path '*/include/pagefold' -type d)
    # shellcheck disable=SC2046
    cc -shared -fPIC -I"$headers" $(pkg-config --cflags glib-2.0) -o "$folder/first_match.so" \
        "$source_root/tests/policies/plugin_first_match.c"
}

check "each configuration begins with a sentence" configurations_begin_with_a_sentence
check "each configuration is right" configurations_are_right
check "the samples are whole" samples_are_whole
check "the samples have at most 4 MiB together" samples_are_small
check "quickstart.sh tells how it is used" quickstart --help
check "quickstart.sh refuses what it does not know" ends_with 2 quickstart --nonsense
check "quickstart.sh refuses an option without its value" ends_with 2 quickstart --output

if command -v gnuplot >/dev/null; then
    check "quickstart.sh runs on the sample" quickstart --sample --output "$folder/sample"
    check "the figures are drawn" figures_are_there "$folder/sample/run"
    check "it runs a second time" quickstart --sample --output "$folder/sample"
    check "quickstart.sh runs on live programs, or on the sample where it may not look at them" \
        quickstart --output "$folder/live"
    check "the programs that it started have ended" nothing_is_left "$folder/live"
    check "stopped in the middle it stops its programs" stopped_in_the_middle "$folder/stopped"
else
    for sentence in "quickstart.sh runs" "the figures are drawn"; do
        skip "$sentence" "gnuplot is not here"
    done
    "$pagefold" run "$source_root/configs/quickstart.cfg" -o "$folder/sample/run" >/dev/null 2>&1
fi
check "savings grow from nearly nothing over the run" savings_grow "$folder/sample/run"
check "at no time a policy beats the oracle" no_policy_beats_the_oracle "$folder/sample/run"
check "the scanner passes over memory twice at least" two_passes_at_least "$folder/sample/run"

check "installed, it runs from another folder through a link" installed_elsewhere
check "a policy compiles against the installed headers" \
    policies_can_be_compiled_against_the_installation
echo "1..$number"
