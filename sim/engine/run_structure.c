/* Records that change which pages there are. The image has applied them already. */
#include "run.h"
#include "host_classes.h"
#include "host_large.h"

/* Policies know advice by their own names. */
static_assert((int)PF_ADVISED_MERGEABLE == PF_ADVICE_MERGEABLE &&
                  (int)PF_ADVISED_UNMERGEABLE == PF_ADVICE_UNMERGEABLE &&
                  (int)PF_ADVISED_HUGE == PF_ADVICE_HUGE &&
                  (int)PF_ADVISED_NOHUGE == PF_ADVICE_NOHUGE &&
                  (int)PF_ADVISED_DONTNEED == PF_ADVICE_DONTNEED &&
                  (int)PF_ADVISED_DISCARDABLE == PF_ADVICE_DISCARDABLE &&
                  (int)PF_ADVISED_SUSPEND == PF_ADVICE_SUSPEND &&
                  (int)PF_ADVISED_RESUME == PF_ADVICE_RESUME,
              "PfAdvised repeats PfAdvice");

/* Visits each slot of CONTEXT in [first, end) that was ever used. */
typedef void (*SlotVisitor)(PfRun *run, PfPage page, PfSlot slot, const PfRecord *record);

static void visit_slots(PfRun *run, uint32_t context, PfCpn first, PfCpn end,
                        const PfRecord *record, SlotVisitor visit)
{
    const PfLeaf *leaf = pf_image_leaf_from(run->image, context, first);
    while (leaf != NULL && pf_leaf_page(leaf, 0).number < end.number) {
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
            PfCpn page = pf_leaf_page(leaf, i);
            if (page.number >= first.number && page.number < end.number)
                visit(run, (PfPage){context, page}, pf_leaf_slot(leaf, i), record);
        }
        leaf = pf_image_leaf_from(run->image, context,
                                  pf_cpn_plus(pf_leaf_page(leaf, 0), PF_LEAF_PAGES));
    }
}

/* A mapping of CONTEXT changes. */
static void change_shadow(PfRun *run, uint32_t context)
{
    pf_shadow_change(&run->machine->mmu, &run->work, run_place(run, context), PF_ACCOUNT_SYSTEM,
                     context, 1);
}

static void unmap_slot(PfRun *run, PfPage page, PfSlot slot, const PfRecord *record)
{
    (void)record;
    PfEntry *entry = pf_memory_entry(&run->memory, slot);
    if (entry->flags == 0)
        return;
    if ((entry->flags & PF_ENTRY_PRESENT) != 0) {
        pf_host_page_unmapped(run->host, page);
        pf_work_charge(&run->work, run_place(run, page.context), PF_ACCOUNT_SYSTEM,
                       run->work.costs->unmap_page_cycles);
        change_shadow(run, page.context);
    }
    pf_memory_unmap(&run->memory, slot);
}

static void forget_range(PfRun *run, uint32_t context, PfCpn first, uint64_t pages)
{
    PfShootdown what =
        pf_shootdown_of(context, first, pages, g_array_index(run->two_stage, bool, context));
    pf_shootdown(&run->machine->mmu, &run->work, run_place(run, context), &what);
    pf_host_pay_splits(run->host, run_place(run, context));
}

static void unmap_range(PfRun *run, const PfRecord *record, PfCpn first, uint64_t pages)
{
    PfCpn end = {pages == UINT64_MAX ? UINT64_MAX : first.number + pages};
    const PfLeaf *leaf = pf_image_leaf_from(run->image, record->context, first);
    if (leaf == NULL || pf_leaf_page(leaf, 0).number >= end.number)
        return; /* never used: nothing to forget */
    visit_slots(run, record->context, first, end, record, unmap_slot);
    forget_range(run, record->context, first, pages);
}

static void play_map(PfRun *run, const PfRecord *record, PfCpn first)
{
    unmap_range(run, record, first, record->count);
    PfContextEvent event = {.kind = PF_CONTEXT_MAPPED,
                            .context = record->context,
                            .first = first,
                            .pages = record->count};
    pf_host_context_event(run->host, &event);
}

static void share_slot(PfRun *run, PfPage source, PfPage target)
{
    PfSlot from;
    PfSlot to;
    if (!pf_image_slot(run->image, source.context, source.cpn, &from) ||
        !pf_image_slot(run->image, target.context, target.cpn, &to))
        return;
    pf_memory_share(&run->memory, from, to);
    if ((pf_memory_entry(&run->memory, to)->flags & PF_ENTRY_PRESENT) == 0)
        return;
    pf_host_page_aliased(run->host, source, target);
    /* A large page is one entry of the tables. */
    bool is_large = (pf_memory_entry(&run->memory, to)->flags & PF_ENTRY_LARGE) != 0;
    if (!is_large || target.cpn.number % PF_LARGE_PAGES == 0)
        pf_work_charge(&run->work, run_place(run, source.context), PF_ACCOUNT_SYSTEM,
                       run->work.costs->fork_page_cycles);
    pf_host_page_mapped(run->host, target);
}

