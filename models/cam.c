#include "cam_internal.h"

/* ---- Rings ---- */

/* Puts NUMBER before AT; a ring of its own for AT 0. */
static void ring_put(PfCam *cam, PfCamRing ring, uint32_t at, uint32_t number)
{
    PfCamLinks *links = pf_cam_links(cam, ring, number);
    if (at == 0) {
        *links = (PfCamLinks){number, number};
        return;
    }
    PfCamLinks *after = pf_cam_links(cam, ring, at);
    *links = (PfCamLinks){after->previous, at};
    pf_cam_links(cam, ring, after->previous)->next = number;
    after->previous = number;
}

/* Takes NUMBER out of the ring that HEAD heads; the new head, 0 if the ring is empty. */
static uint32_t ring_take(PfCam *cam, PfCamRing ring, uint32_t head, uint32_t number)
{
    PfCamLinks links = *pf_cam_links(cam, ring, number);
    if (links.next == number)
        return 0;
    pf_cam_links(cam, ring, links.previous)->next = links.next;
    pf_cam_links(cam, ring, links.next)->previous = links.previous;
    return head == number ? links.next : head;
}

/* Takes NUMBER out of the ring of KEY, whose head is in HEADS. */
static void leave_ring(PfCam *cam, PfCamRing ring, PfTable *heads, uint64_t key, uint32_t number)
{
    if (pf_cam_links(cam, ring, number)->next == number) {
        pf_table_remove(heads, key);
        return;
    }
    uint32_t head = pf_cam_head(heads, key);
    uint32_t next = ring_take(cam, ring, head, number);
    if (next != head)
        pf_table_insert(heads, key, next);
}

static bool is_key(const PfCamKey *a, const PfCamKey *b)
{
    return a->bits == b->bits && a->class == b->class;
}

/* ---- Time ---- */

/* An operation of CYCLES on BANK, for which one of its ports is taken; when it begins. */
static uint64_t take_port(PfCam *cam, uint32_t bank, uint64_t now_cycles, uint64_t cycles)
{
    PfCamPort *ports = &cam->used_ports[bank * cam->config.ports];
    PfCamPort *port = ports;
    for (uint64_t i = 1; i < cam->config.ports; i++)
        if (ports[i].free_cycles < port->free_cycles)
            port = &ports[i];
    if (now_cycles < port->asked_cycles)
        return now_cycles;
    uint64_t begin = MAX(now_cycles, port->free_cycles);
    cam->stats->port_conflicts += begin > now_cycles;
    cam->stats->conflict_cycles += begin - now_cycles;
    *port = (PfCamPort){now_cycles,
                        begin + (cam->config.pipelined ? cam->figures.cycle_cycles : cycles)};
    return begin;
}

/* Begins an operation; when it begins. */
static uint64_t reserve(PfCam *cam, uint32_t bank, uint64_t now_cycles, uint64_t cycles)
{
    cam->done = (PfCamDone){.bank = bank, .asked_cycles = now_cycles, .cycles = cycles};
    if (bank != PF_CAM_ALL_BANKS)
        return take_port(cam, bank, now_cycles, cycles);
    for (uint32_t i = 0; i < cam->config.banks; i++)
        take_port(cam, i, now_cycles, cycles);
    return now_cycles;
}

/* The operation under way takes ENERGY. */
static void spend(PfCam *cam, uint64_t energy_fJ)
{
    cam->stats->energy_fJ += energy_fJ;
    cam->done.energy_fJ += energy_fJ;
}

void pf_cam_repeat(const PfCam *cam, PfCam *copy)
{
    PfCamDone done = cam->done;
    copy->used_ports = copy->ports;
    reserve(copy, done.bank, done.asked_cycles, done.cycles);
    spend(copy, done.energy_fJ);
}

/* ---- Searches ---- */

/* The first of NUMBER and those after it, up to the head of the ring, that answers to KEY. */
static uint32_t next_match(PfCam *cam, const PfCamKey *key, uint32_t number, uint32_t head)
{
    while (number != 0) {
        const PfCamEntry *entry = pf_cam_entry(cam, number);
        if (!entry->is_marked && is_key(&entry->item.key, key))
            return number;
        number = entry->links[PF_CAM_BY_KEY].next != head ? entry->links[PF_CAM_BY_KEY].next : 0;
    }
    return 0;
}

