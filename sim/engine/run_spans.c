/* Spans: their lengths by label, and what the time of the slowest went to. What a core did is known
 * from a few of its sums, which are noted where a span begins and compared where it ends. */
#include "run.h"

/* Of a label the slowest spans are one in a hundred, but at least one and at most SLOWEST_MAX. More
 * labels than LABELS_MAX are not told one by one. */
enum { LABELS_MAX = 256, SLOWEST_MAX = 16, SLOWEST_ONE_IN = 100 };

/* What the time of a span went to. */
typedef enum {
    PART_BREAK,
    PART_SHOOTDOWN,
    PART_STOLEN,
    PART_MEMORY,
    PART_IDLE,
    PART_OTHER, /* the rest */
    PARTS
} Part;

static const struct {
    const char *name;
    const char *description;
} parts[PARTS] = {
    {"break_cycles", "Of its mean, write faults on shared or protected pages, copies included."},
    {"shootdown_cycles", "Of its mean, TLB invalidations on its core."},
    {"stolen_cycles", "Of its mean, the policy's work on its core."},
    {"memory_cycles", "Of its mean, exposed waiting for translations, caches and DRAM."},
    {"idle_cycles", "Of its mean, waiting for a time or for other contexts."},
    {"other_cycles", "Of its mean, the rest: instructions, first touches."},
};

typedef struct {
    const char *label; /* borrowed from the trace */
    uint32_t context;
    uint64_t start_cycles;
    uint64_t before_cycles[PARTS]; /* sums of the core then */
} OpenSpan;

typedef struct {
    uint64_t cycles;
    uint64_t part_cycles[PARTS];
} Span;

typedef struct {
    PfHistogram lengths;
    Span sum;
    Span slowest[SLOWEST_MAX]; /* longest first, of equal ones the earliest */
    unsigned slowest_count;
} Label;

struct PfRunSpans {
    GArray *open;      /* OpenSpan */
    GPtrArray *names;  /* of labels, in the order in which they came; owned by `labels` */
    GHashTable *labels; /* name to Label, both owned; only ever looked up */
};

void run_open_spans(PfRun *run)
{
    PfRunSpans *spans = g_new0(PfRunSpans, 1);
    spans->open = g_array_new(FALSE, FALSE, sizeof(OpenSpan));
    spans->names = g_ptr_array_new();
    spans->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    run->spans = spans;
    run->work.delay_cycles =
        g_malloc0_n(run->machine_config->cores, sizeof *run->work.delay_cycles);
}

void run_close_spans(PfRun *run)
{
    g_array_unref(run->spans->open);
    g_ptr_array_unref(run->spans->names);
    g_hash_table_unref(run->spans->labels);
    g_free(run->spans);
    g_free(run->work.delay_cycles);
}

void run_restart_spans(PfRun *run)
{
    g_ptr_array_set_size(run->spans->names, 0);
    g_hash_table_remove_all(run->spans->labels);
}

static uint64_t context_time(const PfRun *run, uint32_t context)
{
    return MAX(run_place(run, context)->core->now_cycles,
               g_array_index(run->ready_cycles, uint64_t, context));
}

/* What the core of CONTEXT has spent so far; that CONTEXT may not go on yet counts as idle. */
static void take_sums(const PfRun *run, uint32_t context, uint64_t sums_cycles[PARTS])
{
    const PfPlace *place = run_place(run, context);
    const uint64_t *delays = run->work.delay_cycles[place->index];
    sums_cycles[PART_BREAK] = delays[PF_DELAY_BREAK];
    sums_cycles[PART_SHOOTDOWN] = delays[PF_DELAY_SHOOTDOWN];
    sums_cycles[PART_STOLEN] = delays[PF_DELAY_STOLEN];
    sums_cycles[PART_MEMORY] = place->core->stats.stall_cycles;
    sums_cycles[PART_IDLE] = place->core->stats.idle_cycles + context_time(run, context) -
                             place->core->now_cycles;
    sums_cycles[PART_OTHER] = 0; /* not counted: what is left */
}

/* The parts add up to the length. Where contexts of one core wait for each other less may have been
 * idle than was foreseen. */
static Span measure(const PfRun *run, const OpenSpan *open)
{
    Span span = {.cycles = context_time(run, open->context) - open->start_cycles};
    uint64_t after_cycles[PARTS];
    take_sums(run, open->context, after_cycles);
    uint64_t left_cycles = span.cycles;
    for (Part part = 0; part < PARTS; part++) {
        uint64_t before = open->before_cycles[part];
        uint64_t spent = after_cycles[part] > before ? after_cycles[part] - before : 0;
        span.part_cycles[part] = part == PART_OTHER ? left_cycles : MIN(spent, left_cycles);
        left_cycles -= span.part_cycles[part];
    }
    return span;
}

static void add_to(Span *sum, const Span *span)
{
    sum->cycles += span->cycles;
    for (Part part = 0; part < PARTS; part++)
        sum->part_cycles[part] += span->part_cycles[part];
}

