#include "coherence.h"

#include "table.h"
#include "units.h"

/* A bit of the filter stands for every 64th core. */
enum { HOLDER_BITS = 64, BLOCK_SHIFT = 6, BLOCK_LINES = 64 };
enum { PORTS_MAX = 4 * PF_NODES_MAX };

/* In place of a core's number. */
#define NOBODY  UINT32_MAX
#define SEVERAL (UINT32_MAX - 1)

typedef struct {
    PfPort port; /* first */
    PfCoherence *coherence;
    PfPort *next;
    uint64_t lookup_cycles;
} Gate;

typedef struct {
    PfCache *cache; /* borrowed */
    unsigned node;
} Shared;

typedef struct {
    GPtrArray *caches; /* of PfCache, borrowed */
    bool is_used;      /* it has sent a request */
} Core;

struct PfCoherence {
    bool kept;
    uint32_t only_core; /* the one that has sent requests; NOBODY, SEVERAL */
    uint64_t probe_cycles;
    unsigned line_shift;
    unsigned core_count;
    Core *cores;
    GArray *shared;       /* of Shared */
    const PfNodes *nodes; /* NULL: all cores are on node 0 */
    Gate gates[PORTS_MAX];
    unsigned gate_count;
    /* What the filter knows, by blocks of neighbouring lines, of which programs use several. */
    PfTable blocks;      /* line / BLOCK_LINES + 1 -> number of the block, from 1 */
    GArray *holders;     /* of uint64_t, BLOCK_LINES a block: a bit for each core that may hold */
    uint64_t blocks_max; /* then all is made anew */
    PfCoherenceStats stats;
};

PfCoherence *pf_coherence_new(const PfCoherenceConfig *config, unsigned core_count,
                              uint32_t line_bytes, PfStatsGroup *stats)
{
    PfCoherence *coherence = g_new0(PfCoherence, 1);
    coherence->kept = config->kept;
    coherence->only_core = NOBODY;
    coherence->probe_cycles = config->probe_cycles;
    coherence->line_shift = pf_log2(line_bytes);
    coherence->core_count = core_count;
    coherence->cores = g_new0(Core, core_count);
    for (unsigned i = 0; i < core_count; i++)
        coherence->cores[i].caches = g_ptr_array_new();
    coherence->shared = g_array_new(FALSE, FALSE, sizeof(Shared));
    coherence->holders = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    pf_coherence_register(stats, &coherence->stats);
    return coherence;
}

void pf_coherence_free(PfCoherence *coherence)
{
    if (coherence == NULL)
        return;
    for (unsigned i = 0; i < coherence->core_count; i++)
        g_ptr_array_free(coherence->cores[i].caches, TRUE);
    g_free(coherence->cores);
    g_array_free(coherence->shared, TRUE);
    pf_table_clear(&coherence->blocks);
    g_array_free(coherence->holders, TRUE);
    g_free(coherence);
}

void pf_coherence_add_private(PfCoherence *coherence, unsigned core, PfCache *cache)
{
    g_ptr_array_add(coherence->cores[core].caches, cache);
}

void pf_coherence_set_nodes(PfCoherence *coherence, const PfNodes *nodes)
{
    coherence->nodes = nodes->count > 1 ? nodes : NULL;
}

void pf_coherence_add_shared(PfCoherence *coherence, unsigned node, PfCache *cache)
{
    Shared shared = {cache, node};
    g_array_append_val(coherence->shared, shared);
}

static unsigned node_of(const PfCoherence *coherence, uint32_t core)
{
    return coherence->nodes == NULL ? 0 : coherence->nodes->node_of_core[core];
}

static uint64_t bit_of(uint32_t core)
{
    return (uint64_t)1 << core % HOLDER_BITS;
}

