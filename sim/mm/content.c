#include "content_internal.h"

#include <string.h>
#include <xxhash.h>

#include "units.h"

#define NONE UINT32_MAX
enum { BUCKETS_MIN = 1 << 12 };

PfContentStore *pf_content_store_new(uint32_t page_bytes)
{
    g_assert(pf_is_power_of_two(page_bytes));
    PfContentStore *store = g_new0(PfContentStore, 1);
    store->page_bytes = page_bytes;
    g_mutex_init(&store->lock);
    pf_seg_array_init(&store->entries, sizeof(Entry));
    for (unsigned i = 0; i < KEPT_DIGESTS; i++)
        pf_seg_array_init(&store->kept[i].values, sizeof(uint64_t));
    store->bucket_mask = BUCKETS_MIN - 1;
    store->buckets = g_new(uint32_t, BUCKETS_MIN);
    memset(store->buckets, 0xff, BUCKETS_MIN * sizeof(uint32_t));
    store->free_list = NONE;
    g_autofree uint8_t *zeros = g_malloc0(page_bytes);
    PfContent zero = pf_content_intern(store, zeros);
    g_assert(zero.index == 0);
    return store;
}

void pf_content_store_free(PfContentStore *store)
{
    if (store == NULL)
        return;
    for (uint32_t i = 0; i < store->used; i++)
        if (entry_at(store, i)->form == FORM_BYTES)
            g_free(entry_at(store, i)->bytes);
    pf_seg_array_clear(&store->entries);
    for (unsigned i = 0; i < KEPT_DIGESTS; i++)
        pf_seg_array_clear(&store->kept[i].values);
    g_free(store->buckets);
    g_mutex_clear(&store->lock);
    g_free(store);
}

static uint32_t bucket_of(const PfContentStore *store, uint64_t hash)
{
    return (uint32_t)((hash * 0x9e3779b97f4a7c15U) >> 32) & store->bucket_mask;
}

static void grow_buckets(PfContentStore *store)
{
    uint32_t count = (store->bucket_mask + 1) * 2;
    g_free(store->buckets);
    store->buckets = g_new(uint32_t, count);
    memset(store->buckets, 0xff, count * sizeof(uint32_t));
    store->bucket_mask = count - 1;
    for (uint32_t i = 0; i < store->used; i++) {
        Entry *entry = entry_at(store, i);
        if (entry->form == FORM_FREE)
            continue;
        uint32_t bucket = bucket_of(store, entry->hash);
        entry->next = store->buckets[bucket];
        store->buckets[bucket] = i;
    }
}

static void expand_id(const PfContentStore *store, uint64_t number, uint8_t *bytes)
{
    PfContentSpec spec = {.form = PF_CONTENT_ID, .number = number};
    pf_content_spec_expand(&spec, store->page_bytes, bytes);
}

/* What a caller wants interned: its bytes are at hand unless it is an identity. */
typedef struct {
    uint64_t hash;
    Form form;
    uint64_t number;
    const uint8_t *bytes;
} Wanted;

/* Equal 64-bit hashes are not trusted: the bytes decide. */
static bool entry_is(const PfContentStore *store, const Entry *entry, const Wanted *wanted)
{
    if (entry->hash != wanted->hash)
        return false;
    if (wanted->form == FORM_IDENTITY || entry->form == FORM_IDENTITY)
        return wanted->form == entry->form && entry->number == wanted->number;
    if (entry->form == FORM_BYTES)
        return memcmp(entry->bytes, wanted->bytes, store->page_bytes) == 0;
    if (wanted->form == FORM_ID && entry->number == wanted->number)
        return true;
    g_autofree uint8_t *scratch = g_malloc(store->page_bytes);
    expand_id(store, entry->number, scratch);
    return memcmp(scratch, wanted->bytes, store->page_bytes) == 0;
}