static void keep_if_slow(Label *label, const Span *span)
{
    unsigned at = label->slowest_count;
    if (at == SLOWEST_MAX && span->cycles <= label->slowest[at - 1].cycles)
        return;
    if (at == SLOWEST_MAX)
        at--;
    else
        label->slowest_count++;
    for (; at > 0 && label->slowest[at - 1].cycles < span->cycles; at--)
        label->slowest[at] = label->slowest[at - 1];
    label->slowest[at] = *span;
}

/* NULL: there are too many. */
static Label *find_label(PfRunSpans *spans, const char *name)
{
    Label *label = g_hash_table_lookup(spans->labels, name);
    if (label != NULL || spans->names->len == LABELS_MAX)
        return label;
    label = g_new0(Label, 1);
    char *own = g_strdup(name);
    g_hash_table_insert(spans->labels, own, label);
    g_ptr_array_add(spans->names, own);
    return label;
}

static void count_span(PfRun *run, const OpenSpan *open)
{
    Span span = measure(run, open);
    pf_histogram_add(&run->span_cycles, span.cycles);
    Label *label = find_label(run->spans, open->label);
    if (label == NULL) {
        run->untold_spans++;
        return;
    }
    pf_histogram_add(&label->lengths, span.cycles);
    add_to(&label->sum, &span);
    keep_if_slow(label, &span);
}

/* `end` closes the latest span of its context and label; without one it says nothing. */
void run_play_span(PfRun *run, const PfRecord *record)
{
    GArray *all = run->spans->open;
    if (record->kind == PF_RECORD_BEGIN) {
        OpenSpan open = {.label = record->detail->name,
                         .context = record->context,
                         .start_cycles = context_time(run, record->context)};
        take_sums(run, record->context, open.before_cycles);
        g_array_append_val(all, open);
        return;
    }
    for (unsigned i = all->len; i-- > 0;) {
        const OpenSpan *open = &g_array_index(all, OpenSpan, i);
        if (open->context != record->context || !g_str_equal(open->label, record->detail->name))
            continue;
        count_span(run, open);
        g_array_remove_index(all, i);
        return;
    }
}

/* ---- what is told ---- */

/* Where the rows of a label go. */
typedef struct {
    const char *label;
    PfStatVisitor visit;
    void *user;
} Telling;

static void tell(const Telling *telling, const char *first, const char *name, const char *unit,
                 const char *description, PfStatValue value)
{
    g_autofree char *full = g_strconcat("span.", telling->label, ".", first, name, NULL);
    PfStatInfo info = {full, unit, description};
    telling->visit(&info, value, telling->user);
}

/* The mean of COUNT spans that add up to SUM, as to what it went to; FIRST begins the names. */
static void tell_parts(const Telling *telling, const char *first, const Span *sum, uint64_t count)
{
    for (Part part = 0; part < PARTS; part++)
        tell(telling, first, parts[part].name, "cycles", parts[part].description,
             count > 0 ? pf_stat_double((double)sum->part_cycles[part] / (double)count)
                       : pf_stat_null());
}

static void tell_label(const Telling *telling, const Label *label)
{
    static const struct {
        const char *name;
        unsigned permille;
    } quantiles[] = {
        {"p50_cycles", 500}, {"p95_cycles", 950}, {"p99_cycles", 990}, {"p999_cycles", 999}};
    uint64_t count = label->lengths.count;
    tell(telling, "", "count", "events", "Spans of this label that ended.", pf_stat_uint(count));
    tell(telling, "", "mean_cycles", "cycles", "Their length, from begin to end.",
         count > 0 ? pf_stat_double((double)label->sum.cycles / (double)count) : pf_stat_null());
    for (unsigned i = 0; i < G_N_ELEMENTS(quantiles); i++)
        tell(telling, "", quantiles[i].name, "cycles", "Their length, from begin to end.",
             count > 0 ? pf_stat_double((double)pf_histogram_quantile(&label->lengths,
                                                                      quantiles[i].permille))
                       : pf_stat_null());
    tell_parts(telling, "", &label->sum, count);
    uint64_t slow = MIN((count + SLOWEST_ONE_IN - 1) / SLOWEST_ONE_IN, SLOWEST_MAX);
    Span sum = {0};
    for (unsigned i = 0; i < slow; i++)
        add_to(&sum, &label->slowest[i]);
    tell(telling, "slowest_", "count", "events",
         "How many of them are called the slowest: one in a hundred, but 1 to 16.",
         pf_stat_uint(slow));
    tell(telling, "slowest_", "mean_cycles", "cycles", "The length of these.",
         slow > 0 ? pf_stat_double((double)sum.cycles / (double)slow) : pf_stat_null());
    tell_parts(telling, "slowest_", &sum, slow);
}

void run_visit_spans(const PfRun *run, PfStatVisitor visit, void *user)
{
    for (unsigned i = 0; i < run->spans->names->len; i++) {
        Telling telling = {run->spans->names->pdata[i], visit, user};
        tell_label(&telling, g_hash_table_lookup(run->spans->labels, telling.label));
    }
}

void run_list_spans(PfStatVisitor visit, void *user)
{
    g_autofree Label *none = g_new0(Label, 1);
    Telling telling = {"LABEL", visit, user};
    tell_label(&telling, none);
}
