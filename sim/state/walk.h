/* What memory holds at a place in a trace, without a machine and without a policy. */
#pragma once

#include "image.h"

typedef struct {
    PfContentStore *store;
    PfImage *image;
} PfWalk;

/* Larger pages are not kept: a trace that is made to do harm would fill the host by a few. */
#define PF_WALK_PAGE_BYTES_MAX (1U << 21)

/* Memory before the first record of a trace with pages of PAGE_BYTES. */
void pf_walk_init(PfWalk *walk, uint32_t page_bytes);
/* Also for one that is all 0. */
void pf_walk_clear(PfWalk *walk);

/* Takes the records [FROM, TO) of BLOCK. pf_image_add_contents is called by whoever has read the
 * block. False with PF_ERROR_TRACE, without a place, and the index of the record by RET_BAD; there
 * is nothing to be had from the walk then. So it is with more than 2^26 pages in a record. */
bool pf_walk_records(PfWalk *walk, const PfRecordBlock *block, uint32_t from, uint32_t to,
                     uint32_t *ret_bad, GError **error);