/* Good until the next call. */
static uint64_t *holders_of(PfCoherence *coherence, PfMaddr address)
{
    uint64_t line = address.bytes >> coherence->line_shift;
    uint64_t *block = pf_table_at(&coherence->blocks, (line >> BLOCK_SHIFT) + 1);
    if (*block == 0) {
        *block = coherence->holders->len / BLOCK_LINES + 1;
        g_array_set_size(coherence->holders, coherence->holders->len + BLOCK_LINES);
    }
    return &g_array_index(coherence->holders, uint64_t,
                          (*block - 1) * BLOCK_LINES + line % BLOCK_LINES);
}

typedef struct {
    PfCoherence *coherence;
    uint32_t core;
} Scan;

static void note_holder(PfMaddr address, bool is_dirty, void *user)
{
    const Scan *scan = user;
    (void)is_dirty;
    *holders_of(scan->coherence, address) |= bit_of(scan->core);
}

/* Makes the filter's table from what the caches hold: who dropped a line has told nobody. */
static void make_table(PfCoherence *coherence)
{
    enum { SPARE_BLOCKS = 1024 };
    pf_table_clear(&coherence->blocks);
    g_array_set_size(coherence->holders, 0);
    for (uint32_t core = 0; core < coherence->core_count; core++) {
        Scan scan = {coherence, core};
        const Core *own = &coherence->cores[core];
        for (guint i = 0; own->is_used && i < own->caches->len; i++)
            pf_cache_visit(g_ptr_array_index(own->caches, i), note_holder, &scan);
    }
    coherence->blocks_max = 2 * pf_table_count(&coherence->blocks) + SPARE_BLOCKS;
}

/* CORE is not the only one that has sent requests. */
static void admit(PfCoherence *coherence, uint32_t core)
{
    g_assert(core < coherence->core_count);
    bool is_first = coherence->only_core == NOBODY;
    bool is_second = !is_first && coherence->only_core != SEVERAL;
    coherence->only_core = is_first ? core : SEVERAL;
    coherence->cores[core].is_used = true;
    if (is_second)
        make_table(coherence);
}

/* Whether CORE's requests concern others. */
static bool is_concern(PfCoherence *coherence, uint32_t core)
{
    if (G_LIKELY(core == coherence->only_core))
        return false;
    if (!coherence->cores[core].is_used)
        admit(coherence, core);
    if (coherence->only_core == core || !coherence->kept)
        return false;
    if (pf_table_count(&coherence->blocks) > coherence->blocks_max)
        make_table(coherence);
    return true;
}

/* What the caches of CORE hold of the line of ADDRESS leaves, or with KEEP stays and is clean.
 * Whether they held it; *IS_DIRTY if dirty. */
static bool probe(const PfCoherence *coherence, uint32_t core, PfMaddr address, bool keep,
                  bool *is_dirty)
{
    const GPtrArray *caches = coherence->cores[core].caches;
    bool held = false;
    for (guint i = 0; i < caches->len; i++) {
        PfCache *cache = g_ptr_array_index(caches, i);
        bool dirty = false;
        held |= keep ? pf_cache_clean(cache, address) : pf_cache_revoke(cache, address, &dirty);
        *is_dirty |= dirty;
    }
    *is_dirty |= keep && held;
    return held;
}

/* The same of all cores in HOLDERS but the one of REQUEST; how many held it. */
static unsigned probe_others(const PfCoherence *coherence, uint64_t holders,
                             const PfRequest *request, bool keep, bool *is_dirty)
{
    unsigned count = 0;
    for (; holders != 0; holders &= holders - 1)
        for (uint32_t core = (uint32_t)__builtin_ctzll(holders); core < coherence->core_count;
             core += HOLDER_BITS)
            if (core != request->core)
                count += probe(coherence, core, request->address, keep, is_dirty);
    return count;
}

static bool is_held(const PfCache *cache, PfMaddr address, bool must_be_dirty)
{
    bool dirty;
    return pf_cache_holds(cache, address, &dirty) && (dirty || !must_be_dirty);
}

