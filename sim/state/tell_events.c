/* Events that tell memory; those of neighbouring pages are put together. */
#include "tell_internal.h"

/* Whether ONE goes on where RUN ends; may choose the step of a run of one page. */
static bool extends(const Telling *telling, Run *run, const Run *one)
{
    if (run->kind != one->kind || run->first.context != one->first.context ||
        run->first.page.number + run->pages != one->first.page.number)
        return false;
    if (run->kind == RUN_ONCE)
        return run->pages < SCRATCH_STANDS;
    if (run->kind == RUN_ALIAS)
        return run->from.context == one->from.context &&
               run->from.page.number + run->pages == one->from.page.number;
    if (run->kind != RUN_STATE)
        return true;
    if (pf_content_equal(run->content, one->content) && run->step == 0)
        return true;
    PfContentStore *store = pf_image_store(telling->image);
    PfContentSpec first = pf_content_spec(store, run->content);
    PfContentSpec last = pf_content_spec(store, one->content);
    if (first.form != PF_CONTENT_ID || last.form != PF_CONTENT_ID)
        return false;
    if (run->pages == 1)
        run->step = last.number - first.number;
    return last.number == first.number + run->step * run->pages;
}

static void add(Telling *telling, PfRecord *record, Spot at)
{
    record->context = telling->options->numbers[at.context];
    record->address = pf_cpn_address(at.page, telling->page_shift).bytes;
    pf_trace_writer_add(telling->options->writer, record);
}

static void add_state(Telling *telling, const Run *run)
{
    PfContentStore *store = pf_image_store(telling->image);
    PfContentSpec spec = pf_content_spec(store, run->content);
    PfRecord record = {.kind = PF_RECORD_STATE, .count = run->pages, .value = run->step};
    record.content = pf_trace_writer_content(telling->options->writer, &spec);
    add(telling, &record, run->first);
    pf_content_unref(store, run->content);
}

static void add_alias(Telling *telling, const Run *run)
{
    PfTraceDetail detail = {
        .other_context = telling->options->numbers[run->from.context],
        .other_address = pf_cpn_address(run->from.page, telling->page_shift).bytes};
    PfRecord record = {.kind = PF_RECORD_ALIAS,
                       .count = run->pages,
                       .detail = &detail,
                       .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, run->first);
}

static void add_choice(Telling *telling, Spot at, uint64_t pages, PfRecordKind kind,
                       unsigned choice)
{
    PfRecord record = {.kind = (uint8_t)kind,
                       .count = pages,
                       .choice = (uint8_t)choice,
                       .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, at);
}

/* Shares the pages of RUN with scratch pages, which go again. */
static void add_once(Telling *telling, const Run *run)
{
    static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
    Spot scratch = scratch_spot(telling, run->first.context, SCRATCH_FIRST);
    Run alias = {
        .kind = RUN_ALIAS, .first = scratch, .pages = run->pages, .from = run->first};
    tell_map(telling, scratch, &anon, run->pages);
    add_alias(telling, &alias);
    tell_unmap(telling, scratch, run->pages);
}

void tell_flush(Telling *telling)
{
    Run run = telling->run;
    telling->run.kind = RUN_NONE;
    switch (run.kind) {
    case RUN_NONE:
        return;
    case RUN_STATE:
        add_state(telling, &run);
        return;
    case RUN_ALIAS:
        add_alias(telling, &run);
        return;
    case RUN_READ:
        /* A pin maps what a read would, and is no access. */
        add_choice(telling, run.first, run.pages, PF_RECORD_ATTR, PF_ATTRIBUTE_PINNED);
        add_choice(telling, run.first, run.pages, PF_RECORD_ATTR, PF_ATTRIBUTE_UNPINNED);
        return;
    case RUN_PIN:
        add_choice(telling, run.first, run.pages, PF_RECORD_ATTR, PF_ATTRIBUTE_PINNED);
        return;
    case RUN_ONCE:
        add_once(telling, &run);
        return;
    }
}

static void add_run(Telling *telling, const Run *one)
{
    if (extends(telling, &telling->run, one)) {
        telling->run.pages++;
        if (one->kind == RUN_STATE)
            pf_content_unref(pf_image_store(telling->image), one->content);
        return;
    }
    tell_flush(telling);
    telling->run = *one;
}

void tell_map(Telling *telling, Spot at, const PfTraceDetail *detail, uint64_t pages)
{
    tell_flush(telling);
    PfRecord record = {.kind = PF_RECORD_MAP,
                       .count = pages,
                       .detail = detail,
                       .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, at);
}

