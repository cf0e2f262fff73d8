/* Why pages are not shared: every populated page is counted under one reason. What can be told from
 * its mapping comes first; else it is what the policy made of the page at its latest look. */
#include "host.h"
#include "host_classes.h"
#include "host_large.h"
#include "host_sharers.h"

/* ---- Statistics ---- */

static PfStatValue read_level(const void *user)
{
    return *(const PfStatValue *)user;
}

void pf_host_register_census(PfHost *host)
{
    const struct {
        const char *name;
        const PfStatValue *value;
        const char *description;
    } rows[] = {
        {"shared", &host->census.shared,
         "Populated pages that share a frame, or have given it back, by the policy's doing."},
        {"unique", &host->census.not_shared[PF_WHY_UNIQUE],
         "Not shared: no other page known to the policy had its bytes."},
        {"volatile", &host->census.not_shared[PF_WHY_VOLATILE],
         "Not shared: it changed, or was not seen unchanged for long enough yet."},
        {"kind", &host->census.not_shared[PF_WHY_KIND],
         "Not shared: a kind of memory that the policy does not share."},
        {"not_mergeable", &host->census.not_shared[PF_WHY_NOT_MERGEABLE],
         "Not shared: nobody has offered it for sharing."},
        {"pinned", &host->census.not_shared[PF_WHY_PINNED],
         "Not shared: it, or the page of equal bytes, was pinned or in use."},
        {"class", &host->census.not_shared[PF_WHY_CLASS],
         "Not shared: the page of equal bytes was in a class that it may not share with."},
        {"limit", &host->census.not_shared[PF_WHY_LIMIT],
         "Not shared: the policy was at a limit of its own, or the CAM had forgotten its equal."},
        {"large", &host->census.not_shared[PF_WHY_LARGE],
         "Not shared: a part of a large page, which the policy must not split."},
        {"not_reached", &host->census.not_shared[PF_WHY_NOT_REACHED],
         "Not shared: the policy has not looked at it since it was mapped."},
    };
    static_assert(G_N_ELEMENTS(rows) == PF_WHY_COUNT + 1, "every reason is told");
    host->census.contexts = g_array_new(FALSE, TRUE, sizeof(PfContextCensus));
    PfStatsGroup *group = pf_stats_group(host->base.stats, "reason");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        pf_stats_level(group, rows[i].name, "pages", rows[i].description, read_level,
                       rows[i].value);
}

/* ---- The count ---- */

static bool has_bit(const uint8_t *bits, uint32_t index)
{
    return (bits[index / 8] >> index % 8 & 1) != 0;
}

/* One bit a frame: some page maps it by the policy's doing. Owned by the caller. */
static uint8_t *frames_of_sharings(const PfMemory *memory)
{
    uint8_t *bits = g_malloc0(memory->frames.limit / 8 + 1);
    for (uint64_t i = 0; i < memory->entry_limit; i++) {
        const PfEntry *entry = pf_memory_entry(memory, (PfSlot){(uint32_t)i});
        if ((entry->flags & PF_ENTRY_SHARING) != 0)
            bits[entry->mpn / 8] |= (uint8_t)(1U << entry->mpn % 8);
    }
    return bits;
}

/* Why the page at SLOT, which is not shared, is not. */
static PfWhy why_not_shared(const PfHost *host, PfSlot slot, const PfClassCensus *classes)
{
    const PfMemory *memory = host->base.memory;
    const PfEntry *entry = pf_memory_entry(memory, slot);
    bool is_present = (entry->flags & PF_ENTRY_PRESENT) != 0;
    bool is_file = (entry->flags & PF_ENTRY_FILE) != 0;
    if ((is_file && memory->scope != PF_SCOPE_ALL) ||
        (is_present && !pf_share_possible(memory, slot)))
        return PF_WHY_KIND;
    if ((entry->flags & PF_ENTRY_ELIGIBLE) == 0)
        return PF_WHY_NOT_MERGEABLE;
    const PfFrame *frame = pf_frame_at(&memory->frames, (PfMpn){entry->mpn});
    if ((entry->flags & PF_ENTRY_OPEN) != 0 && (frame->count & PF_FRAME_PINNED) != 0)
        return PF_WHY_PINNED;
    if (!pf_host_may_split(host, slot))
        return PF_WHY_LARGE;
    PfWhy why = (PfWhy)((entry->flags & PF_ENTRY_WHY_MASK) >> PF_ENTRY_WHY_SHIFT);
    bool is_apart = why == PF_WHY_UNIQUE && pf_class_census_is_apart(classes, slot);
    return is_apart ? PF_WHY_CLASS : why;
}

