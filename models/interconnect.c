#include "interconnect.h"

#include "units.h"

/* A read that memory has answered with a ticket. */
typedef struct {
    uint64_t ticket; /* of the next level */
    uint64_t issued_cycles;
    uint32_t context; /* NOBODY: none */
    uint8_t from; /* nodes */
    uint8_t to;
    uint8_t actor;
} Pending;

#define NOBODY UINT32_MAX

struct PfInterconnect {
    PfPort port;
    const PfHomes *homes;
    PfPort *next;
    const PfNodes *nodes;
    unsigned count; /* of nodes */
    unsigned cores; /* that run contexts */
    uint64_t *way_cycles; /* COUNT times COUNT, by asker and home */
    PfLink *links;        /* likewise by sender and receiver */
    uint64_t *traffic;    /* lines, likewise by asker and home */
    GArray *pending;      /* of Pending, by ticket */
    GArray *free_tickets; /* of uint32_t */
    const uint32_t *context_of_core; /* NULL: not told */
    GArray *contexts;                /* of PfNearCounts */
    PfNearWatcher watcher;
    void *watcher_user;
    uint64_t link_wait_cycles;
    uint64_t reads[PF_ACTOR_COUNT][PF_NEAR_COUNT];
    PfHistogram latency_cycles[PF_ACTOR_COUNT][PF_NEAR_COUNT];
};

static PfLink *link_of(const PfInterconnect *interconnect, unsigned from, unsigned to)
{
    return &interconnect->links[from * interconnect->count + to];
}

/* A line is ready at READY on FROM for its way to TO; when that begins. */
static uint64_t send(PfInterconnect *interconnect, unsigned from, unsigned to, uint64_t ready)
{
    uint64_t start = pf_link_take(link_of(interconnect, from, to), ready);
    interconnect->link_wait_cycles += start - ready;
    return start;
}

/* The context that a read of CORE by ACTOR is for. */
static uint32_t context_of(const PfInterconnect *interconnect, uint16_t core, uint8_t actor)
{
    bool is_told = interconnect->context_of_core != NULL && actor != PF_ACTOR_POLICY &&
                   core < interconnect->cores;
    return is_told ? interconnect->context_of_core[core] : NOBODY;
}

/* PENDING was answered by memory at DONE; when the core has its line. */
static uint64_t finish(PfInterconnect *interconnect, const Pending *pending, uint64_t done)
{
    PfNear near = pending->from == pending->to ? PF_NEAR_LOCAL : PF_NEAR_REMOTE;
    if (near == PF_NEAR_REMOTE) {
        uint64_t way = interconnect->way_cycles[pending->from * interconnect->count + pending->to];
        done = send(interconnect, pending->to, pending->from, done);
        done += way - way / 2;
    }
    uint64_t cycles = done - pending->issued_cycles;
    interconnect->reads[pending->actor][near]++;
    pf_histogram_add(&interconnect->latency_cycles[pending->actor][near], cycles);
    if (pending->context == NOBODY)
        return done;
    if (pending->context >= interconnect->contexts->len)
        g_array_set_size(interconnect->contexts, pending->context + 1);
    PfNearCounts *counts =
        &g_array_index(interconnect->contexts, PfNearCounts, pending->context);
    counts->reads[near]++;
    counts->cycles[near] += cycles;
    return done;
}

static uint64_t give_ticket(PfInterconnect *interconnect, const Pending *pending)
{
    uint32_t number = interconnect->pending->len;
    GArray *spare = interconnect->free_tickets;
    if (spare->len > 0) {
        number = g_array_index(spare, uint32_t, spare->len - 1);
        g_array_set_size(spare, spare->len - 1);
        g_array_index(interconnect->pending, Pending, number) = *pending;
    } else {
        g_array_append_val(interconnect->pending, *pending);
    }
    return PF_TICKET_BIT | number;
}

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    PfInterconnect *interconnect = (PfInterconnect *)(void *)port;
    uint32_t number = (uint32_t)ticket;
    Pending pending = g_array_index(interconnect->pending, Pending, number);
    g_array_append_val(interconnect->free_tickets, number);
    return finish(interconnect, &pending, pf_port_wait(interconnect->next, pending.ticket));
}

