/* Pages that a policy deems identical though their bytes are not: in so many of their bits, or but
 * for bits that do not count. Then a page may be mapped onto a frame of other bytes. */
#include <string.h>

#include "host_alike.h"

struct PfHostAlike {
    uint8_t *mask;   /* ones where bits count; NULL: everywhere */
    uint64_t bits;   /* that count */
    double threshold;
    uint8_t *masked; /* scratch */
    uint8_t *other;  /* likewise */
};

static uint64_t ones_of(const uint8_t *bytes, size_t count)
{
    uint64_t ones = 0;
    for (size_t i = 0; i < count; i++)
        ones += (uint64_t)__builtin_popcount(bytes[i]);
    return ones;
}

void pf_host_deem_identical(PfHost *host, const uint8_t *mask, double threshold)
{
    size_t page_bytes = host->base.work->page_bytes;
    g_assert(host->alike == NULL);
    PfHostAlike *alike = g_new0(PfHostAlike, 1);
    alike->mask = mask != NULL ? g_memdup2(mask, page_bytes) : NULL;
    alike->bits = mask != NULL ? ones_of(mask, page_bytes) : 8 * (uint64_t)page_bytes;
    alike->threshold = threshold;
    alike->masked = g_malloc(page_bytes);
    alike->other = g_malloc(page_bytes);
    host->alike = alike;
}

void pf_host_free_alike(PfHost *host)
{
    if (host->alike == NULL)
        return;
    g_free(host->alike->mask);
    g_free(host->alike->masked);
    g_free(host->alike->other);
    g_clear_pointer(&host->alike, g_free);
}

bool pf_host_is_lossy(const PfHost *host)
{
    return (host->setup->ops->flags & PF_POLICY_LOSSY) != 0 || host->alike != NULL ||
           pf_host_believes(host);
}

const uint8_t *pf_host_what_counts(const PfHost *host, const uint8_t *bytes)
{
    const PfHostAlike *alike = host->alike;
    size_t page_bytes = host->base.work->page_bytes;
    /* No hash finds what is equal in part: all pages have one key. */
    if (alike->threshold < 1)
        return memset(alike->masked, 0, page_bytes);
    if (alike->mask == NULL)
        return bytes;
    for (size_t i = 0; i < page_bytes; i++)
        alike->masked[i] = bytes[i] & alike->mask[i];
    return alike->masked;
}

bool pf_host_are_alike(PfHost *host, PfContent a, PfContent b)
{
    const PfHostAlike *alike = host->alike;
    PfContentStore *store = host->base.memory->frames.store;
    const uint8_t *left = pf_content_bytes(store, a, host->scratch);
    const uint8_t *right = pf_content_bytes(store, b, alike->other);
    host->alike_bits = 0;
    if (left == NULL || right == NULL)
        return pf_content_equal(a, b);
    uint64_t different = 0;
    for (size_t i = 0; i < host->base.work->page_bytes; i++) {
        unsigned bits = left[i] ^ right[i];
        host->alike_bits += (uint64_t)__builtin_popcount(bits);
        different += (uint64_t)__builtin_popcount(
            alike->mask != NULL ? bits & alike->mask[i] : bits);
    }
    return (double)(alike->bits - different) >= alike->threshold * (double)alike->bits;
}

bool pf_host_frames_alike(PfHost *host, PfMpn a, PfMpn b)
{
    PfMemory *memory = host->base.memory;
    PfContent left;
    PfContent right;
    if (!pf_memory_frame_content(memory, a, &left))
        return false;
    bool is_alike = pf_memory_frame_content(memory, b, &right);
    if (is_alike) {
        is_alike = pf_host_are_alike(host, left, right);
        pf_content_unref(memory->frames.store, right);
    }
    pf_content_unref(memory->frames.store, left);
    return is_alike;
}

void pf_host_count_damage(PfHost *host)
{
    if (host->alike == NULL)
        return; /* a CAM that is believed counts for itself */
    host->stats.lossy_shared += host->alike_bits > 0;
    host->stats.lossy_bits += host->alike_bits;
}
