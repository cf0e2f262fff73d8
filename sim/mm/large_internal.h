/* What the files of large pages share; nobody else includes this. */
#pragma once

#include "memory.h"

/* The run at INDEX, and the index of that which SLOT lies in, if it is known. */
PfLargeRun *large_run_at(const PfMemory *memory, uint32_t index);
bool large_find_run(const PfMemory *memory, PfSlot slot, uint32_t *ret_index);

/* Likewise, and it is known from now on; false if not all of it wants that. */
bool large_know_run(PfMemory *memory, PfSlot slot, uint32_t *ret_index);

/* Whether SLOT is anonymous memory that wants large pages. */
bool large_wants(const PfMemory *memory, PfSlot slot);

/* The run at INDEX gets a block of NODE or, unless it is bound to that, of the nearest that has
 * one. */
bool large_keep_block(PfMemory *memory, uint32_t index, unsigned node);

/* Whether the page at SLOT has an anonymous frame, by nobody's doing but its own. */
bool large_is_plain(const PfMemory *memory, PfSlot slot);
/* Whether it may be stored to, and is not mapped large; whether all PAGES may. */
bool large_is_open(const PfMemory *memory, PfSlot slot);
bool large_are_open(const PfMemory *memory, const PfRunPages *pages);
/* Whether the frames of PAGES follow each other from the first of a block on. */
bool large_are_in_row(const PfMemory *memory, const PfRunPages *pages);

/* PAGES are mapped large; the pages of the run of SLOT, which is, are mapped one by one. */
void large_map(PfMemory *memory, const PfRunPages *pages);
void large_unmap(PfMemory *memory, PfSlot slot);
