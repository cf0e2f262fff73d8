/* The services of policy.h around the finder that the configuration names. */
#include "host.h"
#include "host_classes.h"

/* What is filed is no wider than the CAM's keys. Hashes are cut to that before policies salt them
 * (host_hash.c); an index of a policy's own has checksums, which stay as they are. */
static uint64_t narrow(const PfHost *host, uint64_t key)
{
    bool is_whole = host->uses_cam && (host->setup->ops->flags & PF_POLICY_INDEXED) != 0;
    uint64_t bits = is_whole ? host->base.cam->key_bits : 64;
    return bits < 64 ? key & (((uint64_t)1 << bits) - 1) : key;
}

bool pf_host_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    g_assert(pf_host_has_finder(host));
    key = pf_host_class_key(host, narrow(host, key), page);
    host->has_lost = false;
    host->match_page = page;
    bool found = host->setup->finder->find(host->finder, key, page, cursor, ret_value);
    host->has_match = found && host->uses_cam;
    pf_host_tell(host, (PfStep){.kind = found ? PF_STEP_FOUND : PF_STEP_MISSED,
                                .page = page,
                                .key = key});
    return found;
}

void pf_host_file(PfHost *host, uint64_t key, PfPage page, uint64_t value)
{
    g_assert(pf_host_has_finder(host));
    pf_host_file_class(host, value, page);
    key = pf_host_class_key(host, narrow(host, key), page);
    if (host->base.observer != NULL) {
        PfStep step = {.kind = PF_STEP_FILED, .page = page, .key = key, .number = value};
        pf_host_frame(host, page, &step.frame);
        pf_host_tell(host, step);
    }
    host->setup->finder->file(host->finder, key, page, value);
}

void pf_host_unfile(PfHost *host, uint64_t key, uint64_t value)
{
    key = pf_host_unfile_class(host, narrow(host, key), value);
    host->setup->finder->unfile(host->finder, key, value);
    pf_host_tell(host, (PfStep){.kind = PF_STEP_UNFILED, .key = key, .number = value});
}

bool pf_host_has_finder(const PfHost *host)
{
    return host->finder != NULL;
}

bool pf_host_finds_all(const PfHost *host)
{
    const PfFinderOps *ops = host->setup->finder;
    return ops->finds_all == NULL || ops->finds_all(host->finder);
}

static_assert(PF_TICKET_UNKNOWN == PF_FRAME_UNKNOWN, "what frames hold is what tickets tell");

PfTicket pf_host_remember(PfHost *host, PfPage page)
{
    PfTicket ticket = {.content = PF_FRAME_UNKNOWN, .class = pf_host_class(host, page)};
    PfContent content;
    if (host->intent.is_open && pf_page_equal(page, host->intent.page)) {
        pf_host_frame(host, page, &ticket.frame); /* else the zero page's */
        if (pf_host_result_content(host, &content))
            ticket.content = content.index;
        return ticket;
    }
    bool present = pf_host_frame(host, page, &ticket.frame);
    g_assert(present);
    if (pf_memory_frame_content(host->base.memory, ticket.frame, &content))
        ticket.content = content.index;
    return ticket;
}

void pf_host_forget(PfHost *host, PfTicket ticket)
{
    if (ticket.content != PF_FRAME_UNKNOWN)
        pf_content_unref(host->base.memory->frames.store, (PfContent){ticket.content});
}

int pf_host_compare_tickets(PfHost *host, PfTicket a, PfTicket b)
{
    size_t first = 0;
    int sign;
    if (a.class != b.class)
        return a.class < b.class ? -1 : 1;
    if (a.content == PF_FRAME_UNKNOWN && b.content == PF_FRAME_UNKNOWN)
        sign = (a.frame.number > b.frame.number) - (a.frame.number < b.frame.number);
    else if (a.content == PF_FRAME_UNKNOWN || b.content == PF_FRAME_UNKNOWN)
        sign = a.content == PF_FRAME_UNKNOWN ? 1 : -1;
    else
        sign = pf_content_compare(host->base.memory->frames.store, (PfContent){a.content},
                                  (PfContent){b.content}, &first);
    if (!pf_mpn_equal(a.frame, b.frame)) {
        bool is_ahead = host->intent.is_open;
        pf_host_tell(host, (PfStep){.kind = is_ahead ? PF_STEP_COMPARED_AHEAD : PF_STEP_COMPARED,
                                    .frame = a.frame,
                                    .other = b.frame,
                                    .number = first});
        pf_work_compare(host->base.work, host->place, PF_ACCOUNT_COMPARE,
                        pf_host_frame_address(host, a.frame), pf_host_frame_address(host, b.frame),
                        first);
    }
    return sign;
}
