#include "walk.h"

#include "error.h"

/* Beyond this a trace that is written wrong, or to do harm, would fill the host: a record of more
 * pages, more pages in all. */
static const uint64_t record_pages_max = (uint64_t)1 << 26;
static const uint64_t slots_max = (uint64_t)1 << 28;

void pf_walk_init(PfWalk *walk, uint32_t page_bytes)
{
    walk->store = pf_content_store_new(page_bytes);
    walk->image = pf_image_new(walk->store, page_bytes);
}

void pf_walk_clear(PfWalk *walk)
{
    g_clear_pointer(&walk->image, pf_image_free);
    g_clear_pointer(&walk->store, pf_content_store_free);
}

/* The records of BLOCK from FROM on. */
static bool take(PfWalk *walk, const PfRecordBlock *block, uint32_t from, uint32_t *ret_bad,
                 GError **error)
{
    while (from < block->count) {
        uint32_t to;
        bool structural;
        if (!pf_image_prepare(walk->image, block, from, &to, &structural, error)) {
            *ret_bad = to;
            return false;
        }
        pf_image_commit(walk->image);
        from = to;
    }
    return true;
}

/* A record of very many pages, in parts. */
static bool take_long(PfWalk *walk, const PfRecordBlock *block, uint32_t number, GError **error)
{
    PfRecord part = block->records[number];
    PfRecordBlock single = *block;
    single.records = &part;
    single.count = 1;
    uint64_t pages = part.count;
    uint32_t page_bytes = pf_image_page_bytes(walk->image);
    for (uint64_t done = 0; done < pages; done += part.count) {
        uint32_t bad;
        part.address = block->records[number].address + done * page_bytes;
        part.first_index = done;
        part.count = MIN(pages - done, PF_IMAGE_PAGES_MAX);
        if (!take(walk, &single, 0, &bad, error))
            return false;
    }
    return true;
}

static bool is_vast(const PfWalk *walk, const PfRecord *record, GError **error)
{
    bool by_page = pf_image_is_long(record) || record->kind == PF_RECORD_ALIAS ||
                   record->kind == PF_RECORD_ATTR;
    uint64_t pages = by_page ? record->count : 0;
    bool is_full = pf_image_slot_limit(walk->image) > slots_max;
    if (pages <= record_pages_max && !is_full)
        return false;
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s of %" G_GUINT64_FORMAT
                " pages%s: too many to be kept",
                pf_record_kind_name((PfRecordKind)record->kind), record->count,
                is_full ? " after many" : "");
    return true;
}

bool pf_walk_records(PfWalk *walk, const PfRecordBlock *block, uint32_t from, uint32_t to,
                     uint32_t *ret_bad, GError **error)
{
    PfRecordBlock part = *block;
    while (from < to) {
        uint32_t end = from;
        while (end < to && !pf_image_is_long(&block->records[end])) {
            *ret_bad = end;
            if (is_vast(walk, &block->records[end], error))
                return false;
            end++;
        }
        part.count = end;
        if (!take(walk, &part, from, ret_bad, error))
            return false;
        *ret_bad = end;
        if (end < to && (is_vast(walk, &block->records[end], error) ||
                         !take_long(walk, block, end, error)))
            return false;
        end += end < to;
        from = end;
    }
    return true;
}
