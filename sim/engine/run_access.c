/* Reads, stores and fetches: the path that every access takes. */
#include "run.h"

void run_play_instructions(PfRun *run, const PfRecord *record)
{
    run_begin(run, record->context);
    run_bill_to(run, record->context);
    PfCore *core = run_place(run, record->context)->core;
    uint64_t stalled = core->stats.stall_cycles;
    uint64_t cycles = pf_core_instructions(core, record->count);
    stalled = core->stats.stall_cycles - stalled;
    pf_ledger_charge(&run->ledger, PF_PAYER_APP, PF_ACCOUNT_COMPUTE, cycles - stalled);
    run_charge_stall(run, core, stalled);
    run->stat_instructions += record->count;
    run->has_access_grain |= run->grain == PF_GRAIN_ACCESS;
}

/* One piece of an access: within a page. */
typedef struct {
    PfTranslation translation;
    PfPage page;
    PfSlot slot;
    PfSlot object;
    const PfPlace *place;
    uint32_t offset_bytes;
    uint32_t size_bytes;
    uint32_t result; /* events of the range after the record */
    PfAccessKind kind;
    bool is_write;
    bool is_second; /* of the two pages of an access */
    bool two_stage; /* the space has pages of several processes */
} Piece;

/* Whether ENTRY is of another page at the same virtual address: a trace does not tell the processes
 * of a virtual machine apart, which switch spaces between their accesses. */
static bool is_of_other(const PfRun *run, const Piece *piece, const PfTlbEntry *entry)
{
    if (G_LIKELY(!piece->two_stage))
        return false;
    const PfEntry *mapping = pf_memory_entry(&run->memory, piece->slot);
    bool remaps = run->machine->remaps;
    unsigned needed = remaps ? 0 : PF_ENTRY_PRESENT;
    if (piece->is_write && entry->writable)
        needed |= remaps ? PF_ENTRY_BUS_WRITABLE : PF_ENTRY_WRITABLE;
    return (mapping->flags & needed) != needed ||
           !pf_mpn_equal(pf_bus_translation(&run->memory, piece->slot),
                         pf_tlb_entry_frame(entry, piece->translation.page));
}

/* The entry of the first level for PIECE, or NULL. */
static const PfTlbEntry *look_up(PfRun *run, const Piece *piece)
{
    PfMmu *mmu = &run->machine->mmu;
    const PfTlbEntry *entry = pf_mmu_lookup(mmu, &piece->translation);
    if (entry == NULL || !is_of_other(run, piece, entry))
        return entry;
    pf_mmu_invalidate(mmu, piece->translation.core, piece->translation.space,
                      piece->translation.page, 1);
    return NULL;
}

/* The page must be there, and have a frame of its own for a store. */
static bool make_ready(PfRun *run, const Piece *piece)
{
    return piece->is_write
               ? run_store(run, piece->place, piece->page, piece->slot, piece->object)
               : run_read(run, piece->place, piece->page, piece->slot);
}

/* Then its translation is put in. A fault is taken when the translation, which takes CYCLES, has
 * failed. */
static bool fault_in(PfRun *run, const Piece *piece, uint64_t *cycles, PfMpn *ret_frame)
{
    PfCore *core = piece->place->core;
    uint64_t before = core->now_cycles;
    if (!make_ready(run, piece))
        return false;
    if (core->now_cycles > before) {
        pf_ledger_charge(&run->ledger, PF_PAYER_APP, PF_ACCOUNT_WALK, *cycles);
        core->now_cycles += *cycles;
        *cycles = 0;
    }
    const PfEntry *entry = pf_memory_entry(&run->memory, piece->slot);
    unsigned needed = run->machine->remaps ? PF_ENTRY_BUS_WRITABLE : PF_ENTRY_WRITABLE;
    PfTranslation sized = piece->translation;
    run_size_translation(run, piece->slot, piece->two_stage, &sized);
    *ret_frame = pf_bus_translation(&run->memory, piece->slot);
    pf_mmu_insert(&run->machine->mmu, &sized, *ret_frame, (entry->flags & needed) != 0);
    return true;
}

/* Asks the second level, and walks if that has no entry, which takes CYCLES more. */
static const PfTlbEntry *refill(PfRun *run, const Piece *piece, uint64_t *cycles)
{
    uint64_t more_cycles;
    PfTranslation sized = piece->translation;
    run_size_translation(run, piece->slot, piece->two_stage, &sized);
    const PfTlbEntry *entry =
        pf_mmu_refill(&run->machine->mmu, &sized, piece->place->cache,
                      piece->place->core->now_cycles + *cycles, &more_cycles);
    *cycles += more_cycles;
    return entry;
}

