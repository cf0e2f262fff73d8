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
        head -n 1 "$file" | grep -qE '^# [A-Z].*[.:?]$' || { echo "$file" && return 1; }
    done
}

configurations_are_right()
{
    local file
    for file in "$source_root"/configs/*.cfg "$source_root"/configs/*/*.cfg; do
        "$pagefold" config check "$file" || return 1
    done
}

# A warning about what came along would send its first user looking. three-vms has no trace yet.
configurations_run_without_a_warning()
{
    local file
    for file in "$source_root"/configs/*.cfg; do
        [[ $file == */three-vms.cfg ]] && continue
        "$pagefold" run "$file" --stop-after 50 2>&1 >/dev/null | grep -F "warning" && return 1
    done
    return 0
}

# Every page in a line: a page that nobody finds is not read.
index_names_each_page()
{
    local page
    for page in "$source_root"/docs/*.md; do
        [[ $page == */README.md ]] || grep -qF "](${page##*/})" "$source_root/docs/README.md" ||
            { echo "$page" && return 1; }
    done
    for page in "$source_root"/docs/lessons/*.md; do
        [[ $page == */README.md ]] || grep -qF "](${page##*/})" "$source_root/docs/lessons/README.md" ||
            { echo "$page" && return 1; }
    done
}

# Links to other places of the tree, without what is behind their #.
# anchors PAGE: of its headings, as the usual renderers of Markdown name them.
anchors() { sed -nE 's/^#+ +//p' "$1" | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g'; }

links_lead_somewhere()
{
    local page target file wrong=0
    while IFS= read -r page; do
        while IFS= read -r target; do
            file=$(dirname "$page")/${target%%#*}
            [[ $target != '#'* ]] || file=$page
            if [[ ! -e $file ]] ||
                { [[ $target == *'#'* ]] && ! anchors "$file" | grep -qxF -- "${target#*#}"; }; then
                echo "$page: $target"
                wrong=1
            fi
        done < <(grep -oE '\]\([^) ]+' "$page" | cut -c 3- | grep -v '://')
    done < <(find "$source_root/README.md" "$source_root/docs" "$source_root/traces" -name '*.md')
    return $wrong
}

# Where a page lists its sections, all of them are in the list.
contents_are_complete()
{
    local page section wrong=0
    while IFS= read -r page; do
        while IFS= read -r section; do
            grep -q "^- \[.*(#$section)" "$page" || { echo "$page: $section is not listed" && wrong=1; }
        done < <(grep -q '^- \[.*(#' "$page" && grep -E '^## ' "$page" | anchors /dev/stdin)
    done < <(find "$source_root/docs" -name '*.md')
    return $wrong
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

# Moved away from where it was installed, so that nothing is found there or in the build by accident.
installed_elsewhere()
{
    DESTDIR=$folder/root meson install -C "$build_root" --no-rebuild >/dev/null || return 1
    local program
    program=$(find "$folder/root" -name pagefold -type f -perm -u+x)
    mv "$(dirname "$(dirname "$program")")" "$folder/moved" && rm -rf "$folder/root" &&
        mkdir -p "$folder/links" && ln -sf "$folder/moved/bin/pagefold" "$folder/links/pf" &&
        cd "$folder/links" &&
        ./pf run "$folder/moved/share/pagefold/configs/quickstart.cfg" -o "$folder/installed" &&
        [[ -f $folder/installed/stats.json ]]
}

# All but the one whose trace the user generates.
installed_examples_run()
{
    local file
    cd "$folder/links" || return 1
    for file in "$folder"/moved/share/pagefold/configs/*.cfg; do
        [[ $file == */three-vms.cfg ]] || ./pf run --dry-run "$file" || return 1
    done
    for file in "$folder"/moved/share/pagefold/configs/*/*.cfg; do
        ./pf config check "$file" || return 1
    done
    ./pf config explain machine.cam >/dev/null &&
        ./pf potential "$folder/moved/share/pagefold/traces/samples/real-pages.pft" >/dev/null
}

# From a folder that has none of the paths that --help and the documents name; one's own go first.
installed_examples_are_found()
{
    local pf=$folder/links/pf
    mkdir -p "$folder/bare/own/configs" && cd "$folder/bare" || return 1
    "$pf" run configs/tiny.cfg 2>said &&
        grep -qx "pagefold: configs/tiny.cfg is not here: taking $folder/moved/.*/tiny.cfg" said &&
        "$pf" explain traces/stories/fork.trace --config configs/collapse-stories.cfg >/dev/null &&
        "$pf" sweep expand configs/studies/cam-break-even.cfg >/dev/null &&
        echo 'trace = "traces/samples/tiny.trace";' >demo.cfg && "$pf" run demo.cfg &&
        "$pf" run demo.cfg -x seed=1,2 -o seeds 2>said && (($(grep -c 'is not here' said) == 1)) || return 1
    ends_with 2 "$pf" run configs/nowhere.cfg 2>&1 | grep -qF ' configs/nowhere.cfg: No such file' &&
        ends_with 2 "$pf" run tiny.cfg || return 1
    cd own && echo nonsense >configs/tiny.cfg && ends_with 2 "$pf" run configs/tiny.cfg
}

installed_recorder_is_found()
{
    [[ ! -e $folder/moved/libexec/pagefold-record ]] || "$folder/links/pf" trace record --help
}

# pkg-config names where it was installed; what was moved is found by -I.
policies_can_be_compiled_against_the_installation()
{
    local flags source
    cd "$folder/links" || return 1
    PKG_CONFIG_PATH=$(dirname "$(find "$folder/moved" -name pagefold-policy.pc)") \
        pkg-config --cflags pagefold-policy | grep -q '/include/pagefold ' || return 1
    flags="-I$folder/moved/include/pagefold $(pkg-config --cflags glib-2.0)"
    for source in policy_skeleton plugin_first_match plugin_bloom; do
        # shellcheck disable=SC2086
        cc -shared -fPIC $flags -o $source.so "$folder/moved/share/pagefold/examples/$source.c" &&
            ./pf list policies --plugin ./$source.so >/dev/null || return 1
    done
    ./pf check-policy ./plugin_first_match.so --seed 1 --records 20
}

check "each configuration begins with a sentence" configurations_begin_with_a_sentence
check "each configuration is right" configurations_are_right
check "each configuration of a run runs without a warning" configurations_run_without_a_warning
check "each page is in the index of pages" index_names_each_page
check "links between pages lead somewhere" links_lead_somewhere
check "a page that lists its sections lists them all" contents_are_complete
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

check "installed and moved, it runs from another folder through a link" installed_elsewhere
check "the installed examples run" installed_examples_run
check "what documents name is found in the installation, from any folder" installed_examples_are_found
check "the installed recorder is found" installed_recorder_is_found
check "policies compile against the installed headers, and keep the laws" \
    policies_can_be_compiled_against_the_installation
echo "1..$number"
