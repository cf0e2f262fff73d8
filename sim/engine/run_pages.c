/* Faults, and records of whole pages. */
#include "error.h"
#include "host_large.h"
#include "run.h"

void run_out_of_memory(PfRun *run, PfPage page)
{
    if (run->error != NULL)
        return;
    run->out_of_memory = true;
    bool is_bound = run->memory.frames.rules.placement == PF_PLACEMENT_BIND;
    g_set_error(&run->error, PF_ERROR, PF_ERROR_LIMIT,
                "policy '%s': no frame is free for page 0x%" G_GINT64_MODIFIER
                "x of context '%s' at cycle %" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT
                " frames in use); raise machine.memory%s",
                run->setup->common.label, page.cpn.number,
                pf_image_context(run->image, page.context)->name, run->now_cycles,
                run->memory.frames.used_frames,
                is_bound ? ", or do not bind contexts to their nodes" : "");
}

static PfMaddr frame_address(const PfRun *run, PfMpn frame)
{
    return pf_mpn_address(frame, run->machine->mmu.page_shift, 0);
}

/* What it costs PLACE, which waits, that the controller has given a page the frame TO. */
static void charge_controller(PfRun *run, const PfPlace *place, PfFault fault, PfMpn from, PfMpn to)
{
    bool breaks = fault == PF_FAULT_COPY || fault == PF_FAULT_REUSE;
    pf_work_break(&run->work, place, breaks ? PF_ACCOUNT_BREAK : PF_ACCOUNT_FAULT, from, to,
                  fault != PF_FAULT_REUSE);
}

PfShootdown run_translations(const PfRun *run, PfPage page)
{
    return pf_shootdown_of(page.context, page.cpn, 1,
                           g_array_index(run->two_stage, bool, page.context));
}

/* What a fault on PAGE costs PLACE, its bytes and the end of its translations included; FROM and TO
 * are what they gave and will give. */
static void charge_fault(PfRun *run, const PfPlace *place, PfPage page, PfFault fault, PfMpn from,
                         PfMpn to)
{
    PfWork *work = &run->work;
    const PfCosts *costs = work->costs;
    if (fault != PF_FAULT_NONE && fault != PF_FAULT_NO_MEMORY)
        pf_shadow_change(&run->machine->mmu, work, place, PF_ACCOUNT_FAULT, page.context, 1);
    switch (fault) {
    case PF_FAULT_NONE:
    case PF_FAULT_NO_MEMORY:
        return;
    case PF_FAULT_ZERO:
        pf_work_charge(work, place, PF_ACCOUNT_FAULT, costs->trap_cycles + costs->map_zero_cycles);
        return;
    case PF_FAULT_FILE:
        pf_work_charge(work, place, PF_ACCOUNT_FAULT, costs->trap_cycles + costs->map_file_cycles);
        return;
    case PF_FAULT_FIRST:
        pf_work_charge(work, place, PF_ACCOUNT_FAULT, costs->trap_cycles + costs->allocate_cycles);
        pf_work_fill(work, place, PF_ACCOUNT_FAULT, frame_address(run, to), work->page_bytes);
        return;
    case PF_FAULT_COPY_ZERO:
        pf_work_charge(work, place, PF_ACCOUNT_FAULT,
                       costs->trap_cycles + costs->allocate_cycles);
        pf_work_fill(work, place, PF_ACCOUNT_FAULT, frame_address(run, to), work->page_bytes);
        break;
    case PF_FAULT_COPY_FILE:
    case PF_FAULT_COPY:
        pf_work_charge(work, place, PF_ACCOUNT_BREAK,
                       costs->trap_cycles + costs->allocate_cycles);
        pf_work_copy_page(work, place, PF_ACCOUNT_BREAK, frame_address(run, from),
                          frame_address(run, to));
        break;
    case PF_FAULT_REUSE:
        /* More rights need no invalidation. */
        pf_work_charge(work, place, PF_ACCOUNT_BREAK, costs->trap_cycles);
        return;
    }
    PfShootdown what = run_translations(run, page);
    pf_shootdown(&run->machine->mmu, work, place, &what);
}

/* Tells the policy of a store's fault on anonymous memory. */
static void tell_fault(PfRun *run, PfPage page, const PfStoreOutcome *outcome)
{
    PfStoreFault fault = {.page = page,
                          .old_frame = outcome->old_frame,
                          .was_claimed = outcome->was_claimed,
                          .was_exclusive = outcome->was_exclusive};
    switch (outcome->fault) {
    case PF_FAULT_FIRST:
    case PF_FAULT_COPY_ZERO:
    case PF_FAULT_COPY_FILE:
        fault.kind = PF_STORE_NEW_FRAME;
        break;
    case PF_FAULT_COPY:
        fault.kind = PF_STORE_COPIED;
        break;
    case PF_FAULT_REUSE:
        fault.kind = PF_STORE_REUSED;
        break;
    case PF_FAULT_NONE:
    case PF_FAULT_ZERO:
    case PF_FAULT_FILE:
    case PF_FAULT_NO_MEMORY:
        return;
    }
    pf_host_store_faulted(run->host, &fault);
}

