/* The phases: which pages are written, when, and what they hold then. */
#include "rng.h"
#include "units.h"
#include "workload_maker.h"

/* One writer of one phase: an element of `writes` in one context. */
typedef struct {
    const PfWorkloadGroup *group;
    const PfWorkloadWrites *writes;
    uint64_t index; /* of the context in its group */
    PfWorkloadReach reach;
    uint64_t last; /* rank that was written last */
    uint64_t done;
    bool sets_back; /* makes the choices of the writer before it again, and undoes what it did */
    uint64_t late_steps; /* so much later */
    PfRng rng;
} Hand;

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
    const PfWorkloadReach *reach = &hand->reach;
    if (hand->done % hand->writes->neighbours != 0)
        return reach->first + (hand->last - reach->first + 1) % reach->count;
    switch ((PfWorkloadChoice)hand->writes->choice) {
    case PF_CHOICE_ZIPF:
        return reach->first + draw_zipf(&hand->rng, reach->count);
    case PF_CHOICE_ONCE:
        return reach->first + hand->done % reach->count;
    case PF_CHOICE_UNIFORM:
        break;
    }
    return reach->first + pf_rng_below(&hand->rng, reach->count);
}

/* Number of the content of the hand's set that it writes now. */
static uint64_t choose_of_set(Hand *hand)
{
    uint64_t contents = hand->writes->set->contents;
    if (hand->writes->take == PF_TAKE_TURNS)
        return hand->done % contents;
    return pf_rng_below(&hand->rng, contents);
}

/* What HAND writes to the page of RANK. RET_BLOCK: of the disk that holds it. */
static PfContentSpec choose_content(PfMaker *maker, Hand *hand, uint64_t rank, uint64_t *ret_block)
{
    PfContentSpec content = {.form = PF_CONTENT_ID};
    PfWorkloadTo target = hand->writes->target;
    /* Also where it is not used: the draws of a hand that sets back are those of the first. */
    if (target == PF_TO_SET) {
        *ret_block = choose_of_set(hand);
        content.number = hand->writes->set->id + *ret_block;
    }
    switch (hand->sets_back ? PF_TO_ORIGINAL : target) {
    case PF_TO_PRIVATE:
        content.number = maker->next_id++;
        break;
    case PF_TO_SET:
        break;
    case PF_TO_ORIGINAL:
        pf_maker_original(maker, hand->group, hand->index, rank, &content);
        break;
    case PF_TO_ONES:
        content.form = PF_CONTENT_ONES;
        break;
    case PF_TO_ZERO:
    case PF_TO_FREED:
    case PF_TO_SAME:
    case PF_TO_READ:
        content.form = PF_CONTENT_ZERO;
        break;
    }
    return content;
}

/* What the context does before it comes to a page. */
static void compute(PfMaker *maker, const Hand *hand, uint32_t context)
{
    if (hand->writes->instructions > 0 && !hand->sets_back)
        pf_maker_add(maker, (PfRecord){.kind = PF_RECORD_RUN,
                                       .context = context,
                                       .count = hand->writes->instructions,
                                       .content = PF_TRACE_NO_CONTENT});
}

/* RECORD, which is at a page, as the read of a word of it, each as likely as any other. */
static PfRecord read_word(const PfMaker *maker, Hand *hand, PfRecord record)
{
    uint64_t page_bytes = maker->workload->page_bytes;
    record.kind = PF_RECORD_READ;
    record.count = MIN(page_bytes, sizeof(uint64_t));
    record.address += pf_rng_below(&hand->rng, page_bytes / record.count) * record.count;
    return record;
}

