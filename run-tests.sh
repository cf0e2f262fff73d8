#!/usr/bin/env bash
# Builds pagefold in two ways, runs the whole suite on each, and ends with one line of numbers.
set -euo pipefail

usage()
{
    cat <<'TEXT'
usage: run-tests.sh [--quick] [--no-kernel] [--help]

Installs what is missing (Debian, as root or through sudo), builds with gcc, and with clang and its
AddressSanitizer and UndefinedBehaviorSanitizer, and runs the whole suite on each; on the first once
more, but for policies and models, under a locale that writes a comma in numbers. Compiler warnings
are errors.
Where it can be had (root, Linux 6.11 or later), the policy ksm is compared with the running kernel's
KSM, which takes up to two minutes and leaves the kernel's settings as they were.
The last line tells how many cases passed, failed and were skipped, over all builds.

  --quick      the gcc build only
  --no-kernel  leave the running kernel's KSM alone; stored counts are compared in any case
  --help       this text

BUILD_ROOT is the folder for the builds (default: build/ in the checkout). Logs are in
BUILD_ROOT/NAME/meson-logs.
TEXT
}

quick=false
kernel=true
for argument; do
    case $argument in
    --quick) quick=true ;;
    --no-kernel) kernel=false ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

. "$(dirname "${BASH_SOURCE[0]}")/.ci/functions.sh"

# What drives the host's kernel runs once, and alone.
suites=(--no-suite kernel)

passed=0
failed=0
skipped=0

# What meson finds in the environment must not make one run differ from another.
unset CFLAGS CPPFLAGS LDFLAGS MESON_TESTTHREADS LANGUAGE LC_ALL LOCPATH
export LC_CTYPE=C.UTF-8

# suite NAME LOG [ENVIRONMENT...]: runs the suite of build NAME and adds up what it says.
suite()
{
    local name=$1 log=$2 counts
    shift 2
    local json=$build_root/$name/meson-logs/$log.json
    rm -f "$json"
    # Its status says no more than the log does, and a crash of the harness leaves no log.
    env "$@" meson test -C "$build_root/$name" --no-rebuild "${suites[@]}" --logbase "$log" --timeout-multiplier 3 ||
        true
    counts=$(python3 "$checkout/.ci/tally.py" "$json")
    read -r -a counts <<<"$counts"
    note "$name: ${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped"
    passed=$((passed + counts[0]))
    failed=$((failed + counts[1]))
    skipped=$((skipped + counts[2]))
}

# build_and_test NAME [MESON OPTION]...: a build that fails is one failed case.
build_and_test()
{
    local name=$1
    shift
    heading "build: $name"
    if ! build "$build_root/$name" "$@"; then
        note "the build failed"
        failed=$((failed + 1))
        return 0
    fi
    heading "test: $name"
    suite "$name" testlog
}

# A locale whose decimal sign is a comma, compiled into the build folder: needs no rights. Tests
# that look for one find it there, too.
make_comma_locale()
{
    local folder=$build_root/locales
    mkdir -p "$folder"
    if [[ -d $folder/de_DE.UTF-8 ]] ||
        localedef --no-archive -i de_DE -f UTF-8 "$folder/de_DE.UTF-8" 2>/dev/null; then
        export LOCPATH=$folder
    else
        note "localedef cannot make de_DE.UTF-8 here (package locales)"
    fi
}

test_comma_locale()
{
    if [[ -n ${LOCPATH-} && -f $build_root/gcc/build.ninja ]]; then
        suite gcc comma LC_ALL=de_DE.UTF-8
    else
        note "skipped: there is no such locale, or no build"
        skipped=$((skipped + 1))
    fi
}

main()
{
    local name
    heading "packages"
    install_packages build test
    make_comma_locale

    CC=gcc build_and_test gcc -Dwerror=true
    if $kernel; then
        heading "test: gcc, against the running kernel"
        suites=(--suite kernel)
        suite gcc kernel
        suites=(--no-suite kernel)
    fi
    if ! $quick; then
        heading "test: gcc, under a comma locale"
        # Where numbers are neither read nor written, and long documents, which use nothing else.
        suites=(--no-suite kernel)
        for name in policies models mm state fuzz live record long; do
            suites+=(--no-suite "$name")
        done
        test_comma_locale
        suites=(--no-suite kernel)
        # Without strict_string_checks: each search in a text of megabytes would read all of it.
        export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
        export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
        export G_SLICE=always-malloc
        # Of clang, plug-ins that take their symbols from the program need undefined ones.
        CC=clang build_and_test clang -Dwerror=true -Dbuildtype=debugoptimized \
            -Db_sanitize=address,undefined -Db_lundef=false
        unset ASAN_OPTIONS UBSAN_OPTIONS G_SLICE
    fi

    heading "all builds"
    local line="$passed passed, $failed failed"
    ((skipped == 0)) || line+=", $skipped skipped"
    echo "$line"
    ((failed == 0 && passed > 0))
}

main
