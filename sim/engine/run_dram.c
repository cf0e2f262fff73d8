/* Reads and writes of a trace straight to DRAM, without contexts, caches or policies. */
#include "dram_feed.h"
#include "error.h"
#include "run.h"

void run_open_dram(PfRun *run)
{
    run->feed = pf_dram_feed_new(run->machine->dram, (uint32_t)run->config->outstanding);
    run->has_access_grain = true;
}

/* When the next request may be sent, as a DRAM clock: at the first edge that is not before the last
 * `time`. */
static uint64_t time_clock(const PfRun *run)
{
    uint64_t tck_ps = pf_dram_preset(run->machine->dram)->tck_ps;
    return run->config->timed ? run->time_ps / tck_ps + (run->time_ps % tck_ps != 0) : 0;
}

/* The cycle of the base clock that has come when DRAM's CLOCK has. */
static uint64_t cycle_of(const PfRun *run, uint64_t clock)
{
    uint64_t tck_ps = pf_dram_preset(run->machine->dram)->tck_ps;
    return pf_cycles_from_ps(clock * tck_ps, run->machine_config->clock_hz);
}

static bool send(PfRun *run, const PfRecord *record)
{
    const PfDram *dram = run->machine->dram;
    uint64_t capacity_bytes = pf_dram_capacity_bytes(dram);
    if (record->address >= capacity_bytes || record->count > capacity_bytes - record->address) {
        g_set_error(&run->error, PF_ERROR, PF_ERROR_TRACE,
                    "address 0x%" G_GINT64_MODIFIER "x is beyond the memory's %" G_GUINT64_FORMAT
                    " bytes; use more channels or ranks, or a larger preset",
                    record->address, capacity_bytes);
        return false;
    }
    uint64_t bytes = pf_dram_preset(dram)->transaction_bytes;
    uint64_t end = record->address + record->count;
    uint64_t clock = time_clock(run);
    for (uint64_t at = record->address / bytes * bytes; at < end; at += bytes)
        pf_dram_feed_send(run->feed, (PfMaddr){at}, record->kind == PF_RECORD_WRITE, clock);
    run->stat_accesses++;
    return true;
}

void run_finish_dram(PfRun *run)
{
    run->now_cycles = cycle_of(run, pf_dram_feed_finish(run->feed));
}

uint32_t run_play_dram(PfRun *run, const PfRecordBlock *block)
{
    for (uint32_t i = 0; i < block->count; i++) {
        const PfRecord *record = &block->records[i];
        bool is_access = record->kind == PF_RECORD_READ || record->kind == PF_RECORD_FETCH ||
                         record->kind == PF_RECORD_WRITE;
        if (record->kind == PF_RECORD_TIME)
            run->time_ps = MAX(run->time_ps, record->count);
        if (is_access && !send(run, record))
            return i;
        if (record->kind == PF_RECORD_MARK) {
            run_finish_dram(run);
            run_keep_mark(run, record);
        }
        run->records++;
    }
    run->now_cycles = cycle_of(run, pf_dram_feed_clock(run->feed));
    if (run->paranoid)
        pf_dram_check(run->machine->dram);
    return block->count;
}
