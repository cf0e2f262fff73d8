/* The order of contents. */
#include <string.h>

#include "content_internal.h"

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t length)
{
    enum { CHUNK = 256 };
    size_t at = 0;
    while (at + CHUNK <= length && memcmp(a + at, b + at, CHUNK) == 0)
        at += CHUNK;
    while (at < length && a[at] == b[at])
        at++;
    return at;
}

/* Pages that differ mostly do so soon. */
enum { PREFIX_BYTES = 64 };

/* The first BYTES of a content whose bytes are known: in the store, or made in SCRATCH. */
static const uint8_t *first_bytes(const PfContentStore *store, PfContent content, uint32_t bytes,
                                  uint8_t *scratch)
{
    const Entry *entry = entry_at(store, content.index);
    if (entry->form == FORM_BYTES)
        return entry->bytes;
    PfContentSpec spec = {.form = PF_CONTENT_ID, .number = entry->number};
    pf_content_spec_expand(&spec, bytes, scratch);
    return scratch;
}

/* Where the bytes of A and B, which are known and not equal, differ first; its sign. */
static int compare_bytes(const PfContentStore *store, PfContent a, PfContent b,
                         size_t *ret_first_difference)
{
    uint32_t left_start = entry_at(store, a.index)->start;
    uint32_t right_start = entry_at(store, b.index)->start;
    if (left_start != right_start)
        return pf_content_compare_starts(left_start, right_start, ret_first_difference);
    uint8_t scratch[2][PREFIX_BYTES];
    uint32_t bytes = MIN(store->page_bytes, PREFIX_BYTES);
    const uint8_t *left = first_bytes(store, a, bytes, scratch[0]);
    const uint8_t *right = first_bytes(store, b, bytes, scratch[1]);
    g_autofree uint8_t *pages = NULL;
    if (memcmp(left, right, bytes) == 0) {
        bytes = store->page_bytes;
        pages = g_malloc(2 * (size_t)bytes);
        left = first_bytes(store, a, bytes, pages);
        right = first_bytes(store, b, bytes, pages + bytes);
    }
    size_t at = first_difference(left, right, bytes);
    g_assert(at < bytes);
    *ret_first_difference = at;
    return left[at] < right[at] ? -1 : 1;
}

int pf_content_compare(const PfContentStore *store, PfContent a, PfContent b,
                       size_t *ret_first_difference)
{
    size_t at = store->page_bytes;
    int sign = 0;
    bool a_known = pf_content_has_bytes(store, a);
    bool b_known = pf_content_has_bytes(store, b);
    if (!pf_content_equal(a, b) && a_known && b_known) {
        sign = compare_bytes(store, a, b, &at);
    } else if (!pf_content_equal(a, b)) {
        at = 0;
        if (a_known != b_known)
            sign = a_known ? -1 : 1;
        else
            sign = pf_content_hash(store, a) < pf_content_hash(store, b) ? -1 : 1;
    }
    if (ret_first_difference != NULL)
        *ret_first_difference = at;
    return sign;
}
