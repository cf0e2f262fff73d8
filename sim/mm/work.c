#include "work.h"

void pf_work_charge(PfWork *work, const PfPlace *place, PfAccount account, uint64_t cycles)
{
    pf_ledger_charge(work->ledger, (PfPayer)place->payer, account, cycles);
    place->core->now_cycles += cycles;
    if (place->payer == PF_PAYER_APP && work->context_cycles != NULL) {
        work->context_cycles[place->context] += cycles;
        work->billed_cycles += cycles;
    }
    if (place->payer == PF_PAYER_POLICY && place->index != work->daemon_core)
        work->stolen_cycles += cycles;
}

/* Sends the lines of BYTES from ADDRESS on through the caches of PLACE; the cycles it takes. */
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
    return pf_cache_run(place->cache, &request, (uint32_t)(last - first + 1)) -
           request.now_cycles;
}

void pf_work_read(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes)
{
    uint64_t cycles = work->full ? run_lines(work, place, PF_ACCESS_READ, address, bytes)
                                 : pf_costs_scale(work->costs->read_page_cycles, bytes);
    pf_work_charge(work, place, account, cycles);
}

void pf_work_fill(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr address,
                  uint64_t bytes)
{
    uint64_t cycles = work->full ? run_lines(work, place, PF_ACCESS_WRITE, address, bytes)
                                 : pf_costs_scale(work->costs->fill_page_cycles, bytes);
    pf_work_charge(work, place, account, cycles);
}

void pf_work_copy_page(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr from,
                       PfMaddr to)
{
    uint64_t cycles = pf_costs_scale(work->costs->copy_page_cycles, work->page_bytes);
    if (work->full)
        cycles = run_lines(work, place, PF_ACCESS_READ, from, work->page_bytes) +
                 run_lines(work, place, PF_ACCESS_WRITE, to, work->page_bytes);
    pf_work_charge(work, place, account, cycles);
}

void pf_work_compare(PfWork *work, const PfPlace *place, PfAccount account, PfMaddr a, PfMaddr b,
                     uint64_t bytes)
{
    uint64_t read = MIN(bytes + 1, work->page_bytes);
    uint64_t cycles;
    if (work->full)
        cycles = run_lines(work, place, PF_ACCESS_READ, a, read) +
                 run_lines(work, place, PF_ACCESS_READ, b, read);
    else
        cycles = MAX(work->costs->line_cycles,
                     pf_costs_scale(work->costs->compare_page_cycles, read));
    pf_work_charge(work, place, account, cycles);
}
