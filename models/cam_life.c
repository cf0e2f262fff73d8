/* How a CAM is made, told of, and checked. */
#include "cam_internal.h"

static PfStatValue read_occupancy(const void *user)
{
    return pf_stat_uint(((const PfCamStats *)user)->occupancy);
}

static void register_stats(PfCam *cam, PfStatsGroup *group)
{
    const PfCamStats *stats = &cam->own_stats;
    const PfStatCounter counters[] = {
        {"searches", "events", &stats->searches, "Searches of a CAM by key."},
        {"hits", "events", &stats->hits, "Searches that found an entry."},
        {"matches", "events", &stats->matches,
         "Entries found, further ones of one search included."},
        {"false_hits", "events", &stats->false_hits,
         "Entries found whose page turned out to hold other bytes."},
        {"false_merges", "pages", &stats->false_merges,
         "Pages shared with one of other bytes as nothing was compared (verify = false)."},
        {"inserts", "events", &stats->inserts, "Entries written."},
        {"deletes", "events", &stats->deletes,
         "Entries cleared because the policy was done with them."},
        {"marks", "events", &stats->marks,
         "Searches by frame for a store, to mark or clear entries."},
        {"stale", "events", &stats->stale, "Entries that these marked or cleared."},
        {"evictions", "events", &stats->evictions, "Entries that had to go for another."},
        {"refusals", "events", &stats->refusals, "Entries not written because there was no room."},
        {"wasted_inserts", "events", &stats->wasted_inserts,
         "Entries that no search had found when they went."},
        {"lost", "events", &stats->lost,
         "Searches in vain for a key whose entry had fallen out: a table would have found it."},
        {"remote_searches", "events", &stats->remote_searches, "Searches of another node's CAM."},
        {"remote_updates", "events", &stats->remote_updates,
         "Entries written or cleared in another node's CAM."},
        {"port_conflicts", "events", &stats->port_conflicts, "Operations that waited for a port."},
        {"conflict_cycles", "cycles", &stats->conflict_cycles, "How long they waited."},
    };
    pf_stats_level(group, "occupancy", "entries", "Entries in use now.", read_occupancy, stats);
    pf_stats_counters(group, counters, G_N_ELEMENTS(counters));
}

PfCam *pf_cam_new(const PfCamConfig *config, uint64_t clock_hz, uint32_t page_bytes, uint64_t seed,
                  PfStatsGroup *stats, GError **error)
{
    PfCamFigures figures;
    if (!pf_cam_figures(config, clock_hz, page_bytes, &figures, error))
        return NULL;
    PfCam *cam = g_new0(PfCam, 1);
    cam->config = *config;
    cam->figures = figures;
    uint64_t bank_entries = config->entries / config->banks;
    uint64_t ways = config->ways != 0 ? config->ways : bank_entries;
    cam->set_entries = config->is_ideal ? UINT32_MAX : (uint32_t)ways;
    cam->bank_sets = config->is_ideal ? 1 : (uint32_t)(bank_entries / ways);
    cam->rng = (PfRng){seed};
    pf_seg_array_init(&cam->entries, sizeof(PfCamEntry));
    pf_seg_array_init(&cam->sets, sizeof(PfCamSet));
    pf_seg_array_reserve(&cam->sets, cam->bank_sets * config->banks);
    cam->ports = g_new0(PfCamPort, config->banks * config->ports);
    cam->used_ports = cam->ports;
    cam->stats = &cam->own_stats;
    if (stats != NULL)
        register_stats(cam, stats);
    return cam;
}

void pf_cam_free(PfCam *cam)
{
    if (cam == NULL)
        return;
    pf_seg_array_clear(&cam->entries);
    pf_seg_array_clear(&cam->sets);
    pf_table_clear(&cam->keys);
    pf_table_clear(&cam->frames);
    g_free(cam->ports);
    g_free(cam);
}

void pf_cam_count_into(PfCam *cam, PfCam *owner)
{
    g_assert(owner->stats == &owner->own_stats);
    cam->stats = &owner->own_stats;
}

void pf_cam_work_at(PfCam *cam, const PfCam *copy)
{
    cam->used_ports = copy->ports;
}

PfCamStats *pf_cam_stats(PfCam *cam)
{
    return cam->stats;
}

const PfCamFigures *pf_cam_figures_of(const PfCam *cam)
{
    return &cam->figures;
}

void pf_cam_reset_state(PfCam *cam)
{
    for (uint64_t i = 0; i < cam->config.banks * cam->config.ports; i++)
        cam->ports[i] = (PfCamPort){0, 0};
}

/* Whether NUMBER is once in the ring of HEAD. */
static bool is_in_ring(const PfCam *cam, PfCamRing ring, uint32_t head, uint32_t number)
{
    uint64_t seen = 0;
    uint32_t at = head;
    do {
        seen += at == number;
        g_assert(pf_cam_links(cam, ring, pf_cam_links(cam, ring, at)->next)->previous == at);
        at = pf_cam_links(cam, ring, at)->next;
    } while (at != head);
    return seen == 1;
}

static void check_set(const PfCam *cam, uint32_t index)
{
    const PfCamSet *set = pf_cam_set(cam, index);
    uint32_t used = 0;
    for (uint32_t i = 1; i <= set->top; i++) {
        uint32_t number = index * cam->set_entries + i;
        const PfCamEntry *entry = pf_cam_entry(cam, number);
        if (!entry->is_used)
            continue;
        used++;
        uint64_t mixed = pf_cam_mix(&entry->item.key);
        g_assert(pf_cam_set_number(cam, mixed) == index);
        g_assert(is_in_ring(cam, PF_CAM_BY_KEY, pf_cam_head(&cam->keys, mixed), number));
        PfMpn frame = entry->item.frame;
        if (pf_cam_follows(cam, frame) && !entry->is_marked)
            g_assert(is_in_ring(cam, PF_CAM_BY_FRAME, pf_cam_head(&cam->frames, frame.number),
                                number));
    }
    g_assert(used == set->used && used <= cam->set_entries);
    g_assert((used == 0) == (set->oldest == 0));
}

void pf_cam_check(const PfCam *cam)
{
    for (uint32_t i = 0; i < cam->bank_sets * cam->config.banks; i++)
        check_set(cam, i);
}
