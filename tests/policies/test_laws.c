/* What must hold for every policy of the registry, found by walking it: on random traces that hold
 * every kind of record, with every finder, every place and every scope, against a naive model.
 *
 * `test_laws [FIRST [COUNT [RECORDS]]]` tries other seeds than the usual ones. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "laws_compare.h"
#include "laws_play.h"
#include "laws_trace.h"
#include "laws_variants.h"

/* Seeds of the usual run, and records of each trace. */
enum { SEED_FIRST = 1, SEED_COUNT = 4, RECORD_COUNT = 500 };

/* Frames beside those that are pinned, where memory is small: for locked pages, too. */
enum { LAWS_ROOM = 12 };

static struct {
    unsigned first;
    unsigned count;
    unsigned records;
} seeds = {SEED_FIRST, SEED_COUNT, RECORD_COUNT};

static char *directory;

/* Every policy in every way that the common parameters allow. */
static char *every_policy(const PfRegistry *registry)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        if (g_str_equal(ops->name, "none"))
            continue; /* comes by itself, once */
        laws_add_policy(list, ops, "");
        laws_add_policy(list, ops, "pacing = \"trace\"; ");
        laws_add_policy(list, ops, "place = \"stolen\"; scope = \"anon\"; ");
        laws_add_policy(list, ops, "place = \"controller\"; ");
        laws_add_policy(list, ops, "remap = \"controller\"; ");
        laws_add_policy(list, ops, "remap = \"controller\"; place = \"controller\"; "
                                   "pacing = \"trace\"; ");
        laws_add_policy(list, ops, "scope = \"mergeable\"; pacing = \"trace\"; ");
        laws_add_policy(list, ops, "filters = (\"flagged\"); flagged = { time = \"500ns\"; }; ");
        laws_add_policy(list, ops, "filters = (\"flagged\"); pacing = \"trace\"; "
                                   "flagged = { accesses = 4; of = \"access\"; bits = 9; }; "
                                   "classes = (\"kind\", \"label\", \"node\"); "
                                   "class_runs = false; ");
        laws_add_policy(list, ops, "filters = (\"flagged\"); place = \"stolen\"; "
                                   "flagged = { timer = \"1us\"; bits = 2; }; "
                                   "classes = \"label\"; class_runs = false; ");
        for (const char *const *v = laws_variants(ops->name); *v != NULL; v++)
            laws_add_policy(list, ops, *v);
        if (ops->default_finder == NULL)
            continue;
        laws_add_policy(list, ops, "hash_bits = 2; pacing = \"trace\"; ");
        for (size_t j = 0; j < pf_registry_finder_count(registry); j++) {
            g_autofree char *finder = g_strdup_printf("finder = \"%s\"; scope = \"all\"; ",
                                                      pf_registry_finder(registry, j)->name);
            laws_add_policy(list, ops, finder);
        }
    }
    return g_string_free(list, FALSE);
}

/* ---- runs that must be the same to the last digit ---- */

static void add_text(const PfStatInfo *info, PfStatValue value, void *user)
{
    GString *text = user;
    if (value.kind == PF_STAT_DOUBLE)
        g_string_append_printf(text, "%s %a\n", info->name, value.d);
    else
        g_string_append_printf(text, "%s %" G_GUINT64_FORMAT "\n", info->name,
                               value.kind == PF_STAT_NULL ? UINT64_MAX : value.u);
}

