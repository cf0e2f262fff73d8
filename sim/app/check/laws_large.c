/* Random traces over a few runs of 512 pages, which are filled, forked, stored to, unmapped and
 * pinned, on machines that map them large. */
#include "laws_large.h"

#include <glib/gstdio.h>
#include <string.h>

#include "laws_compare.h"
#include "laws_levels.h"
#include "laws_same.h"
#include "laws_ways.h"
#include "rng.h"

enum { RUN_PAGES = 512, RUNS = 2, PAGES = RUNS * RUN_PAGES, CONTEXTS = 3, PAGE_BYTES = 64 };

/* Such a trace takes as long as an ordinary one of as many times more records. */
enum { RECORDS_OF_ONE = 5 };

const char *const pf_laws_large_deeds[PF_LAWS_LARGE_DEEDS] = {
    "large.filled", "large.joined", "large.joined_copied",
    "large.splits", "large.copies", "large.taken_back"};

/* ---- the traces ---- */

typedef struct {
    PfRng rng;
    GString *text;
    unsigned contexts;
    unsigned marks;
    bool alive[CONTEXTS];
    bool mapped[CONTEXTS][PAGES];
} Maker;

/* Pages of one context; runs begin at page 512. */
typedef struct {
    unsigned context;
    unsigned first;
    unsigned count;
} Range;

static unsigned below(Maker *maker, unsigned bound)
{
    return (unsigned)pf_rng_below(&maker->rng, bound);
}

/* A whole run, or some pages of one. */
static Range some_range(Maker *maker)
{
    Range range;
    do
        range.context = below(maker, maker->contexts);
    while (!maker->alive[range.context]);
    range.first = below(maker, RUNS) * RUN_PAGES;
    range.count = RUN_PAGES;
    if (below(maker, 2) == 0) {
        range.first += below(maker, RUN_PAGES);
        range.count = 1 + below(maker, MIN(3, RUN_PAGES - range.first % RUN_PAGES));
    }
    return range;
}

static void map_range(Maker *maker, const Range *range, bool mapped)
{
    for (unsigned i = 0; i < range->count; i++)
        maker->mapped[range->context][range->first + i] = mapped;
}

static bool is_mapped(const Maker *maker, const Range *range)
{
    for (unsigned i = 0; i < range->count; i++)
        if (!maker->mapped[range->context][range->first + i])
            return false;
    return true;
}

static void add(Maker *maker, const char *verb, const Range *range, const char *rest)
{
    g_string_append_printf(maker->text, "%s c%u 0x%x %u%s\n", verb, range->context,
                           (RUN_PAGES + range->first) * PAGE_BYTES, range->count, rest);
}

static void make_fork(Maker *maker, unsigned parent)
{
    if (maker->contexts == CONTEXTS)
        return;
    unsigned child = maker->contexts++;
    g_string_append_printf(maker->text, "fork c%u c%u\n", parent, child);
    maker->alive[child] = true;
    memcpy(maker->mapped[child], maker->mapped[parent], sizeof maker->mapped[child]);
}

static void make_exit(Maker *maker, unsigned context)
{
    if (context == 0)
        return;
    g_string_append_printf(maker->text, "exit c%u\n", context);
    maker->alive[context] = false;
    memset(maker->mapped[context], 0, sizeof maker->mapped[context]);
}

