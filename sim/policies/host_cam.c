/* The services of policy.h around the machine's CAMs: which of them is asked, what it is asked for,
 * and what the way there costs.
 *
 * A key that is narrower than the policy's has its low bits in the CAM's key; what is above is a
 * class, for that is all that a policy whose hashes are as narrow adds to them. Of whole pages the
 * key is the content, so equal bytes alone match; the policy's key is the class. */
#include "host.h"

/* Cursors: 0 before the search, all ones behind it; else the last match, above it how many CAMs
 * have been asked, and above that which was the first: the policy may be at another node by now. */
#define END_OF_SEARCH UINT64_MAX
enum { STEP_SHIFT = 32, FIRST_SHIFT = 40, STEP_MASK = 0xff };

/* Of whole pages, a key: the number of the content, or that of the frame whose bytes are not known,
 * which match none. And, in `cam_places`, the CAM that holds it. */
#define PLACE_KNOWN ((uint64_t)1 << 32)
enum { UNIT_SHIFT = 40 };

static bool stores_pages(const PfHost *host)
{
    return host->base.cam->stores == PF_CAM_STORES_PAGE;
}

/* The node of PLACE, where each has a CAM. */
static unsigned node_of(const PfHost *host, const PfPlace *place)
{
    const uint8_t *node_of_core = host->base.memory->frames.rules.nodes.node_of_core;
    return node_of_core[place->index] % host->base.cam_count;
}

/* The node where the policy works now. */
static unsigned home(const PfHost *host)
{
    return node_of(host, host->place);
}

static bool is_replicated(const PfHost *host)
{
    return host->base.cam->scope == PF_CAM_REPLICATED;
}

/* CAMs that hold different entries; of copies the first holds what all hold. */
static unsigned unit_count(const PfHost *host)
{
    return is_replicated(host) ? 1 : host->base.cam_count;
}

/* CAM number UNIT, about to be asked from NODE: of copies the one there. */
static PfCam *cam_at(const PfHost *host, unsigned unit, unsigned node)
{
    PfCam *cam = host->base.cams[unit];
    if (is_replicated(host))
        pf_cam_work_at(cam, host->base.cams[node]);
    return cam;
}

/* The CAM of PAGE's frame, or the one that KEY is hashed to. */
static unsigned unit_of(const PfHost *host, uint64_t key, PfPage page)
{
    unsigned count = unit_count(host);
    if (count == 1)
        return 0;
    PfMpn frame;
    if (host->base.cam->scope == PF_CAM_PER_NODE)
        return pf_host_frame(host, page, &frame) ? pf_host_node(host, frame) % count : 0;
    PfRng mixed = {key};
    return (unsigned)(pf_rng_next(&mixed) % count);
}

static PfCamStats *stats_of(const PfHost *host)
{
    return pf_cam_stats(host->base.cams[0]);
}

/* Whether it is another node's; replicated ones are at home. */
static bool is_remote(const PfHost *host, unsigned unit)
{
    return unit_count(host) > 1 && unit != home(host);
}

/* Waits until DONE for UNIT, and for the way there and back. */
static void wait(PfHost *host, unsigned unit, uint64_t done_cycles)
{
    const PfCamConfig *config = host->base.cam;
    bool at_controller = host->place->cache == NULL;
    bool at_own_core = host->place->index == host->base.daemon.index;
    bool is_near = config->at == PF_CAM_AT_CONTROLLER ? at_controller : at_own_core;
    uint64_t cycles = done_cycles - pf_host_now(host);
    if (!config->is_ideal && !is_near)
        cycles += host->base.cam_reach_cycles;
    if (is_remote(host, unit))
        cycles += pf_cycles_from_ps(config->remote_ps, host->base.clock_hz);
    pf_host_charge(host, PF_ACCOUNT_LOOKUP, cycles);
}

/* The key of what PAGE holds; the content is to be given back. */
static uint64_t page_bits(PfHost *host, PfPage page, PfTicket *ret_ticket)
{
    *ret_ticket = pf_host_remember(host, page);
    return ret_ticket->content != PF_FRAME_UNKNOWN ? PLACE_KNOWN | ret_ticket->content
                                                   : ret_ticket->frame.number;
}