/* Tells who watches of FAULT, by which PAGE came from frame FROM to TO. */
static void tell_step(const PfRun *run, PfPage page, PfFault fault, PfMpn from, PfMpn to)
{
    pf_host_tell(run->host, (PfStep){.kind = PF_STEP_FAULT,
                                     .page = page,
                                     .frame = to,
                                     .other = from,
                                     .number = fault});
}

/* PAGE has got a frame, where it had none. */
static void tell_mapped(PfRun *run, PfPage page, bool was_given_back)
{
    if (was_given_back)
        pf_host_page_recreated(run->host, page);
    else
        pf_host_page_mapped(run->host, page);
}

static bool read_page(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot)
{
    PfFault fault = pf_memory_read(&run->memory, slot);
    if (fault == PF_FAULT_NO_MEMORY && pf_host_memory_low(run->host, page))
        fault = pf_memory_read(&run->memory, slot);
    while (fault == PF_FAULT_NO_MEMORY && run_make_room(run, place, slot, slot))
        fault = pf_memory_read(&run->memory, slot);
    if (fault == PF_FAULT_NONE)
        return true;
    run->memory.changes++;
    if (fault == PF_FAULT_NO_MEMORY) {
        run_out_of_memory(run, page);
        return false;
    }
    PfMpn frame = {pf_memory_entry(&run->memory, slot)->mpn};
    tell_step(run, page, fault, PF_ZERO_FRAME, frame);
    if (place != NULL && fault == PF_FAULT_FIRST && run->machine->remaps)
        charge_controller(run, place, fault, PF_ZERO_FRAME, frame);
    else if (place != NULL)
        charge_fault(run, place, page, fault, PF_ZERO_FRAME,
                     pf_bus_translation(&run->memory, slot));
    tell_mapped(run, page, fault == PF_FAULT_FIRST);
    return true;
}

bool run_read(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot)
{
    if (G_LIKELY(run->memory.swap == NULL))
        return read_page(run, place, page, slot);
    PfEntry *entry = pf_memory_entry(&run->memory, slot);
    bool done = run_fetch(run, place, page, slot, slot);
    if (done && (entry->flags & PF_ENTRY_PRESENT) == 0)
        done = run_fetch(run, place, page, slot, pf_image_object(run->image, slot));
    done = done && read_page(run, place, page, slot);
    entry->flags |= PF_ENTRY_ACCESSED;
    return done;
}

static void charge_store(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot,
                         const PfStoreOutcome *outcome)
{
    PfMpn frame = {pf_memory_entry(&run->memory, slot)->mpn};
    PfMpn translation = pf_bus_translation(&run->memory, slot);
    if (outcome->by_controller)
        charge_controller(run, place, outcome->fault, outcome->old_frame, frame);
    else if (outcome->follows)
        pf_work_fill(&run->work, place, PF_ACCOUNT_FAULT, frame_address(run, translation),
                     run->work.page_bytes);
    else
        charge_fault(run, place, page, outcome->fault, outcome->old_page, translation);
}

static bool store_page(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object)
{
    PfStoreOutcome outcome = pf_memory_store(&run->memory, slot, object);
    if (outcome.fault == PF_FAULT_NO_MEMORY && pf_host_memory_low(run->host, page))
        outcome = pf_memory_store(&run->memory, slot, object);
    while (outcome.fault == PF_FAULT_NO_MEMORY && run_make_room(run, place, slot, object))
        outcome = pf_memory_store(&run->memory, slot, object);
    if (outcome.fault == PF_FAULT_NONE)
        return true;
    run->memory.changes++;
    if (outcome.fault == PF_FAULT_NO_MEMORY) {
        run_out_of_memory(run, page);
        return false;
    }
    /* More rights need no interrupt; and `state` is no work of anybody. */
    bool is_free = place == NULL || outcome.fault == PF_FAULT_REUSE;
    if (is_free && outcome.fault != PF_FAULT_FIRST && !outcome.by_controller) {
        PfShootdown what = run_translations(run, page);
        pf_shootdown_free(&run->machine->mmu, &what);
    }
    PfMpn frame = {pf_memory_entry(&run->memory, slot)->mpn};
    tell_step(run, page, outcome.fault, outcome.old_frame, frame);
    if (outcome.fault != PF_FAULT_REUSE && outcome.fault != PF_FAULT_FILE)
        run_check_fresh(run, frame);
    if (outcome.is_run)
        pf_host_copied_run(run->host, place, page);
    else if (place != NULL)
        charge_store(run, place, page, slot, &outcome);
    if (outcome.is_filled)
        pf_host_forget_run(run->host, page);
    pf_host_pay_splits(run->host, place);
    run_expect_large(run);
    if (place != NULL)
        tell_fault(run, page, &outcome);
    if (outcome.was_merged)
        pf_host_share_broken(run->host, page, outcome.fault != PF_FAULT_REUSE);
    if (outcome.fault == PF_FAULT_FIRST)
        tell_mapped(run, page, outcome.was_given_back);
    return true;
}