static void tell_flags(Telling *telling, Spot at, const PfRegion *region, uint64_t pages)
{
    static const struct {
        uint16_t flag;
        PfRecordKind kind;
        unsigned choice;
    } events[] = {
        {PF_MAPS_HUGE, PF_RECORD_ADVISE, PF_ADVICE_HUGE},
        {PF_MAPS_NOHUGE, PF_RECORD_ADVISE, PF_ADVICE_NOHUGE},
        {PF_MAPS_DISCARDABLE, PF_RECORD_ADVISE, PF_ADVICE_DISCARDABLE},
        {PF_MAPS_SUSPENDED, PF_RECORD_ADVISE, PF_ADVICE_SUSPEND},
        {PF_MAPS_READONLY, PF_RECORD_ATTR, PF_ATTRIBUTE_READONLY},
        {PF_MAPS_EXECUTED, PF_RECORD_ATTR, PF_ATTRIBUTE_EXECUTED},
        {PF_MAPS_LOCKED, PF_RECORD_ATTR, PF_ATTRIBUTE_LOCKED},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        if ((region->flags & events[i].flag) != 0)
            add_choice(telling, at, pages, events[i].kind, events[i].choice);
}

void tell_region(Telling *telling, Spot at, const PfRegion *region, PfCpn from, uint64_t pages)
{
    unsigned huge = region->flags >> PF_MAPS_HUGE_SHIFT;
    PfTraceDetail detail = {.protection = (PfProtection)(region->flags & PF_MAPS_PROTECTION),
                            .mergeable = (region->flags & PF_MAPS_MERGEABLE) != 0,
                            .huge_bytes = huge != 0 ? (uint64_t)1 << huge : 0,
                            .group = region->group};
    if (region->file != 0) {
        detail.name = pf_maps_file_name(telling->options->maps, region->file, &detail.backing);
        detail.number = (region->file_page + from.number - region->first.number)
                        << telling->page_shift;
    }
    tell_map(telling, at, &detail, pages);
    tell_flags(telling, at, region, pages);
}

void tell_unmap(Telling *telling, Spot at, uint64_t pages)
{
    tell_flush(telling);
    PfRecord record = {.kind = PF_RECORD_UNMAP, .count = pages, .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, at);
}

void tell_remap(Telling *telling, Spot from, Spot to)
{
    tell_flush(telling);
    PfTraceDetail detail = {.other_address =
                                pf_cpn_address(to.page, telling->page_shift).bytes};
    PfRecord record = {
        .kind = PF_RECORD_REMAP, .count = 1, .detail = &detail, .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, from);
}

void tell_attribute(Telling *telling, Spot at, uint64_t pages, PfAttribute attribute)
{
    tell_flush(telling);
    add_choice(telling, at, pages, PF_RECORD_ATTR, attribute);
}

void tell_access(Telling *telling, Spot at, PfRecordKind kind)
{
    tell_flush(telling);
    PfRecord record = {.kind = (uint8_t)kind, .count = 1, .content = PF_TRACE_NO_CONTENT};
    add(telling, &record, at);
}

void tell_zeros(Telling *telling, Spot at)
{
    Run one = {
        .kind = RUN_STATE, .first = at, .pages = 1, .content = PF_CONTENT_OF_ZEROS};
    add_run(telling, &one);
}

void tell_content(Telling *telling, Spot at, PfSlot slot)
{
    Run one = {.kind = RUN_STATE, .first = at, .pages = 1};
    if (pf_image_content(telling->image, &telling->reader, slot, 0, &one.content))
        add_run(telling, &one);
    else
        tell_access(telling, at, PF_RECORD_WRITE);
}

void tell_alias(Telling *telling, Spot at, Spot from)
{
    Run one = {.kind = RUN_ALIAS, .first = at, .pages = 1, .from = from};
    add_run(telling, &one);
}

void tell_read(Telling *telling, Spot at)
{
    Run one = {.kind = RUN_READ, .first = at, .pages = 1};
    add_run(telling, &one);
}

void tell_pin(Telling *telling, Spot at)
{
    Run one = {.kind = RUN_PIN, .first = at, .pages = 1};
    add_run(telling, &one);
}

void tell_shared_once(Telling *telling, Spot at)
{
    Run one = {.kind = RUN_ONCE, .first = at, .pages = 1};
    add_run(telling, &one);
}