/* Whether shared levels of other nodes than that of REQUEST hold its line dirty. */
static bool is_dirty_elsewhere(const PfCoherence *coherence, const PfRequest *request)
{
    unsigned node = node_of(coherence, request->core);
    for (guint i = 0; i < coherence->shared->len; i++) {
        const Shared *shared = &g_array_index(coherence->shared, Shared, i);
        if (shared->node != node && is_held(shared->cache, request->address, true))
            return true;
    }
    return false;
}

/* Those drop it. How many held it; *IS_DIRTY if one had it dirty. */
static unsigned drop_elsewhere(const PfCoherence *coherence, const PfRequest *request,
                               bool *is_dirty)
{
    unsigned node = node_of(coherence, request->core);
    unsigned count = 0;
    for (guint i = 0; i < coherence->shared->len; i++) {
        const Shared *shared = &g_array_index(coherence->shared, Shared, i);
        bool dirty = false;
        if (shared->node != node)
            count += pf_cache_revoke(shared->cache, request->address, &dirty);
        *is_dirty |= dirty;
    }
    return count;
}

/* The line of REQUEST, dirty in another core's caches until now, goes to NEXT. */
static void write_back(PfCoherence *coherence, PfPort *next, const PfRequest *request)
{
    PfRequest write = *request;
    write.address.bytes = request->address.bytes >> coherence->line_shift << coherence->line_shift;
    write.size_bytes = 1U << coherence->line_shift;
    write.kind = PF_ACCESS_WRITE;
    coherence->stats.writebacks++;
    pf_port_wait(next, pf_port_access(next, &write));
}

/* A read of REQUEST's core, one of several. Whether another core has answered. */
static bool ask_others(PfCoherence *coherence, PfPort *next, const PfRequest *request)
{
    uint64_t *holders = holders_of(coherence, request->address);
    uint64_t others = *holders & ~bit_of(request->core);
    bool is_dirty = false;
    /* Who has a line dirty was alone with it since its store. */
    if (*holders != 0 && (others & (others - 1)) == 0)
        probe_others(coherence, *holders, request, true, &is_dirty);
    *holders |= bit_of(request->core);
    if (coherence->nodes != NULL && (is_dirty || is_dirty_elsewhere(coherence, request)))
        drop_elsewhere(coherence, request, &is_dirty);
    if (!is_dirty)
        return false;
    coherence->stats.probes++;
    coherence->stats.forwards++;
    write_back(coherence, next, request);
    return true;
}

static uint64_t gate_access(PfPort *port, const PfRequest *request)
{
    Gate *gate = (Gate *)(void *)port;
    PfCoherence *coherence = gate->coherence;
    if (G_UNLIKELY(request->core != coherence->only_core) &&
        is_concern(coherence, request->core) && request->kind != PF_ACCESS_WRITE &&
        ask_others(coherence, gate->next, request))
        return request->now_cycles + gate->lookup_cycles + coherence->probe_cycles;
    return pf_port_access(gate->next, request);
}

static uint64_t gate_resolve(PfPort *port, uint64_t ticket)
{
    const Gate *gate = (const Gate *)(const void *)port;
    return pf_port_wait(gate->next, ticket);
}

PfPort *pf_coherence_port(PfCoherence *coherence, PfPort *next, uint64_t lookup_cycles)
{
    static const PfPortOps ops = {.access = gate_access, .resolve = gate_resolve};
    for (unsigned i = 0; i < coherence->gate_count; i++)
        if (coherence->gates[i].next == next)
            return &coherence->gates[i].port;
    g_assert(coherence->gate_count < PORTS_MAX);
    Gate *gate = &coherence->gates[coherence->gate_count++];
    *gate = (Gate){{&ops}, coherence, next, lookup_cycles};
    return &gate->port;
}

bool pf_coherence_is_alone(const PfPort *gate, uint16_t core)
{
    return ((const Gate *)(const void *)gate)->coherence->only_core == core;
}