static void play_alias(PfRun *run, const PfRecord *record, PfCpn first)
{
    PfCpn source = {record->detail->other_address >> run->machine->mmu.page_shift};
    uint32_t other = record->detail->other_context;
    for (uint64_t i = 0; i < record->count; i++) {
        PfPage from = {other, pf_cpn_plus(source, i)};
        PfPage to = {record->context, pf_cpn_plus(first, i)};
        PfSlot slot;
        if (from.context == to.context && pf_cpn_equal(from.cpn, to.cpn))
            continue;
        if (pf_image_slot(run->image, to.context, to.cpn, &slot))
            unmap_slot(run, to, slot, record);
        if (pf_image_slot(run->image, from.context, from.cpn, &slot))
            pf_large_leave(&run->memory, slot);
        share_slot(run, from, to);
    }
    forget_range(run, record->context, first, record->count);
    forget_range(run, other, source, record->count);
}

static void fork_slot(PfRun *run, PfPage page, PfSlot slot, const PfRecord *record)
{
    (void)slot;
    share_slot(run, page, (PfPage){record->detail->other_context, page.cpn});
}

uint64_t run_skew(const PfRun *run, const char *stream)
{
    uint64_t skew_ps = run->config->skew_ps;
    if (skew_ps == 0)
        return 0;
    PfRng rng = pf_rng_derive(run->config->seed, stream);
    return pf_cycles_from_ps(pf_rng_below(&rng, skew_ps), run->machine_config->clock_hz);
}

static void add_context(PfRun *run, uint32_t number)
{
    const PfImageContext *context = pf_image_context(run->image, number);
    unsigned cores = (unsigned)run->machine_config->cores;
    unsigned core = context->core >= 0 ? (unsigned)context->core % cores : number % cores;
    PfPlace place = {.core = run->machine->cores[core],
                     .cache = run->machine->data[core],
                     .index = (uint16_t)core,
                     .actor = PF_ACTOR_DEMAND,
                     .payer = PF_PAYER_APP,
                     .context = number};
    const PfNodes *nodes = &run->machine_config->numa.nodes;
    unsigned node = context->node >= 0 ? (unsigned)context->node % nodes->count
                                       : nodes->node_of_core[core];
    pf_memory_set_home(&run->memory, number, node);
    bool two_stage = false;
    g_assert(number == run->places->len);
    g_array_append_val(run->places, place);
    g_array_set_size(run->context_cycles, run->places->len);
    run->work.context_cycles = (uint64_t *)(void *)run->context_cycles->data;
    run->core_is_used[core] = true;
    bool shadowed = run->machine_config->paging == PF_PAGING_SHADOW &&
                    context->kind == PF_CONTEXT_VM;
    pf_mmu_add_space(&run->machine->mmu, number, core, shadowed);
    g_array_append_val(run->two_stage, two_stage);
    g_autofree char *stream = g_strconcat("skew ", context->name, NULL);
    uint64_t ready = run->now_cycles + run_skew(run, stream);
    g_array_append_val(run->ready_cycles, ready);
    pf_host_set_contexts(run->host, (PfPlace *)(void *)run->places->data,
                         (const bool *)(const void *)run->two_stage->data,
                         (uint64_t *)(void *)run->ready_cycles->data);
}

static void play_fork(PfRun *run, const PfRecord *record)
{
    uint32_t child = record->detail->other_context;
    add_context(run, child);
    visit_slots(run, record->context, (PfCpn){0}, (PfCpn){UINT64_MAX}, record, fork_slot);
    const PfPlace *place = run_place(run, record->context);
    PfShootdown what = {.space = record->context, .pages = UINT64_MAX};
    pf_shootdown(&run->machine->mmu, &run->work, place, &what);
    g_array_index(run->ready_cycles, uint64_t, child) = place->core->now_cycles;
    PfContextEvent event = {
        .kind = PF_CONTEXT_FORKED, .context = child, .other = record->context};
    pf_host_context_event(run->host, &event);
}

static void move_slot(PfRun *run, PfPage page, PfSlot slot, const PfRecord *record)
{
    PfEntry *entry = pf_memory_entry(&run->memory, slot);
    if (entry->flags == 0)
        return;
    unsigned shift = run->machine->mmu.page_shift;
    PfPage target = {page.context, {page.cpn.number - (record->address >> shift) +
                                    (record->detail->other_address >> shift)}};
    PfSlot there;
    bool found = pf_image_slot(run->image, target.context, target.cpn, &there);
    g_assert(found);
    pf_memory_move(&run->memory, slot, there);
    pf_work_charge(&run->work, run_place(run, page.context), PF_ACCOUNT_SYSTEM,
                   run->work.costs->remap_page_cycles);
    change_shadow(run, page.context);
}