static uint32_t new_entry(PfContentStore *store)
{
    uint32_t index = store->free_list;
    if (index != NONE) {
        store->free_list = entry_at(store, index)->next;
        for (unsigned i = 0; i < KEPT_DIGESTS && store->kept[i].digest != NULL; i++)
            *(uint64_t *)pf_seg_array_at(&store->kept[i].values, index) = 0;
        return index;
    }
    g_assert(store->used < NONE);
    if (store->used > store->bucket_mask)
        grow_buckets(store);
    pf_seg_array_reserve(&store->entries, (uint64_t)store->used + 1);
    for (unsigned i = 0; i < KEPT_DIGESTS && store->kept[i].digest != NULL; i++)
        pf_seg_array_reserve(&store->kept[i].values, (uint64_t)store->used + 1);
    return store->used++;
}

static uint32_t start_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static PfContent intern(PfContentStore *store, const Wanted *wanted)
{
    g_mutex_lock(&store->lock);
    store->hashed += wanted->form == FORM_BYTES;
    uint32_t index = store->buckets[bucket_of(store, wanted->hash)];
    while (index != NONE && !entry_is(store, entry_at(store, index), wanted))
        index = entry_at(store, index)->next;
    if (index != NONE) {
        __atomic_add_fetch(&entry_at(store, index)->references, 1, __ATOMIC_RELAXED);
    } else {
        index = new_entry(store);
        Entry *entry = entry_at(store, index);
        entry->hash = wanted->hash;
        entry->form = wanted->form;
        entry->number = wanted->number;
        entry->start = wanted->bytes != NULL ? start_of(wanted->bytes) : 0;
        if (wanted->form == FORM_BYTES) {
            entry->bytes = g_memdup2(wanted->bytes, store->page_bytes);
            store->pages_kept++;
        }
        uint32_t bucket = bucket_of(store, wanted->hash);
        entry->next = store->buckets[bucket];
        store->buckets[bucket] = index;
        store->alive++;
        __atomic_store_n(&entry->references, 1, __ATOMIC_RELAXED);
    }
    g_mutex_unlock(&store->lock);
    return (PfContent){index};
}

PfContent pf_content_intern(PfContentStore *store, const uint8_t *bytes)
{
    uint64_t hash = XXH3_64bits(bytes, store->page_bytes);
    return intern(store, &(Wanted){.hash = hash, .form = FORM_BYTES, .bytes = bytes});
}

PfContent pf_content_intern_spec(PfContentStore *store, const PfContentSpec *spec)
{
    if (spec->form == PF_CONTENT_HASH)
        return intern(store,
                      &(Wanted){spec->number, .form = FORM_IDENTITY, .number = spec->number});
    if (spec->form == PF_CONTENT_ZERO) {
        pf_content_ref(store, PF_CONTENT_OF_ZEROS);
        return PF_CONTENT_OF_ZEROS;
    }
    g_autofree uint8_t *bytes = g_malloc(store->page_bytes);
    pf_content_spec_expand(spec, store->page_bytes, bytes);
    /* A patched id is kept as bytes: entries have no room for the patch. */
    bool plain_id = spec->form == PF_CONTENT_ID && spec->with == 0 && spec->number != 0;
    Wanted wanted = {.hash = XXH3_64bits(bytes, store->page_bytes),
                     .form = plain_id ? FORM_ID : FORM_BYTES,
                     .number = spec->number,
                     .bytes = bytes};
    return intern(store, &wanted);
}

void pf_content_ref(PfContentStore *store, PfContent content)
{
    if (content.index != 0)
        __atomic_add_fetch(&entry_at(store, content.index)->references, 1, __ATOMIC_RELAXED);
}

static void unlink_entry(PfContentStore *store, uint32_t index)
{
    Entry *entry = entry_at(store, index);
    uint32_t *link = &store->buckets[bucket_of(store, entry->hash)];
    while (*link != index)
        link = &entry_at(store, *link)->next;
    *link = entry->next;
    if (entry->form == FORM_BYTES) {
        g_free(entry->bytes);
        store->pages_kept--;
    }
    entry->form = FORM_FREE;
    entry->next = store->free_list;
    store->free_list = index;
    store->alive--;
}

