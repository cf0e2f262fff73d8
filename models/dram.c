#include "dram.h"

#include "dram_internal.h"
#include "error.h"
#include "units.h"

/* Requests this much older than the newest, about a row cycle, still compete with it; a core with a
 * skew that gets this much ahead of the newest loses some of the skew. In DRAM clocks. */
enum { BEHIND_MAX = 64, AHEAD_MAX = 256 };

/* Queues transaction LINE of REQUEST, known by TAG, which arrives at clock AT. The clock at which
 * it is taken. */
static uint64_t enqueue(PfDram *dram, const PfRequest *request, uint64_t tag, uint64_t line,
                        uint64_t at)
{
    PfDramEntry entry = {.line = line,
                         .arrival = at,
                         .sent = at,
                         .tag = tag,
                         .actor = request->actor,
                         .is_write = request->kind == PF_ACCESS_WRITE};
    PfDramChannel *channel = pf_dram_place(dram, &entry);
    pf_dram_channel_run(channel, at);
    while (!pf_dram_queue_has_room(&channel->queue, entry.is_write)) {
        pf_dram_channel_step(channel);
        entry.arrival = MAX(at, channel->now);
    }
    pf_dram_channel_submit(channel, &entry);
    return entry.arrival;
}

static uint32_t take_ticket(PfDram *dram)
{
    uint32_t count = dram->ticket_count;
    if (dram->free_ticket == count) {
        dram->ticket_count = count == 0 ? 64 : 2 * count;
        dram->tickets = g_renew(PfDramTicket, dram->tickets, dram->ticket_count);
        for (uint32_t i = count; i < dram->ticket_count; i++)
            dram->tickets[i].next_free = i + 1;
    }
    uint32_t index = dram->free_ticket;
    dram->free_ticket = dram->tickets[index].next_free;
    return index;
}

static void note_done(void *user, uint64_t tag, uint64_t done)
{
    PfDram *dram = user;
    PfDramTicket *ticket = &dram->tickets[tag];
    ticket->done_clock = MAX(ticket->done_clock, done);
    ticket->waiting--;
}

/* Gives ticket INDEX, which has been served, back. The cycle of its answer. */
static uint64_t close_ticket(PfDram *dram, uint32_t index)
{
    PfDramTicket *ticket = &dram->tickets[index];
    g_assert(ticket->waiting == 0);
    ticket->next_free = dram->free_ticket;
    dram->free_ticket = index;
    dram->latest_clock = MAX(dram->latest_clock, ticket->done_clock);
    return pf_ratio_up(&dram->cycles_of_clocks, ticket->done_clock) - ticket->skew_cycles;
}

/* The cycle at which REQUEST counts as arriving, by the rule that the header gives. */
static uint64_t arrival(PfDram *dram, const PfRequest *request)
{
    uint64_t *skew_cycles = &dram->skew_cycles[request->core % PF_DRAM_CORES_TOLD_APART];
    uint64_t at = request->now_cycles + *skew_cycles;
    if (at + dram->behind_cycles < dram->latest_cycles)
        at = dram->latest_cycles;
    else if (*skew_cycles > 0 && at > dram->latest_cycles + dram->ahead_cycles)
        at = MAX(request->now_cycles, dram->latest_cycles + dram->ahead_cycles);
    *skew_cycles = at - request->now_cycles;
    dram->latest_cycles = MAX(dram->latest_cycles, at);
    return at;
}

static uint64_t write_lines(PfDram *dram, const PfRequest *request, uint64_t first, uint64_t last,
                            uint64_t at)
{
    uint64_t taken = at;
    for (uint64_t line = first; line <= last; line++) {
        uint64_t line_taken = enqueue(dram, request, 0, line, at);
        taken = MAX(taken, line_taken);
    }
    dram->latest_clock = MAX(dram->latest_clock, taken);
    return taken;
}

static uint32_t read_lines(PfDram *dram, const PfRequest *request, uint64_t first, uint64_t last,
                           uint64_t at)
{
    uint32_t index = take_ticket(dram);
    dram->tickets[index] = (PfDramTicket){.done_clock = at,
                                          .first_line = first,
                                          .last_line = last,
                                          .waiting = (uint32_t)(last - first + 1)};
    for (uint64_t line = first; line <= last; line++)
        enqueue(dram, request, index, line, at);
    return index;
}