/* All that RUN has to tell. */
static char *run_text(const PfSimulation *simulation, const PfRun *run)
{
    GString *text = g_string_new(NULL);
    pf_stats_visit(pf_run_stats(run), add_text, text);
    pf_run_contexts_visit(run, add_text, text);
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        g_string_append_printf(text, "mark %s %" G_GUINT64_FORMAT "\n", pf_run_mark_label(run, i),
                               pf_run_mark_cycle(run, i));
        pf_run_mark_visit(run, i, add_text, text);
    }
    const char *const *names;
    size_t columns = pf_simulation_epoch_columns(simulation, &names);
    for (size_t i = 0; i < pf_run_epoch_count(run); i++) {
        const PfStatValue *values;
        g_string_append_printf(text, "epoch %" G_GUINT64_FORMAT, pf_run_epoch(run, i, &values));
        for (size_t j = 0; j < columns; j++)
            g_string_append_printf(text, " %" G_GUINT64_FORMAT, values[j].u);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

/* The first line in which A and B differ, for a message. */
static void show_difference(unsigned seed, const char *label, const char *a, const char *b)
{
    g_auto(GStrv) left = g_strsplit(a, "\n", -1);
    g_auto(GStrv) right = g_strsplit(b, "\n", -1);
    unsigned i = 0;
    while (left[i] != NULL && right[i] != NULL && g_str_equal(left[i], right[i]))
        i++;
    printf("# seed %u, %s: '%s' and '%s'\n", seed, label, left[i] != NULL ? left[i] : "",
           right[i] != NULL ? right[i] : "");
}

static const PfRun *find_run(const PfSimulation *simulation, const char *label)
{
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        if (g_str_equal(pf_run_label(run), label))
            return run;
    }
    return NULL;
}

/* Asserts that each run of OTHER is, to the digit, the run of that label in SIMULATION. */
static void compare_runs(unsigned seed, const PfSimulation *simulation, const PfSimulation *other)
{
    for (size_t i = 0; i < pf_simulation_run_count(other); i++) {
        const PfRun *run = pf_simulation_run_at(other, i);
        const PfRun *same = find_run(simulation, pf_run_label(run));
        CU_ASSERT_PTR_NOT_NULL_FATAL(same);
        g_autofree char *found = run_text(other, run);
        g_autofree char *wanted = run_text(simulation, same);
        bool equal = g_str_equal(found, wanted);
        if (!equal)
            show_difference(seed, pf_run_label(run), wanted, found);
        CU_ASSERT_TRUE(equal);
    }
}

static void test_laws(void)
{
    PfRegistry *registry = laws_registry();
    g_autofree char *policies = every_policy(registry);
    for (unsigned seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        g_autofree char *path = laws_path(directory, seed);
        LawsTrace *trace = laws_trace_write(path, seed, seeds.records);
        PfConfig *config;
        printf("# seed %u\n", seed);
        PfSimulation *simulation = laws_play(registry, path, policies, &config, 1);
        for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
            LawsPlace place = {.seed = seed, .run = pf_simulation_run_at(simulation, i)};
            laws_compare_run(&place, registry, trace);
        }
        pf_simulation_free(simulation);
        pf_config_free(config);
        laws_trace_free(trace);
        if (seeds.count != 1)
            g_unlink(path);
    }
    pf_registry_free(registry);
}

/* Policies that look pages up when caches write them back, with a hash engine that knows what
 * memory has, and without. */
static void test_write_backs(void)
{
    static const char *const engines[] = {
        "", "hash_engine = { kind = \"incremental\"; at = \"controller\"; digest_bits = 16; };",
        "hash_engine = { kind = \"full\"; at = \"controller\"; dirty = \"skip\"; };"};
    PfRegistry *registry = laws_registry();
    const PfPolicyOps *ops = pf_registry_find_policy(registry, "collapse");
    GString *list = g_string_new(NULL);
    int64_t lines = 0;
    int64_t collapsed = 0;
    for (const char *const *v = laws_cached_variants; *v != NULL; v++)
        laws_add_policy(list, ops, *v);
    for (unsigned i = 0; i < seeds.count * G_N_ELEMENTS(engines); i++) {
        unsigned seed = seeds.first + i / G_N_ELEMENTS(engines);
        g_autofree char *path = laws_path(directory, seed);
        LawsTrace *trace = laws_trace_write(path, seed, seeds.records);
        PfConfig *config;
        PfSimulation *simulation =
            laws_play_on(registry, path, list->str, "timing = \"full\";",
                         engines[i % G_N_ELEMENTS(engines)], &config, 1);
        for (size_t j = 0; j < pf_simulation_run_count(simulation); j++) {
            LawsPlace place = {.seed = seed, .run = pf_simulation_run_at(simulation, j)};
            laws_compare_run(&place, registry, trace);
            if (!g_str_equal(pf_run_policy(place.run), "collapse"))
                continue;
            lines += laws_figure(place.run, "collapse.lines_written_back");
            collapsed += laws_figure(place.run, "collapse.collapsed");
        }
        pf_simulation_free(simulation);
        pf_config_free(config);
        laws_trace_free(trace);
        g_unlink(path);
    }
    CU_ASSERT(lines > 0 && collapsed > 0);
    g_string_free(list, TRUE);
    pf_registry_free(registry);
}

