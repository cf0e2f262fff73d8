#include "trace_content.h"

#include <string.h>
#include <xxhash.h>

#include "rng.h"

enum { SLOTS_MIN = 64 };

/* Enough for the pages of a trace written by hand, and for a window of any other. */
static const size_t compared_bytes_max = (size_t)64 << 20;

/* LENGTH without the zero bytes at the end, by words: pages end with long runs of them. */
static uint32_t without_zeros(const uint8_t *bytes, uint32_t length)
{
    uint64_t word = 0;
    while (length >= sizeof word) {
        memcpy(&word, bytes + length - sizeof word, sizeof word);
        if (word != 0)
            break;
        length -= (uint32_t)sizeof word;
    }
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    return length;
}

PfContentSpec pf_content_spec_normal(const PfContentSpec *spec, uint32_t page_bytes)
{
    PfContentSpec normal = {.form = spec->form};
    if (spec->form == PF_CONTENT_ID || spec->form == PF_CONTENT_HASH)
        normal.number = spec->number;
    if (spec->form == PF_CONTENT_ID && spec->with != 0) {
        normal.at = spec->at;
        normal.with = spec->with;
    }
    if (spec->form != PF_CONTENT_BYTES)
        return normal;
    normal.bytes = spec->bytes;
    normal.length = without_zeros(spec->bytes, spec->length);
    if (normal.length == 0)
        return (PfContentSpec){.form = PF_CONTENT_ZERO};
    if (normal.length == page_bytes && normal.bytes[0] == 0xff &&
        memcmp(normal.bytes, normal.bytes + 1, normal.length - 1) == 0)
        return (PfContentSpec){.form = PF_CONTENT_ONES};
    return normal;
}

bool pf_content_is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

const char *pf_content_spec_problem(const PfContentSpec *spec, uint32_t page_bytes)
{
    if ((unsigned)spec->form >= PF_CONTENT_FORMS)
        return "has an unknown form";
    if (spec->form == PF_CONTENT_ID && spec->at >= page_bytes)
        return "changes a byte behind the page's end";
    if (spec->form == PF_CONTENT_BYTES && spec->length > page_bytes)
        return "is longer than a page";
    return NULL;
}

static void expand_id(const PfContentSpec *spec, uint32_t page_bytes, uint8_t *ret_bytes)
{
    memset(ret_bytes, 0, page_bytes);
    PfRng stream = {.state = spec->number};
    for (uint32_t at = 0; spec->number != 0 && at < page_bytes; at += sizeof(uint64_t)) {
        uint64_t number = pf_rng_next(&stream); /* the macro may look at its argument many times */
        uint64_t word = GUINT64_TO_LE(number);
        memcpy(ret_bytes + at, &word, MIN(sizeof(word), page_bytes - at));
    }
    g_assert(spec->at < page_bytes);
    ret_bytes[spec->at] ^= spec->with;
}

void pf_content_spec_expand(const PfContentSpec *spec, uint32_t page_bytes, uint8_t *ret_bytes)
{
    switch (spec->form) {
    case PF_CONTENT_ZERO:
        memset(ret_bytes, 0, page_bytes);
        return;
    case PF_CONTENT_ONES:
        memset(ret_bytes, 0xff, page_bytes);
        return;
    case PF_CONTENT_ID:
        expand_id(spec, page_bytes, ret_bytes);
        return;
    case PF_CONTENT_BYTES:
        g_assert(spec->length <= page_bytes);
        if (spec->length > 0)
            memcpy(ret_bytes, spec->bytes, spec->length);
        memset(ret_bytes + spec->length, 0, page_bytes - spec->length);
        return;
    case PF_CONTENT_HASH:
        break;
    }
    g_assert_not_reached();
}

PfContentSpec pf_content_spec_step(const PfContentSpec *spec, uint64_t step, uint64_t index)
{
    PfContentSpec stepped = *spec;
    if (spec->form == PF_CONTENT_ID)
        stepped.number += step * index;
    return stepped;
}

/* One content: all of a compact spec is in the key, of BYTES its digest. */
typedef struct {
    uint64_t low;
    uint64_t high;
    uint8_t *bytes; /* BYTES that are kept, else NULL */
    uint32_t length;
} Entry;

struct PfContentPool {
    GArray *entries;
    uint32_t *slots; /* number + 1, or 0; open addressing */
    size_t slot_count;
    size_t kept_bytes;
    bool keeps_bytes;
};

