#include "hash_engine.h"

#include "hash_unit.h"

typedef struct {
    PfHashUnit unit;
    /* Of the page in hand: */
    uint64_t bytes;
    uint64_t arrived_cycles; /* the last of them */
    bool takes_part;
} Part;

struct PfHashEngine {
    PfPort port;
    const PfHashEngineConfig *config;
    PfHomes *homes;
    PfController *controller;
    uint32_t page_bytes;
    uint32_t line_bytes; /* of a cache, or a page if that is less */
    Part *parts; /* by core or channel */
    unsigned part_count;
    bool is_on;
    const PfHashWatcher *watcher;
    void *watcher_user;
    PfHashEngineStats stats;
};

static bool is_at_core(const PfHashEngine *engine)
{
    return engine->config->at == PF_HASH_AT_CORE;
}

static bool is_incremental(const PfHashEngine *engine)
{
    return engine->config->kind == PF_HASH_INCREMENTAL;
}

static bool is_sliced(const PfHashEngine *engine)
{
    return engine->config->slices == PF_SLICES_CHANNEL;
}

/* BYTES were given to a unit, which let them wait. */
static void count(PfHashEngine *engine, uint64_t bytes, uint64_t wait_cycles)
{
    engine->stats.bytes += bytes;
    engine->stats.busy_cycles += pf_hash_unit_busy_cycles(&engine->parts[0].unit, bytes);
    engine->stats.conflicts += wait_cycles > 0;
}

/* ---- Pages ---- */

static uint32_t channel_of(const PfHashEngine *engine, PfMaddr address)
{
    return pf_homes_channel(engine->homes, address, 0);
}

static PfMaddr page_of(const PfHashEngine *engine, PfMaddr address)
{
    return (PfMaddr){address.bytes & ~(uint64_t)(engine->page_bytes - 1)};
}

/* Where the controllers hash the line at ADDRESS; RET_CROSSES: it is another channel's. */
static Part *part_of(PfHashEngine *engine, PfMaddr address, bool *ret_crosses)
{
    uint32_t channel = channel_of(engine, address);
    uint32_t home = is_sliced(engine) ? channel : channel_of(engine, page_of(engine, address));
    *ret_crosses = channel != home;
    return &engine->parts[home];
}

/* The lines that are read of a page, or that its key follows; and one of them. */
static uint32_t line_count(const PfHashEngine *engine)
{
    return engine->config->kind == PF_HASH_ECC ? (uint32_t)PF_ECC_LINES
                                               : engine->page_bytes / engine->line_bytes;
}

static PfMaddr line_at(const PfHashEngine *engine, PfMaddr page, uint32_t index)
{
    uint32_t offset = index * engine->line_bytes;
    if (engine->config->kind == PF_HASH_ECC)
        offset = pf_ecc_offset(engine->page_bytes, engine->line_bytes,
                               (uint32_t)engine->config->ecc_line, index);
    return (PfMaddr){page.bytes + offset};
}

bool pf_hash_engine_leaves_out(PfHashEngine *engine, PfMaddr address)
{
    if (engine->config->dirty != PF_DIRTY_SKIP)
        return false;
    for (uint32_t i = 0; i < line_count(engine); i++)
        if (pf_controller_is_dirty(engine->controller, line_at(engine, address, i))) {
            engine->stats.skipped_pages++;
            return true;
        }
    return false;
}

/* When a line of JOB is at the controllers. */
static uint64_t read_line(PfHashEngine *engine, const PfHashJob *job, PfMaddr address,
                          uint32_t index)
{
    if (!job->reads_dram)
        return job->ready_cycles;
    PfRequest request = job->first;
    request.address = address;
    request.now_cycles += index;
    request.kind = PF_ACCESS_READ;
    uint64_t snoops = pf_controller_stats(engine->controller)->snoops;
    uint64_t done = pf_controller_run(engine->controller, &request, 1);
    engine->stats.snoops += pf_controller_stats(engine->controller)->snoops - snoops;
    return done;
}

/* Hands the lines of JOB to the units of their channels. */
static void hand_out(PfHashEngine *engine, const PfHashJob *job)
{
    bool is_ecc = engine->config->kind == PF_HASH_ECC;
    uint64_t begin = job->first.address.bytes;
    uint64_t end = begin + job->bytes;
    PfMaddr page = page_of(engine, job->first.address);
    for (uint32_t i = 0; i < line_count(engine); i++) {
        PfMaddr line = line_at(engine, page, i);
        if (!is_ecc && (line.bytes >= end || line.bytes + engine->line_bytes <= begin))
            continue;
        bool crosses;
        PfMaddr place = pf_controller_translate(engine->controller, line);
        Part *part = part_of(engine, place, &crosses);
        part->takes_part = true;
        if (is_incremental(engine))
            continue;
        uint64_t arrived = read_line(engine, job, line, i);
        engine->stats.cross_reads += crosses;
        arrived += crosses ? engine->config->message_cycles : 0;
        part->arrived_cycles = MAX(part->arrived_cycles, arrived);
        part->bytes += is_ecc ? 1
                              : MIN(end, line.bytes + engine->line_bytes) - MAX(begin, line.bytes);
    }
}

