#include "mmu.h"

#include <math.h>

#include "units.h"

/* Sizes of Skylake-SP ("Intel 64 and IA-32 Architectures Optimization Reference Manual"): for data
 * 64 entries of 4 ways, 32 of 4 for large pages and 4 for huge ones; behind both sides 1536 of 12
 * ways for base and large pages and 16 of 4 for huge ones. */
static const PfTlbConfig standard_first = {
    .entries = 64, .ways = 4, .lookup_pJ = (double)NAN, .leakage_mW = (double)NAN,
    .large = {.held = PF_TLB_OWN, .entries = 32, .ways = 4},
    .huge = {.held = PF_TLB_OWN, .entries = 4, .ways = 4}};
static const PfTlbConfig standard_second = {
    .entries = 1536, .ways = 12, .latency_cycles = 7,
    .lookup_pJ = (double)NAN, .leakage_mW = (double)NAN,
    .large = {.held = PF_TLB_SHARED, .latency_cycles = 7},
    .huge = {.held = PF_TLB_OWN, .entries = 16, .ways = 4, .latency_cycles = 7}};

#define AT(member) .offset = offsetof(PfMmuConfig, member)

static const PfConfigField fields[] = {
    {.key = "tags", .type = PF_CONFIG_UINT, AT(tags), .standard = "0", .max = 65536,
     .unit = "spaces",
     .description = "Address spaces that a core's TLBs tell apart; 0: any number, 1: a switch "
                    "flushes everything. Linux uses 6 PCIDs a core for processes."},
    {.key = "flush_ceiling", .type = PF_CONFIG_UINT, AT(flush_ceiling_pages), .standard = "33",
     .unit = "pages",
     .description = "Ranges of more pages than this are invalidated by flushing the space; 33 is "
                    "Linux's tlb_single_page_flush_ceiling."},
    {.key = "virtual_ipi", .type = PF_CONFIG_DOUBLE, AT(virtual_ipi), .standard = "1.0",
     .max = 1000, .unit = "ratio",
     .description = "What an interrupt of another core costs the sender, relative to the cost "
                    "card: above 1 on virtual cores with a card of bare metal."},
};

void pf_mmu_bind(PfConfigSection *tlb, PfConfigSection *walk, PfMmuConfig *config)
{
    PfTlbConfig first;
    pf_config_bind(tlb, fields, G_N_ELEMENTS(fields), config);
    pf_tlb_bind(pf_config_subsection(tlb, "l1"), &standard_first, &first);
    pf_tlb_bind(pf_config_subsection(tlb, "l1i"), &first, &config->instruction);
    pf_tlb_bind(pf_config_subsection(tlb, "l1d"), &first, &config->data);
    pf_tlb_bind(pf_config_subsection(tlb, "l2"), &standard_second, &config->second);
    pf_walker_bind(walk, &config->walk);
}

/* A TLB of CONFIG that counts together with those of core 0. */
static PfTlb *new_tlb(const char *name, const PfTlbConfig *config, PfTlb *owner, PfStats *stats,
                      GError **error)
{
    g_autofree char *group = g_strconcat("tlb.", name, NULL);
    PfStatsGroup *own = owner == NULL ? pf_stats_group(stats, group) : NULL;
    PfTlb *tlb = pf_tlb_new(name, config, own, error);
    if (tlb != NULL && owner != NULL)
        pf_tlb_count_into(tlb, owner);
    return tlb;
}

static bool build_core(PfMmu *mmu, unsigned number, PfStats *stats, GError **error)
{
    const PfMmuConfig *config = mmu->config;
    PfMmuCore *core = &mmu->cores[number];
    const PfMmuCore *owner = &mmu->cores[0];
    bool counts = number == 0;
    core->space = PF_MMU_NO_SPACE;
    if (config->tags > 0)
        core->tagged = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    core->instruction =
        new_tlb("l1i", &config->instruction, counts ? NULL : owner->instruction, stats, error);
    if (core->instruction == NULL)
        return false;
    core->data = new_tlb("l1d", &config->data, counts ? NULL : owner->data, stats, error);
    if (core->data == NULL)
        return false;
    if (config->second.entries > 0) {
        core->second =
            new_tlb("l2", &config->second, counts ? NULL : owner->second, stats, error);
        if (core->second == NULL)
            return false;
    }
    core->walker =
        pf_walker_new(&config->walk, counts ? pf_stats_group(stats, "walk") : NULL, error);
    if (core->walker != NULL && !counts)
        pf_walker_count_into(core->walker, owner->walker);
    return core->walker != NULL;
}