/* The most frames that `none` needs at a mark of TRACE, and pins of it. */
static uint64_t most_frames(const LawsTrace *trace, uint64_t *ret_pins)
{
    uint64_t most = 0;
    *ret_pins = 0;
    for (unsigned i = 0; i < trace->marks->len; i++) {
        const LawsMark *mark = &g_array_index(trace->marks, LawsMark, i);
        most = MAX(most, mark->baseline_frames);
        *ret_pins = MAX(*ret_pins, mark->pins);
    }
    return most;
}

/* The same policies where memory is too small: some frames are always out. */
static void test_swap(void)
{
    PfRegistry *registry = laws_registry();
    g_autofree char *policies = every_policy(registry);
    int64_t outs = 0;
    int64_t skipped = 0;
    for (unsigned seed = seeds.first; seed < seeds.first + MAX(1, seeds.count / 2); seed++) {
        g_autofree char *path = laws_path(directory, seed);
        LawsTrace *trace = laws_trace_write(path, seed, seeds.records);
        uint64_t pins;
        uint64_t frames = most_frames(trace, &pins);
        frames = MAX(frames / 2, pins + LAWS_ROOM);
        g_autofree char *more = g_strdup_printf(
            "on_full = \"swap\"; memory = %" G_GUINT64_FORMAT "; swap = { queue = 1; }; %s",
            frames * trace->page_bytes, seed % 2 == 0 ? "numa = { nodes = 2; };" : "");
        PfConfig *config;
        PfSimulation *simulation =
            laws_play_on(registry, path, policies, seed % 3 == 0 ? "timing = \"full\";" : "",
                         more, &config, 1);
        for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
            LawsPlace place = {.seed = seed, .run = pf_simulation_run_at(simulation, i)};
            laws_compare_run(&place, registry, trace);
            outs += laws_figure(place.run, "swap.outs");
            skipped += laws_figure(place.run, "swap.writes_skipped");
        }
        if (seed == seeds.first) {
            PfConfig *same;
            PfSimulation *again = laws_play_on(registry, path, policies, "", more, &same, 2);
            compare_runs(seed, simulation, again);
            pf_simulation_free(again);
            pf_config_free(same);
        }
        pf_simulation_free(simulation);
        pf_config_free(config);
        laws_trace_free(trace);
        g_unlink(path);
    }
    CU_ASSERT(outs > 1000 && skipped > 0);
    pf_registry_free(registry);
}

/* A run must not depend on who plays it, nor on what other policies do on machines of their own. */
static void test_independence(void)
{
    PfRegistry *registry = laws_registry();
    g_autofree char *policies = every_policy(registry);
    g_auto(GStrv) single = g_strsplit(policies, ",\n ", -1);
    for (unsigned seed = seeds.first; seed < seeds.first + MAX(1, seeds.count / 3); seed++) {
        g_autofree char *path = laws_path(directory, seed);
        laws_trace_free(laws_trace_write(path, seed, seeds.records));
        PfConfig *config;
        PfSimulation *all = laws_play(registry, path, policies, &config, 1);
        for (unsigned threads = 2; threads <= 4; threads += 2) {
            PfConfig *again;
            PfSimulation *parallel = laws_play(registry, path, policies, &again, threads);
            compare_runs(seed, all, parallel);
            pf_simulation_free(parallel);
            pf_config_free(again);
        }
        for (unsigned i = 0; single[i] != NULL; i++) {
            PfConfig *again;
            PfSimulation *alone = laws_play(registry, path, single[i], &again, 1);
            compare_runs(seed, all, alone);
            pf_simulation_free(alone);
            pf_config_free(again);
        }
        pf_simulation_free(all);
        pf_config_free(config);
        g_unlink(path);
    }
    pf_registry_free(registry);
}

/* Every policy that files anything, with every finder, and without one if it can do that; the label
 * is that of the policy. */