static uint64_t read_line(PfInterconnect *interconnect, const PfRequest *request, Pending pending)
{
    PfRequest there = *request;
    there.now_cycles +=
        interconnect->way_cycles[pending.from * interconnect->count + pending.to] / 2;
    pending.context = context_of(interconnect, request->core, request->actor);
    if (interconnect->watcher != NULL && request->actor == PF_ACTOR_DEMAND &&
        request->core < interconnect->cores && request->address.bytes < PF_NODES_TABLES)
        interconnect->watcher(
            interconnect->watcher_user,
            (PfMpn){(uint32_t)(request->address.bytes >> interconnect->homes->page_shift)},
            request->core, pending.from == pending.to);
    uint64_t answer = pf_port_access(interconnect->next, &there);
    if (!pf_answer_is_ticket(answer))
        return finish(interconnect, &pending, answer);
    pending.ticket = answer;
    return give_ticket(interconnect, &pending);
}

static uint64_t write_line(PfInterconnect *interconnect, const PfRequest *request, unsigned from,
                           unsigned to)
{
    PfRequest there = *request;
    uint64_t sent = request->now_cycles;
    if (from != to)
        sent = send(interconnect, from, to, sent);
    there.now_cycles = sent + interconnect->way_cycles[from * interconnect->count + to] / 2;
    uint64_t answer = pf_port_access(interconnect->next, &there);
    uint64_t taken = pf_port_wait(interconnect->next, answer);
    return sent + (taken - there.now_cycles);
}

static uint64_t enter(PfPort *port, const PfRequest *request)
{
    PfInterconnect *interconnect = (PfInterconnect *)(void *)port;
    unsigned from = interconnect->nodes->node_of_core[request->core];
    unsigned to = pf_homes_node(interconnect->homes, request->address, request->core);
    interconnect->traffic[from * interconnect->count + to]++;
    if (request->kind == PF_ACCESS_WRITE)
        return write_line(interconnect, request, from, to);
    return read_line(interconnect, request,
                     (Pending){.issued_cycles = request->now_cycles,
                               .from = (uint8_t)from,
                               .to = (uint8_t)to,
                               .actor = request->actor});
}

static void register_stats(const PfInterconnect *interconnect, uint64_t clock_hz,
                           PfStatsGroup *group)
{
    static const struct {
        const char *count;
        const char *latency;
        const char *meaning;
    } rows[PF_ACTOR_COUNT][PF_NEAR_COUNT] = {
        {{"local", "local_read_%s_ns",
          "Lines that contexts read from DRAM of their core's node; 0 with one node."},
         {"remote", "remote_read_%s_ns", "Lines that contexts read from DRAM of another node."}},
        {{"local_walker", "local_walker_read_%s_ns",
          "Lines that page walks read from DRAM of their core's node."},
         {"remote_walker", "remote_walker_read_%s_ns",
          "Lines that page walks read from DRAM of another node."}},
        {{"local_policy", "local_policy_read_%s_ns",
          "Lines that the policy, on a core, read from DRAM of that core's node."},
         {"remote_policy", "remote_policy_read_%s_ns",
          "Lines that the policy, on a core, read from DRAM of another node."}},
    };
    double cycle_ns = 1e9 / (double)clock_hz;
    for (unsigned actor = 0; actor < PF_ACTOR_COUNT; actor++)
        for (unsigned near = 0; near < PF_NEAR_COUNT; near++) {
            pf_stats_counter(group, rows[actor][near].count, "events", rows[actor][near].meaning,
                             &interconnect->reads[actor][near]);
            pf_stats_histogram(group, rows[actor][near].latency, "ns",
                               "Time from asking behind the caches to having such a line.",
                               &interconnect->latency_cycles[actor][near], cycle_ns);
        }
    pf_stats_counter(group, "link_wait_cycles", "cycles",
                     "Time that lines waited for their turn on a link.",
                     &interconnect->link_wait_cycles);
    for (unsigned i = 0; interconnect->count > 1 && i < interconnect->count; i++)
        for (unsigned j = 0; j < interconnect->count; j++) {
            g_autofree char *name = g_strdup_printf("lines_%u_%u", i, j);
            pf_stats_counter(group, name, "events",
                             "Lines that cores of the first node read or wrote back in memory of "
                             "the second.",
                             &interconnect->traffic[i * interconnect->count + j]);
        }
}

