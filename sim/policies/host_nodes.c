#include "host_nodes.h"

/* By the operating system, as a page fault of the page's context that notices whose it is: a trap,
 * a frame, a copy and a flush. Where a controller has a table it does the copying itself. */
static void charge(PfHost *host, PfPage page, PfMpn from, PfMpn to)
{
    PfWork *work = host->base.work;
    const PfPlace *place = &host->base.contexts[page.context];
    if (pf_host_remaps(host)) {
        pf_work_break(work, place, PF_ACCOUNT_SYSTEM, from, to, true);
        return;
    }
    const PfCosts *costs = work->costs;
    pf_work_charge(work, place, PF_ACCOUNT_SYSTEM,
                   costs->trap_cycles + costs->allocate_cycles + costs->remap_page_cycles);
    pf_work_copy_page(work, place, PF_ACCOUNT_SYSTEM, pf_host_frame_address(host, from),
                      pf_host_frame_address(host, to));
    pf_host_shoot_down(host, place, page);
}

bool pf_host_migrate(PfHost *host, PfPage page, unsigned node)
{
    PfSlot slot;
    if (!pf_host_present_slot(host, page, &slot))
        return false;
    PfMemory *memory = host->base.memory;
    PfMpn from = {pf_memory_entry(memory, slot)->mpn};
    if (pf_host_cam_snoops(host))
        pf_host_cam_written(host, page); /* its entries name the frame that is given up */
    if (!pf_memory_migrate(memory, slot, node))
        return false;
    host->start_generation++; /* a free frame may be in use again */
    charge(host, page, from, (PfMpn){pf_memory_entry(memory, slot)->mpn});
    pf_host_page_moved(host, page);
    pf_host_verify(host, page);
    return true;
}
