/* The services of policy.h around lines that are written back, and the host's part of telling. */
#include "host_write_backs.h"

#include "error.h"

bool pf_host_check_timing(const PfHost *host, GError **error)
{
    if (host->write_backs == NULL || host->base.work->full)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "policy '%s': it waits for lines to be written back, and where time is told by "
                "costs, as of page grain, no caches are there to do so; set timing = \"full\"",
                host->setup->common.label);
    return false;
}

bool pf_host_watch_write_backs(PfHost *host, GError **error)
{
    host->write_backs = g_array_new(FALSE, FALSE, sizeof(PfWriteBack));
    return pf_host_check_timing(host, error);
}

void pf_host_free_write_backs(PfHost *host)
{
    g_clear_pointer(&host->write_backs, g_array_unref);
}

/* Has the policy told of FRAME once CYCLE has come. */
static void keep(PfHost *host, PfMpn frame, uint64_t cycle)
{
    PfWriteBack line = {cycle, frame};
    g_array_append_val(host->write_backs, line);
    host->write_back_cycles = MIN(host->write_back_cycles, cycle);
    *host->base.due_cycles = MIN(*host->base.due_cycles, cycle);
}

void pf_host_line_written_back(void *user, const PfRequest *request)
{
    PfHost *host = user;
    unsigned shift = pf_image_page_shift(host->base.memory->image);
    uint64_t last = (request->address.bytes + request->size_bytes - 1) >> shift;
    for (uint64_t page = request->address.bytes >> shift; page <= last; page++)
        if (page < host->base.memory->frames.limit)
            keep(host, (PfMpn){(uint32_t)page}, request->now_cycles);
}

bool pf_host_is_dirty(const PfHost *host, PfPage page)
{
    const PfWork *work = host->base.work;
    const PfMemory *memory = host->base.memory;
    PfSlot slot;
    bool found = pf_host_present_slot(host, page, &slot);
    g_assert(found);
    PfMaddr line = pf_mpn_address(pf_bus_translation(memory, slot),
                                  pf_image_page_shift(memory->image), 0);
    uint64_t end = line.bytes + work->page_bytes;
    for (; line.bytes < end; line.bytes += work->line_bytes)
        if (pf_controller_is_dirty(work->controller, line))
            return true;
    return false;
}

void pf_host_page_flushed(PfHost *host, PfPage page)
{
    PfMpn frame;
    if (host->write_backs != NULL && pf_host_frame(host, page, &frame) &&
        pf_host_is_dirty(host, page))
        keep(host, frame, host->place->core->now_cycles);
}

void pf_host_tell_write_backs(PfHost *host, void (*at_line)(PfHost *host, uint64_t cycle))
{
    GArray *lines = host->write_backs;
    guint count = lines->len;
    host->write_back_cycles = PF_HOST_NEVER;
    for (guint i = 0; i < count; i++) {
        PfWriteBack line = g_array_index(lines, PfWriteBack, i);
        if (!pf_frame_is_used(pf_frame_at(&host->base.memory->frames, line.frame)))
            continue;
        at_line(host, line.cycle);
        host->setup->ops->line_written_back(host->self, line.frame);
    }
    g_array_remove_range(lines, 0, count);
}
