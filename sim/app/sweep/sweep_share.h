/* What runs of a sweep share while they play: decoded traces, and the store of contents.
 *
 * Both are kept while they are small and given up when they grow, so that memory is bounded by the
 * budget and the runs at work, whatever the number of points. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "content.h"
#include "trace_tape.h"

typedef struct PfSweepShare PfSweepShare;

/* Bytes that decoded traces may take, and a store before the next run begins another one. */
#define PF_SWEEP_SHARE_BYTES ((uint64_t)256 << 20)

/* Nothing is shared yet. */
PfSweepShare *pf_sweep_share_new(void);
void pf_sweep_share_free(PfSweepShare *share);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSweepShare, pf_sweep_share_free)

/* What a run borrows. */
typedef struct {
    const PfTraceTape *tape; /* NULL: the trace is too long to be kept */
    PfContentStore *store;
} PfSweepLoan;

/* Lends what the trace at PATH needs. Only the first who asks decodes; others wait. A
 * damaged trace fails with PF_ERROR_TRACE. */
bool pf_sweep_share_take(PfSweepShare *share, const char *path, PfSweepLoan *ret_loan,
                         GError **error);
void pf_sweep_share_give_back(PfSweepShare *share, const PfSweepLoan *loan);