/* Gives back the content that BITS name. */
static void forget_page(PfHost *host, uint64_t bits)
{
    if ((bits & PLACE_KNOWN) != 0)
        pf_host_forget(host, (PfTicket){.content = (uint32_t)bits});
}

static PfCamKey key_of_hash(const PfHost *host, uint64_t key)
{
    uint64_t bits = host->base.cam->key_bits;
    if (bits >= 64)
        return (PfCamKey){.bits = key};
    return (PfCamKey){.bits = key & (((uint64_t)1 << bits) - 1), .class = key >> bits};
}

static PfCamKey key_of_page(PfHost *host, uint64_t key, PfPage page)
{
    if (!stores_pages(host))
        return key_of_hash(host, key);
    PfTicket ticket;
    PfCamKey whole = {.bits = page_bits(host, page, &ticket), .class = key};
    pf_host_forget(host, ticket);
    return whole;
}

/* The policy's key of ITEM. */
static uint64_t key_of_item(const PfHost *host, const PfCamItem *item)
{
    uint64_t bits = host->base.cam->key_bits;
    if (stores_pages(host))
        return item->key.class;
    return bits >= 64 ? item->key.bits : item->key.class << bits | item->key.bits;
}

/* ITEM has left its CAM. */
static void let_go(PfHost *host, const PfCamItem *item)
{
    pf_table_remove(&host->cam_places, item->value);
    if (stores_pages(host))
        forget_page(host, item->key.bits);
}

bool pf_host_cam_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor,
                      uint64_t *ret_value)
{
    host->is_cam_match = false;
    if (*cursor == END_OF_SEARCH)
        return false;
    bool by_node = host->base.cam->scope == PF_CAM_PER_NODE;
    unsigned steps = by_node ? unit_count(host) : 1;
    unsigned begun = (unsigned)(*cursor >> FIRST_SHIFT);
    unsigned at_home = *cursor == 0 ? home(host) : begun;
    unsigned first = by_node ? at_home : unit_of(host, key, page);
    unsigned step = (unsigned)(*cursor >> STEP_SHIFT) & STEP_MASK;
    uint32_t match = (uint32_t)*cursor;
    PfCamKey searched = key_of_page(host, key, page);
    while (true) {
        unsigned unit = (first + (match != 0 ? step - 1 : step)) % unit_count(host);
        PfCam *cam = cam_at(host, unit, home(host));
        uint64_t done;
        if (match != 0) {
            match = pf_cam_next(cam, match, pf_host_now(host), &done);
            pf_host_charge(host, PF_ACCOUNT_LOOKUP, done - pf_host_now(host));
        } else if (step < steps) {
            step++;
            match = pf_cam_search(cam, &searched, pf_host_now(host), &done);
            stats_of(host)->remote_searches += is_remote(host, unit);
            wait(host, unit, done);
        } else {
            *cursor = END_OF_SEARCH;
            return false;
        }
        if (match == 0)
            continue;
        *cursor = (uint64_t)first << FIRST_SHIFT | (uint64_t)step << STEP_SHIFT | match;
        *ret_value = pf_cam_item(cam, match).value;
        host->is_cam_match = true;
        return true;
    }
}

/* What was last done to the copy at NODE is done to the others, while nobody waits for them. */
static void update_copies(PfHost *host, unsigned node)
{
    for (unsigned i = 0; is_replicated(host) && i < host->base.cam_count; i++) {
        if (i == node)
            continue;
        stats_of(host)->remote_updates++;
        pf_cam_repeat(host->base.cams[0], host->base.cams[i]);
    }
}

