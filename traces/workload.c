#include "workload.h"

#include "error.h"
#include "rng.h"
#include "trace_names.h"
#include "units.h"
#include "workload_layout.h"
#include "workload_plan.h"

/* How often the caller is asked and told, in steps. */
enum { STEPS_PER_POLL = 4096 };

/* One writer of one phase: an element of `writes` in one context. */
typedef struct {
    const PfWorkloadGroup *group;
    const PfWorkloadWrites *writes;
    uint64_t index; /* of the context in its group */
    uint64_t first; /* rank */
    uint64_t count; /* ranks */
    uint64_t done;
    PfRng rng;
} Hand;

/* What is being written. */
typedef struct {
    const PfWorkload *workload;
    PfTraceWriter *writer;
    const PfWorkloadOptions *options;
    PfLayout *layouts; /* by context */
    PfWorkloadProgress progress;
    uint64_t next_id;
    PfRecord run;          /* pages that go into one record; `address` counts pages */
    PfContentSpec content; /* of the run's first page */
    const PfPages *kind;   /* of all of its pages */
} Maker;

static void add_record(Maker *maker, PfRecord record)
{
    pf_trace_writer_add(maker->writer, &record);
    maker->progress.records++;
}

/* Counts STEPS; false if it is time to stop. */
static bool advance(Maker *maker, uint64_t steps)
{
    uint64_t before = maker->progress.steps / STEPS_PER_POLL;
    maker->progress.steps += steps;
    if (maker->progress.steps / STEPS_PER_POLL == before)
        return true;
    const PfWorkloadOptions *options = maker->options;
    if (options->progress != NULL)
        options->progress(&maker->progress, options->user);
    return options->interrupted == NULL ||
           __atomic_load_n(options->interrupted, __ATOMIC_RELAXED) == 0;
}

/* ---- The beginning ---- */

/* The kind of the page of RANK in context INDEX of GROUP, and what it holds first. */
static const PfPages *original(const PfWorkloadGroup *group, uint64_t index, uint64_t rank,
                               PfContentSpec *ret_content)
{
    const PfPages *kind = (const PfPages *)(const void *)group->kinds->data;
    while (rank - kind->first >= kind->count)
        kind++;
    *ret_content = (PfContentSpec){.form = PF_CONTENT_ZERO};
    if (kind->form == PF_PAGES_ONES)
        ret_content->form = PF_CONTENT_ONES;
    if (kind->form == PF_PAGES_NUMBERED || kind->form == PF_PAGES_PINNED)
        *ret_content = (PfContentSpec){
            .form = PF_CONTENT_ID,
            .number = kind->id + index * kind->stride + (rank - kind->first) % kind->distinct,
        };
    return kind;
}

static void flush_run(Maker *maker, const PfWorkloadGroup *group)
{
    if (maker->run.count == 0)
        return;
    PfRecord record = maker->run;
    record.address = group->address + record.address * maker->workload->page_bytes;
    record.content = pf_trace_writer_content(maker->writer, &maker->content);
    add_record(maker, record);
    /* At once, so that no policy finds the pages without their pins. */
    if (maker->kind->form == PF_PAGES_PINNED) {
        record.kind = PF_RECORD_ATTR;
        record.choice = PF_ATTRIBUTE_PINNED;
        record.value = 0;
        record.content = PF_TRACE_NO_CONTENT;
        add_record(maker, record);
    }
    maker->run.count = 0;
}

/* Whether PAGE of CONTENT goes on with the run, whose step the second page decides. */
static bool continues(PfRecord *run, const PfContentSpec *first, uint64_t page,
                      const PfContentSpec *content)
{
    if (run->count == 0 || run->address + run->count != page || first->form != content->form)
        return false;
    uint64_t step = run->count > 1 ? run->value : content->number - first->number;
    if (step > 1 || content->number != first->number + step * run->count)
        return false;
    run->value = step;
    return true;
}

static bool fill(Maker *maker, const PfWorkloadGroup *group, uint64_t index)
{
    uint32_t context = group->first_context + (uint32_t)index;
    for (uint64_t page = 0; page < group->pages; page++) {
        PfContentSpec content;
        const PfPages *kind =
            original(group, index, pf_layout_rank(&maker->layouts[context], page), &content);
        if (kind != maker->kind || !continues(&maker->run, &maker->content, page, &content)) {
            flush_run(maker, group);
            maker->content = content;
            maker->kind = kind;
            maker->run = (PfRecord){.kind = PF_RECORD_FILL, .context = context, .address = page};
        }
        maker->run.count += kind->form != PF_PAGES_UNUSED;
        if (!advance(maker, 1))
            return false;
    }
    flush_run(maker, group);
    return true;
}