static char *every_finder(const PfRegistry *registry, const char *extra)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        bool is_indexed = (ops->flags & PF_POLICY_INDEXED) != 0;
        g_autofree char *plain = g_strdup_printf("pacing = \"trace\"; %s", extra);
        if (is_indexed)
            laws_add_policy(list, ops, plain);
        for (size_t j = 0; (is_indexed || ops->default_finder != NULL) &&
                           j < pf_registry_finder_count(registry);
             j++) {
            g_autofree char *finder = g_strdup_printf(
                "finder = \"%s\"; pacing = \"trace\"; %s", pf_registry_finder(registry, j)->name,
                extra);
            laws_add_policy(list, ops, finder);
        }
    }
    return g_string_free(list, FALSE);
}

/* Adds up what sharing has done so far, in the order in which the statistics come. */
static void add_sharing(const PfStatInfo *info, PfStatValue value, void *user)
{
    static const char *const names[] = {"policy.scanned", "policy.shared", "policy.broken",
                                        "memory.used_frames", "memory.saved_pages", NULL};
    if (g_strv_contains(names, info->name))
        g_string_append_printf(user, "%s %" G_GINT64_FORMAT "\n", info->name, value.i);
}

/* What RUN has shared at each mark and at the end. */
static char *sharings(const PfRun *run)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < pf_run_mark_count(run); i++)
        pf_run_mark_visit(run, i, add_sharing, text);
    pf_stats_visit(pf_run_stats(run), add_sharing, text);
    return g_string_free(text, FALSE);
}

/* On the same candidates all finders lead to the same sharings, the CAM if it has no limit. */
static void test_finders(void)
{
    static const char *const extras[] = {"", "scope = \"anon\"; place = \"stolen\"; ",
                                         "place = \"controller\"; remap = \"controller\"; ",
                                         "classes = (\"label\", \"color\"); class_runs = false; "};
    PfRegistry *registry = laws_registry();
    int64_t shared = 0;
    for (unsigned i = 0; i < seeds.count * G_N_ELEMENTS(extras); i++) {
        unsigned seed = seeds.first + i / G_N_ELEMENTS(extras);
        g_autofree char *policies = every_finder(registry, extras[i % G_N_ELEMENTS(extras)]);
        g_autofree char *path = laws_path(directory, seed);
        laws_trace_free(laws_trace_write(path, seed, seeds.records));
        PfConfig *config;
        PfSimulation *simulation = laws_play_on(
            registry, path, policies, "", "numa = { nodes = 2; }; cam = \"ideal\"; ", &config, 1);
        const PfRun *first = NULL;
        for (size_t j = 0; j < pf_simulation_run_count(simulation); j++) {
            const PfRun *run = pf_simulation_run_at(simulation, j);
            if (first == NULL || !g_str_equal(pf_run_policy(run), pf_run_policy(first)))
                first = run;
            g_autofree char *found = sharings(run);
            g_autofree char *wanted = sharings(first);
            bool equal = g_str_equal(found, wanted);
            if (!equal)
                show_difference(seed, pf_run_label(run), wanted, found);
            CU_ASSERT_TRUE(equal);
            shared += laws_figure(run, "policy.shared");
        }
        pf_simulation_free(simulation);
        pf_config_free(config);
        g_unlink(path);
    }
    CU_ASSERT(shared > 0);
    pf_registry_free(registry);
}

static const PfCheck checks[] = {
    {"every policy obeys the identities and changes no byte on random traces", test_laws},
    {"policies that follow write-backs obey them with caches", test_write_backs},
    {"every policy obeys them where frames are swapped out", test_swap},
    {"a policy makes the same sharings with every finder", test_finders},
    {"a run does not depend on threads and on other runs", test_independence},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        seeds.first = (unsigned)g_ascii_strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds.count = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
    if (argc > 3)
        seeds.records = (unsigned)g_ascii_strtoull(argv[3], NULL, 10);
    directory = argc > 4 ? g_strdup(argv[4]) : g_dir_make_tmp("pagefold-laws-XXXXXX", NULL);
    int status = pf_check_main("laws", checks, G_N_ELEMENTS(checks));
    g_rmdir(directory);
    g_free(directory);
    return status;
}