void pf_content_unref(PfContentStore *store, PfContent content)
{
    if (content.index == 0)
        return;
    Entry *entry = entry_at(store, content.index);
    uint32_t before = __atomic_fetch_sub(&entry->references, 1, __ATOMIC_ACQ_REL);
    g_assert(before != 0);
    if (before != 1)
        return;
    /* Another thread may have found it again before the lock: then it stays. */
    g_mutex_lock(&store->lock);
    if (entry->form != FORM_FREE && __atomic_load_n(&entry->references, __ATOMIC_ACQUIRE) == 0)
        unlink_entry(store, content.index);
    g_mutex_unlock(&store->lock);
}

bool pf_content_has_bytes(const PfContentStore *store, PfContent content)
{
    return entry_at(store, content.index)->form != FORM_IDENTITY;
}

const uint8_t *pf_content_bytes(const PfContentStore *store, PfContent content, uint8_t *scratch)
{
    const Entry *entry = entry_at(store, content.index);
    if (entry->form == FORM_IDENTITY)
        return NULL;
    if (entry->form == FORM_BYTES)
        return entry->bytes;
    expand_id(store, entry->number, scratch);
    return scratch;
}

uint64_t pf_content_hash(const PfContentStore *store, PfContent content)
{
    return entry_at(store, content.index)->hash;
}

/* Where the store keeps what DIGEST says; NULL if too many others were asked for before. */
static KeptDigest *kept_digest(PfContentStore *store, PfContentDigest *digest)
{
    for (unsigned i = 0; i < KEPT_DIGESTS; i++) {
        KeptDigest *kept = &store->kept[i];
        PfContentDigest *its = __atomic_load_n(&kept->digest, __ATOMIC_ACQUIRE);
        if (its == NULL) {
            g_mutex_lock(&store->lock);
            if (kept->digest == NULL) {
                pf_seg_array_reserve(&kept->values, store->used);
                __atomic_store_n(&kept->digest, digest, __ATOMIC_RELEASE);
            }
            its = kept->digest;
            g_mutex_unlock(&store->lock);
        }
        if (its == digest)
            return kept;
    }
    return NULL;
}

uint64_t pf_content_digest(PfContentStore *store, PfContent content, PfContentDigest *digest,
                           uint8_t *scratch)
{
    KeptDigest *kept = kept_digest(store, digest);
    uint64_t *place = kept != NULL ? pf_seg_array_at(&kept->values, content.index) : NULL;
    uint64_t value = place != NULL ? __atomic_load_n(place, __ATOMIC_RELAXED) : 0;
    if (value != 0)
        return value;
    const uint8_t *bytes = pf_content_bytes(store, content, scratch);
    if (bytes == NULL)
        return pf_content_hash(store, content);
    value = digest(bytes, store->page_bytes);
    if (place != NULL)
        __atomic_store_n(place, value, __ATOMIC_RELAXED);
    return value;
}

bool pf_content_start(const PfContentStore *store, PfContent content, uint32_t *ret_start)
{
    *ret_start = entry_at(store, content.index)->start;
    return entry_at(store, content.index)->form != FORM_IDENTITY;
}

PfContentSpec pf_content_spec(const PfContentStore *store, PfContent content)
{
    const Entry *entry = entry_at(store, content.index);
    if (entry->form == FORM_BYTES)
        return (PfContentSpec){
            .form = PF_CONTENT_BYTES, .bytes = entry->bytes, .length = store->page_bytes};
    return (PfContentSpec){.form = entry->form == FORM_ID ? PF_CONTENT_ID : PF_CONTENT_HASH,
                           .number = entry->number};
}

uint32_t pf_content_page_bytes(const PfContentStore *store)
{
    return store->page_bytes;
}

uint64_t pf_content_store_count(const PfContentStore *store)
{
    return store->alive;
}

uint64_t pf_content_store_bytes(PfContentStore *store)
{
    g_mutex_lock(&store->lock);
    uint64_t bytes = store->pages_kept * store->page_bytes + pf_seg_array_bytes(&store->entries) +
                     ((uint64_t)store->bucket_mask + 1) * sizeof(uint32_t);
    for (unsigned i = 0; i < KEPT_DIGESTS; i++)
        bytes += pf_seg_array_bytes(&store->kept[i].values);
    g_mutex_unlock(&store->lock);
    return bytes;
}

uint64_t pf_content_store_hashed(const PfContentStore *store)
{
    return store->hashed;
}
