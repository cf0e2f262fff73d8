#include "core.h"

#include <math.h>

#include "error.h"

#define WINDOW_MAX ((uint64_t)1 << 20)

enum { CPI_MAX = 1000, STORE_BUFFER_MAX = 1 << 20 };

const PfConfigField pf_core_fields[] = {
    {.key = "cpi",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCoreConfig, cpi),
     .standard = "0.5",
     .max = CPI_MAX,
     .unit = "cycles",
     .description = "Cycles of an instruction when every access hits the first level."},
    {.key = "window",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCoreConfig, window_instructions),
     .standard = "224",
     .min = 1,
     .max = WINDOW_MAX,
     .unit = "instructions",
     .description = "Instructions that may follow an unfinished read; 1 is a blocking core."},
    {.key = "mshrs",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCoreConfig, mshrs),
     .standard = "16",
     .min = 1,
     .max = PF_CORE_MSHRS_MAX,
     .unit = "misses",
     .description = "Misses of the first level that may be outstanding."},
    {.key = "store_buffer",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(PfCoreConfig, store_buffer),
     .standard = "56",
     .max = STORE_BUFFER_MAX,
     .unit = "stores",
     .description = "Stores that may wait behind one that misses, which counts; 0: any number."},
    {.key = "dependent",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCoreConfig, dependent_share),
     .standard = "0.0",
     .max = 1,
     .unit = "ratio",
     .description = "Share of unmarked reads that wait for the previous read's result."},
    {.key = "instruction_pJ",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCoreConfig, instruction_pJ),
     .standard = "auto",
     .automatic = true,
     .unit = "pJ",
     .description = "Energy of an instruction, without what caches and TLBs take; auto: not known, "
                    "and so is the energy."},
    {.key = "leakage_mW",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(PfCoreConfig, leakage_mW),
     .standard = "auto",
     .automatic = true,
     .unit = "mW",
     .description = "Power that a core takes always, without its caches and TLBs; auto: not "
                    "known."},
};
const size_t pf_core_field_count = G_N_ELEMENTS(pf_core_fields);

static bool check_config(const PfCoreConfig *config, GError **error)
{
    const char *wrong = NULL;
    /* Written so that a NaN is refused, too. */
    if (!(config->cpi >= 0.0 && config->cpi <= CPI_MAX))
        wrong = "cpi must be within 0 .. 1000";
    else if (config->window_instructions < 1 || config->window_instructions > WINDOW_MAX)
        wrong = "window must be within 1 .. 1048576";
    else if (config->mshrs < 1 || config->mshrs > PF_CORE_MSHRS_MAX)
        wrong = "mshrs must be within 1 .. 256";
    else if (config->store_buffer > STORE_BUFFER_MAX)
        wrong = "store_buffer must be within 0 .. 1048576";
    else if (!(config->dependent_share >= 0.0 && config->dependent_share <= 1.0))
        wrong = "dependent must be within 0 .. 1";
    if (wrong != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "core: %s", wrong);
    return wrong == NULL;
}

PfCore *pf_core_new(const PfCoreConfig *config, uint64_t seed, PfStatsGroup *stats,
                    GError **error)
{
    if (!check_config(config, error))
        return NULL;
    PfCore *core = g_new0(PfCore, 1);
    core->cpi = (uint64_t)llround(ldexp(config->cpi, 32));
    core->window = config->window_instructions;
    core->mshrs = (uint32_t)config->mshrs;
    core->store_buffer = (uint32_t)config->store_buffer;
    core->all_dependent = config->dependent_share >= 1.0;
    if (!core->all_dependent)
        core->dependent_below = (uint64_t)ldexp(config->dependent_share, 64);
    core->rng = pf_rng_derive(seed, "core-dependent");
    if (stats != NULL) {
        pf_stats_counter(stats, "instructions", "events", "Instructions executed.",
                         &core->stats.instructions);
        pf_stats_counter(stats, "stall_cycles", "cycles", "Cycles waited for memory.",
                         &core->stats.stall_cycles);
        pf_stats_counter(stats, "idle_cycles", "cycles", "Cycles without anything to do.",
                         &core->stats.idle_cycles);
    }
    return core;
}