/* A record about RANGE, which is mapped. */
static void make_change(Maker *maker, const Range *range)
{
    static const char *const advice[] = {" mergeable", " dontneed", " huge", " nohuge"};
    g_autofree char *content = g_strdup_printf(" id:%u", below(maker, 3));
    const char *address = strstr(content, "id:");
    switch (below(maker, 12)) {
    case 0:
        add(maker, "advise", range, advice[below(maker, G_N_ELEMENTS(advice))]);
        return;
    case 1:
        add(maker, "attr", range, below(maker, 2) == 0 ? " pinned" : " unpinned");
        return;
    case 2:
    case 3:
        g_string_append_printf(maker->text, "read c%u 0x%x 8\n", range->context,
                               (RUN_PAGES + range->first) * PAGE_BYTES);
        return;
    case 4:
    case 5:
        g_string_append_printf(maker->text, "write c%u 0x%x 8 0x%s\n", range->context,
                               (RUN_PAGES + range->first) * PAGE_BYTES, address + 3);
        return;
    case 6:
        add(maker, "touch", range, "");
        return;
    case 7:
        add(maker, "state", range, content);
        return;
    default:
        add(maker, "fill", range, below(maker, 3) == 0 ? " id:7 step=1" : content);
        return;
    }
}

static void make_alias(Maker *maker, const Range *source)
{
    Range target = some_range(maker);
    target.count = MIN(source->count, target.count);
    bool overlap = target.context == source->context &&
                   target.first < source->first + target.count &&
                   source->first < target.first + target.count;
    if (overlap || !is_mapped(maker, &target))
        return;
    g_autofree char *from = g_strdup_printf(" c%u 0x%x", source->context,
                                            (RUN_PAGES + source->first) * PAGE_BYTES);
    add(maker, "alias", &target, from);
}

static void make_record(Maker *maker)
{
    Range range = some_range(maker);
    switch (below(maker, 20)) {
    case 0:
    case 1:
        make_fork(maker, range.context);
        return;
    case 2:
        make_exit(maker, range.context);
        return;
    case 3:
        add(maker, "unmap", &range, "");
        map_range(maker, &range, false);
        return;
    case 4:
    case 5:
        add(maker, "map", &range, below(maker, 4) > 0 ? " anon huge=32KiB mergeable" : " anon");
        map_range(maker, &range, true);
        return;
    case 6:
        g_string_append_printf(maker->text, "scan pass 2\nmark \"%u\"\n", maker->marks++);
        return;
    case 7:
        g_string_append_printf(maker->text, "idle c%u 5us\n", range.context);
        return;
    case 8:
        if (is_mapped(maker, &range))
            make_alias(maker, &range);
        return;
    default:
        if (is_mapped(maker, &range))
            make_change(maker, &range);
        return;
    }
}

/* Writes the trace of TRIAL at PATH; the number of its marks, with the end, or 0. */
static unsigned write_trace(const PfLawsTrial *trial, const char *path, GString *problems)
{
    Maker maker = {.rng = pf_rng_derive(trial->seed, "large laws"), .contexts = 1};
    Range all = {.count = PAGES};
    maker.text = g_string_new("pagefold-trace 1\npage 64\ncontext c0 process\n");
    maker.alive[0] = true;
    add(&maker, "map", &all, " anon huge=32KiB mergeable");
    add(&maker, "fill", &all, " id:5");
    map_range(&maker, &all, true);
    for (unsigned i = 0; i < trial->records / RECORDS_OF_ONE; i++)
        make_record(&maker);
    g_string_append(maker.text, "scan pass 2\nmark end\n");
    g_autoptr(GError) error = NULL;
    bool written = g_file_set_contents(path, maker.text->str, (gssize)maker.text->len, &error);
    if (!written)
        g_string_append_printf(problems, "%s\n", error->message);
    g_string_free(maker.text, TRUE);
    return written ? maker.marks + 2 : 0;
}

/* ---- the law ---- */

/* Of the last two one has hardly more memory than is needed, the other less. */
static const char *const machines[] = {
    "large = { join_every = \"1us\"; };",
    "large = { cow = \"split\"; join_every = \"2us\"; }; numa = { nodes = 2; };",
    "large = { pages = \"always\"; join_every = \"1us\"; guest = \"large\"; }; "
    "numa = { nodes = 2; placement = \"interleave\"; }; allocator = \"random\"; ",
    "large = { join_every = \"1us\"; }; memory = \"196KiB\"; "
    "allocator = \"color-preserving\"; ",
    "large = { join_every = \"1us\"; }; memory = \"100KiB\"; on_full = \"swap\"; ",
};

