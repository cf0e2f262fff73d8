#include "dram.h"

#include <string.h>

#include "dram_channel.h"
#include "error.h"
#include "ratio.h"
#include "units.h"

enum { CHANNELS_MAX = 64, RANKS_MAX = 16, WRITE_QUEUE_MAX = 1024, CORES_TOLD_APART = 256 };

/* Requests this much older than the newest, about a row cycle, still compete with it; a core with a
 * skew that gets this much ahead of the newest loses some of the skew. In DRAM clocks. */
enum { BEHIND_MAX = 64, AHEAD_MAX = 256 };

typedef struct {
    PfDramChannel banks;
    /* Clocks at which the last writes were issued, as a ring: from then on a place is free. */
    uint64_t *write_issued;
    uint32_t write_oldest;
} Channel;

typedef struct {
    uint8_t shift;
    uint32_t mask;
} Field;

struct PfDram {
    PfPort port;
    PfDramPreset timing;
    Field channel, rank, group, bank, row, column;
    uint32_t channels;
    uint32_t ranks;
    uint32_t write_queue_entries;
    PfRatio clocks_of_cycles;
    PfRatio cycles_of_clocks;
    uint64_t behind_cycles;
    uint64_t ahead_cycles;
    uint64_t latest_cycles; /* arrival of the newest request, skew included */
    uint64_t next_refresh;  /* clock; UINT64_MAX for never */
    Channel *all_channels;
    PfDramStats stats;
    uint64_t skew_cycles[CORES_TOLD_APART];
};

static inline uint32_t field_of(Field field, uint64_t transaction)
{
    return (uint32_t)(transaction >> field.shift) & field.mask;
}

/* Schedules TRANSACTION, which arrives at clock AT in CHANNEL. The clock of its RD or WR. */
static uint64_t schedule(PfDram *dram, Channel *channel, uint64_t transaction, bool is_write,
                         uint64_t at)
{
    PfDramTarget target = {
        .rank = field_of(dram->rank, transaction),
        .group = field_of(dram->group, transaction),
        .bank = field_of(dram->bank, transaction),
        .row = field_of(dram->row, transaction),
    };
    PfDramRowState state;
    uint64_t command = pf_dram_channel_schedule(&channel->banks, &target, is_write, at, &state);
    dram->stats.row_hits += state == PF_DRAM_ROW_HIT;
    dram->stats.row_misses += state == PF_DRAM_ROW_MISS;
    dram->stats.row_conflicts += state == PF_DRAM_ROW_CONFLICT;
    return command;
}

static uint64_t serve_read(PfDram *dram, uint64_t transaction, uint64_t at, PfActor actor)
{
    Channel *channel = &dram->all_channels[field_of(dram->channel, transaction)];
    uint64_t done = schedule(dram, channel, transaction, false, at) + dram->timing.cl +
                    dram->timing.burst;
    dram->stats.reads++;
    dram->stats.reads_by_actor[actor]++;
    pf_histogram_add(&dram->stats.read_latency_clocks, done - at);
    return done;
}

static uint64_t serve_write(PfDram *dram, uint64_t transaction, uint64_t at, PfActor actor)
{
    Channel *channel = &dram->all_channels[field_of(dram->channel, transaction)];
    uint64_t *place = &channel->write_issued[channel->write_oldest];
    uint64_t taken = MAX(at, *place);
    *place = schedule(dram, channel, transaction, true, taken);
    if (++channel->write_oldest == dram->write_queue_entries)
        channel->write_oldest = 0;
    dram->stats.writes++;
    dram->stats.writes_by_actor[actor]++;
    pf_histogram_add(&dram->stats.write_latency_clocks,
                     *place + dram->timing.cwl + dram->timing.burst - at);
    return taken;
}