uint64_t pf_coherence_own(PfPort *port, const PfRequest *request)
{
    const Gate *gate = (const Gate *)(const void *)port;
    PfCoherence *coherence = gate->coherence;
    if (!is_concern(coherence, request->core))
        return 0;
    uint64_t *holders = holders_of(coherence, request->address);
    uint64_t others = *holders;
    *holders = bit_of(request->core);
    bool is_dirty = false;
    unsigned count = probe_others(coherence, others, request, false, &is_dirty);
    if (coherence->nodes != NULL)
        count += drop_elsewhere(coherence, request, &is_dirty);
    if (count == 0)
        return 0;
    coherence->stats.probes++;
    coherence->stats.invalidations += count;
    if (is_dirty)
        write_back(coherence, gate->next, request);
    return coherence->probe_cycles;
}

static bool any_holds(const PfCoherence *coherence, PfMaddr address, bool must_be_dirty)
{
    for (guint i = 0; i < coherence->shared->len; i++)
        if (is_held(g_array_index(coherence->shared, Shared, i).cache, address, must_be_dirty))
            return true;
    for (unsigned core = 0; core < coherence->core_count; core++) {
        const Core *own = &coherence->cores[core];
        for (guint i = 0; own->is_used && i < own->caches->len; i++)
            if (is_held(g_ptr_array_index(own->caches, i), address, must_be_dirty))
                return true;
    }
    return false;
}

bool pf_coherence_is_dirty(const PfCoherence *coherence, PfMaddr address)
{
    return any_holds(coherence, address, true);
}

bool pf_coherence_holds(const PfCoherence *coherence, PfMaddr address)
{
    return any_holds(coherence, address, false);
}

void pf_coherence_drop(const PfCoherence *coherence, PfMaddr address, uint64_t bytes)
{
    for (guint i = 0; i < coherence->shared->len; i++)
        pf_cache_invalidate_range(g_array_index(coherence->shared, Shared, i).cache, address,
                                  bytes);
    for (unsigned core = 0; core < coherence->core_count; core++) {
        const Core *own = &coherence->cores[core];
        for (guint i = 0; own->is_used && i < own->caches->len; i++)
            pf_cache_invalidate_range(g_ptr_array_index(own->caches, i), address, bytes);
    }
}

const PfCoherenceStats *pf_coherence_stats(const PfCoherence *coherence)
{
    return &coherence->stats;
}

typedef struct {
    const PfCoherence *coherence;
    uint32_t core;
} Check;

static void check_line(PfMaddr address, bool is_dirty, void *user)
{
    const Check *check = user;
    const PfCoherence *coherence = check->coherence;
    uint64_t line = address.bytes >> coherence->line_shift;
    uint64_t block = 0;
    g_assert(pf_table_find(&coherence->blocks, (line >> BLOCK_SHIFT) + 1, &block));
    uint64_t at = (block - 1) * BLOCK_LINES + line % BLOCK_LINES;
    g_assert((g_array_index(coherence->holders, uint64_t, at) & bit_of(check->core)) != 0);
    for (uint32_t core = 0; is_dirty && core < coherence->core_count; core++)
        for (guint i = 0; core != check->core && i < coherence->cores[core].caches->len; i++)
            g_assert(!pf_cache_holds(g_ptr_array_index(coherence->cores[core].caches, i), address,
                                     NULL));
    for (guint i = 0; is_dirty && i < coherence->shared->len; i++) {
        const Shared *shared = &g_array_index(coherence->shared, Shared, i);
        g_assert(shared->node == node_of(coherence, check->core) ||
                 !pf_cache_holds(shared->cache, address, NULL));
    }
}

void pf_coherence_check(const PfCoherence *coherence)
{
    for (uint32_t core = 0; core < coherence->core_count; core++) {
        const Core *own = &coherence->cores[core];
        Check check = {coherence, core};
        for (guint i = 0; own->is_used && i < own->caches->len; i++)
            if (coherence->only_core == SEVERAL && coherence->kept)
                pf_cache_visit(g_ptr_array_index(own->caches, i), check_line, &check);
    }
}