/* The last mapping of a frame shares with nobody; but the zero page is there for others anyway. */
static bool is_shared(const PfMemory *memory, const PfEntry *entry, const uint8_t *of_sharings)
{
    if ((entry->flags & PF_ENTRY_GIVEN_BACK) != 0)
        return true;
    if ((entry->flags & PF_ENTRY_PRESENT) == 0 || !has_bit(of_sharings, entry->mpn))
        return false;
    return (entry->flags & PF_ENTRY_ZERO) != 0 ||
           pf_frame_refs(pf_frame_at(&memory->frames, (PfMpn){entry->mpn})) > 1;
}

/* Billionths of a frame for each of the COUNT pages that map it; sums of them are the same in any
 * order, and halves and quarters exact. */
static int64_t share_of(uint64_t count)
{
    const uint64_t whole = 1000000000;
    return count > 0 ? (int64_t)((whole + count / 2) / count) : 0;
}

/* What the page at SLOT adds to the saved pages of its context, in billionths. */
static int64_t saved_by(const PfMemory *memory, PfSlot slot)
{
    const PfEntry *entry = pf_memory_entry(memory, slot);
    int64_t saved = share_of(pf_image_baseline_sharers(memory->image, slot));
    if ((entry->flags & (PF_ENTRY_PRESENT | PF_ENTRY_SWAPPED)) != 0)
        saved -= share_of(pf_frame_refs(pf_frame_at(&memory->frames, (PfMpn){entry->mpn})));
    return saved;
}

static void count_contexts(PfHost *host, const uint8_t *of_sharings)
{
    const PfMemory *memory = host->base.memory;
    uint32_t contexts = pf_image_context_count(memory->image);
    g_array_set_size(host->census.contexts, contexts);
    for (uint64_t i = 0; i < memory->entry_limit; i++) {
        PfSlot slot = {(uint32_t)i};
        uint32_t context = pf_image_leaf_of(memory->image, slot)->context;
        if (context >= contexts)
            continue; /* the page of a file */
        const PfEntry *entry = pf_memory_entry(memory, slot);
        PfContextCensus *census =
            &g_array_index(host->census.contexts, PfContextCensus, context);
        census->saved_billionths += saved_by(memory, slot);
        census->shared += (entry->flags & PF_ENTRY_POPULATED) != 0 &&
                          is_shared(memory, entry, of_sharings);
    }
}

void pf_host_take_census(PfHost *host, bool by_context)
{
    pf_host_bill_settle(host->bill);
    pf_host_count_sharers(host);
    if ((host->setup->ops->flags & PF_POLICY_BOUND) != 0)
        return; /* it maps nothing: null */
    pf_journal_estimate(host->base.memory);
    const PfMemory *memory = host->base.memory;
    g_autofree uint8_t *of_sharings = frames_of_sharings(memory);
    PfClassCensus *classes = pf_host_count_classes(host);
    uint64_t shared = 0;
    uint64_t not_shared[PF_WHY_COUNT] = {0};
    uint64_t pages = 0;
    for (uint64_t i = 0; i < memory->entry_limit; i++) {
        PfSlot slot = {(uint32_t)i};
        const PfEntry *entry = pf_memory_entry(memory, slot);
        if ((entry->flags & PF_ENTRY_POPULATED) == 0)
            continue;
        pages++;
        if (is_shared(memory, entry, of_sharings))
            shared++;
        else
            not_shared[why_not_shared(host, slot, classes)]++;
    }
    pf_class_census_free(host, classes);
    g_assert(pages == memory->populated_pages);
    g_array_set_size(host->census.contexts, 0);
    if (by_context)
        count_contexts(host, of_sharings);
    host->census.shared = pf_stat_uint(shared);
    for (unsigned i = 0; i < PF_WHY_COUNT; i++)
        host->census.not_shared[i] = pf_stat_uint(not_shared[i]);
}

const PfContextCensus *pf_host_context_census(const PfHost *host, uint32_t context)
{
    const GArray *contexts = host->census.contexts;
    return context < contexts->len ? &g_array_index(contexts, PfContextCensus, context) : NULL;
}