/* Does what refreshes fell due up to clock AT, on all ranks. */
static void refresh(PfDram *dram, uint64_t at)
{
    uint64_t interval = dram->timing.refi;
    uint64_t last = at - at % interval;
    uint64_t count = (last - dram->next_refresh) / interval + 1;
    for (uint32_t i = 0; i < dram->channels; i++)
        pf_dram_channel_refresh(&dram->all_channels[i].banks, dram->next_refresh, last, count);
    dram->stats.refreshes += count * dram->channels * dram->ranks;
    dram->next_refresh = last + interval;
}

/* The cycle at which REQUEST counts as arriving, by the rule that the header gives. */
static uint64_t arrival(PfDram *dram, const PfRequest *request)
{
    uint64_t *skew_cycles = &dram->skew_cycles[request->core % CORES_TOLD_APART];
    uint64_t at = request->now_cycles + *skew_cycles;
    if (at + dram->behind_cycles < dram->latest_cycles)
        at = dram->latest_cycles;
    else if (*skew_cycles > 0 && at > dram->latest_cycles + dram->ahead_cycles)
        at = MAX(request->now_cycles, dram->latest_cycles + dram->ahead_cycles);
    *skew_cycles = at - request->now_cycles;
    dram->latest_cycles = MAX(dram->latest_cycles, at);
    return at;
}

uint64_t pf_dram_access(PfPort *port, const PfRequest *request)
{
    PfDram *dram = (PfDram *)port;
    g_assert(request->size_bytes > 0);
    uint64_t arrival_cycles = arrival(dram, request);
    uint64_t at = pf_ratio_up(&dram->clocks_of_cycles, arrival_cycles);
    if (at >= dram->next_refresh)
        refresh(dram, at);

    uint64_t first = request->address.bytes / PF_DRAM_TRANSACTION_BYTES;
    uint64_t last =
        (request->address.bytes + request->size_bytes - 1) / PF_DRAM_TRANSACTION_BYTES;
    uint64_t done = at;
    for (uint64_t transaction = first; transaction <= last; transaction++) {
        uint64_t end = request->kind == PF_ACCESS_WRITE
                           ? serve_write(dram, transaction, at, request->actor)
                           : serve_read(dram, transaction, at, request->actor);
        done = MAX(done, end);
    }
    uint64_t skew_cycles = arrival_cycles - request->now_cycles;
    return pf_ratio_up(&dram->cycles_of_clocks, done) - skew_cycles;
}

static const PfPortOps dram_port_ops = {.access = pf_dram_access};

static const char *const mapping_names[] = {"RoBaRaCoCh", "ChRaBaRoCo", NULL};
static const char *const page_policy_names[] = {"open", "closed", NULL};
static const char *const refresh_names[] = {"all-bank", "none", NULL};

const PfConfigField pf_dram_fields[] = {
    {.key = "preset",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfDramConfig, preset),
     .standard = "DDR4-2400U-8Gb-x8",
     .choices = pf_dram_preset_names,
     .description = "Device: standard, rate and bin, density, width."},
    {.key = "channels",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfDramConfig, channels),
     .standard = "1",
     .min = 1,
     .max = CHANNELS_MAX,
     .power_of_two = true,
     .unit = "channels",
     .description = "Independent 64-bit channels."},
    {.key = "ranks",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfDramConfig, ranks),
     .standard = "1",
     .min = 1,
     .max = RANKS_MAX,
     .power_of_two = true,
     .unit = "ranks",
     .description = "Ranks of devices on each channel."},
    {.key = "mapping",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfDramConfig, mapping),
     .standard = "RoBaRaCoCh",
     .choices = mapping_names,
     .description = "Order of row, bank, rank, column, channel in an address, high bits first."},
    {.key = "page_policy",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfDramConfig, page_policy),
     .standard = "open",
     .choices = page_policy_names,
     .description = "Whether a row stays open after an access."},
    {.key = "refresh",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(PfDramConfig, refresh),
     .standard = "all-bank",
     .choices = refresh_names,
     .description = "All banks of all ranks each tREFI, or not at all."},
    {.key = "write_queue",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfDramConfig, write_queue),
     .standard = "32",
     .min = 1,
     .max = WRITE_QUEUE_MAX,
     .unit = "writes",
     .description = "Writes of a channel that may wait; a write that finds no place waits itself."},
};
const size_t pf_dram_field_count = G_N_ELEMENTS(pf_dram_fields);

