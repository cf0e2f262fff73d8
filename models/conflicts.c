#include "conflicts.h"

#include "table.h"

/* A line that is held; the list goes from the latest used to the one that goes next. */
typedef struct {
    uint64_t line;
    uint32_t newer;
    uint32_t older;
} Place;

struct PfConflicts {
    PfPort port;
    PfCache *cache; /* borrowed */
    uint64_t line_bytes;
    uint32_t lines;
    uint32_t used;
    Place *places; /* from 1; 0 is the ends of the list */
    PfTable where; /* line -> place */
    PfConflicts *owner; /* of the count */
    uint64_t misses;
};

static void unlink_place(PfConflicts *conflicts, uint32_t at)
{
    Place *place = &conflicts->places[at];
    conflicts->places[place->newer].older = place->older;
    conflicts->places[place->older].newer = place->newer;
}

static void make_latest(PfConflicts *conflicts, uint32_t at)
{
    Place *ends = &conflicts->places[0];
    conflicts->places[at].newer = 0;
    conflicts->places[at].older = ends->older;
    conflicts->places[ends->older].newer = at;
    ends->older = at;
}

/* A place for one more line: a new one, or that of the line used longest ago. */
static uint32_t make_room(PfConflicts *conflicts)
{
    if (conflicts->used < conflicts->lines)
        return ++conflicts->used;
    uint32_t oldest = conflicts->places[0].newer;
    unlink_place(conflicts, oldest);
    pf_table_remove(&conflicts->where, conflicts->places[oldest].line);
    return oldest;
}

/* Whether LINE was held; it is the latest now. */
static bool touch(PfConflicts *conflicts, uint64_t line)
{
    uint64_t place;
    bool was_held = pf_table_find(&conflicts->where, line, &place);
    uint32_t at = was_held ? (uint32_t)place : make_room(conflicts);
    if (was_held)
        unlink_place(conflicts, at);
    else
        pf_table_insert(&conflicts->where, line, at);
    conflicts->places[at].line = line;
    make_latest(conflicts, at);
    return was_held;
}

static uint64_t conflicts_access(PfPort *port, const PfRequest *request)
{
    PfConflicts *conflicts = (PfConflicts *)(void *)port;
    const PfCacheStats *stats = pf_cache_stats(conflicts->cache);
    uint64_t before = stats->misses_by_actor[PF_ACTOR_DEMAND];
    bool was_held = touch(conflicts, request->address.bytes / conflicts->line_bytes);
    uint64_t answer = pf_cache_access(pf_cache_port(conflicts->cache), request);
    bool has_missed = stats->misses_by_actor[PF_ACTOR_DEMAND] > before;
    conflicts->owner->misses += has_missed && was_held && request->kind != PF_ACCESS_WRITE;
    return answer;
}

static uint64_t conflicts_resolve(PfPort *port, uint64_t ticket)
{
    const PfConflicts *conflicts = (const PfConflicts *)(const void *)port;
    return pf_port_wait(pf_cache_port(conflicts->cache), ticket);
}

static PfStatValue read_null(const void *user)
{
    (void)user;
    return pf_stat_null();
}

static void register_misses(PfStatsGroup *stats, const PfConflicts *conflicts)
{
    static const char name[] = "conflict_misses";
    static const char description[] =
        "Misses of contexts in the last cache on lines that it would hold if it had no sets; null "
        "without classes of colour.";
    if (conflicts != NULL)
        pf_stats_counter(stats, name, "events", description, &conflicts->misses);
    else
        pf_stats_level(stats, name, "events", description, read_null, NULL);
}

void pf_conflicts_register_none(PfStatsGroup *stats)
{
    register_misses(stats, NULL);
}

PfConflicts *pf_conflicts_new(PfCache *cache, uint64_t lines, uint64_t line_bytes,
                              PfStatsGroup *stats, PfConflicts *owner)
{
    static const PfPortOps ops = {.access = conflicts_access, .resolve = conflicts_resolve};
    PfConflicts *conflicts = g_new0(PfConflicts, 1);
    g_assert(lines > 0 && lines < UINT32_MAX);
    *conflicts = (PfConflicts){.port = {&ops},
                               .cache = cache,
                               .lines = (uint32_t)lines,
                               .line_bytes = line_bytes,
                               .places = g_new0(Place, lines + 1)};
    pf_table_init(&conflicts->where);
    conflicts->owner = stats != NULL ? conflicts : owner;
    if (stats != NULL)
        register_misses(stats, conflicts);
    return conflicts;
}

void pf_conflicts_free(PfConflicts *conflicts)
{
    if (conflicts == NULL)
        return;
    pf_table_clear(&conflicts->where);
    g_free(conflicts->places);
    g_free(conflicts);
}

PfPort *pf_conflicts_port(PfConflicts *conflicts)
{
    return &conflicts->port;
}