/* The baseline of RUN at all marks, as text. */
static char *baselines_of(const PfRun *run)
{
    GString *text = g_string_new("pages that `none` maps at the marks");
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        PfLawsLevels levels = {0};
        pf_run_mark_visit(run, i, pf_laws_read_level, &levels);
        g_string_append_printf(text, " %" G_GINT64_FORMAT, levels.baseline);
    }
    return g_string_free(text, FALSE);
}

/* Whether every run of PLAY adds up and has the BASELINES that `none` has. */
static bool runs_hold(const PfLawsTrial *trial, const PfLawsHow *how, const PfLawsPlay *play,
                      unsigned marks, const char *baselines, GString *problems)
{
    PfLawsTrace trace = {.marks = g_array_new(FALSE, TRUE, sizeof(PfLawsMark))};
    bool holds = true;
    g_array_set_size(trace.marks, marks);
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        g_autofree char *settings = pf_laws_settings(how->policies, pf_run_label(run));
        g_autofree char *found = baselines_of(run);
        PfLawsPlace place = {.registry = trial->registry,
                             .trace = &trace,
                             .run = run,
                             .settings = settings,
                             .problems = problems};
        holds &= pf_laws_sums_hold(&place) && pf_laws_cycles_hold(&place);
        holds &= pf_laws_is_same("under none", baselines, pf_run_label(run), found, problems);
    }
    g_array_unref(trace.marks);
    return holds;
}

static void add_to_tally(PfLawsTally *tally, const PfLawsPlay *play)
{
    for (size_t i = 0; i < pf_simulation_run_count(play->simulation); i++) {
        const PfRun *run = pf_simulation_run_at(play->simulation, i);
        tally->scanned += pf_laws_figure(run, "policy.scanned");
        tally->shared += pf_laws_figure(run, "policy.shared");
        for (unsigned j = 0; j < PF_LAWS_LARGE_DEEDS; j++)
            tally->large[j] += pf_laws_figure(run, pf_laws_large_deeds[j]);
    }
}

/* The baselines on a machine like that of HOW but with MACHINE in it; NULL with PROBLEMS. */
static char *play_none(const PfLawsHow *how, const char *machine, GString *problems)
{
    PfLawsHow none = *how;
    PfLawsPlay play;
    none.machine = machine;
    none.policies = "{ name = \"none\"; }";
    char *baselines = NULL;
    if (pf_laws_play(&none, &play, problems))
        baselines = baselines_of(pf_simulation_run_at(play.simulation, 0));
    pf_laws_play_clear(&play);
    return baselines;
}

bool pf_laws_large_hold(PfLawsTrial *trial, GString *problems)
{
    g_autofree char *path =
        g_strdup_printf("%s/%u-large.trace", trial->directory, trial->seed);
    g_autofree char *policies = pf_laws_large_ways(trial);
    PfLawsHow how = {.registry = trial->registry,
                     .path = path,
                     .policies = policies,
                     .top = "timing = \"full\";",
                     .machine = machines[trial->seed % G_N_ELEMENTS(machines)],
                     .threads = 1};
    /* Where a store copies a page and no more, all is as with no large pages. */
    const char *plain = strstr(how.machine, "split") != NULL ? "large = { pages = \"never\"; };"
                                                             : how.machine;
    PfLawsPlay play;
    unsigned marks = write_trace(trial, path, problems);
    g_autofree char *baselines = marks > 0 ? play_none(&how, plain, problems) : NULL;
    bool holds = false;
    if (baselines != NULL) {
        holds = pf_laws_play(&how, &play, problems) &&
                runs_hold(trial, &how, &play, marks, baselines, problems);
        if (holds)
            add_to_tally(&trial->tally, &play);
        pf_laws_play_clear(&play);
    }
    g_unlink(path);
    return holds;
}
