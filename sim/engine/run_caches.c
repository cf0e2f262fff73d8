/* Accesses of a trace through the levels of cache alone, without contexts, time or policies. The
 * rules are those of cachegrind (Valgrind's cg_sim.c and cg_main.c):
 *   - An access that touches several lines is one access, and a miss if any of them is not held;
 *     all of them are then the most recent.
 *   - The next level is asked on a miss only, for the same bytes. What is written back does not
 *     reach it. No level holds or drops lines for another's sake, unless it is inclusive.
 *   - An instruction that reads and writes the same bytes is one read.
 *   - An access longer than the shortest line is cut to that.
 * With `straddle = "split"` each piece of an access that lies within a line of the first level is
 * an access. */
#include "error.h"
#include "run.h"

/* An entry of a cache has no more bits for an address. */
#define ADDRESS_END ((uint64_t)1 << 60)

static void touch_levels(PfCache *first, uint64_t address, uint32_t bytes, PfAccessKind kind)
{
    bool goes_on = true;
    for (PfCache *level = first; level != NULL && goes_on; level = pf_cache_lower(level)) {
        bool is_hit =
            pf_cache_touch(level, (PfMaddr){address}, bytes, kind, PF_ACTOR_DEMAND);
        goes_on = !is_hit || (kind == PF_ACCESS_WRITE && pf_cache_writes_through(level));
    }
}

static uint64_t shortest_line(const PfMachineConfig *config)
{
    uint64_t bytes = config->caches[0].line_bytes;
    for (unsigned i = 1; i < config->cache_count; i++)
        bytes = MIN(bytes, config->caches[i].line_bytes);
    return bytes;
}

static bool play_access(PfRun *run, const PfRecord *record)
{
    if (record->address >= ADDRESS_END || record->count > ADDRESS_END - record->address) {
        g_set_error(&run->error, PF_ERROR, PF_ERROR_TRACE,
                    "address 0x%" G_GINT64_MODIFIER "x is beyond the 60 bits that caches take",
                    record->address);
        return false;
    }
    PfAccessKind kind = record->kind == PF_RECORD_FETCH   ? PF_ACCESS_FETCH
                        : record->kind == PF_RECORD_WRITE ? PF_ACCESS_WRITE
                                                          : PF_ACCESS_READ;
    PfCache *first =
        kind == PF_ACCESS_FETCH ? run->machine->fetch[0] : run->machine->data[0];
    run->stat_accesses++;
    uint64_t end = record->address + record->count;
    if (run->config->straddle == PF_STRADDLE_ONE) {
        uint64_t bytes = MIN(record->count, shortest_line(run->machine_config));
        touch_levels(first, record->address, (uint32_t)bytes, kind);
        return true;
    }
    uint64_t line_bytes = pf_cache_line_bytes(first);
    for (uint64_t at = record->address; at < end;) {
        uint64_t piece_end = MIN(end, (at | (line_bytes - 1)) + 1);
        touch_levels(first, at, (uint32_t)(piece_end - at), kind);
        at = piece_end;
    }
    return true;
}

uint32_t run_play_caches(PfRun *run, const PfRecordBlock *block)
{
    run->has_access_grain = true;
    for (uint32_t i = 0; i < block->count; i++) {
        const PfRecord *record = &block->records[i];
        bool is_access = record->kind == PF_RECORD_READ || record->kind == PF_RECORD_FETCH ||
                         record->kind == PF_RECORD_WRITE;
        bool is_told = (record->flags & PF_RECORD_MODIFIES) != 0 &&
                       run->config->modify == PF_MODIFY_READ;
        if (record->kind == PF_RECORD_RUN)
            run->stat_instructions += record->count;
        if (is_access && !is_told && !play_access(run, record))
            return i;
        run->records++;
    }
    if (run->paranoid)
        pf_machine_check(run->machine);
    return block->count;
}
