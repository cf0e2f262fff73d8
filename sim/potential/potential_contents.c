#include "potential_contents.h"

#include <string.h>

enum { FIRST_INDEX_SLOTS = 1024, EXCERPT_STEP_BYTES = 16 };

/* A slot of the index: enough of the identity that other contents are hardly ever looked at. */
#define NUMBER_MASK ((uint64_t)UINT32_MAX)

void pf_content_table_init(PfContentTable *table)
{
    *table = (PfContentTable){.index_mask = FIRST_INDEX_SLOTS - 1, .shared_count = 1};
    pf_seg_array_init(&table->contents, sizeof(PfDistinctContent));
    pf_seg_array_init(&table->shared, sizeof(PfCopiedContent));
    table->index = g_new0(uint64_t, FIRST_INDEX_SLOTS);
}

void pf_content_table_clear(PfContentTable *table)
{
    pf_seg_array_clear(&table->contents);
    pf_seg_array_clear(&table->shared);
    g_free(table->index);
    table->index = NULL;
}

static PfDistinctContent *content_at(const PfContentTable *table, uint32_t number)
{
    return pf_seg_array_at(&table->contents, number);
}

static PfCopiedContent *shared_at(const PfContentTable *table, uint32_t number)
{
    return pf_seg_array_at(&table->shared, number);
}

/* Grown at three quarters. An identity is a hash already: its bits need no mixing. */
static void grow_index(PfContentTable *table)
{
    g_free(table->index);
    table->index_mask = 2 * table->index_mask + 1;
    table->index = g_new0(uint64_t, table->index_mask + 1);
    for (uint32_t number = 0; number < table->count; number++) {
        PfIdentity identity = content_at(table, number)->identity;
        uint64_t slot = identity.low & table->index_mask;
        while (table->index[slot] != 0)
            slot = (slot + 1) & table->index_mask;
        table->index[slot] = (identity.high & ~NUMBER_MASK) | (number + 1);
    }
}

/* The slot where IDENTITY stands or belongs. */
static uint64_t find_slot(const PfContentTable *table, PfIdentity identity)
{
    uint64_t slot = identity.low & table->index_mask;
    for (;; slot = (slot + 1) & table->index_mask) {
        uint64_t value = table->index[slot];
        if (value == 0)
            return slot;
        if (((value ^ identity.high) & ~NUMBER_MASK) != 0)
            continue;
        const PfDistinctContent *content = content_at(table, (uint32_t)(value & NUMBER_MASK) - 1);
        if (content->identity.low == identity.low && content->identity.high == identity.high)
            return slot;
    }
}

static void keep_excerpt(PfCopiedContent *shared, const PfContentSighting *sighting)
{
    uint32_t at = 0;
    if (sighting->bytes == NULL)
        return;
    while (at < sighting->page_bytes && sighting->bytes[at] == 0)
        at++;
    if (at == sighting->page_bytes)
        return;
    shared->excerpt_offset = at - at % EXCERPT_STEP_BYTES;
    shared->excerpt_length = MIN(PF_EXCERPT_BYTES, sighting->page_bytes - shared->excerpt_offset);
    memcpy(shared->excerpt, sighting->bytes + shared->excerpt_offset, shared->excerpt_length);
}

/* The content has its second copy, the sighting: its contexts are counted from now on. */
static void begin_shared(PfContentTable *table, PfDistinctContent *content,
                         const PfContentSighting *sighting)
{
    content->shared = table->shared_count++;
    pf_seg_array_reserve(&table->shared, table->shared_count);
    PfCopiedContent *shared = shared_at(table, content->shared);
    shared->places[0].context = content->first_context;
    shared->places[0].copies = 1;
    keep_excerpt(shared, sighting);
}

static void begin_content(PfContentTable *table, uint64_t slot, const PfContentSighting *sighting)
{
    uint32_t number = table->count++;
    pf_seg_array_reserve(&table->contents, table->count);
    PfDistinctContent *content = content_at(table, number);
    content->identity = sighting->identity;
    content->contexts = 1;
    content->first_context = content->last_context = sighting->context;
    content->first_address = sighting->address;
    content->copies[sighting->kind] = 1;
    table->index[slot] = (sighting->identity.high & ~NUMBER_MASK) | (number + 1);
    if (4 * (uint64_t)table->count > 3 * table->index_mask)
        grow_index(table);
}

PfContentNovelty pf_content_table_add(PfContentTable *table, const PfContentSighting *sighting)
{
    uint64_t slot = find_slot(table, sighting->identity);
    if (table->index[slot] == 0) {
        begin_content(table, slot, sighting);
        return (PfContentNovelty){.is_new = true, .is_new_here = true};
    }
    PfDistinctContent *content =
        content_at(table, (uint32_t)(table->index[slot] & NUMBER_MASK) - 1);
    if (content->shared == 0)
        begin_shared(table, content, sighting);
    PfContentNovelty novelty = {.is_new_here = content->last_context != sighting->context};
    content->contexts += novelty.is_new_here;
    content->last_context = sighting->context;
    content->copies[sighting->kind]++;
    PfCopiedContent *shared = shared_at(table, content->shared);
    if (content->contexts <= PF_SHARED_PLACES) {
        shared->places[content->contexts - 1].context = sighting->context;
        shared->places[content->contexts - 1].copies++;
    }
    return novelty;
}

const PfDistinctContent *pf_content_table_at(const PfContentTable *table, uint32_t index)
{
    return index < table->count ? content_at(table, index) : NULL;
}

const PfCopiedContent *pf_content_table_shared(const PfContentTable *table,
                                               const PfDistinctContent *content)
{
    return content->shared != 0 ? shared_at(table, content->shared) : NULL;
}

uint64_t pf_content_table_bytes(const PfContentTable *table)
{
    return (uint64_t)table->count * sizeof(PfDistinctContent) +
           (uint64_t)table->shared_count * sizeof(PfCopiedContent) +
           (table->index_mask + 1) * sizeof *table->index;
}