static void make_context(Maker *maker, const PfWorkloadGroup *group, uint64_t index)
{
    g_autofree char *name = pf_workload_context_name(group, index);
    uint32_t context = group->first_context + (uint32_t)index;
    g_autofree char *stream = g_strconcat("layout ", name, NULL);
    maker->layouts[context] =
        pf_layout_make(maker->workload->seed, stream, group->pages, group->chunk);
    PfTraceDetail detail = {.name = name,
                            .number = group->memory_bytes,
                            .node = -1,
                            .core = -1,
                            .context_kind = (PfContextKind)group->kind};
    add_record(maker, (PfRecord){.kind = PF_RECORD_CONTEXT,
                                 .context = context,
                                 .content = PF_TRACE_NO_CONTENT,
                                 .detail = &detail});
    detail = (PfTraceDetail){.node = -1, .core = -1, .mergeable = group->mergeable};
    add_record(maker, (PfRecord){.kind = PF_RECORD_MAP,
                                 .context = context,
                                 .address = group->address,
                                 .count = group->pages,
                                 .content = PF_TRACE_NO_CONTENT,
                                 .detail = &detail});
}

static bool lay_out(Maker *maker)
{
    const GArray *groups = maker->workload->groups;
    for (guint i = 0; i < groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(groups, PfWorkloadGroup, i);
        for (uint64_t index = 0; index < group->count; index++)
            make_context(maker, group, index);
    }
    for (guint i = 0; i < groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(groups, PfWorkloadGroup, i);
        for (uint64_t index = 0; index < group->count; index++) {
            if (!fill(maker, group, index))
                return false;
        }
    }
    return true;
}

/* ---- Phases ---- */

/* A rank counted from 0, of COUNT, that is drawn as often as 1 over the rank counted from 1, but
 * that ranks from one power of two to the next are equally likely. */
static uint64_t draw_zipf(PfRng *rng, uint64_t count)
{
    for (;;) {
        uint64_t octave = (uint64_t)1 << pf_rng_below(rng, pf_log2(count) + 1);
        uint64_t rank = octave + pf_rng_below(rng, octave);
        if (rank <= count)
            return rank - 1;
    }
}

static uint64_t choose_rank(Hand *hand)
{
    switch ((PfWorkloadChoice)hand->writes->choice) {
    case PF_CHOICE_ZIPF:
        return hand->first + draw_zipf(&hand->rng, hand->count);
    case PF_CHOICE_ONCE:
        return hand->first + hand->done % hand->count;
    case PF_CHOICE_UNIFORM:
        break;
    }
    return hand->first + pf_rng_below(&hand->rng, hand->count);
}

static PfContentSpec choose_content(Maker *maker, Hand *hand, uint64_t rank)
{
    PfContentSpec content = {.form = PF_CONTENT_ID};
    switch (hand->writes->target) {
    case PF_TO_PRIVATE:
        content.number = maker->next_id++;
        break;
    case PF_TO_SET:
        content.number =
            hand->writes->set->id + pf_rng_below(&hand->rng, hand->writes->set->contents);
        break;
    case PF_TO_ORIGINAL:
        original(hand->group, hand->index, rank, &content);
        break;
    case PF_TO_ONES:
        content.form = PF_CONTENT_ONES;
        break;
    case PF_TO_ZERO:
    case PF_TO_SAME:
        content.form = PF_CONTENT_ZERO;
        break;
    }
    return content;
}

static void write_page(Maker *maker, Hand *hand)
{
    uint64_t rank = choose_rank(hand);
    uint32_t context = hand->group->first_context + (uint32_t)hand->index;
    PfRecord record = {
        .kind = PF_RECORD_TOUCH,
        .context = context,
        .address = hand->group->address +
                   pf_layout_page(&maker->layouts[context], rank) * maker->workload->page_bytes,
        .count = 1,
        .content = PF_TRACE_NO_CONTENT,
    };
    if (hand->writes->target != PF_TO_SAME) {
        PfContentSpec content = choose_content(maker, hand, rank);
        record.kind = PF_RECORD_FILL;
        record.content = pf_trace_writer_content(maker->writer, &content);
    }
    add_record(maker, record);
    hand->done++;
}