bool run_store(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object)
{
    if (G_LIKELY(run->memory.swap == NULL))
        return store_page(run, place, page, slot, object);
    bool done = run_fetch(run, place, page, slot, slot) &&
                run_fetch(run, place, page, slot, object) &&
                store_page(run, place, page, slot, object);
    pf_memory_entry(&run->memory, slot)->flags |= PF_ENTRY_ACCESSED;
    return done;
}

bool run_ask_to_redirect(PfRun *run, PfPage page, PfSlot slot, uint32_t result, bool is_second)
{
    if (run->memory.swap != NULL &&
        !run_fetch(run, run_place(run, page.context), page, slot, slot))
        return false; /* nor will the store be done */
    if (!pf_host_write_intended(run->host, page, slot, result, is_second))
        return false;
    run->redirected |= 1U << is_second;
    return true;
}

static PfChange change_of(PfRecordKind kind)
{
    static const PfChange changes[PF_RECORD_KINDS] = {
        [PF_RECORD_TOUCH] = PF_CHANGE_STORE, [PF_RECORD_FILL] = PF_CHANGE_FILL,
        [PF_RECORD_STATE] = PF_CHANGE_STATE, [PF_RECORD_INIT] = PF_CHANGE_INIT,
        [PF_RECORD_DMA] = PF_CHANGE_DMA,
    };
    return changes[kind];
}

/* Whether the policy has the page that RECORD makes already. */
static bool has_page(PfRun *run, const PfRecord *record, PfPage page, PfSlot slot, uint32_t event)
{
    PfSlot object = {run->events[event].object};
    switch ((unsigned)record->kind) {
    case PF_RECORD_INIT:
        run->redirected = pf_slot_equal(slot, object) &&
                          pf_host_init_requested(run->host, page, slot, event + 1);
        return run->redirected != 0;
    case PF_RECORD_TOUCH:
    case PF_RECORD_FILL:
        return run_redirects(run, page, slot, object, event + 1, false);
    default: /* nobody can stop a device, and `state` is no store */
        return false;
    }
}

/* One page of RECORD, whose event is number EVENT_NUMBER. */
static bool play_page(PfRun *run, const PfRecord *record, PfPage page, PfSlot slot,
                      uint32_t event_number)
{
    const PfPlace *place = run_place(run, page.context);
    const PfEvent *event = &run->events[event_number];
    bool is_state = record->kind == PF_RECORD_STATE;
    if (is_state && event->kind == PF_EVENT_SAME)
        return true;
    if (has_page(run, record, page, slot, event_number))
        return true;
    if (!run_store(run, is_state ? NULL : place, page, slot, (PfSlot){event->object}))
        return false;
    PfMpn frame = pf_bus_translation(&run->memory, slot);
    if (record->kind == PF_RECORD_FILL || record->kind == PF_RECORD_INIT)
        pf_work_fill(&run->work, place, PF_ACCOUNT_MEMORY, frame_address(run, frame),
                     run->work.page_bytes);
    else if (record->kind == PF_RECORD_TOUCH && run->work.full)
        pf_work_fill(&run->work, place, PF_ACCOUNT_MEMORY, frame_address(run, frame), 1);
    return true;
}

void run_play_pages(PfRun *run, const PfRecord *record, uint32_t number)
{
    run_begin(run, record->context);
    run_bill_to(run, record->context);
    run->has_access_grain |= record->kind == PF_RECORD_TOUCH && run->grain == PF_GRAIN_ACCESS;
    run_reach(run, run_place(run, record->context)->core->now_cycles);
    PfCpn first = {record->address >> run->machine->mmu.page_shift};
    uint32_t event = run->notes[number].events_end - (uint32_t)record->count;
    for (uint64_t i = 0; i < record->count && run->error == NULL; i++, event++) {
        PfPage page = {record->context, pf_cpn_plus(first, i)};
        PfSlot slot;
        bool found = pf_image_slot(run->image, page.context, page.cpn, &slot);
        g_assert(found);
        run->redirected = 0;
        if (!play_page(run, record, page, slot, event))
            return;
        run->memory.position = event + 1;
        pf_memory_set_baseline(&run->memory,
                               (uint64_t)((int64_t)pf_image_baseline_frames(run->image) +
                                          run->events[event].baseline_delta));
        pf_host_verify(run->host, page);
        bool is_state = record->kind == PF_RECORD_STATE;
        run->host->accesses += !is_state;
        if (!is_state || run->events[event].kind != PF_EVENT_SAME)
            if (run->redirected == 0)
                pf_host_page_written(run->host, page, change_of((PfRecordKind)record->kind));
        if (record->kind == PF_RECORD_DMA)
            pf_host_dma_done(run->host, page, record->detail->name, record->detail->number);
        /* A long record is not one instant: what falls due meanwhile is served between pages. */
        uint64_t now = run_place(run, page.context)->core->now_cycles;
        if (now >= run->due_cycles)
            run_serve(run, now);
        run_reach(run, now);
    }
}