enum { BYTES_BIT_SHIFT = 63, FORM_SHIFT = 56, WITH_SHIFT = 48 };

static Entry make_key(const PfContentSpec *spec)
{
    if (spec->form == PF_CONTENT_BYTES) {
        XXH128_hash_t digest = XXH3_128bits(spec->bytes, spec->length);
        return (Entry){.low = digest.low64,
                       .high = digest.high64 | (uint64_t)1 << BYTES_BIT_SHIFT,
                       .length = spec->length};
    }
    return (Entry){.low = spec->number,
                   .high = (uint64_t)spec->form << FORM_SHIFT | (uint64_t)spec->with << WITH_SHIFT |
                           spec->at};
}

PfContentPool *pf_content_pool_new(bool keeps_bytes)
{
    PfContentPool *pool = g_new0(PfContentPool, 1);
    pool->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    pool->slot_count = SLOTS_MIN;
    pool->slots = g_new0(uint32_t, pool->slot_count);
    pool->keeps_bytes = keeps_bytes;
    return pool;
}

void pf_content_pool_free(PfContentPool *pool)
{
    if (pool == NULL)
        return;
    for (guint i = 0; i < pool->entries->len; i++)
        g_free(g_array_index(pool->entries, Entry, i).bytes);
    g_array_unref(pool->entries);
    g_free(pool->slots);
    g_free(pool);
}

static bool entry_matches(const Entry *entry, const Entry *key, const PfContentSpec *spec)
{
    if (entry->low != key->low || entry->high != key->high || entry->length != key->length)
        return false;
    return entry->bytes == NULL || memcmp(entry->bytes, spec->bytes, spec->length) == 0;
}

static size_t first_slot(const PfContentPool *pool, const Entry *key)
{
    /* Compact keys are small numbers: spread them as splitmix64 spreads its counter. */
    PfRng spread = {.state = key->low ^ (key->high << 1 | key->high >> 63)};
    return (size_t)pf_rng_next(&spread) & (pool->slot_count - 1);
}

static void grow_slots(PfContentPool *pool)
{
    g_free(pool->slots);
    pool->slot_count *= 2;
    pool->slots = g_new0(uint32_t, pool->slot_count);
    for (guint i = 0; i < pool->entries->len; i++) {
        size_t slot = first_slot(pool, &g_array_index(pool->entries, Entry, i));
        while (pool->slots[slot] != 0)
            slot = (slot + 1) & (pool->slot_count - 1);
        pool->slots[slot] = i + 1;
    }
}

uint32_t pf_content_pool_add(PfContentPool *pool, const PfContentSpec *spec, bool *ret_is_new)
{
    Entry key = make_key(spec);
    size_t slot = first_slot(pool, &key);
    *ret_is_new = false;
    for (; pool->slots[slot] != 0; slot = (slot + 1) & (pool->slot_count - 1)) {
        uint32_t number = pool->slots[slot] - 1;
        if (entry_matches(&g_array_index(pool->entries, Entry, number), &key, spec))
            return number;
    }
    if (spec->form == PF_CONTENT_BYTES &&
        (pool->keeps_bytes || pool->kept_bytes + spec->length <= compared_bytes_max)) {
        key.bytes = g_memdup2(spec->bytes, spec->length);
        pool->kept_bytes += spec->length;
    }
    g_array_append_val(pool->entries, key);
    pool->slots[slot] = pool->entries->len;
    if ((size_t)pool->entries->len * 2 > pool->slot_count)
        grow_slots(pool);
    *ret_is_new = true;
    return pool->entries->len - 1;
}

uint32_t pf_content_pool_count(const PfContentPool *pool)
{
    return pool->entries->len;
}

PfContentSpec pf_content_pool_get(const PfContentPool *pool, uint32_t number)
{
    g_assert(number < pool->entries->len);
    const Entry *entry = &g_array_index(pool->entries, Entry, number);
    if (entry->high >> BYTES_BIT_SHIFT != 0) {
        g_assert(pool->keeps_bytes);
        return (PfContentSpec){
            .form = PF_CONTENT_BYTES, .bytes = entry->bytes, .length = entry->length};
    }
    return (PfContentSpec){.form = (PfContentForm)(entry->high >> FORM_SHIFT),
                           .with = (uint8_t)(entry->high >> WITH_SHIFT),
                           .at = (uint32_t)entry->high,
                           .number = entry->low};
}