void pf_core_free(PfCore *core)
{
    g_free(core);
}

void pf_core_set_port(PfCore *core, PfPort *port)
{
    core->port = port;
}

/* Finds out when MISS is done. */
static void settle(PfCore *core, PfCoreMiss *miss)
{
    uint64_t answer = miss->done_cycles;
    if (!pf_answer_is_ticket(answer))
        return;
    miss->done_cycles = pf_port_wait(core->port, answer) + miss->late_cycles;
    if (core->previous_read_done_cycles == answer)
        core->previous_read_done_cycles = miss->done_cycles;
}

/* Of the misses with tickets, settles the oldest. Whether it is done by now. */
static bool settle_oldest(PfCore *core)
{
    for (uint32_t i = 0; i < core->miss_count; i++) {
        PfCoreMiss *miss = &core->misses[i];
        if (!pf_answer_is_ticket(miss->done_cycles))
            continue;
        settle(core, miss);
        return miss->done_cycles <= core->now_cycles;
    }
    return false;
}

uint64_t pf_core_settle_previous(PfCore *core)
{
    for (uint32_t i = core->miss_count; i-- > 0;)
        if (core->misses[i].done_cycles == core->previous_read_done_cycles)
            settle(core, &core->misses[i]);
    return core->previous_read_done_cycles;
}

/* Forgets the misses that are known to be done by now; the others keep their order. */
static void retire(PfCore *core)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < core->miss_count; i++)
        if (core->misses[i].done_cycles > core->now_cycles)
            core->misses[kept++] = core->misses[i];
    core->miss_count = kept;
}

/* The outstanding read that fills the window first, or NULL. Misses stand in order of issue, so it
 * is the first that is no write. */
static PfCoreMiss *oldest_read(PfCore *core)
{
    for (uint32_t i = 0; i < core->miss_count; i++)
        if (core->misses[i].limit_instructions != UINT64_MAX)
            return &core->misses[i];
    return NULL;
}

static PfCoreMiss *oldest_write(PfCore *core)
{
    for (uint32_t i = 0; i < core->miss_count; i++)
        if (core->misses[i].limit_instructions == UINT64_MAX)
            return &core->misses[i];
    return NULL;
}

/* What lies before the oldest write has left the buffer, and what came after it has not. */
uint64_t pf_core_find_room(PfCore *core)
{
    uint64_t stall_cycles = 0;
    PfCoreMiss *oldest;
    while ((oldest = oldest_write(core)) != NULL && oldest->limit_stores <= core->stores) {
        settle(core, oldest);
        stall_cycles += pf_core_wait(core, oldest->done_cycles, oldest->translated_cycles);
        retire(core);
    }
    core->stores_clear = oldest != NULL ? oldest->limit_stores : core->stores + core->store_buffer;
    return stall_cycles;
}

uint64_t pf_core_instructions_in_window(PfCore *core, uint64_t count)
{
    uint64_t cycles = 0;
    PfCoreMiss *oldest;
    while (core->miss_count > 0 && (oldest = oldest_read(core)) != NULL) {
        uint64_t room = oldest->limit_instructions - core->instructions;
        if (count <= room)
            break;
        cycles += pf_core_advance(core, room);
        count -= room;
        settle(core, oldest);
        cycles += pf_core_wait(core, oldest->done_cycles, oldest->translated_cycles);
        retire(core);
    }
    return cycles + pf_core_advance(core, count);
}

