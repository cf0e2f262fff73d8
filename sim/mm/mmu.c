#include "mmu.h"

/* Sizes of Skylake-SP (Intel's optimisation manual): 64 entries of 4 ways for data, 1536 of 12 ways
 * behind both sides. */
static void set_standard(PfConfigSection *section, const char *entries, const char *ways,
                         const char *latency)
{
    const char *const rows[][2] = {{"entries", entries}, {"ways", ways}, {"latency", latency}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!pf_config_is_set(section, rows[i][0]))
            pf_config_set(section, rows[i][0], PF_CONFIG_UINT, rows[i][1], "default");
}

void pf_mmu_bind(PfConfigSection *tlb, PfConfigSection *walk, PfMmuConfig *config)
{
    PfConfigSection *first = pf_config_subsection(tlb, "l1");
    PfConfigSection *second = pf_config_subsection(tlb, "l2");
    set_standard(first, "64", "4", "1");
    set_standard(second, "1536", "12", "7");
    pf_config_bind(first, pf_tlb_fields, pf_tlb_field_count, &config->first);
    pf_config_bind(second, pf_tlb_fields, pf_tlb_field_count, &config->second);
    pf_config_bind(walk, pf_walker_fields, pf_walker_field_count, &config->walk);
}

/* A TLB of CONFIG that counts together with those of core 0. */
static PfTlb *new_tlb(const PfTlbConfig *config, const char *group, PfTlb *owner, PfStats *stats,
                      GError **error)
{
    PfStatsGroup *own = owner == NULL ? pf_stats_group(stats, group) : NULL;
    PfTlb *tlb = pf_tlb_new(config, own, error);
    if (tlb != NULL && owner != NULL)
        pf_tlb_count_into(tlb, owner);
    return tlb;
}

bool pf_mmu_init(PfMmu *mmu, const PfMmuConfig *config, unsigned core_count, unsigned page_shift,
                 PfStats *stats, GError **error)
{
    *mmu = (PfMmu){.core_count = core_count, .page_shift = (uint8_t)page_shift};
    mmu->cores = g_new0(PfMmuCore, core_count);
    for (unsigned i = 0; i < core_count; i++) {
        PfMmuCore *core = &mmu->cores[i];
        const PfMmuCore *first = &mmu->cores[0];
        core->instruction = new_tlb(&config->first, "tlb.l1i", i > 0 ? first->instruction : NULL,
                                    stats, error);
        if (core->instruction == NULL)
            return false;
        core->data = new_tlb(&config->first, "tlb.l1d", i > 0 ? first->data : NULL, stats, error);
        if (core->data == NULL)
            return false;
        if (config->second.entries == 0)
            continue;
        core->second =
            new_tlb(&config->second, "tlb.l2", i > 0 ? first->second : NULL, stats, error);
        if (core->second == NULL)
            return false;
    }
    mmu->walker = pf_walker_new(&config->walk, pf_stats_group(stats, "walk"), error);
    return mmu->walker != NULL;
}

void pf_mmu_clear(PfMmu *mmu)
{
    for (unsigned i = 0; mmu->cores != NULL && i < mmu->core_count; i++) {
        pf_tlb_free(mmu->cores[i].instruction);
        pf_tlb_free(mmu->cores[i].data);
        pf_tlb_free(mmu->cores[i].second);
    }
    g_clear_pointer(&mmu->cores, g_free);
    g_clear_pointer(&mmu->walker, pf_walker_free);
}

const PfTlbEntry *pf_mmu_refill(PfMmu *mmu, const PfTranslation *translation, PfCache *data_cache,
                                uint64_t now_cycles, uint64_t *ret_cycles)
{
    const PfMmuCore *core = &mmu->cores[translation->core];
    *ret_cycles = 0;
    if (core->second != NULL) {
        *ret_cycles = pf_tlb_latency_cycles(core->second);
        const PfTlbEntry *entry =
            pf_tlb_lookup(core->second, translation->space, translation->page);
        if (entry != NULL) {
            PfTlb *first = translation->is_fetch ? core->instruction : core->data;
            pf_tlb_insert(first, translation->space, translation->page, entry->mpn,
                          entry->writable, entry->page_shift);
            return entry;
        }
    }
    PfWalkRequest walk = {.page = translation->page,
                          .now_cycles = now_cycles + *ret_cycles,
                          .space = translation->space,
                          .core = translation->core,
                          .nested = translation->nested,
                          .page_shift = mmu->page_shift};
    *ret_cycles = pf_walker_walk(mmu->walker, pf_cache_port(data_cache), &walk) - now_cycles;
    return NULL;
}

void pf_mmu_insert(PfMmu *mmu, const PfTranslation *translation, PfMpn mpn, bool writable)
{
    const PfMmuCore *core = &mmu->cores[translation->core];
    PfTlb *first = translation->is_fetch ? core->instruction : core->data;
    pf_tlb_insert(first, translation->space, translation->page, mpn, writable, 0);
    if (core->second != NULL)
        pf_tlb_insert(core->second, translation->space, translation->page, mpn, writable, 0);
}

void pf_mmu_invalidate(PfMmu *mmu, unsigned core, uint32_t space, PfVpn page, bool whole_space)
{
    PfTlb *const tlbs[] = {mmu->cores[core].instruction, mmu->cores[core].data,
                           mmu->cores[core].second};
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++) {
        if (tlbs[i] == NULL)
            continue;
        if (whole_space)
            pf_tlb_invalidate_space(tlbs[i], space);
        else
            pf_tlb_invalidate_page(tlbs[i], space, page);
    }
}

void pf_mmu_invalidate_range(PfMmu *mmu, unsigned core, uint32_t space, PfVpn first,
                             uint64_t pages)
{
    PfTlb *const tlbs[] = {mmu->cores[core].instruction, mmu->cores[core].data,
                           mmu->cores[core].second};
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbs); i++)
        if (tlbs[i] != NULL)
            pf_tlb_invalidate_range(tlbs[i], space, first, pages);
}

void pf_mmu_reset_state(PfMmu *mmu)
{
    for (unsigned i = 0; i < mmu->core_count; i++) {
        pf_tlb_reset_state(mmu->cores[i].instruction);
        pf_tlb_reset_state(mmu->cores[i].data);
        if (mmu->cores[i].second != NULL)
            pf_tlb_reset_state(mmu->cores[i].second);
    }
}

void pf_mmu_check(const PfMmu *mmu)
{
    for (unsigned i = 0; i < mmu->core_count; i++) {
        pf_tlb_check(mmu->cores[i].instruction);
        pf_tlb_check(mmu->cores[i].data);
        if (mmu->cores[i].second != NULL)
            pf_tlb_check(mmu->cores[i].second);
    }
}
