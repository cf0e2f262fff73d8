#!/usr/bin/env bash
# Three users of one tree of programs, and three users with a copy of the tree each, as live
# processes: what the four baselines say of them, with and without address-space randomisation.
# usage: test_program_trees.sh PAGEFOLD. Cases in TAP, after the table as comments.
set -u
export LC_ALL=C

pagefold=$(realpath "$1")
folder=$(mktemp -d "${TMPDIR:-/tmp}/pagefold-trees-XXXXXX")
sessions=()

end_sessions()
{
    ((${#sessions[@]} == 0)) && return
    kill "${sessions[@]}" 2>/dev/null
    wait "${sessions[@]}" 2>/dev/null
    sessions=()
}
trap 'end_sessions; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

skip_all()
{
    echo "1..0 # SKIP $1"
    exit 0
}

number=0
# check SENTENCE EXPRESSION: a case, of awk.
check()
{
    number=$((number + 1))
    if awk "BEGIN { exit !($2) }"; then
        echo "ok $number $1"
    else
        echo "not ok $number $1"
        echo "# $2"
    fi
}

# make_tree FOLDER: bash, perl and (where it is installed) gnuplot with all their libraries, and
# what each user runs.
make_tree()
{
    local name path
    mkdir -p "$1/bin" "$1/lib"
    for name in "${programs[@]}"; do
        cp -L "$(command -v "$name")" "$1/bin/$name"
        while read -r path; do
            cp -L "$path" "$1/lib/" && [[ $path == */ld-* ]] && cp -L "$path" "$1/lib/ld.so"
        done < <(ldd "$1/bin/$name" | grep -o '/[^ ]*')
    done
    cat "$1"/bin/* | head -c 1M >"$1/document"
    cat >"$1/session.perl" <<'SCRIPT'
my ($user, $tree) = @ARGV;
open(my $file, "<", "$tree/document") or die;
read($file, my $document, 1 << 20);
my $own = join("", map { sprintf("%s %08x\n", $user, $_) } 1 .. 20000);
my %words = map { ("word $_" => [$_, $_ * $_]) } 1 .. 5000;
$| = 1;
print "ready\n";
<STDIN>;
SCRIPT
    cat >"$1/session.bash" <<'SCRIPT'
declare -A words
for ((i = 0; i < 5000; i++)); do words[word $i]=$i; done
own=$1
while ((${#own} < 200000)); do own+=$own; done
echo ready
read -r
SCRIPT
    cat >"$1/session.gnuplot" <<'SCRIPT'
array numbers[5000]
do for [i = 1:5000] { numbers[i] = sprintf("%d", i) }
set print "-"
print "ready"
pause -1
SCRIPT
}

# start_user USER TREE [COMMAND...]: the programs of TREE, by COMMAND. They wait on a pipe once they
# have said "ready".
start_user()
{
    local user=$1 tree=$2 name log
    shift 2
    for name in "${programs[@]}"; do
        log=$folder/log.${#sessions[@]}
        env -i HOME=/ PERL_HASH_SEED=0 PERL_PERTURB_KEYS=0 "$@" "$tree/lib/ld.so" --inhibit-cache \
            --library-path "$tree/lib" "$tree/bin/$name" "$tree/session.$name" "$user" "$tree" \
            <&3 >"$log" 2>&1 &
        sessions+=($!)
    done
}

# Each has said that it is ready, and sleeps in its read. Half a minute at most.
wait_for_sessions()
{
    local i patience state
    for ((i = 0; i < ${#sessions[@]}; i++)); do
        for ((patience = 600; patience > 0; patience--)); do
            state=$(sed 's/.*) //; s/ .*//' "/proc/${sessions[i]}/stat" 2>/dev/null)
            grep -qs '^ready$' "$folder/log.$i" && [[ $state == S ]] && break
            kill -0 "${sessions[i]}" 2>/dev/null || return 1
            sleep 0.05
        done
        ((patience > 0)) || return 1
    done
}

# measure NAME: the sessions' baselines in pages, as NAME_none, NAME_mmap, NAME_ksm and NAME_cbps.
measure()
{
    wait_for_sessions || { cat "$folder"/log.* && echo "Bail out! a session did not begin" && exit 1; }
    "$pagefold" trace snapshot -o "$folder/now.pft" "${sessions[@]}" 2>"$folder/error" ||
        skip_all "processes may not be looked at here: $(tail -n 1 "$folder/error")"
    end_sessions
    read -r "$1_none" "$1_mmap" "$1_ksm" "$1_cbps" < <(
        "$pagefold" potential "$folder/now.pft" --format csv | awk -F, '
            $1 == "" && ($3 == "no_sharing" || $3 == "mmap_fork") { count[$3] = $4 }
            $3 == "shared" { count[$1] = $4 }
            END { print count["no_sharing"], count["mmap_fork"], count["ksm_hint_all"], count["cbps"] }')
    rm -f "$folder/now.pft"
}

# measure_all PREFIX [COMMAND...]
measure_all()
{
    local prefix=$1 user
    shift
    start_user user1 "$folder/tree1" "$@"
    measure "${prefix}_one"
    for user in 1 2 3; do start_user "user$user" "$folder/tree1" "$@"; done
    measure "${prefix}_tree"
    for user in 1 2 3; do start_user "user$user" "$folder/tree$user" "$@"; done
    measure "${prefix}_copies"
}

# tell PREFIX WORDS: rows of the table, in pages and as parts of what one user takes.
tell()
{
    local case row
    for case in one:"one user" tree:"three users, one tree" copies:"three users, three copies"; do
        row=$1_${case%%:*}
        local none=${row}_none mmap=${row}_mmap ksm=${row}_ksm cbps=${row}_cbps one=$1_one_mmap
        awk -v what="${case#*:}, $2" -v a="${!none}" -v b="${!mmap}" -v c="${!ksm}" \
            -v d="${!cbps}" -v one="${!one}" 'BEGIN {
                printf "# %-41s %6d %6d %6d %6d   %.3f %.3f %.3f %.3f\n", what, a, b, c, d,
                       a / one, b / one, c / one, d / one }'
    done
}

programs=(bash perl)
command -v gnuplot >/dev/null && programs+=(gnuplot)
mkfifo "$folder/pipe" && exec 3<>"$folder/pipe"
make_tree "$folder/tree1"
cp -r "$folder/tree1" "$folder/tree2"
cp -r "$folder/tree1" "$folder/tree3"

printf '# %-41s %6s %6s %6s %6s   and in parts of one user\n' \
    "pages of ${programs[*]}" none mmap KSM CBPS
measure_all random
tell random "randomised"
check "three copies need more than one tree where only frames are shared" \
    "$random_copies_mmap > 1.2 * $random_tree_mmap"
check "full CBPS brings three copies to what it makes of one tree, within 2 %" \
    "$random_copies_cbps < 1.02 * $random_tree_cbps && $random_copies_cbps > 0.98 * $random_tree_cbps"
check "KSM does not: pages of files stay" "$random_copies_ksm > 1.2 * $random_tree_ksm"

machine=$(uname -m)
if [[ $(cat /proc/sys/kernel/randomize_va_space) != 2 ]]; then
    echo "ok $((number + 1)) randomisation makes contents differ # SKIP it is switched off here"
elif ! setarch "$machine" -R true 2>/dev/null; then
    echo "ok $((number + 1)) randomisation makes contents differ # SKIP setarch -R is not allowed here"
else
    measure_all fixed setarch "$machine" -R
    tell fixed "not randomised"
    check "randomisation makes contents differ" "$fixed_tree_cbps < $random_tree_cbps"
    check "it makes KSM find less" "$fixed_tree_ksm < $random_tree_ksm"
    check "it does not change what frames are shared, within 2 %" \
        "$fixed_tree_mmap < 1.02 * $random_tree_mmap && $fixed_tree_mmap > 0.98 * $random_tree_mmap"
    check "without it full CBPS still brings copies to one tree, within 2 %" \
        "$fixed_copies_cbps < 1.02 * $fixed_tree_cbps && $fixed_copies_cbps > 0.98 * $fixed_tree_cbps"
fi
echo "1..$number"
