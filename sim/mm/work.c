#include "work.h"

void pf_work_init(PfWork *work)
{
    work->recent = g_new0(PfRecentLine, PF_WORK_RECENT);
}

void pf_work_clear(PfWork *work)
{
    g_clear_pointer(&work->recent, g_free);
}

static uint64_t line_of(const PfWork *work, PfMaddr address)
{
    return address.bytes / work->line_bytes + 1;
}

static PfRecentLine *recent_of(const PfWork *work, uint64_t line)
{
    return &work->recent[(line * 0x9e3779b97f4a7c15U) >> 32 & (PF_WORK_RECENT - 1)];
}

/* Whether the caches of PLACE hold the line at ADDRESS. */
static bool is_near(const PfWork *work, const PfPlace *place, PfMaddr address)
{
    if (place->cache == NULL)
        return false;
    uint64_t line = line_of(work, address);
    const PfRecentLine *recent = recent_of(work, line);
    return recent->line == line && work->read_bytes - recent->read_bytes < work->cache_bytes;
}

/* BYTES from ADDRESS on are read now; whether the caches held the first of them. */
static bool note_read(PfWork *work, const PfPlace *place, PfMaddr address, uint64_t bytes)
{
    if (place->cache == NULL)
        return false;
    bool near = is_near(work, place, address);
    work->read_bytes += (bytes + work->line_bytes - 1) / work->line_bytes * work->line_bytes;
    uint64_t line = line_of(work, address);
    *recent_of(work, line) = (PfRecentLine){line, work->read_bytes};
    return near;
}

void pf_work_forget(PfWork *work)
{
    work->read_bytes += work->cache_bytes;
}

/* CYCLES are charged to ACCOUNT on a core whose delays are in DELAY_CYCLES. */
static void count_delay(uint64_t *delay_cycles, const PfPlace *place, PfAccount account,
                        uint64_t cycles)
{
    if (account == PF_ACCOUNT_SHOOTDOWN)
        delay_cycles[PF_DELAY_SHOOTDOWN] += cycles;
    else if (place->payer == PF_PAYER_POLICY)
        delay_cycles[PF_DELAY_STOLEN] += cycles;
    else if (account == PF_ACCOUNT_BREAK)
        delay_cycles[PF_DELAY_BREAK] += cycles;
}

void pf_work_charge(PfWork *work, const PfPlace *place, PfAccount account, uint64_t cycles)
{
    pf_ledger_charge(work->ledger, (PfPayer)place->payer, account, cycles);
    place->core->now_cycles += cycles;
    if (place->payer == PF_PAYER_APP && work->context_cycles != NULL) {
        work->context_cycles[place->context] += cycles;
        work->billed_cycles += cycles;
    }
    if (work->delay_cycles != NULL && place->index < work->daemon_core)
        count_delay(work->delay_cycles[place->index], place, account, cycles);
    if (place->payer == PF_PAYER_POLICY && place->index < work->daemon_core)
        work->stolen_cycles += cycles;
    if (place->payer == PF_PAYER_POLICY && place->index > work->daemon_core)
        work->engine_cycles += cycles;
}

/* By costs: what the page at ADDRESS takes PLACE to find in the controller's table. */
static uint64_t look_up(const PfWork *work, const PfPlace *place, PfMaddr address)
{
    if (work->table == NULL || place->cache == NULL)
        return 0;
    return pf_indirection_look_up(work->table, address, work->costs->line_cycles);
}

/* Sends the lines of BYTES from ADDRESS on through the caches of PLACE, or from the controller; the
 * cycles it takes. */
static uint64_t run_lines(const PfWork *work, const PfPlace *place, PfAccessKind kind,
                          PfMaddr address, uint64_t bytes)
{
    uint64_t first = address.bytes / work->line_bytes;
    uint64_t last = (address.bytes + bytes - 1) / work->line_bytes;
    PfRequest request = {.address = {first * work->line_bytes},
                         .now_cycles = place->core->now_cycles,
                         .size_bytes = work->line_bytes,
                         .core = place->index,
                         .kind = (uint8_t)kind,
                         .actor = place->actor};
    uint32_t lines = (uint32_t)(last - first + 1);
    uint64_t done = place->cache != NULL ? pf_cache_run(place->cache, &request, lines)
                                         : pf_controller_run(work->controller, &request, lines);
    return done - request.now_cycles;
}

void pf_work_read(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes)
{
    uint64_t cycles;
    if (work->full) {
        cycles = run_lines(work, place, PF_ACCESS_READ, address, bytes);
    } else {
        note_read(work, place, address, bytes);
        cycles = pf_costs_scale(work->costs->read_page_cycles, bytes) +
                 look_up(work, place, address);
    }
    pf_work_charge(work, place, account, cycles);
}

