#!/usr/bin/env bash
# The table of docs/validation.md: each row is whole, and README.md quotes independent ones only.
# usage: test_validation.sh ROOT. Cases in TAP; the rules are tried on broken copies first.
set -u
export LC_ALL=C

root=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/pagefold-validation-XXXXXX")
trap 'rm -rf "$folder"' EXIT
number=0

# rows_are_whole FILE: each row of the first table has a name, a command, a difference and a kind.
rows_are_whole()
{
    awk -F ' [|] ' '
        /^[|] what [|]/ { inside = 1; next }
        inside && !/^[|]/ { inside = 0; done = 1 }
        !inside || done || /^[|] ---/ { next }
        { rows++; kind = $NF; sub(/ *[|]$/, "", kind) }
        NF != 4 || $1 !~ /^[|] [*][*][^*]+[*][*]: ./ || $2 !~ /[^ ]/ || $3 !~ /[^ ]/ ||
        kind !~ /^(independent|arithmetic|tuned)($|[:;,.] )/ || seen[$1]++ {
            print FILENAME ":" FNR ": " substr($0, 1, 80); wrong = 1 }
        END { exit wrong || rows < 20 }' "$1"
}

# quotes_are_independent README VALIDATION: each "- **name**: " under "What it was compared with".
quotes_are_independent()
{
    awk -F ' [|] ' '
        NR == FNR { if ($NF ~ /^independent/) { split($1, part, "[*][*]"); kind[part[2]] = 1 } next }
        /^## / { inside = $0 == "## What it was compared with" }
        inside && /^- / { split($0, part, "[*][*]"); quotes++
            if (!(part[2] in kind)) { print FILENAME ":" FNR ": " part[2]; wrong = 1 } }
        END { exit wrong || quotes < 3 }' "$2" "$1"
}

tell()
{
    number=$((number + 1))
    echo "$1 $number $2"
    [[ $1 == ok ]] || sed 's/^/# /' "$folder/said"
}

# check SENTENCE COMMAND...; refuses SENTENCE COMMAND...
check() { "${@:2}" >"$folder/said" && tell ok "$1" || tell "not ok" "$1"; }
refuses() { "${@:2}" >"$folder/said" && tell "not ok" "$1" || tell ok "$1"; }

validation=$root/docs/validation.md
sed 's/| tuned: .*/| fitted |/' "$validation" >"$folder/kind.md"
sed 's/^| \*\*Coherence\*\*: /| /' "$validation" >"$folder/name.md"
sed '/^| \*\*Cachegrind\*\*/s/ | independent.*/ | tuned |/' "$validation" >"$folder/quoted.md"
refuses "the rule is alive: a row of another kind" rows_are_whole "$folder/kind.md"
refuses "the rule is alive: a row without a name" rows_are_whole "$folder/name.md"
refuses "the rule is alive: a quoted row that was tuned" \
    quotes_are_independent "$root/README.md" "$folder/quoted.md"
check "each comparison has a name, a command, a difference and its kind" rows_are_whole "$validation"
check "README.md quotes independent comparisons only" \
    quotes_are_independent "$root/README.md" "$validation"
echo "1..$number"