/* What was handed to PART is done, at a time that is returned. */
static uint64_t finish(PfHashEngine *engine, Part *part, uint64_t now)
{
    uint64_t bytes = part->bytes;
    uint64_t arrived = part->arrived_cycles;
    part->bytes = part->arrived_cycles = 0;
    part->takes_part = false;
    uint64_t wait = pf_hash_unit_take(&part->unit, now, bytes);
    count(engine, bytes, wait);
    uint64_t taken = now + wait + pf_hash_unit_busy_cycles(&part->unit, bytes);
    return MAX(arrived, taken) + engine->config->depth_cycles;
}

uint64_t pf_hash_engine_page(PfHashEngine *engine, const PfHashJob *job)
{
    uint64_t now = job->first.now_cycles;
    engine->stats.pages++;
    if (is_at_core(engine)) {
        Part *part = &engine->parts[job->first.core % engine->part_count];
        part->bytes = is_incremental(engine) ? 0 : job->bytes;
        part->arrived_cycles = job->ready_cycles;
        return finish(engine, part, now);
    }
    hand_out(engine, job);
    uint64_t done = now;
    unsigned parts = 0;
    for (unsigned i = 0; i < engine->part_count; i++)
        if (engine->parts[i].takes_part) {
            uint64_t part_done = finish(engine, &engine->parts[i], now);
            done = MAX(done, part_done);
            parts++;
        }
    engine->stats.combine_messages += parts - 1;
    return done + (parts > 1 ? engine->config->message_cycles : 0);
}

/* ---- Stores ---- */

void pf_hash_engine_announce(PfHashEngine *engine, PfMaddr address, uint64_t bytes)
{
    if (engine->is_on && engine->watcher != NULL && bytes > 0)
        engine->watcher->stored(engine->watcher_user,
                                pf_controller_translate(engine->controller, address), bytes);
}

/* Takes the words that a store touches, each line by itself. */
uint64_t pf_hash_engine_store(PfHashEngine *engine, const PfRequest *first, uint64_t bytes,
                              uint64_t ready_cycles, bool timed)
{
    if (!engine->is_on || !is_incremental(engine) || !is_at_core(engine))
        return 0;
    const uint64_t in_word = PF_KEY_WORD_BYTES - 1;
    PfHashUnit *unit = &engine->parts[first->core % engine->part_count].unit;
    uint64_t end = (first->address.bytes + bytes + in_word) & ~in_word;
    uint64_t now = first->now_cycles;
    uint64_t next;
    for (uint64_t at = first->address.bytes & ~in_word; at < end; at = next) {
        next = MIN(end, (at | (engine->line_bytes - 1U)) + 1);
        uint64_t wait =
            timed ? pf_hash_unit_queue(unit, now, MAX(now, ready_cycles), next - at) : 0;
        count(engine, next - at, wait);
        engine->stats.stores++;
        now += wait + (next < end);
    }
    return timed ? now - first->now_cycles : 0;
}

/* The port in front of DRAM: a write-back brings a line's new bytes. */
static uint64_t pass_on(PfPort *port, const PfRequest *request)
{
    PfHashEngine *engine = (PfHashEngine *)port;
    PfPort *dram = pf_homes_port(engine->homes);
    if (request->kind != PF_ACCESS_WRITE || !engine->is_on)
        return pf_port_access(dram, request);
    uint64_t now = request->now_cycles;
    uint64_t ready = now;
    if (engine->config->digest_bits == 0) {
        PfRequest old = *request;
        old.kind = PF_ACCESS_READ;
        old.actor = PF_ACTOR_POLICY;
        ready = pf_port_wait(dram, pf_port_access(dram, &old));
        engine->stats.old_line_reads++;
    }
    bool crosses;
    PfHashUnit *unit = &part_of(engine, request->address, &crosses)->unit;
    engine->stats.cross_reads += crosses;
    ready += crosses ? engine->config->message_cycles : 0;
    uint64_t wait = pf_hash_unit_queue(unit, now, MAX(now, ready), request->size_bytes);
    count(engine, request->size_bytes, wait);
    engine->stats.stores++;
    PfRequest write = *request;
    write.now_cycles += wait;
    if (engine->watcher != NULL)
        engine->watcher->written_back(engine->watcher_user, request->address,
                                      request->size_bytes);
    return pf_port_access(dram, &write);
}

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    const PfHashEngine *engine = (const PfHashEngine *)(const void *)port;
    return pf_port_wait(pf_homes_port(engine->homes), ticket);
}

static const PfPortOps port_ops = {.access = pass_on, .resolve = resolve};