/* The writers of PHASE, in the order of `writes` and then of contexts. */
static GArray *make_hands(const PfWorkload *workload, const PfWorkloadPhase *phase, guint number)
{
    GArray *hands = g_array_new(FALSE, TRUE, sizeof(Hand));
    for (guint i = 0; i < phase->writes->len; i++) {
        const PfWorkloadWrites *writes = &g_array_index(phase->writes, PfWorkloadWrites, i);
        for (guint j = 0; j < workload->groups->len; j++) {
            const PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, j);
            Hand hand = {.group = group, .writes = writes};
            if (!pf_workload_range(group, writes->from, &hand.first, &hand.count))
                continue;
            PfUint128 hot = (PfUint128)pf_workload_billionths(writes->hot) * hand.count;
            uint64_t written = (uint64_t)(hot / PF_WORKLOAD_WHOLE);
            hand.count = CLAMP(written, 1, hand.count);
            for (hand.index = 0; hand.index < group->count; hand.index++) {
                if (!pf_workload_writes_in(writes, group, hand.index))
                    continue;
                g_autofree char *name = pf_workload_context_name(group, hand.index);
                g_autofree char *stream = g_strdup_printf("writes %u %u %s", number, i, name);
                hand.rng = pf_rng_derive(workload->seed, stream);
                g_array_append_val(hands, hand);
            }
        }
    }
    return hands;
}

static void tell_time(Maker *maker, uint64_t time_ps)
{
    maker->progress.time_ps = time_ps;
    add_record(maker, (PfRecord){.kind = PF_RECORD_TIME,
                                 .count = time_ps,
                                 .context = PF_TRACE_NO_CONTEXT,
                                 .content = PF_TRACE_NO_CONTENT});
}

/* Plays the steps of PHASE, which begins at START_PS. Up to the end of step K of N, K of N parts of
 * the writes have happened, rounded down. */
static bool play_writes(Maker *maker, const PfWorkloadPhase *phase, guint number, uint64_t start_ps)
{
    g_autoptr(GArray) hands = make_hands(maker->workload, phase, number);
    for (uint64_t step = 1; step <= phase->steps; step++) {
        for (guint i = 0; i < hands->len; i++) {
            Hand *hand = &g_array_index(hands, Hand, i);
            uint64_t due = (uint64_t)((PfUint128)hand->writes->writes * step / phase->steps);
            uint64_t steps = due - hand->done + 1;
            while (hand->done < due)
                write_page(maker, hand);
            if (!advance(maker, steps))
                return false;
        }
        tell_time(maker, start_ps + (step < phase->steps ? step * phase->step_ps : phase->time_ps));
    }
    return true;
}

static bool play_phase(Maker *maker, const PfWorkloadPhase *phase, guint number)
{
    uint64_t start_ps = maker->progress.time_ps;
    if (!play_writes(maker, phase, number, start_ps))
        return false;
    if (phase->steps == 0 && phase->time_ps > 0)
        tell_time(maker, start_ps + phase->time_ps);
    PfRecord plain = {.context = PF_TRACE_NO_CONTEXT, .content = PF_TRACE_NO_CONTENT};
    PfRecord scan = plain;
    scan.kind = PF_RECORD_SCAN;
    scan.count = phase->scan_pages;
    if (scan.count > 0)
        add_record(maker, scan);
    scan.count = phase->scan_passes;
    scan.flags = PF_RECORD_SCAN_PASSES;
    if (scan.count > 0)
        add_record(maker, scan);
    PfTraceDetail label = {.name = phase->mark, .node = -1, .core = -1};
    PfRecord mark = plain;
    mark.kind = PF_RECORD_MARK;
    mark.detail = &label;
    if (phase->mark != NULL)
        add_record(maker, mark);
    return true;
}

bool pf_workload_write(const PfWorkload *workload, PfTraceWriter *writer,
                       const PfWorkloadOptions *options, GError **error)
{
    g_autofree PfLayout *layouts = g_new0(PfLayout, workload->contexts);
    Maker maker = {.workload = workload,
                   .writer = writer,
                   .options = options,
                   .layouts = layouts,
                   .next_id = workload->next_id};
    add_record(&maker, (PfRecord){.kind = PF_RECORD_GRAIN,
                                  .count = PF_GRAIN_PAGE,
                                  .context = PF_TRACE_NO_CONTEXT,
                                  .content = PF_TRACE_NO_CONTENT});
    bool goes_on = lay_out(&maker);
    for (guint i = 0; goes_on && i < workload->phases->len; i++)
        goes_on = play_phase(&maker, &g_array_index(workload->phases, PfWorkloadPhase, i), i);
    if (!goes_on)
        g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted; nothing is kept");
    return goes_on;
}