/* NUMBER answers a search. */
static void use(PfCam *cam, uint32_t number)
{
    PfCamEntry *entry = pf_cam_entry(cam, number);
    entry->item.was_hit = true;
    cam->stats->matches++;
    if (cam->config.replacement != PF_CAM_LRU || cam->config.is_ideal)
        return;
    PfCamSet *set = pf_cam_set(cam, pf_cam_set_number(cam, pf_cam_mix(&entry->item.key)));
    set->oldest = ring_take(cam, PF_CAM_BY_USE, set->oldest, number);
    ring_put(cam, PF_CAM_BY_USE, set->oldest, number);
    if (set->oldest == 0)
        set->oldest = number;
}

uint32_t pf_cam_search(PfCam *cam, const PfCamKey *key, uint64_t now_cycles, uint64_t *ret_done)
{
    uint64_t mixed = pf_cam_mix(key);
    uint64_t begin = reserve(cam, pf_cam_bank(cam, mixed), now_cycles, cam->figures.latency_cycles);
    *ret_done = begin + cam->figures.latency_cycles;
    cam->stats->searches++;
    spend(cam, cam->figures.search_fJ);
    uint32_t head = pf_cam_head(&cam->keys, mixed);
    uint32_t match = next_match(cam, key, head, head);
    cam->stats->hits += match != 0;
    if (match != 0)
        use(cam, match);
    return match;
}

uint32_t pf_cam_next(PfCam *cam, uint32_t match, uint64_t now_cycles, uint64_t *ret_done)
{
    const PfCamEntry *entry = pf_cam_entry(cam, match);
    PfCamKey key = entry->item.key;
    uint32_t head = pf_cam_head(&cam->keys, pf_cam_mix(&key));
    uint32_t after = entry->links[PF_CAM_BY_KEY].next;
    uint32_t next = after != head ? next_match(cam, &key, after, head) : 0;
    *ret_done = now_cycles + cam->figures.cycle_cycles;
    if (next != 0)
        use(cam, next);
    return next;
}

PfCamItem pf_cam_item(const PfCam *cam, uint32_t match)
{
    g_assert(pf_cam_entry(cam, match)->is_used);
    return pf_cam_entry(cam, match)->item;
}

/* ---- Changes ---- */

/* Whether A is about a lower address than B; of one frame, the lower value. */
static bool is_lower(const PfCamItem *a, const PfCamItem *b)
{
    return pf_mpn_equal(a->frame, b->frame) ? a->value < b->value
                                            : a->frame.number < b->frame.number;
}

/* NUMBER joins the entries of its key where its priority is. */
static void join_key(PfCam *cam, uint32_t number)
{
    const PfCamItem *item = &pf_cam_entry(cam, number)->item;
    uint64_t mixed = pf_cam_mix(&item->key);
    uint32_t head = pf_cam_head(&cam->keys, mixed);
    uint32_t at = head;
    bool is_first = head == 0 || cam->config.priority == PF_CAM_NEWEST;
    if (cam->config.priority == PF_CAM_LOWEST && head != 0) {
        uint32_t before = pf_cam_links(cam, PF_CAM_BY_KEY, head)->previous;
        while (is_lower(item, &pf_cam_entry(cam, before)->item) && before != head)
            before = pf_cam_links(cam, PF_CAM_BY_KEY, before)->previous;
        is_first = is_lower(item, &pf_cam_entry(cam, before)->item);
        at = is_first ? head : pf_cam_links(cam, PF_CAM_BY_KEY, before)->next;
    }
    ring_put(cam, PF_CAM_BY_KEY, at, number);
    if (is_first)
        pf_table_insert(&cam->keys, mixed, number);
}

static void join_frame(PfCam *cam, uint32_t number)
{
    PfMpn frame = pf_cam_entry(cam, number)->item.frame;
    if (!pf_cam_follows(cam, frame))
        return;
    uint32_t head = pf_cam_head(&cam->frames, frame.number);
    ring_put(cam, PF_CAM_BY_FRAME, head, number);
    if (head == 0)
        pf_table_insert(&cam->frames, frame.number, number);
}

static void leave_frame(PfCam *cam, uint32_t number)
{
    PfMpn frame = pf_cam_entry(cam, number)->item.frame;
    if (pf_cam_follows(cam, frame))
        leave_ring(cam, PF_CAM_BY_FRAME, &cam->frames, frame.number, number);
}

/* Clears NUMBER and returns what it held. */
static PfCamItem clear_entry(PfCam *cam, uint32_t number)
{
    PfCamEntry *entry = pf_cam_entry(cam, number);
    PfCamItem item = entry->item;
    uint64_t mixed = pf_cam_mix(&item.key);
    PfCamSet *set = pf_cam_set(cam, pf_cam_set_number(cam, mixed));
    leave_ring(cam, PF_CAM_BY_KEY, &cam->keys, mixed, number);
    if (!entry->is_marked)
        leave_frame(cam, number);
    set->oldest = ring_take(cam, PF_CAM_BY_USE, set->oldest, number);
    *entry = (PfCamEntry){.links[PF_CAM_BY_USE] = {0, set->first_free}};
    set->first_free = number;
    set->used--;
    cam->stats->occupancy--;
    cam->stats->wasted_inserts += !item.was_hit;
    return item;
}