static bool check_config(const PfDramConfig *config, GError **error)
{
    const char *wrong = NULL;
    if (config->preset < 0 || (size_t)config->preset >= pf_dram_preset_count)
        wrong = "preset is unknown";
    else if (!pf_is_power_of_two(config->channels) || config->channels > CHANNELS_MAX)
        wrong = "channels must be a power of two within 1 .. 64";
    else if (!pf_is_power_of_two(config->ranks) || config->ranks > RANKS_MAX)
        wrong = "ranks must be a power of two within 1 .. 16";
    else if (config->write_queue < 1 || config->write_queue > WRITE_QUEUE_MAX)
        wrong = "write_queue must be within 1 .. 1024";
    if (wrong != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "dram: %s", wrong);
    return wrong == NULL;
}

/* Lays FIELD of COUNT values (a power of two) above the *SHIFT bits that are taken. */
static void place_field(Field *field, uint32_t count, unsigned *shift)
{
    *field = (Field){.shift = (uint8_t)*shift, .mask = count - 1};
    *shift += pf_log2(count);
}

static void lay_out_address(PfDram *dram, int mapping)
{
    const PfDramPreset *timing = &dram->timing;
    uint32_t columns = timing->row_bytes / PF_DRAM_TRANSACTION_BYTES;
    unsigned shift = 0;
    if (mapping == PF_DRAM_ROBARACOCH) {
        place_field(&dram->channel, dram->channels, &shift);
        place_field(&dram->column, columns, &shift);
        place_field(&dram->rank, dram->ranks, &shift);
        place_field(&dram->group, timing->bank_groups, &shift);
        place_field(&dram->bank, timing->banks, &shift);
        place_field(&dram->row, timing->rows, &shift);
    } else {
        place_field(&dram->column, columns, &shift);
        place_field(&dram->row, timing->rows, &shift);
        place_field(&dram->bank, timing->banks, &shift);
        place_field(&dram->group, timing->bank_groups, &shift);
        place_field(&dram->rank, dram->ranks, &shift);
        place_field(&dram->channel, dram->channels, &shift);
    }
}

static void register_stats(const PfDram *dram, PfStatsGroup *group)
{
    const PfDramStats *stats = &dram->stats;
    double ns = dram->timing.tck_ps / 1000.0;
    pf_stats_counter(group, "reads", "events", "64-byte reads.", &stats->reads);
    pf_stats_counter(group, "writes", "events", "64-byte writes.", &stats->writes);
    pf_stats_counter(group, "reads_policy", "events", "Reads of work done for a policy.",
                     &stats->reads_by_actor[PF_ACTOR_POLICY]);
    pf_stats_counter(group, "writes_policy", "events", "Writes of work done for a policy.",
                     &stats->writes_by_actor[PF_ACTOR_POLICY]);
    pf_stats_counter(group, "row_hits", "events", "Transactions that found their row open.",
                     &stats->row_hits);
    pf_stats_counter(group, "row_misses", "events", "Transactions that found the bank closed.",
                     &stats->row_misses);
    pf_stats_counter(group, "row_conflicts", "events", "Transactions that found another row open.",
                     &stats->row_conflicts);
    pf_stats_counter(group, "refreshes", "events", "Refreshes of a rank.", &stats->refreshes);
    pf_stats_histogram(group, "read_latency_%s_ns", "ns",
                       "Time from a read's arrival to the end of its data.",
                       &stats->read_latency_clocks, ns);
    pf_stats_histogram(group, "write_latency_%s_ns", "ns",
                       "Time from a write's arrival to the end of its data.",
                       &stats->write_latency_clocks, ns);
}

