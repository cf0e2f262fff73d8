/* Memory as it is at a place in a trace, told as the beginning of another trace: contexts, what
 * they have mapped, what pages hold, which frames they share, what is pinned.
 *
 * Nearly all of it is `map`, `state`, `alias` and `attr`, which cost a run nothing or what a fork
 * costs. What cannot be said so is told by accesses: bytes that nobody knows by a write of one
 * byte, a page that was copied from its file and holds the same by a touch. */
#pragma once

#include "maps.h"
#include "walk.h"

#define PF_TELL_DROPPED UINT32_MAX

typedef struct {
    const PfWalk *walk;
    const PfMaps *maps;
    PfTraceWriter *writer;
    const uint32_t *numbers; /* by context: its number in what is written, PF_TELL_DROPPED: none */
} PfTellOptions;

/* Tells all contexts that have a number, those that have exited included, in order. */
void pf_tell_memory(const PfTellOptions *options);