static void register_stats(PfMmuStats *own, PfStats *stats)
{
    pf_stats_counter(pf_stats_group(stats, "tlb"), "switch_flushes", "events",
                     "Spaces that a core's TLBs forgot because another one needed the tag.",
                     &own->switch_flushes);
    PfStatsGroup *group = pf_stats_group(stats, "shootdown");
    pf_stats_counter(group, "local", "events",
                     "Invalidations that no other core had to be interrupted for.", &own->local);
    pf_stats_counter(group, "remote", "events", "Invalidations that interrupted other cores.",
                     &own->remote);
    pf_stats_counter(group, "interrupts", "events", "Cores that they interrupted.",
                     &own->interrupts);
    pf_stats_counter(group, "whole_spaces", "events",
                     "Invalidations, of those, that flushed the whole space.", &own->whole_spaces);
    pf_stats_counter(pf_stats_group(stats, "walk"), "shadow_changes", "events",
                     "Changes of mappings that the host repeated in its shadow page tables.",
                     &own->shadow_changes);
}

bool pf_mmu_init(PfMmu *mmu, const PfMmuConfig *config, unsigned core_count, unsigned page_shift,
                 PfStats *stats, GError **error)
{
    *mmu = (PfMmu){.config = config,
                   .core_count = core_count,
                   .page_shift = (uint8_t)page_shift,
                   .mask_words = (core_count + 63) / 64};
    mmu->cores = g_new0(PfMmuCore, core_count);
    mmu->masks = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    mmu->shadowed = g_array_new(FALSE, TRUE, sizeof(bool));
    for (unsigned i = 0; i < core_count; i++)
        if (!build_core(mmu, i, stats, error))
            return false;
    register_stats(&mmu->stats, stats);
    return true;
}

void pf_mmu_clear(PfMmu *mmu)
{
    for (unsigned i = 0; mmu->cores != NULL && i < mmu->core_count; i++) {
        pf_tlb_free(mmu->cores[i].instruction);
        pf_tlb_free(mmu->cores[i].data);
        pf_tlb_free(mmu->cores[i].second);
        pf_walker_free(mmu->cores[i].walker);
        g_clear_pointer(&mmu->cores[i].tagged, g_array_unref);
    }
    g_clear_pointer(&mmu->cores, g_free);
    g_clear_pointer(&mmu->masks, g_array_unref);
    g_clear_pointer(&mmu->shadowed, g_array_unref);
}

static void set_sees(PfMmu *mmu, unsigned core, uint32_t space, bool sees)
{
    uint64_t *mask = &g_array_index(mmu->masks, uint64_t, (size_t)space * mmu->mask_words);
    uint64_t bit = (uint64_t)1 << core % 64;
    mask[core / 64] = sees ? mask[core / 64] | bit : mask[core / 64] & ~bit;
}

void pf_mmu_add_space(PfMmu *mmu, uint32_t space, unsigned core, bool shadowed)
{
    g_assert(space == mmu->shadowed->len);
    g_array_append_val(mmu->shadowed, shadowed);
    g_array_set_size(mmu->masks, mmu->masks->len + mmu->mask_words);
    set_sees(mmu, core, space, true);
}

unsigned pf_mmu_next_seeing(const PfMmu *mmu, unsigned from, uint32_t space)
{
    const uint64_t *mask = &g_array_index(mmu->masks, uint64_t, (size_t)space * mmu->mask_words);
    while (from < mmu->core_count) {
        uint64_t rest = mask[from / 64] >> from % 64;
        if (rest != 0)
            return from + pf_log2(rest & -rest);
        from = (from / 64 + 1) * 64;
    }
    return mmu->core_count;
}

/* The TLBs of a core that there are. */
enum { TLBS = 3 };
static void tlbs_of(const PfMmu *mmu, unsigned core, PfTlb *ret_tlbs[TLBS])
{
    ret_tlbs[0] = mmu->cores[core].instruction;
    ret_tlbs[1] = mmu->cores[core].data;
    ret_tlbs[2] = mmu->cores[core].second;
}

static void drop(PfMmu *mmu, unsigned core, uint32_t space, PfVpn first, uint64_t pages)
{
    PfTlb *tlbs[TLBS];
    if (pages == UINT64_MAX)
        first.number = 0;
    tlbs_of(mmu, core, tlbs);
    for (unsigned i = 0; i < TLBS; i++)
        if (tlbs[i] != NULL)
            pf_tlb_invalidate_range(tlbs[i], space, first, pages);
    pf_walker_forget(mmu->cores[core].walker, space);
}

/* CORE turns to SPACE and has no tag for it. */
static void take_tag(PfMmu *mmu, unsigned core, uint32_t space)
{
    GArray *tagged = mmu->cores[core].tagged;
    if (tagged->len == mmu->config->tags) {
        uint32_t oldest = g_array_index(tagged, uint32_t, 0);
        g_array_remove_index(tagged, 0);
        mmu->stats.switch_flushes++;
        if (mmu->config->tags == 1)
            pf_mmu_flush(mmu, core);
        else
            drop(mmu, core, oldest, (PfVpn){0}, UINT64_MAX);
        set_sees(mmu, core, oldest, false);
    }
    g_array_append_val(tagged, space);
}