PfPort *pf_hash_engine_port(PfHashEngine *engine)
{
    bool sees = is_incremental(engine) && !is_at_core(engine);
    return sees ? &engine->port : pf_homes_port(engine->homes);
}

/* ---- Making ---- */

static void register_stats(const PfHashEngineStats *stats, PfStatsGroup *group)
{
    const PfStatCounter counters[] = {
        {"pages", "pages", &stats->pages, "Keys of pages that a hash engine made."},
        {"bytes", "bytes", &stats->bytes, "Bytes that units took, of pages and of stores."},
        {"busy_cycles", "cycles", &stats->busy_cycles, "Cycles of all units for these bytes."},
        {"conflicts", "events", &stats->conflicts,
         "Pages whose unit was busy, and stores that found its queue full."},
        {"stores", "events", &stats->stores,
         "Stores (lines of them) or write-backs that an incremental engine followed."},
        {"old_line_reads", "events", &stats->old_line_reads,
         "Lines read from DRAM ahead of their write-back, for their old bytes."},
        {"combine_messages", "events", &stats->combine_messages,
         "Parts of keys sent from one channel to another."},
        {"cross_reads", "events", &stats->cross_reads,
         "Lines sent from their channel to the page's home."},
        {"snoops", "events", &stats->snoops, "Lines that came from a cache that held them dirty."},
        {"skipped_pages", "events", &stats->skipped_pages,
         "Looks at pages that were left out because of dirty lines."},
    };
    pf_stats_counters(group, counters, G_N_ELEMENTS(counters));
}

PfHashEngine *pf_hash_engine_new(const PfHashEngineConfig *config, unsigned cores, PfHomes *homes,
                                 uint32_t page_bytes, uint32_t line_bytes, PfStatsGroup *stats)
{
    g_assert(cores > 0 && page_bytes > 0 && line_bytes > 0);
    PfHashEngine *engine = g_new0(PfHashEngine, 1);
    engine->port.ops = &port_ops;
    engine->config = config;
    engine->homes = homes;
    engine->page_bytes = page_bytes;
    engine->line_bytes = MIN(line_bytes, page_bytes);
    engine->part_count = is_at_core(engine) ? cores : pf_homes_channels(homes);
    engine->parts = g_new0(Part, engine->part_count);
    for (unsigned i = 0; i < engine->part_count; i++)
        pf_hash_unit_init(&engine->parts[i].unit, config->bytes_per_cycle,
                          (uint32_t)config->queue);
    if (stats != NULL)
        register_stats(&engine->stats, stats);
    return engine;
}

void pf_hash_engine_free(PfHashEngine *engine)
{
    if (engine == NULL)
        return;
    for (unsigned i = 0; i < engine->part_count; i++)
        pf_hash_unit_clear(&engine->parts[i].unit);
    g_free(engine->parts);
    g_free(engine);
}

void pf_hash_engine_attach(PfHashEngine *engine, PfController *controller)
{
    engine->controller = controller;
}

void pf_hash_engine_watch(PfHashEngine *engine, const PfHashWatcher *watcher, void *user)
{
    engine->watcher = watcher;
    engine->watcher_user = user;
}

void pf_hash_engine_start(PfHashEngine *engine)
{
    engine->is_on = true;
}

bool pf_hash_engine_is_on(const PfHashEngine *engine)
{
    return engine->is_on;
}

const PfHashEngineConfig *pf_hash_engine_config(const PfHashEngine *engine)
{
    return engine->config;
}

const PfHashEngineStats *pf_hash_engine_stats(const PfHashEngine *engine)
{
    return &engine->stats;
}

unsigned pf_hash_engine_units(const PfHashEngine *engine)
{
    return engine->part_count;
}

PfKeyForm pf_hash_engine_form(const PfHashEngine *engine)
{
    uint64_t bits = engine->config->digest_bits;
    return (PfKeyForm){.line_bytes = engine->line_bytes,
                       .digest_bits = bits != 0 ? (unsigned)bits : PF_KEY_BITS};
}

uint64_t pf_hash_engine_bits_per_page(const PfHashEngine *engine)
{
    if (!is_incremental(engine))
        return 0;
    uint64_t parts = is_at_core(engine) || !is_sliced(engine) ? 1 : engine->part_count;
    return parts * 64 + engine->config->digest_bits * line_count(engine);
}

void pf_hash_engine_check(const PfHashEngine *engine)
{
    const PfHashEngineStats *stats = &engine->stats;
    g_assert(stats->busy_cycles * engine->config->bytes_per_cycle >= stats->bytes);
    g_assert(stats->old_line_reads <= stats->stores);
    for (unsigned i = 0; i < engine->part_count; i++) {
        g_assert(engine->parts[i].bytes == 0 && !engine->parts[i].takes_part);
        pf_hash_unit_check(&engine->parts[i].unit);
    }
}