/* A first-level miss, or a store without permission. It takes CYCLES more. */
static bool translate_slowly(PfRun *run, const Piece *piece, bool missed, uint64_t *cycles,
                             PfMpn *ret_frame)
{
    PfMmu *mmu = &run->machine->mmu;
    if (missed) {
        const PfTlbEntry *entry = refill(run, piece, cycles);
        if (entry != NULL && is_of_other(run, piece, entry)) {
            pf_mmu_invalidate(mmu, piece->translation.core, piece->translation.space,
                              piece->translation.page, 1);
            entry = refill(run, piece, cycles);
        }
        if (entry != NULL && (!piece->is_write || entry->writable)) {
            if (run->memory.swap != NULL)
                pf_memory_entry(&run->memory, piece->slot)->flags |= PF_ENTRY_ACCESSED;
            *ret_frame = pf_tlb_entry_frame(entry, piece->translation.page);
            return true;
        }
    }
    return fault_in(run, piece, cycles, ret_frame);
}

/* A hash engine follows the store REQUEST, whose line is there at READY_CYCLES; the core waits
 * while it cannot. */
static void follow_store(PfRun *run, const Piece *piece, const PfRequest *request,
                         uint64_t ready_cycles)
{
    PfCore *core = piece->place->core;
    uint64_t taken = pf_work_follow(&run->work, piece->place, request->address,
                                    request->size_bytes, ready_cycles);
    uint64_t stall = pf_core_stall_until(core, core->now_cycles + taken);
    pf_ledger_charge(&run->ledger, PF_PAYER_APP, PF_ACCOUNT_HASH, stall);
}

static void send(PfRun *run, const Piece *piece, PfMpn frame, bool dependent)
{
    PfCore *core = piece->place->core;
    bool is_fetch = piece->kind == PF_ACCESS_FETCH;
    PfCache *cache = is_fetch ? run->machine->fetch[piece->place->index] : piece->place->cache;
    uint64_t hit_cycles =
        is_fetch ? run->machine->fetch_hit_cycles : run->machine->data_hit_cycles;
    PfMaddr address =
        pf_mpn_address(frame, run->machine->mmu.page_shift, piece->offset_bytes);
    uint64_t end = address.bytes + piece->size_bytes;
    PfRequest request = {.address = address,
                         .core = piece->place->index,
                         .kind = (uint8_t)piece->kind,
                         .actor = PF_ACTOR_DEMAND};
    bool is_followed = piece->is_write && run->work.hash_engine != NULL;
    if (is_followed)
        pf_work_announce(&run->work, address, piece->size_bytes);
    while (request.address.bytes < end) {
        uint64_t line_end = (request.address.bytes | (run->work.line_bytes - 1U)) + 1;
        request.size_bytes = (uint32_t)(MIN(line_end, end) - request.address.bytes);
        request.now_cycles = MAX(core->now_cycles, core->translated_cycles);
        uint64_t answer = pf_cache_access(pf_cache_port(cache), &request);
        uint64_t stall = 0;
        if (is_followed) {
            answer = pf_port_wait(pf_cache_port(cache), answer);
            follow_store(run, piece, &request, answer);
        }
        if (!is_fetch)
            stall = pf_core_issue(core, answer, hit_cycles, piece->is_write, dependent);
        else if (answer > core->now_cycles + hit_cycles)
            stall = pf_core_wait(core, pf_port_wait(pf_cache_port(cache), answer),
                                 core->translated_cycles);
        if (stall != 0)
            run_charge_stall(run, core, stall);
        request.address.bytes = line_end;
    }
}

/* The translation is good; the controller may have to find the page a frame. */
static bool resolve(PfRun *run, const Piece *piece, PfMpn *ret_page)
{
    if (!make_ready(run, piece))
        return false;
    *ret_page = pf_bus_translation(&run->memory, piece->slot);
    return true;
}

/* The piece costs nothing beside its faults. */
static bool play_piece_by_costs(PfRun *run, const Piece *piece)
{
    if (!make_ready(run, piece))
        return false;
    if (piece->is_write)
        pf_work_follow(&run->work, piece->place, (PfMaddr){piece->offset_bytes},
                       piece->size_bytes, 0);
    return true;
}

static bool play_piece(PfRun *run, const Piece *piece, bool dependent)
{
    if (piece->is_write && run_redirects(run, piece->page, piece->slot, piece->object,
                                         piece->result, piece->is_second))
        return true;
    if (!run->work.full)
        return play_piece_by_costs(run, piece);
    if (!piece->is_write) {
        uint64_t stall = pf_core_ready(piece->place->core, dependent);
        if (stall != 0)
            run_charge_stall(run, piece->place->core, stall);
    }
    const PfTlbEntry *entry = look_up(run, piece);
    PfMpn frame;
    uint64_t cycles = entry != NULL ? entry->latency_cycles : 0;
    if (entry != NULL && (!piece->is_write || entry->writable))
        frame = pf_tlb_entry_frame(entry, piece->translation.page);
    else if (!translate_slowly(run, piece, entry == NULL, &cycles, &frame))
        return false;
    pf_core_translate(piece->place->core, cycles);
    if (G_UNLIKELY(run->machine->remaps) && !resolve(run, piece, &frame))
        return false;
    send(run, piece, frame, dependent);
    return true;
}