/* The entry of SET, number INDEX, that makes room for another. */
static uint32_t victim(PfCam *cam, const PfCamSet *set, uint32_t index)
{
    if (cam->config.replacement != PF_CAM_RANDOM)
        return set->oldest;
    return index * cam->set_entries + 1 + (uint32_t)pf_rng_below(&cam->rng, cam->set_entries);
}

static uint32_t take_entry(PfCam *cam, PfCamSet *set, uint32_t index)
{
    uint32_t number = set->first_free;
    if (number != 0) {
        set->first_free = pf_cam_entry(cam, number)->links[PF_CAM_BY_USE].next;
    } else {
        number = index * cam->set_entries + 1 + set->top++;
        pf_seg_array_reserve(&cam->entries, (uint64_t)number + 1);
    }
    set->used++;
    cam->stats->occupancy++;
    return number;
}

PfCamInsertion pf_cam_insert(PfCam *cam, const PfCamItem *item, uint64_t now_cycles,
                             PfCamItem *ret_evicted, uint64_t *ret_done)
{
    uint64_t mixed = pf_cam_mix(&item->key);
    uint64_t begin = reserve(cam, pf_cam_bank(cam, mixed), now_cycles, cam->figures.insert_cycles);
    *ret_done = begin + cam->figures.insert_cycles;
    uint32_t index = pf_cam_set_number(cam, mixed);
    PfCamSet *set = pf_cam_set(cam, index);
    PfCamInsertion result = PF_CAM_STORED;
    if (set->used == cam->set_entries) {
        if (cam->config.replacement == PF_CAM_REFUSE) {
            cam->stats->refusals++;
            return PF_CAM_REFUSED;
        }
        *ret_evicted = clear_entry(cam, victim(cam, set, index));
        cam->stats->evictions++;
        result = PF_CAM_EVICTED;
    }
    cam->stats->inserts++;
    spend(cam, cam->figures.write_fJ);
    uint32_t number = take_entry(cam, set, index);
    *pf_cam_entry(cam, number) = (PfCamEntry){.item = *item, .is_used = true};
    join_key(cam, number);
    join_frame(cam, number);
    ring_put(cam, PF_CAM_BY_USE, set->oldest, number);
    if (set->oldest == 0)
        set->oldest = number;
    return result;
}

bool pf_cam_delete(PfCam *cam, const PfCamKey *key, uint64_t value, uint64_t now_cycles,
                   PfCamItem *ret_item, uint64_t *ret_done)
{
    uint64_t mixed = pf_cam_mix(key);
    uint64_t begin = reserve(cam, pf_cam_bank(cam, mixed), now_cycles, cam->figures.delete_cycles);
    *ret_done = begin + cam->figures.delete_cycles;
    spend(cam, cam->figures.search_fJ);
    uint32_t head = pf_cam_head(&cam->keys, mixed);
    for (uint32_t number = head; number != 0;) {
        const PfCamEntry *entry = pf_cam_entry(cam, number);
        if (is_key(&entry->item.key, key) && entry->item.value == value) {
            *ret_item = clear_entry(cam, number);
            cam->stats->deletes++;
            spend(cam, cam->figures.write_fJ);
            return true;
        }
        number = entry->links[PF_CAM_BY_KEY].next != head ? entry->links[PF_CAM_BY_KEY].next : 0;
    }
    return false;
}

void pf_cam_invalidate(PfCam *cam, PfMpn frame, bool clear, uint64_t now_cycles,
                       void (*told)(const PfCamItem *item, void *user), void *user)
{
    cam->stats->marks++;
    reserve(cam, PF_CAM_ALL_BANKS, now_cycles, cam->figures.latency_cycles);
    spend(cam, cam->figures.search_fJ * cam->config.banks);
    for (uint32_t number; (number = pf_cam_head(&cam->frames, frame.number)) != 0;) {
        PfCamEntry *entry = pf_cam_entry(cam, number);
        cam->stats->stale++;
        spend(cam, cam->figures.write_fJ);
        if (clear) {
            PfCamItem item = clear_entry(cam, number);
            told(&item, user);
        } else {
            leave_frame(cam, number);
            entry->is_marked = true;
        }
    }
}

bool pf_cam_has_frame(const PfCam *cam, PfMpn frame)
{
    return pf_cam_head(&cam->frames, frame.number) != 0;
}