void pf_mmu_switch(PfMmu *mmu, unsigned core, uint32_t space)
{
    GArray *tagged = mmu->cores[core].tagged;
    mmu->cores[core].space = space;
    set_sees(mmu, core, space, true);
    if (tagged == NULL)
        return;
    for (unsigned i = tagged->len; i-- > 0;)
        if (g_array_index(tagged, uint32_t, i) == space) {
            g_array_remove_index(tagged, i);
            g_array_append_val(tagged, space);
            return;
        }
    take_tag(mmu, core, space);
}

/* What both dimensions map as one page. */
static unsigned effective_shift(const PfTranslation *translation)
{
    return translation->nested ? MIN(translation->size_shift, translation->host_size_shift)
                               : translation->size_shift;
}

const PfTlbEntry *pf_mmu_refill(PfMmu *mmu, const PfTranslation *translation, PfCache *data_cache,
                                uint64_t now_cycles, uint64_t *ret_cycles)
{
    const PfMmuCore *core = &mmu->cores[translation->core];
    uint64_t missed_cycles = 0;
    if (core->second != NULL) {
        const PfTlbEntry *entry =
            pf_tlb_lookup(core->second, translation->space, translation->page);
        if (entry != NULL) {
            PfTlb *first = translation->is_fetch ? core->instruction : core->data;
            pf_tlb_insert(first, translation->space, translation->page,
                          pf_tlb_entry_frame(entry, translation->page), entry->writable,
                          entry->size_shift);
            *ret_cycles = entry->latency_cycles;
            return entry;
        }
        missed_cycles = pf_tlb_miss_cycles(core->second);
    }
    PfWalkRequest walk = {.page = translation->page,
                          .now_cycles = now_cycles + missed_cycles,
                          .space = translation->space,
                          .core = translation->core,
                          .nested = translation->nested,
                          .page_shift = mmu->page_shift,
                          .size_shift = translation->size_shift,
                          .host_size_shift = translation->host_size_shift};
    *ret_cycles = pf_walker_walk(core->walker, pf_cache_port(data_cache), &walk) - now_cycles;
    return NULL;
}

void pf_mmu_insert(PfMmu *mmu, const PfTranslation *translation, PfMpn mpn, bool writable)
{
    const PfMmuCore *core = &mmu->cores[translation->core];
    PfTlb *const tlbs[] = {translation->is_fetch ? core->instruction : core->data, core->second};
    unsigned shift = effective_shift(translation);
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++)
        if (tlbs[i] != NULL)
            pf_tlb_insert(tlbs[i], translation->space, translation->page, mpn, writable, shift);
}

void pf_mmu_invalidate(PfMmu *mmu, unsigned core, uint32_t space, PfVpn first, uint64_t pages)
{
    drop(mmu, core, space, first, pages);
    if (pages < UINT64_MAX || mmu->cores[core].space == space)
        return;
    set_sees(mmu, core, space, false);
    GArray *tagged = mmu->cores[core].tagged;
    for (unsigned i = 0; tagged != NULL && i < tagged->len; i++)
        if (g_array_index(tagged, uint32_t, i) == space)
            g_array_remove_index(tagged, i--);
}

void pf_mmu_flush(PfMmu *mmu, unsigned core)
{
    PfTlb *tlbs[TLBS];
    tlbs_of(mmu, core, tlbs);
    for (unsigned i = 0; i < TLBS; i++)
        if (tlbs[i] != NULL)
            pf_tlb_flush(tlbs[i]);
    pf_walker_flush(mmu->cores[core].walker);
}

void pf_mmu_reset_state(PfMmu *mmu)
{
    for (unsigned core = 0; core < mmu->core_count; core++) {
        PfTlb *tlbs[TLBS];
        tlbs_of(mmu, core, tlbs);
        for (unsigned i = 0; i < TLBS; i++)
            if (tlbs[i] != NULL)
                pf_tlb_reset_state(tlbs[i]);
        pf_walker_reset_state(mmu->cores[core].walker);
    }
}

void pf_mmu_check(const PfMmu *mmu)
{
    for (unsigned core = 0; core < mmu->core_count; core++) {
        PfTlb *tlbs[TLBS];
        tlbs_of(mmu, core, tlbs);
        for (unsigned i = 0; i < TLBS; i++)
            if (tlbs[i] != NULL)
                pf_tlb_check(tlbs[i]);
        pf_walker_check(mmu->cores[core].walker);
        const GArray *tagged = mmu->cores[core].tagged;
        g_assert(tagged == NULL || tagged->len <= mmu->config->tags);
        for (unsigned i = 0; tagged != NULL && i < tagged->len; i++)
            g_assert(pf_mmu_sees(mmu, core, g_array_index(tagged, uint32_t, i)));
    }
}
