/* Page contents as specifications: equality, numbering in order of first use. */
#pragma once

#include "trace.h"

/* SPEC in the one way that equal contents of its form are written: an ID without a changed byte has
 * `at` 0, BYTES end with a byte that is not zero, and no such byte or only 0xff bytes become ZERO
 * and ONES. */
PfContentSpec pf_content_spec_normal(const PfContentSpec *spec, uint32_t page_bytes);

/* Whether all LENGTH BYTES, at least one, are zero. */
bool pf_content_is_zero(const uint8_t *bytes, size_t length);

/* What is wrong with SPEC where pages have PAGE_BYTES bytes, or NULL. */
const char *pf_content_spec_problem(const PfContentSpec *spec, uint32_t page_bytes);

/* Contents that were met, by number. */
typedef struct PfContentPool PfContentPool;

/* KEEPS_BYTES: specs can be asked for again, so all bytes are kept. Else bytes are kept up to a
 * bound, for comparison with what follows; beyond it the 128-bit digest alone decides. */
PfContentPool *pf_content_pool_new(bool keeps_bytes);
void pf_content_pool_free(PfContentPool *pool);

/* The number of normal SPEC; RET_IS_NEW tells whether it was met for the first time. */
uint32_t pf_content_pool_add(PfContentPool *pool, const PfContentSpec *spec, bool *ret_is_new);

/* Contents numbered so far. */
uint32_t pf_content_pool_count(const PfContentPool *pool);

/* The content with NUMBER of a pool that keeps bytes; borrowed from it. */
PfContentSpec pf_content_pool_get(const PfContentPool *pool, uint32_t number);
