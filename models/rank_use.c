#include "rank_use.h"

static uint32_t number_of(const PfRankUse *use, uint64_t address)
{
    PfDramLocation place = pf_dram_locate(use->dram, (PfMaddr){address});
    return place.rank * pf_dram_channels(use->dram) + place.channel;
}

/* The ranks whose numbers without the bits `within` are GROUP sleep from NOW_CYCLES on, or not any
 * more. */
static void change_group(const PfRankUse *use, uint32_t group, bool sleep, uint64_t now_cycles)
{
    uint32_t channels = pf_dram_channels(use->dram);
    for (uint32_t i = group; i < use->count; i++) {
        if ((i & ~use->within) != group)
            continue;
        if (sleep)
            pf_dram_sleep(use->dram, i % channels, i / channels, now_cycles);
        else
            pf_dram_wake(use->dram, i % channels, i / channels, now_cycles);
    }
}

/* Both factors of `count` are powers of two, and flipping one bit of an address flips the same bits
 * of a number whatever the others are. */
void pf_rank_use_init(PfRankUse *use, PfDram *dram, unsigned page_shift)
{
    *use = (PfRankUse){.dram = dram,
                       .page_shift = page_shift,
                       .count = pf_dram_channels(dram) * pf_dram_ranks(dram)};
    for (unsigned bit = 0; bit < page_shift; bit++)
        use->within |= number_of(use, (uint64_t)1 << bit) ^ number_of(use, 0);
    use->pages = g_new0(uint64_t, use->count);
    for (uint32_t i = 0; i < use->count; i++)
        if ((i & use->within) == 0)
            change_group(use, i, true, 0);
}

void pf_rank_use_clear(PfRankUse *use)
{
    g_clear_pointer(&use->pages, g_free);
}

void pf_rank_use_change(PfRankUse *use, PfMpn page, bool is_used, uint64_t now_cycles)
{
    uint32_t group = number_of(use, (uint64_t)page.number << use->page_shift) & ~use->within;
    uint64_t *pages = &use->pages[group];
    g_assert(is_used || *pages > 0);
    *pages += is_used ? 1 : UINT64_MAX;
    if (*pages == is_used)
        change_group(use, group, !is_used, now_cycles);
}

uint64_t pf_rank_use_pages(const PfRankUse *use, unsigned rank)
{
    uint32_t channels = pf_dram_channels(use->dram);
    uint64_t pages = 0;
    for (uint32_t i = 0; i < use->count; i++)
        if ((i & use->within) == 0 && ((i ^ rank * channels) & ~use->within) / channels == 0)
            pages += use->pages[i];
    return pages;
}

uint64_t pf_rank_use_empty(const PfRankUse *use)
{
    uint64_t empty = 0;
    for (uint32_t i = 0; i < use->count; i++)
        empty += use->pages[i & ~use->within] == 0;
    return empty;
}