uint64_t pf_dram_access(PfPort *port, const PfRequest *request)
{
    PfDram *dram = (PfDram *)port;
    g_assert(request->size_bytes > 0);
    uint64_t arrival_cycles = arrival(dram, request);
    uint64_t skew_cycles = arrival_cycles - request->now_cycles;
    uint64_t at = pf_ratio_up(&dram->clocks_of_cycles, arrival_cycles);
    uint32_t bytes = dram->timing.transaction_bytes;
    uint64_t first = request->address.bytes / bytes;
    uint64_t last = (request->address.bytes + request->size_bytes - 1) / bytes;
    if (request->kind == PF_ACCESS_WRITE) {
        uint64_t taken = write_lines(dram, request, first, last, at);
        return pf_ratio_up(&dram->cycles_of_clocks, taken) - skew_cycles;
    }
    uint32_t index = read_lines(dram, request, first, last, at);
    dram->tickets[index].skew_cycles = skew_cycles;
    return dram->tickets[index].waiting == 0 ? close_ticket(dram, index) : PF_TICKET_BIT | index;
}

static uint64_t resolve(PfPort *port, uint64_t answer)
{
    PfDram *dram = (PfDram *)port;
    uint32_t index = (uint32_t)answer;
    const PfDramTicket *ticket = &dram->tickets[index];
    for (uint64_t line = ticket->first_line; line <= ticket->last_line; line++) {
        PfDramEntry entry = {.line = line};
        PfDramChannel *channel = pf_dram_place(dram, &entry);
        while (ticket->waiting > 0 && channel->queue.sides[false].count > 0)
            pf_dram_channel_step(channel);
    }
    return close_ticket(dram, index);
}

static const PfPortOps dram_port_ops = {.access = pf_dram_access, .resolve = resolve};

/* How many bits each field of an address has. */
static void count_bits(const PfDram *dram, uint8_t bits[PF_DRAM_FIELDS])
{
    const PfDramPreset *timing = &dram->timing;
    bits[PF_DRAM_CHANNEL] = (uint8_t)pf_log2(dram->channels);
    bits[PF_DRAM_RANK] = (uint8_t)pf_log2(dram->settings.ranks);
    bits[PF_DRAM_GROUP] = (uint8_t)pf_log2(timing->bank_groups);
    bits[PF_DRAM_BANK] = (uint8_t)pf_log2(timing->banks);
    bits[PF_DRAM_ROW] = (uint8_t)pf_log2(timing->rows);
    bits[PF_DRAM_COLUMN] = (uint8_t)pf_log2(timing->row_bytes / timing->transaction_bytes);
}

PfDram *pf_dram_new(const PfDramConfig *config, uint64_t core_clock_hz, PfStatsGroup *stats,
                    GError **error)
{
    g_assert(core_clock_hz > 0);
    g_autoptr(PfDram) dram = g_new0(PfDram, 1);
    dram->port.ops = &dram_port_ops;
    if (!pf_dram_resolve(config, &dram->timing, &dram->settings, error))
        return NULL;
    dram->channels = (uint32_t)config->channels * dram->timing.pseudo_channels;
    uint8_t bits[PF_DRAM_FIELDS];
    count_bits(dram, bits);
    const char *mapping = config->mapping != NULL ? config->mapping : "RoBaRaCoCh";
    if (!pf_dram_map_parse(mapping, bits, pf_log2(dram->timing.transaction_bytes), &dram->map,
                           error)) {
        g_prefix_error(error, "dram: ");
        return NULL;
    }
    /* A cycle lasts 10^12 / clock picoseconds, a DRAM clock tCK of them. */
    PfUint128 clocks_hz = (PfUint128)core_clock_hz * dram->timing.tck_ps;
    dram->clocks_of_cycles = pf_ratio(PF_PS_PER_SECOND, clocks_hz);
    dram->cycles_of_clocks = pf_ratio(clocks_hz, PF_PS_PER_SECOND);
    dram->behind_cycles = pf_ratio_up(&dram->cycles_of_clocks, BEHIND_MAX);
    dram->ahead_cycles = pf_ratio_up(&dram->cycles_of_clocks, AHEAD_MAX);
    dram->all_channels = g_new0(PfDramChannel, dram->channels);
    for (uint32_t i = 0; i < dram->channels; i++) {
        PfDramChannel *channel = &dram->all_channels[i];
        pf_dram_channel_init(channel, &dram->timing, &dram->settings, &dram->stats);
        channel->done = note_done;
        channel->done_user = dram;
    }
    if (stats != NULL)
        pf_dram_register(dram, stats);
    return g_steal_pointer(&dram);
}

void pf_dram_free(PfDram *dram)
{
    if (dram == NULL)
        return;
    for (uint32_t i = 0; i < dram->channels && dram->all_channels != NULL; i++)
        pf_dram_channel_clear(&dram->all_channels[i]);
    g_free(dram->all_channels);
    g_free(dram->tickets);
    g_free(dram);
}

void pf_dram_count_into(PfDram *dram, PfDram *owner)
{
    g_assert(!owner->is_partner && !dram->is_partner && dram->next == NULL);
    for (uint32_t i = 0; i < dram->channels; i++)
        dram->all_channels[i].stats = &owner->stats;
    dram->is_partner = true;
    dram->next = owner->next;
    owner->next = dram;
}