PfCamFiling pf_host_cam_file(PfHost *host, uint64_t key, PfPage page, uint64_t value,
                             uint64_t *ret_key, uint64_t *ret_value)
{
    unsigned unit = unit_of(host, key, page);
    PfMpn frame = PF_CAM_NO_FRAME;
    pf_host_frame(host, page, &frame);
    PfCamItem item = {.key = key_of_hash(host, key), .value = value, .frame = frame};
    PfTicket ticket;
    if (stores_pages(host))
        item.key = (PfCamKey){.bits = page_bits(host, page, &ticket), .class = key};
    PfCamItem evicted;
    uint64_t done;
    PfCam *cam = cam_at(host, unit, home(host));
    PfCamInsertion result = pf_cam_insert(cam, &item, pf_host_now(host), &evicted, &done);
    stats_of(host)->remote_updates += is_remote(host, unit);
    wait(host, unit, done);
    if (result != PF_CAM_STORED && !pf_host_cam_overflows(host))
        pf_host_tell(host, (PfStep){.kind = PF_STEP_LOST,
                                    .number = result == PF_CAM_REFUSED ? value : evicted.value});
    if (result == PF_CAM_REFUSED) {
        if (stores_pages(host))
            pf_host_forget(host, ticket);
        return PF_CAM_FULL;
    }
    update_copies(host, home(host));
    if (stores_pages(host) || unit_count(host) > 1)
        pf_table_insert(&host->cam_places, value,
                        (uint64_t)unit << UNIT_SHIFT | (stores_pages(host) ? item.key.bits : 0));
    if (result == PF_CAM_STORED)
        return PF_CAM_KEPT;
    *ret_key = key_of_item(host, &evicted);
    *ret_value = evicted.value;
    let_go(host, &evicted);
    return PF_CAM_DISPLACED;
}

bool pf_host_cam_unfile(PfHost *host, uint64_t key, uint64_t value)
{
    unsigned unit = 0;
    PfCamKey bits = key_of_hash(host, key);
    uint64_t place;
    if (stores_pages(host) || unit_count(host) > 1) {
        if (!pf_table_find(&host->cam_places, value, &place))
            return false;
        unit = (unsigned)(place >> UNIT_SHIFT);
    }
    if (stores_pages(host))
        bits = (PfCamKey){.bits = place & (((uint64_t)1 << UNIT_SHIFT) - 1), .class = key};
    PfCamItem item;
    uint64_t done;
    PfCam *cam = cam_at(host, unit, home(host));
    bool was_there = pf_cam_delete(cam, &bits, value, pf_host_now(host), &item, &done);
    stats_of(host)->remote_updates += is_remote(host, unit);
    wait(host, unit, done);
    if (was_there) {
        update_copies(host, home(host));
        let_go(host, &item);
    }
    return was_there;
}

static void cleared(const PfCamItem *item, void *user)
{
    pf_host_tell(user, (PfStep){.kind = PF_STEP_LOST, .number = item->value});
    let_go(user, item);
}

void pf_host_cam_written(PfHost *host, PfPage page)
{
    PfMpn frame;
    if (!pf_host_frame(host, page, &frame))
        return;
    const PfPlace *place = &host->base.contexts[page.context];
    unsigned node = node_of(host, place);
    bool clear = host->base.cam->stale == PF_CAM_STALE_DELETE;
    for (unsigned i = 0; i < unit_count(host); i++) {
        if (!pf_cam_has_frame(host->base.cams[i], frame))
            continue;
        pf_cam_invalidate(cam_at(host, i, node), frame, clear, place->core->now_cycles, cleared,
                          host);
        stats_of(host)->remote_updates += unit_count(host) > 1 && i != node;
        update_copies(host, node);
    }
}

bool pf_host_cam_overflows(const PfHost *host)
{
    return host->base.cam->behind == PF_CAM_BEHIND_TABLE;
}

bool pf_host_cam_forgets(const PfHost *host)
{
    return pf_host_cam_snoops(host);
}

void pf_host_cam_count_lost(PfHost *host)
{
    stats_of(host)->lost++;
    if ((host->setup->ops->flags & PF_POLICY_INDEXED) != 0)
        return; /* it will ask its own index */
    host->has_lost = true;
    pf_host_verdict(host, host->match_page, PF_WHY_LIMIT);
}

void pf_host_count_false_match(PfHost *host)
{
    stats_of(host)->false_hits += host->uses_cam && host->is_cam_match;
}

void pf_host_count_false_merge(PfHost *host)
{
    stats_of(host)->false_merges++;
}

bool pf_host_believes(const PfHost *host)
{
    return host->uses_cam && !host->base.cam->verify;
}

void pf_host_cam_clear(PfHost *host)
{
    pf_table_clear(&host->cam_places);
}