static void write_page(PfMaker *maker, Hand *hand)
{
    const PfWorkloadWrites *writes = hand->writes;
    uint64_t rank = choose_rank(hand);
    uint32_t context = hand->group->first_context + (uint32_t)hand->index;
    const PfMakerContext *place = &maker->contexts[context];
    PfRecord record = {
        .kind = PF_RECORD_TOUCH,
        .context = context,
        .address =
            place->address + pf_layout_page(&place->layout, rank) * maker->workload->page_bytes,
        .count = 1,
        .content = PF_TRACE_NO_CONTENT,
    };
    PfTraceDetail device = {.name = writes->device, .node = -1, .core = -1};
    compute(maker, hand, context);
    if (writes->target == PF_TO_READ) {
        record = read_word(maker, hand, record);
    } else if (writes->target != PF_TO_SAME || hand->sets_back) {
        PfContentSpec content = choose_content(maker, hand, rank, &device.number);
        PfContentSpec unused;
        const PfPages *kind = pf_maker_original(maker, hand->group, hand->index, rank, &unused);
        bool is_original = hand->sets_back || writes->target == PF_TO_ORIGINAL;
        record.kind = PF_RECORD_FILL;
        record.content = pf_maker_content(maker, hand->group, is_original ? kind : NULL, &content);
    }
    if (writes->device[0] != '\0' && !hand->sets_back) {
        record.kind = PF_RECORD_DMA;
        record.detail = &device;
    }
    /* What is given back and not cleared keeps its bytes. */
    if (writes->target != PF_TO_FREED || hand->sets_back || hand->group->zero_free)
        pf_maker_add(maker, record);
    hand->last = rank;
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
            if (group->boot_phase > number || !pf_workload_reach(phase, writes, group, &hand.reach))
                continue;
            for (hand.index = 0; hand.index < group->count; hand.index++) {
                if (!pf_workload_writes_in(writes, group, hand.index))
                    continue;
                g_autofree char *name = pf_workload_context_name(group, hand.index);
                g_autofree char *stream = g_strdup_printf("writes %u %u %s", number, i, name);
                hand.rng = pf_rng_derive(workload->seed, stream);
                g_array_append_val(hands, hand);
                Hand back = hand;
                back.sets_back = true;
                back.late_steps = pf_workload_back_steps(phase, writes);
                if (back.late_steps > 0)
                    g_array_append_val(hands, back);
            }
        }
    }
    return hands;
}

static void tell_time(PfMaker *maker, uint64_t time_ps)
{
    maker->progress.time_ps = time_ps;
    pf_maker_add(maker, (PfRecord){.kind = PF_RECORD_TIME,
                                   .count = time_ps,
                                   .context = PF_TRACE_NO_CONTEXT,
                                   .content = PF_TRACE_NO_CONTENT});
}

/* Fills STEP of STEPS parts of the memory of those that boot in PHASE. */
static bool boot(PfMaker *maker, guint phase_number, uint64_t step, uint64_t steps)
{
    const GArray *groups = maker->workload->groups;
    for (guint i = 0; i < groups->len; i++) {
        const PfWorkloadGroup *group = &g_array_index(groups, PfWorkloadGroup, i);
        uint64_t until = (uint64_t)((PfUint128)group->pages * step / steps);
        for (uint64_t index = 0; group->boot_phase == phase_number + 1 && index < group->count;
             index++)
            if (!pf_maker_fill(maker, group, index, until))
                return false;
    }
    return true;
}

/* Up to the end of step K of N, K of N parts of the writes have happened, rounded down. */
bool pf_maker_play(PfMaker *maker, const PfWorkloadPhase *phase, guint number, uint64_t start_ps)
{
    g_autoptr(GArray) hands = make_hands(maker->workload, phase, number);
    for (uint64_t step = 1; step <= phase->steps; step++) {
        if (!boot(maker, number, step, phase->steps))
            return false;
        for (guint i = 0; i < hands->len; i++) {
            Hand *hand = &g_array_index(hands, Hand, i);
            uint64_t played = step > hand->late_steps ? step - hand->late_steps : 0;
            uint64_t due = (uint64_t)((PfUint128)hand->reach.writes * played / phase->steps);
            uint64_t steps = due - hand->done + 1;
            while (hand->done < due)
                write_page(maker, hand);
            if (!pf_maker_advance(maker, steps))
                return false;
        }
        tell_time(maker, start_ps + (step < phase->steps ? step * phase->step_ps : phase->time_ps));
    }
    if (phase->steps == 0 && phase->time_ps > 0)
        tell_time(maker, start_ps + phase->time_ps);
    /* A phase without time, in which nothing but booting can happen. */
    return phase->steps > 0 || boot(maker, number, 1, 1);
}
