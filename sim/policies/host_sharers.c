/* How many pages have a frame in common: how far sharing has gone, where the saved pages tell only
 * what it has freed. */
#include "host_sharers.h"

void pf_host_register_sharers(PfHost *host)
{
    pf_stats_distribution(pf_stats_group(host->base.stats, "memory"), "sharers_pages", "pages",
                          "Frames by how many pages map them; of a bound, distinct contents by how "
                          "many pages hold them.",
                          &host->sharers, 1.0);
}

void pf_host_count_sharers(PfHost *host)
{
    PfMemory *memory = host->base.memory;
    if ((host->setup->ops->flags & PF_POLICY_BOUND) != 0) {
        pf_image_multiplicity(memory->image, &memory->reader, memory->position, &host->sharers);
        return;
    }
    host->sharers = (PfHistogram){0};
    for (uint32_t i = 0; i < memory->frames.limit; i++) {
        uint32_t pages = pf_frame_refs(pf_frame_at(&memory->frames, (PfMpn){i}));
        if (pages > 0)
            pf_histogram_add(&host->sharers, pages);
    }
}
