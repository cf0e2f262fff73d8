/* Values from one to another, by adding or by multiplying, in exact decimal arithmetic. */
#pragma once

#include <glib.h>

/* Each is configuration syntax or a bare word: 1024, 0.5, "64KiB", 64KiB. */
typedef struct {
    const char *from;
    const char *to;
    const char *add; /* one of these two, the other NULL */
    const char *mul;
} PfSweepRange;

enum { PF_SWEEP_VALUES_MAX = 1000000 };

/* FROM, and then each value as long as it is not beyond TO, as configuration syntax. Quantities
 * have the unit of FROM, and are in the smallest unit where that takes more than nine decimals;
 * numbers have a point where FROM, ADD or MUL has one. Free with g_strfreev. NULL with
 * PF_ERROR_CONFIG, which does not say where. */
char **pf_sweep_range_values(const PfSweepRange *range, GError **error);