/* The object that part PART of the store NUMBER goes to. */
static PfSlot store_object(const PfRun *run, uint32_t number, unsigned part)
{
    uint32_t index = run->notes[number].events_end;
    const PfEvent *event;
    do {
        g_assert(index > 0);
        event = &run->events[--index];
    } while (event->part != part || event->kind == PF_EVENT_PRIVATE);
    return (PfSlot){event->object};
}

/* Tells the host of the access just played, to PAGE or (IS_TWOFOLD) to it and the one behind. */
static void tell_access(PfRun *run, PfPage page, bool is_twofold, bool is_write)
{
    PfPage second = {page.context, pf_cpn_plus(page.cpn, 1)};
    run->host->accesses++;
    if (is_write && G_UNLIKELY(run->host->base.verify)) {
        pf_host_verify(run->host, page);
        if (is_twofold)
            pf_host_verify(run->host, second);
    }
    if (is_write && pf_host_wants_writes(run->host)) {
        if ((run->redirected & 1) == 0)
            pf_host_page_written(run->host, page, PF_CHANGE_STORE);
        if (is_twofold && (run->redirected & 2) == 0)
            pf_host_page_written(run->host, second, PF_CHANGE_STORE);
    } else if (run->host->filters != NULL) {
        pf_host_page_read(run->host, page);
        if (is_twofold)
            pf_host_page_read(run->host, second);
    }
}

void run_play_access(PfRun *run, const PfRecord *record, uint32_t number)
{
    run_begin(run, record->context);
    run_bill_to(run, record->context);
    run_reach(run, run_place(run, record->context)->core->now_cycles);
    const PfNote *note = &run->notes[number];
    unsigned shift = run->machine->mmu.page_shift;
    uint32_t page_bytes = run->work.page_bytes;
    bool is_write = record->kind == PF_RECORD_WRITE;
    Piece piece = {.place = run_place(run, record->context),
                   .page = {record->context, {record->address >> shift}},
                   .slot = {note->slot},
                   .object = {note->slot},
                   .offset_bytes = (uint32_t)(record->address & (page_bytes - 1)),
                   .result = note->events_end,
                   .is_write = is_write};
    piece.size_bytes = (uint32_t)MIN(record->count, page_bytes - piece.offset_bytes);
    piece.kind = is_write ? PF_ACCESS_WRITE
                          : (record->kind == PF_RECORD_FETCH ? PF_ACCESS_FETCH : PF_ACCESS_READ);
    piece.translation =
        (PfTranslation){.page = {piece.page.cpn.number},
                        .space = record->context,
                        .core = piece.place->index,
                        .is_fetch = piece.kind == PF_ACCESS_FETCH,
                        .nested = run_is_nested(run, record->context)};
    if ((record->flags & PF_RECORD_HAS_VIRTUAL) != 0) {
        piece.translation.page = pf_vaddr_page((PfVaddr){record->virtual_address}, shift);
        g_array_index(run->two_stage, bool, record->context) = true;
    }
    piece.two_stage = g_array_index(run->two_stage, bool, record->context);
    if (is_write)
        piece.object = store_object(run, number, 0);
    bool dependent = (record->flags & PF_RECORD_DEPENDENT) != 0;
    run->redirected = 0;
    run->stat_accesses++;
    run->has_access_grain |= run->grain == PF_GRAIN_ACCESS;
    if (!play_piece(run, &piece, dependent))
        return;
    if (note->second_slot != PF_NO_SLOT) {
        piece.is_second = true;
        run->kept_slot = piece.slot;
        piece.page.cpn.number++;
        piece.translation.page.number++;
        piece.slot = (PfSlot){note->second_slot};
        piece.object = is_write ? store_object(run, number, 1) : piece.slot;
        piece.offset_bytes = 0;
        piece.size_bytes = (uint32_t)record->count - piece.size_bytes;
        bool done = play_piece(run, &piece, dependent);
        run->kept_slot = (PfSlot){PF_NO_SLOT};
        if (!done)
            return;
    }
    if (is_write)
        run->memory.position = note->events_end;
    tell_access(run, (PfPage){record->context, {record->address >> shift}},
                note->second_slot != PF_NO_SLOT, is_write);
}