static void lay_ways(PfInterconnect *interconnect, const PfInterconnectConfig *config)
{
    for (unsigned i = 0; i < interconnect->count; i++)
        for (unsigned j = 0; j < interconnect->count; j++) {
            uint64_t more = interconnect->nodes->distance[i][j] - PF_DISTANCE_LOCAL;
            uint64_t way_ps = (uint64_t)((PfUint128)config->unit_ps * more / PF_DISTANCE_LOCAL);
            interconnect->way_cycles[i * interconnect->count + j] =
                pf_cycles_from_ps(way_ps, config->clock_hz);
            pf_link_init(link_of(interconnect, i, j), config->line_bytes,
                         config->link_bytes_per_second, config->clock_hz);
        }
}

PfInterconnect *pf_interconnect_new(const PfInterconnectConfig *config, const PfHomes *homes,
                                    PfPort *next, unsigned cores, PfStatsGroup *stats)
{
    static const PfPortOps ops = {.access = enter, .resolve = resolve};
    PfInterconnect *interconnect = g_new0(PfInterconnect, 1);
    unsigned count = homes->nodes->count;
    interconnect->port.ops = &ops;
    interconnect->homes = homes;
    interconnect->next = next;
    interconnect->nodes = homes->nodes;
    interconnect->count = count;
    interconnect->cores = cores;
    interconnect->way_cycles = g_new0(uint64_t, (size_t)count * count);
    interconnect->links = g_new0(PfLink, (size_t)count * count);
    interconnect->traffic = g_new0(uint64_t, (size_t)count * count);
    interconnect->pending = g_array_new(FALSE, FALSE, sizeof(Pending));
    interconnect->free_tickets = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    interconnect->contexts = g_array_new(FALSE, TRUE, sizeof(PfNearCounts));
    lay_ways(interconnect, config);
    if (stats != NULL)
        register_stats(interconnect, config->clock_hz, stats);
    return interconnect;
}

void pf_interconnect_free(PfInterconnect *interconnect)
{
    if (interconnect == NULL)
        return;
    g_free(interconnect->way_cycles);
    g_free(interconnect->links);
    g_free(interconnect->traffic);
    g_array_unref(interconnect->pending);
    g_array_unref(interconnect->free_tickets);
    g_array_unref(interconnect->contexts);
    g_free(interconnect);
}

PfPort *pf_interconnect_port(PfInterconnect *interconnect)
{
    return &interconnect->port;
}

void pf_interconnect_tell_contexts(PfInterconnect *interconnect, const uint32_t *context_of_core)
{
    interconnect->context_of_core = context_of_core;
}

PfNearCounts pf_interconnect_counts(const PfInterconnect *interconnect, uint32_t context)
{
    if (context >= interconnect->contexts->len)
        return (PfNearCounts){0};
    return g_array_index(interconnect->contexts, PfNearCounts, context);
}

void pf_interconnect_restart(PfInterconnect *interconnect)
{
    g_array_set_size(interconnect->contexts, 0);
}

void pf_interconnect_watch(PfInterconnect *interconnect, PfNearWatcher watcher, void *user)
{
    interconnect->watcher = watcher;
    interconnect->watcher_user = user;
}

uint64_t pf_interconnect_way_cycles(const PfInterconnect *interconnect, unsigned from, unsigned to)
{
    return interconnect->way_cycles[from * interconnect->count + to];
}

void pf_interconnect_check(const PfInterconnect *interconnect)
{
    uint64_t reads[PF_NEAR_COUNT] = {0};
    uint64_t lines[PF_NEAR_COUNT] = {0};
    for (unsigned i = 0; i < interconnect->count; i++)
        for (unsigned j = 0; j < interconnect->count; j++) {
            pf_link_check(link_of(interconnect, i, j));
            lines[i != j] += interconnect->traffic[i * interconnect->count + j];
        }
    for (unsigned actor = 0; actor < PF_ACTOR_COUNT; actor++)
        for (unsigned near = 0; near < PF_NEAR_COUNT; near++)
            reads[near] += interconnect->reads[actor][near];
    /* The others are writes, and reads on their way. */
    g_assert(reads[PF_NEAR_LOCAL] <= lines[PF_NEAR_LOCAL]);
    g_assert(reads[PF_NEAR_REMOTE] <= lines[PF_NEAR_REMOTE]);
}