void pf_work_search(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                    uint64_t bytes)
{
    const PfCosts *costs = work->costs;
    uint64_t cycles;
    if (work->full) {
        cycles = run_lines(work, place, PF_ACCESS_READ, address, bytes);
    } else {
        bool near = note_read(work, place, address, bytes);
        cycles = MAX(near ? costs->near_line_cycles : costs->line_cycles,
                     pf_costs_scale(costs->read_page_cycles, bytes)) +
                 look_up(work, place, address);
    }
    pf_work_charge(work, place, account, cycles);
}

/* PLACE has stored in CYCLES what a hash engine has taken after TAKEN. */
static void charge_store(PfWork *work, const PfPlace *place, PfAccount account, uint64_t cycles,
                         uint64_t taken)
{
    pf_work_charge(work, place, account, cycles);
    if (taken > cycles)
        pf_work_charge(work, place, PF_ACCOUNT_HASH, taken - cycles);
}

void pf_work_fill(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes)
{
    pf_work_announce(work, address, bytes);
    uint64_t taken = pf_work_follow(work, place, address, bytes, 0);
    uint64_t cycles = work->full ? run_lines(work, place, PF_ACCESS_WRITE, address, bytes)
                                 : pf_costs_scale(work->costs->fill_page_cycles, bytes) +
                                       look_up(work, place, address);
    charge_store(work, place, account, cycles, taken);
}

void pf_work_copy_page(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr from,
                       PfMaddr to)
{
    pf_work_announce(work, to, work->page_bytes);
    uint64_t taken = pf_work_follow(work, place, to, work->page_bytes, 0);
    uint64_t cycles;
    if (work->full)
        cycles = run_lines(work, place, PF_ACCESS_READ, from, work->page_bytes) +
                 run_lines(work, place, PF_ACCESS_WRITE, to, work->page_bytes);
    else
        cycles = pf_costs_scale(work->costs->copy_page_cycles, work->page_bytes) +
                 look_up(work, place, from) + look_up(work, place, to);
    charge_store(work, place, account, cycles, taken);
}

/* FRAME by its own number, whatever bus pages have it. */
static PfMaddr direct_address(const PfWork *work, PfMpn frame)
{
    PfMpn page = {PF_INDIRECTION_DIRECT + frame.number};
    return pf_mpn_address(page, pf_log2(work->page_bytes), 0);
}

void pf_work_break(PfWork *work, const PfPlace *place, PfAccount account, PfMpn from, PfMpn to,
                   bool copied)
{
    PfPlace controller = *place;
    controller.cache = NULL;
    pf_work_charge(work, place, account, work->costs->line_cycles);
    if (!copied)
        return;
    pf_indirection_count_copy(work->table);
    if (from.number == 0) /* zeros need not be read */
        pf_work_fill(work, &controller, account, direct_address(work, to), work->page_bytes);
    else
        pf_work_copy_page(work, &controller, account, direct_address(work, from),
                          direct_address(work, to));
}

void pf_work_flush(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                   bool write_back)
{
    if (!work->full)
        return;
    const PfRequest request = {.address = address,
                               .now_cycles = place->core->now_cycles,
                               .core = place->index,
                               .actor = place->actor};
    uint32_t lines = (work->page_bytes + work->line_bytes - 1) / work->line_bytes;
    uint64_t done = pf_controller_flush(work->controller, &request, lines, write_back);
    pf_work_charge(work, place, account, done - request.now_cycles);
}

void pf_work_compare(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr a, PfMaddr b,
                     uint64_t bytes)
{
    const PfCosts *costs = work->costs;
    uint64_t read = MIN(bytes + 1, work->page_bytes);
    uint64_t cycles;
    if (work->full) {
        cycles = run_lines(work, place, PF_ACCESS_READ, a, read) +
                 run_lines(work, place, PF_ACCESS_READ, b, read);
    } else {
        bool a_is_near = note_read(work, place, a, read);
        bool b_is_near = note_read(work, place, b, read);
        bool near = a_is_near && b_is_near;
        uint64_t page = near ? costs->compare_near_cycles : costs->compare_page_cycles;
        uint64_t line = near ? costs->near_line_cycles : costs->line_cycles;
        cycles = MAX(line, pf_costs_scale(page, read)) + look_up(work, place, a) +
                 look_up(work, place, b);
    }
    pf_work_charge(work, place, account, cycles);
}

void pf_work_touch(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                   PfTouch touch)
{
    const PfCosts *costs = work->costs;
    bool cached = place->cache != NULL;
    bool near = cached && (work->full || is_near(work, place, address));
    pf_work_charge(work, place, account,
                   touch.own_lines * (near ? costs->near_line_cycles : costs->line_cycles) +
                       touch.common_lines *
                           (cached ? costs->near_line_cycles : costs->line_cycles) +
                       touch.locks * costs->lock_cycles);
}
