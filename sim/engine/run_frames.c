/* What caches hold of frames: nothing of a frame's last life, and how much of shared ones. */
#include "run.h"

/* PAGE, by its number above the controller, is given out that was in use before. What caches hold
 * of it is dead, and who gets it must not meet that. */
static void forget_page(void *user, PfMpn page)
{
    const PfRun *run = user;
    if (!run->fills_caches)
        return;
    PfMaddr address = pf_mpn_address(page, run->machine->mmu.page_shift, 0);
    pf_coherence_drop(run->machine->coherence, address, run->work.page_bytes);
}

/* The same of a frame; where there are bus pages, it is in the window on frames. */
static void forget_frame(void *user, PfMpn frame)
{
    const PfRun *run = user;
    uint32_t first = run->memory.bus != NULL ? PF_INDIRECTION_DIRECT : 0;
    forget_page(user, (PfMpn){first + frame.number});
}

static bool is_shared(const void *user, PfMaddr address)
{
    const PfRun *run = user;
    uint64_t page = address.bytes >> run->machine->mmu.page_shift;
    const PfMemory *memory = &run->memory;
    /* Page 0 is the zero page, frame 0, which takes no place on the bus. */
    if (memory->bus != NULL && page > 0 && page < PF_INDIRECTION_DIRECT)
        return page < memory->bus->next &&
               *(const uint32_t *)pf_seg_array_at(&memory->bus->users, (uint32_t)page) > 1;
    page -= memory->bus != NULL && page > 0 ? PF_INDIRECTION_DIRECT : 0;
    return page < memory->frames.limit &&
           pf_frame_refs(pf_frame_at(&memory->frames, (PfMpn){(uint32_t)page})) > 1;
}

void run_watch_frames(PfRun *run)
{
    run->memory.frames.reused = (PfReused){forget_frame, run};
    if (run->memory.bus != NULL)
        run->memory.bus->reused = (PfReused){forget_page, run};
    unsigned levels = run->machine_config->cache_count;
    for (unsigned core = 0; core < run->machine->core_count; core++) /* some have the same one */
        pf_cache_watch_hits(run->machine->caches[(core + 1) * levels - 1], is_shared, run);
}

void run_check_fresh(const PfRun *run, PfMpn frame)
{
    uint32_t line_bytes = run->work.line_bytes;
    if (!run->paranoid || run->machine->remaps || run->work.page_bytes < line_bytes)
        return;
    PfMaddr address = pf_mpn_address(frame, run->machine->mmu.page_shift, 0);
    for (uint32_t offset = 0; offset < run->work.page_bytes; offset += line_bytes)
        g_assert(!pf_coherence_holds(run->machine->coherence,
                                     (PfMaddr){address.bytes + offset}));
}
