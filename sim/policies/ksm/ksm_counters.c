#include "ksm_counters.h"

/* ---- Of KSM as a whole ---- */

static PfStatValue read_number(const void *number)
{
    return pf_stat_uint(*(const uint64_t *)number);
}

/* Whatever else is true of a page that has an item. */
static PfStatValue read_volatile(const void *user)
{
    const PfKsmCounts *counts = &((const PfKsm *)user)->counts;
    uint64_t known = counts->shared + counts->sharing + counts->unshared;
    return pf_stat_uint(counts->items > known ? counts->items - known : 0);
}

static PfStatValue read_zero_pages(const void *user)
{
    return pf_stat_uint(pf_host_merged_zeros(((const PfKsm *)user)->host, UINT32_MAX));
}

/* What SAVED pages are worth beyond the memory of ITEMS. */
static PfStatValue profit(const PfKsm *ksm, uint64_t saved, uint64_t items)
{
    return pf_stat_int((int64_t)(saved * pf_host_page_bytes(ksm->host)) -
                       (int64_t)(items * PF_KSM_OBJECT_BYTES));
}

static PfStatValue read_general_profit(const void *user)
{
    const PfKsm *ksm = user;
    uint64_t saved = ksm->counts.sharing + pf_host_merged_zeros(ksm->host, UINT32_MAX);
    return profit(ksm, saved, ksm->counts.items);
}

void pf_ksm_counters_register(PfKsm *ksm)
{
    PfStatsGroup *group = pf_host_stats(ksm->host);
    const PfKsmCounts *counts = &ksm->counts;
    pf_stats_level(group, "pages_shared", "pages", "Frames that are shared.", read_number,
                   &counts->shared);
    pf_stats_level(group, "pages_sharing", "pages",
                   "Pages that map them beyond the first each: how many were saved.", read_number,
                   &counts->sharing);
    pf_stats_level(group, "pages_unshared", "pages", "Pages that were unique when last looked at.",
                   read_number, &counts->unshared);
    pf_stats_level(group, "pages_volatile", "pages",
                   "Pages that are new, or changed too fast to be put in a tree.", read_volatile,
                   ksm);
    pf_stats_counter(group, "pages_scanned", "pages", "Pages looked at.", &counts->scanned);
    pf_stats_counter(group, "pages_skipped", "pages", "Pages that smart scan passed over.",
                     &counts->skipped);
    pf_stats_level(group, "full_scans", "passes", "Passes since the start or the last run = 2.",
                   read_number, &counts->full_scans);
    pf_stats_level(group, "stable_node_chains", "chains",
                   "Chains of frames of equal bytes, for the limit of max_page_sharing.",
                   read_number, &counts->chains);
    pf_stats_level(group, "stable_node_dups", "frames", "Frames in these chains.", read_number,
                   &counts->dups);
    pf_stats_level(group, "ksm_zero_pages", "pages", "Pages merged with the zero page.",
                   read_zero_pages, ksm);
    pf_stats_level(group, "general_profit", "bytes",
                   "Bytes saved less those of the items (64 each).", read_general_profit, ksm);
    pf_stats_counter(group, "cow_ksm", "events", "Stores that copied a merged page.",
                     &counts->copies);
    pf_stats_counter(group, "overlookable", "pages",
                     "Pages met on a shared frame that a kernel may overlook: where the frame's "
                     "node lies at the address of one that the page had before.",
                     &counts->overlookable);
    pf_stats_level(group, "run", "state", "0: stopped, 1: scans, 2: stopped and unmerged.",
                   read_number, &ksm->config.run);
    pf_stats_level(group, "pages_to_scan", "pages", "Pages of a batch.", read_number,
                   &ksm->config.pages_to_scan);
}

/* ---- Of a context ---- */

static const PfKsmSlot *slot_of(const void *user, uint32_t context)
{
    return pf_ksm_slot(user, context + 1);
}

static uint64_t items_of(const void *user, uint32_t context)
{
    const PfKsmSlot *slot = slot_of(user, context);
    return (uint64_t)slot->item_count + slot->inherited_items;
}

static uint64_t merging_of(const void *user, uint32_t context)
{
    const PfKsmSlot *slot = slot_of(user, context);
    return (uint64_t)slot->stable_count + slot->inherited_stable;
}

static PfStatValue read_context_items(const void *user, uint32_t context)
{
    return pf_stat_uint(items_of(user, context));
}

static PfStatValue read_context_zeros(const void *user, uint32_t context)
{
    return pf_stat_uint(pf_host_merged_zeros(((const PfKsm *)user)->host, context));
}

static PfStatValue read_context_merging(const void *user, uint32_t context)
{
    return pf_stat_uint(merging_of(user, context));
}

/* Counts the first page of each frame too, unlike general_profit. */
static PfStatValue read_context_profit(const void *user, uint32_t context)
{
    const PfKsm *ksm = user;
    return profit(ksm, merging_of(user, context) + pf_host_merged_zeros(ksm->host, context),
                  items_of(user, context));
}

static PfStatValue read_context_mergeable(const void *user, uint32_t context)
{
    PfPage first;
    PfCpn end;
    return pf_stat_uint(
        pf_host_next_region(((const PfKsm *)user)->host, (PfPage){context, {0}}, &first, &end));
}

const PfContextStat pf_ksm_context_stats[PF_KSM_CONTEXT_STATS] = {
    {"ksm_rmap_items", "pages", "Pages of the context that the scanner has met.",
     read_context_items},
    {"ksm_zero_pages", "pages", "Pages of the context merged with the zero page.",
     read_context_zeros},
    {"ksm_merging_pages", "pages", "Pages of the context that share a frame.",
     read_context_merging},
    {"ksm_process_profit", "bytes", "Bytes saved for the context less those of its items.",
     read_context_profit},
    {"ksm_mergeable", "state", "1: some region of the context is mergeable.",
     read_context_mergeable},
};