static void play_remap(PfRun *run, const PfRecord *record, PfCpn first)
{
    PfCpn target = {record->detail->other_address >> run->machine->mmu.page_shift};
    unmap_range(run, record, target, record->count);
    visit_slots(run, record->context, first, pf_cpn_plus(first, record->count), record, move_slot);
    run_expect_large(run);
    forget_range(run, record->context, first, record->count);
    PfContextEvent event = {.kind = PF_CONTEXT_REMAPPED,
                            .context = record->context,
                            .first = first,
                            .target = target,
                            .pages = record->count};
    pf_host_context_event(run->host, &event);
}

static void advise_slot(PfRun *run, PfPage page, PfSlot slot, const PfRecord *record)
{
    if (record->choice == PF_ADVICE_DONTNEED)
        unmap_slot(run, page, slot, record);
    else
        pf_memory_update_eligible(&run->memory, slot);
    if (record->choice == PF_ADVICE_HUGE &&
        (pf_memory_entry(&run->memory, slot)->flags & PF_ENTRY_PRESENT) != 0)
        pf_large_note(&run->memory, slot);
}

static void play_advise(PfRun *run, const PfRecord *record, PfCpn first)
{
    visit_slots(run, record->context, first, pf_cpn_plus(first, record->count), record,
                advise_slot);
    run_expect_large(run);
    if (record->choice == PF_ADVICE_DONTNEED)
        forget_range(run, record->context, first, record->count);
    PfContextEvent event = {.kind = PF_CONTEXT_ADVISED,
                            .context = record->context,
                            .first = first,
                            .pages = record->count,
                            .number = record->choice};
    pf_host_context_event(run->host, &event);
}

/* A pinned page has a frame: it is mapped by a read, at no cost, if need be. */
static void pin_page(PfRun *run, PfPage page, PfSlot slot)
{
    pf_host_pin_intended(run->host, page);
    if (run_read(run, NULL, page, slot))
        pf_memory_pin(&run->memory, slot);
}

static void play_attribute(PfRun *run, const PfRecord *record, PfCpn first)
{
    bool pin = record->choice == PF_ATTRIBUTE_PINNED;
    bool unpin = record->choice == PF_ATTRIBUTE_UNPINNED;
    for (uint64_t i = 0; i < record->count && (pin || unpin) && run->error == NULL; i++) {
        PfPage page = {record->context, pf_cpn_plus(first, i)};
        PfSlot slot;
        if (!pf_image_slot(run->image, page.context, page.cpn, &slot))
            continue;
        bool mapped = (pf_image_flags(run->image, slot) & PF_IMAGE_MAPPED) != 0;
        if (pin && mapped)
            pin_page(run, page, slot);
        else if (unpin)
            pf_memory_unpin(&run->memory, slot);
    }
    PfContextEvent event = {.kind = PF_CONTEXT_ATTRIBUTE,
                            .context = record->context,
                            .first = first,
                            .pages = record->count,
                            .number = record->choice};
    pf_host_context_event(run->host, &event);
}

static void play_exit(PfRun *run, const PfRecord *record)
{
    pf_memory_unpin_all(&run->memory, record->context);
    unmap_range(run, record, (PfCpn){0}, UINT64_MAX);
    PfContextEvent event = {.kind = PF_CONTEXT_EXITED, .context = record->context};
    pf_host_context_event(run->host, &event);
}

void pf_run_approach(PfRun *run, const PfRecord *record)
{
    if (run->error != NULL || record->kind == PF_RECORD_CONTEXT)
        return;
    pf_memory_sync(&run->memory);
    run_begin(run, record->context);
    run_settle_bill(run);
    run->billed_context = UINT32_MAX; /* who comes next has to turn its core to itself again */
    pf_mmu_run(&run->machine->mmu, run_place(run, record->context)->index, record->context);
    if (record->kind == PF_RECORD_FORK)
        run_barrier(run, 0);
    run_reach(run, run_place(run, record->context)->core->now_cycles);
    if (run->error != NULL)
        pf_host_take_census(run->host, false);
}

void run_play_structural(PfRun *run, const PfRecord *record)
{
    PfCpn first = {record->address >> run->machine->mmu.page_shift};
    run->memory.changes++;
    if (record->kind == PF_RECORD_CONTEXT) {
        add_context(run, record->context);
        PfContextEvent event = {.kind = PF_CONTEXT_CREATED, .context = record->context};
        pf_host_context_event(run->host, &event);
        return;
    }
    switch ((unsigned)record->kind) {
    case PF_RECORD_MAP:
        play_map(run, record, first);
        break;
    case PF_RECORD_ALIAS:
        play_alias(run, record, first);
        break;
    case PF_RECORD_FORK:
        play_fork(run, record);
        break;
    case PF_RECORD_UNMAP:
        unmap_range(run, record, first, record->count);
        break;
    case PF_RECORD_REMAP:
        play_remap(run, record, first);
        break;
    case PF_RECORD_ADVISE:
        play_advise(run, record, first);
        break;
    case PF_RECORD_ATTR:
        play_attribute(run, record, first);
        break;
    case PF_RECORD_EXIT:
        play_exit(run, record);
        break;
    default:
        g_assert_not_reached();
    }
}