bool pf_dram_set_load(PfDram *dram, uint64_t bytes_per_second, double row_hits, GError **error)
{
    if (bytes_per_second == 0)
        return true;
    const PfDramPreset *timing = &dram->timing;
    PfUint128 bytes = (PfUint128)timing->transaction_bytes * dram->channels;
    PfUint128 clocks_hz = (PfUint128)bytes_per_second * timing->tck_ps;
    uint64_t period_parts = (uint64_t)(((bytes * PF_PS_PER_SECOND) << 16) / clocks_hz);
    if (period_parts >> 16 < timing->burst) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "machine.background.bandwidth: more than DRAM can move");
        return false;
    }
    for (uint32_t i = 0; i < dram->channels; i++)
        dram->all_channels[i].load = pf_dram_load(period_parts, row_hits);
    return true;
}

const PfDramStats *pf_dram_stats(const PfDram *dram)
{
    return &dram->stats;
}

const PfDramPreset *pf_dram_preset(const PfDram *dram)
{
    return &dram->timing;
}

PfPort *pf_dram_port(PfDram *dram)
{
    return &dram->port;
}

unsigned pf_dram_channels(const PfDram *dram)
{
    return dram->channels;
}

unsigned pf_dram_ranks(const PfDram *dram)
{
    return dram->settings.ranks;
}

uint64_t pf_dram_capacity_bytes(const PfDram *dram)
{
    const PfDramPreset *timing = &dram->timing;
    return (uint64_t)timing->row_bytes * timing->rows * timing->banks * timing->bank_groups *
           dram->settings.ranks * dram->channels;
}

PfDramLocation pf_dram_locate(const PfDram *dram, PfMaddr address)
{
    const PfDramMap *map = &dram->map;
    return (PfDramLocation){
        .channel = pf_dram_map_field(map, PF_DRAM_CHANNEL, address.bytes),
        .rank = pf_dram_map_field(map, PF_DRAM_RANK, address.bytes),
        .bank_group = pf_dram_map_field(map, PF_DRAM_GROUP, address.bytes),
        .bank = pf_dram_map_field(map, PF_DRAM_BANK, address.bytes),
        .row = pf_dram_map_field(map, PF_DRAM_ROW, address.bytes),
        .column = pf_dram_map_field(map, PF_DRAM_COLUMN, address.bytes),
    };
}

void pf_dram_advance(PfDram *dram, uint64_t now_cycles)
{
    uint64_t clock = pf_ratio_up(&dram->clocks_of_cycles, now_cycles);
    for (PfDram *part = dram; part != NULL; part = part->next) {
        for (uint32_t i = 0; i < part->channels; i++)
            pf_dram_channel_run(&part->all_channels[i], clock);
        part->latest_clock = clock;
    }
}

void pf_dram_sleep(PfDram *dram, unsigned channel, unsigned rank, uint64_t now_cycles)
{
    pf_dram_channel_sleep(&dram->all_channels[channel], rank,
                          pf_ratio_up(&dram->clocks_of_cycles, now_cycles));
}

void pf_dram_wake(PfDram *dram, unsigned channel, unsigned rank, uint64_t now_cycles)
{
    pf_dram_channel_wake(&dram->all_channels[channel], rank,
                         pf_ratio_up(&dram->clocks_of_cycles, now_cycles));
}

void pf_dram_observe(PfDram *dram, PfDramObserver observe, void *user)
{
    for (uint32_t i = 0; i < dram->channels; i++) {
        dram->all_channels[i].banks.observe = observe;
        dram->all_channels[i].banks.observe_user = user;
        dram->all_channels[i].banks.channel = i;
    }
}

void pf_dram_reset_state(PfDram *dram)
{
    for (uint32_t i = 0; i < dram->channels; i++)
        pf_dram_channel_reset_state(&dram->all_channels[i]);
    for (uint32_t i = 0; i < dram->ticket_count; i++)
        dram->tickets[i].waiting = 0;
}

void pf_dram_check(const PfDram *dram)
{
    const PfDramStats *stats = &dram->stats;
    uint64_t waiting[2] = {0};
    for (const PfDram *part = dram; part != NULL; part = part->next)
        for (uint32_t i = 0; i < part->channels; i++) {
            pf_dram_channel_check(&part->all_channels[i]);
            for (int side = 0; side < 2; side++)
                waiting[side] += part->all_channels[i].queue.sides[side].count;
            waiting[false] -= part->all_channels[i].load.waiting;
        }
    if (dram->is_partner)
        return; /* what it counted stands in the first */
    g_assert(stats->read_latency_clocks.count + waiting[0] == stats->reads);
    g_assert(stats->write_latency_clocks.count + waiting[1] == stats->writes);
    g_assert(stats->row_hits + stats->row_misses + stats->row_conflicts <= pf_dram_transfers(dram));
}
