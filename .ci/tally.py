#!/usr/bin/env python3
"""Counts the cases of meson test logs: prints "PASSED FAILED SKIPPED".

usage: tally.py LOG.json...

A case is a line of TAP, or a whole test that speaks no TAP. What a test announced and did not tell,
and a test that ended in an error although each case that it told was well, count as failed. What
failed is named on stderr."""
import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b[ \t]*(\d*)[ \t]*([^#]*)(?:#[ \t]*(\w+)(.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)")
GOOD = ("OK", "EXPECTEDFAIL")


def tally(test):
    """The numbers of passed, failed and skipped cases of one test, and the names of the failed,
    each with the lines that the test told below it."""
    passed, failed, skipped, planned, names = 0, 0, 0, None, []
    is_telling = False
    for line in (test.get("stdout") or "").splitlines():
        plan = PLAN.match(line)
        case = CASE.match(line)
        if plan:
            planned = int(plan.group(1))
            continue
        if not case:
            if is_telling and line.startswith("#"):
                names[-1] += "\n    " + line
            continue
        is_skipped = (case.group(4) or "").upper() == "SKIP"
        is_telling = bool(case.group(1)) and not is_skipped
        if is_skipped:
            skipped += 1
        elif is_telling:
            failed += 1
            names.append(case.group(3).strip())
        else:
            passed += 1
    told = passed + failed + skipped
    result = test["result"]
    if told == 0 and result == "SKIP":
        return 0, 0, 1, names
    if told == 0 and result in GOOD and not planned:
        return 1, 0, 0, names
    silent = max(0, (planned or 0) - told)
    if silent == 0 and result not in GOOD + ("SKIP",) and failed == 0:
        silent = 1
    if silent > 0:
        failed += silent
        names.append("%s (%d cases not told, exit status %s)" % (
            result, silent, test.get("returncode")))
    return passed, failed, skipped, names


def main(paths):
    """Adds up the logs at PATHS; an unreadable one is one failed case."""
    totals = [0, 0, 0]
    for path in paths:
        try:
            with open(path, encoding="utf-8") as log:
                tests = [json.loads(line) for line in log if line.strip()]
        except (OSError, ValueError) as error:
            print("  not readable: %s" % error, file=sys.stderr)
            tests = []
        if not tests:
            totals[1] += 1
            print("  no tests in %s" % path, file=sys.stderr)
        for test in tests:
            *counts, names = tally(test)
            totals = [total + count for total, count in zip(totals, counts)]
            for name in names:
                print("  failed: %s: %s" % (test["name"], name), file=sys.stderr)
    print(*totals)


if __name__ == "__main__":
    main(sys.argv[1:])
