/* Tells which misses of a cache are conflicts: those on lines that a cache of the same size without
 * sets, with true LRU, would have held (Hill and Smith, "Evaluating associativity in CPU caches",
 * IEEE TC 38(12), 1989). It stands before the cache as a port and takes no time.
 *
 * What it cannot do: it is not told of lines that are dropped because their frame moved (a memory
 * controller that remaps); a later miss on such a line counts as a conflict if it is still among
 * the latest lines. Write-backs from above move lines to the front like any access, but are not
 * counted as misses. */
#pragma once

#include "cache.h"
#include "port.h"
#include "stats.h"

typedef struct PfConflicts PfConflicts;

/* Before CACHE (borrowed) of LINES lines of LINE_BYTES. Registers conflict_misses in STATS. */
PfConflicts *pf_conflicts_new(PfCache *cache, uint64_t lines, uint64_t line_bytes,
                              PfStatsGroup *stats);
/* In its place, where conflicts are not told: the statistic is null. */
void pf_conflicts_register_none(PfStatsGroup *stats);
void pf_conflicts_free(PfConflicts *conflicts);

/* What the levels above ask in place of the cache. */
PfPort *pf_conflicts_port(PfConflicts *conflicts);