PfDram *pf_dram_new(const PfDramConfig *config, uint64_t core_clock_hz, PfStatsGroup *stats,
                    GError **error)
{
    g_assert(core_clock_hz > 0);
    if (!check_config(config, error))
        return NULL;
    PfDram *dram = g_new0(PfDram, 1);
    dram->port.ops = &dram_port_ops;
    dram->timing = pf_dram_presets[config->preset];
    dram->channels = (uint32_t)config->channels;
    dram->ranks = (uint32_t)config->ranks;
    dram->write_queue_entries = (uint32_t)config->write_queue;
    /* A cycle lasts 10^12 / clock picoseconds, a DRAM clock tCK of them. */
    PfUint128 clocks_hz = (PfUint128)core_clock_hz * dram->timing.tck_ps;
    dram->clocks_of_cycles = pf_ratio(PF_PS_PER_SECOND, clocks_hz);
    dram->cycles_of_clocks = pf_ratio(clocks_hz, PF_PS_PER_SECOND);
    dram->behind_cycles = pf_ratio_up(&dram->cycles_of_clocks, BEHIND_MAX);
    dram->ahead_cycles = pf_ratio_up(&dram->cycles_of_clocks, AHEAD_MAX);
    dram->next_refresh =
        config->refresh == PF_DRAM_REFRESH_NONE ? UINT64_MAX : dram->timing.refi;
    lay_out_address(dram, config->mapping);
    dram->all_channels = g_new0(Channel, dram->channels);
    for (uint32_t i = 0; i < dram->channels; i++) {
        Channel *channel = &dram->all_channels[i];
        pf_dram_channel_init(&channel->banks, &dram->timing, dram->ranks,
                             config->page_policy == PF_DRAM_PAGE_CLOSED);
        channel->write_issued = g_new0(uint64_t, dram->write_queue_entries);
    }
    if (stats != NULL)
        register_stats(dram, stats);
    return dram;
}

void pf_dram_free(PfDram *dram)
{
    if (dram == NULL)
        return;
    for (uint32_t i = 0; i < dram->channels; i++) {
        pf_dram_channel_clear(&dram->all_channels[i].banks);
        g_free(dram->all_channels[i].write_issued);
    }
    g_free(dram->all_channels);
    g_free(dram);
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

uint64_t pf_dram_capacity_bytes(const PfDram *dram)
{
    const PfDramPreset *timing = &dram->timing;
    return (uint64_t)timing->row_bytes * timing->rows * timing->banks * timing->bank_groups *
           dram->ranks * dram->channels;
}

PfDramLocation pf_dram_locate(const PfDram *dram, PfMaddr address)
{
    uint64_t transaction = address.bytes / PF_DRAM_TRANSACTION_BYTES;
    return (PfDramLocation){
        .channel = field_of(dram->channel, transaction),
        .rank = field_of(dram->rank, transaction),
        .bank_group = field_of(dram->group, transaction),
        .bank = field_of(dram->bank, transaction),
        .row = field_of(dram->row, transaction),
        .column = field_of(dram->column, transaction),
    };
}

void pf_dram_reset_state(PfDram *dram)
{
    for (uint32_t i = 0; i < dram->channels; i++) {
        Channel *channel = &dram->all_channels[i];
        pf_dram_channel_reset_state(&channel->banks);
        memset(channel->write_issued, 0, dram->write_queue_entries * sizeof(uint64_t));
        channel->write_oldest = 0;
    }
}

void pf_dram_check(const PfDram *dram)
{
    const PfDramStats *stats = &dram->stats;
    g_assert(stats->row_hits + stats->row_misses + stats->row_conflicts ==
             stats->reads + stats->writes);
    g_assert(stats->read_latency_clocks.count == stats->reads);
    g_assert(stats->write_latency_clocks.count == stats->writes);
    g_assert(dram->next_refresh == UINT64_MAX || dram->next_refresh % dram->timing.refi == 0);
    for (uint32_t i = 0; i < dram->channels; i++)
        pf_dram_channel_check(&dram->all_channels[i].banks);
}