/* Waits until an MSHR is free. The stall cycles. */
static uint64_t take_mshr(PfCore *core)
{
    if (core->miss_count == core->mshrs)
        retire(core);
    if (core->miss_count == core->mshrs && settle_oldest(core))
        retire(core);
    if (core->miss_count < core->mshrs)
        return 0;
    const PfCoreMiss *first = &core->misses[0];
    for (uint32_t i = 1; i < core->miss_count; i++)
        if (core->misses[i].done_cycles < first->done_cycles)
            first = &core->misses[i];
    uint64_t stall_cycles = pf_core_wait(core, first->done_cycles, first->translated_cycles);
    retire(core);
    return stall_cycles;
}

/* ANSWER is a time or a ticket, of what could be sent only LATE_CYCLES after it was. */
static void add_miss(PfCore *core, uint64_t answer, uint64_t late_cycles, bool is_write)
{
    core->misses[core->miss_count++] = (PfCoreMiss){
        .done_cycles = pf_answer_is_ticket(answer) ? answer : answer + late_cycles,
        .late_cycles = late_cycles,
        .translated_cycles = core->translated_cycles,
        .limit_instructions = is_write ? UINT64_MAX : core->instructions + core->window,
        .limit_stores = core->stores - 1 + core->store_buffer, /* it is counted already */
    };
}

uint64_t pf_core_issue_miss(PfCore *core, uint64_t answer, uint64_t hit_latency_cycles,
                            bool is_write)
{
    bool walks = core->translated_cycles > core->now_cycles;
    uint64_t late_cycles = is_write ? pf_core_buffer_store(core) : 0;
    late_cycles += take_mshr(core); /* it could be sent only now */
    uint64_t stall_cycles = late_cycles;
    core->translated_cycles += walks ? stall_cycles : 0;
    if (!is_write) {
        add_miss(core, answer, late_cycles, false);
        core->previous_read_done_cycles = core->misses[core->miss_count - 1].done_cycles;
        core->previous_read_translated_cycles = core->translated_cycles;
        return stall_cycles;
    }
    if (walks) {
        add_miss(core, core->translated_cycles, 0, false);
        if (answer + late_cycles <= core->translated_cycles + hit_latency_cycles)
            return stall_cycles;
        stall_cycles += take_mshr(core);
    }
    add_miss(core, answer, late_cycles, true);
    return stall_cycles;
}

bool pf_core_draw_dependent(PfCore *core)
{
    return pf_rng_next(&core->rng) < core->dependent_below;
}

uint64_t pf_core_drain(PfCore *core)
{
    PfCoreMiss last = {0};
    for (uint32_t i = 0; i < core->miss_count; i++) {
        settle(core, &core->misses[i]);
        if (core->misses[i].done_cycles > last.done_cycles)
            last = core->misses[i];
    }
    core->miss_count = 0;
    return pf_core_wait(core, last.done_cycles, last.translated_cycles);
}

uint64_t pf_core_advance_to(PfCore *core, uint64_t cycle)
{
    if (cycle <= core->now_cycles)
        return 0;
    uint64_t idle_cycles = cycle - core->now_cycles;
    core->now_cycles = cycle;
    core->stats.idle_cycles += idle_cycles;
    return idle_cycles;
}

void pf_core_reset_state(PfCore *core)
{
    for (uint32_t i = 0; i < core->miss_count; i++)
        settle(core, &core->misses[i]);
    core->miss_count = 0;
    core->cpi_fraction = 0;
    core->previous_read_done_cycles = 0;
    core->translated_cycles = 0;
}

void pf_core_check(const PfCore *core)
{
    g_assert(core->miss_count <= core->mshrs && core->mshrs <= PF_CORE_MSHRS_MAX);
    uint64_t limit_before = 0;
    for (uint32_t i = 0; i < core->miss_count; i++) {
        uint64_t limit = core->misses[i].limit_instructions;
        if (limit == UINT64_MAX)
            continue;
        g_assert(limit >= core->instructions && limit >= limit_before);
        limit_before = limit;
    }
}
