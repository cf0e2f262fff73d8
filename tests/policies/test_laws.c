/* What must hold for every policy of the registry, found by walking it: on random traces that hold
 * every kind of record, with every finder, every place and every scope, against a naive model.
 *
 * `test_laws [FIRST [COUNT [RECORDS]]]` tries other seeds than the usual ones. */
#include "check.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "laws_trace.h"
#include "simulation.h"

/* Seeds of the usual run, and records of each trace. */
enum { SEED_FIRST = 1, SEED_COUNT = 12, RECORD_COUNT = 500 };

static struct {
    unsigned first;
    unsigned count;
    unsigned records;
} seeds = {SEED_FIRST, SEED_COUNT, RECORD_COUNT};

static char *directory;

/* A machine small enough that its checks are quick, whose caches overflow all the time. */
static const char machine[] =
    "machine = { cores = 3;"
    "  tlb = { l1 = { entries = 8; ways = 2; }; l2 = { entries = 16; ways = 4; }; };"
    "  caches = ( { name = \"l1\"; serves = \"all\"; size = \"1KiB\"; ways = 2; latency = 3; },"
    "             { name = \"l2\"; serves = \"all\"; size = \"4KiB\"; ways = 4; latency = 9;"
    "               shared = true; } ); };\n";

static PfRegistry *load_registry(void)
{
    static const char *const plugins[] = {PLUGIN_FIRST_MATCH, PLUGIN_BLOOM};
    PfRegistry *registry = pf_registry_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(plugins); i++) {
        g_autoptr(GError) error = NULL;
        bool loaded = pf_registry_load(registry, plugins[i], &error);
        g_assert_no_error(error);
        g_assert(loaded);
    }
    return registry;
}

/* Adds an element of `policies`; EXTRA are further settings of it. */
static void add_policy(GString *list, const PfPolicyOps *ops, const char *extra)
{
    unsigned number = (unsigned)list->len;
    g_string_append_printf(list, "%s{ name = \"%s\"; label = \"%s_%u\"; %s}",
                           list->len > 0 ? ",\n " : "", ops->name, ops->name, number, extra);
}

/* Every policy in every way that the common parameters allow. */
static char *every_policy(const PfRegistry *registry)
{
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        if (g_str_equal(ops->name, "none"))
            continue; /* comes by itself, once */
        add_policy(list, ops, "");
        add_policy(list, ops, "pacing = \"trace\"; ");
        add_policy(list, ops, "place = \"stolen\"; scope = \"anon\"; ");
        add_policy(list, ops, "scope = \"mergeable\"; pacing = \"trace\"; ");
        if (ops->default_finder == NULL)
            continue;
        add_policy(list, ops, "hash_bits = 2; pacing = \"trace\"; ");
        for (size_t j = 0; j < pf_registry_finder_count(registry); j++) {
            g_autofree char *finder = g_strdup_printf("finder = \"%s\"; scope = \"all\"; ",
                                                      pf_registry_finder(registry, j)->name);
            add_policy(list, ops, finder);
        }
    }
    return g_string_free(list, FALSE);
}

/* Plays the trace at PATH under POLICIES, verified and checked after each range. Rates are raised
 * so that policies come to work in traces of a few hundred records. */
static PfSimulation *play(const PfRegistry *registry, const char *path, const char *policies,
                          PfConfig **ret_config, unsigned threads)
{
    g_autofree char *text = g_strdup_printf("%spolicies = (%s);\ndilation = 1e4;\n"
                                            "output = { epoch = \"5us\"; };\n",
                                            machine, policies);
    g_autoptr(GError) error = NULL;
    *ret_config = pf_config_load_text(text, strlen(text), "laws", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {
        .threads = threads, .verify = true, .paranoid = true, .trace = path};
    PfSimulation *simulation = pf_simulation_new(*ret_config, registry, &options, &error);
    g_assert_no_error(error);
    bool played = pf_simulation_run(simulation, &error);
    if (!played)
        printf("# %s\n", error->message);
    CU_ASSERT_TRUE(played);
    CU_ASSERT_EQUAL(pf_simulation_differences(simulation), 0);
    CU_ASSERT_TRUE(pf_simulation_complete(simulation));
    return simulation;
}

/* Where a comparison stands, for messages. */
typedef struct {
    unsigned seed;
    const PfRun *run;
    size_t mark; /* number of the mark, from 1; the end of the trace is one */
    unsigned wrong;
} Place;

static void expect(Place *place, const char *name, int64_t found, int64_t wanted)
{
    if (found == wanted)
        return;
    if (place->wrong++ < 5)
        printf("# seed %u, %s, mark %zu: %s is %" G_GINT64_FORMAT ", the naive model says "
               "%" G_GINT64_FORMAT "\n",
               place->seed, pf_run_label(place->run), place->mark, name, found, wanted);
}

/* The statistics that laws speak of. */
typedef struct {
    int64_t populated;
    int64_t eligible;
    int64_t baseline;
    int64_t used;
    int64_t saved;
    int64_t saved_page_cycles;
} Levels;

static void read_level(const PfStatInfo *info, PfStatValue value, void *user)
{
    Levels *levels = user;
    const struct {
        const char *name;
        int64_t *target;
    } rows[] = {
        {"memory.populated_pages", &levels->populated},
        {"memory.eligible_pages", &levels->eligible},
        {"memory.baseline_frames", &levels->baseline},
        {"memory.used_frames", &levels->used},
        {"memory.saved_pages", &levels->saved},
        {"memory.saved_page_cycles", &levels->saved_page_cycles},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_equal(info->name, rows[i].name))
            *rows[i].target = value.i;
}

static void compare_levels(Place *place, const PfPolicyOps *ops, const Levels *levels,
                           const LawsMark *mark)
{
    expect(place, "populated", levels->populated, (int64_t)mark->populated_pages);
    expect(place, "baseline", levels->baseline, (int64_t)mark->baseline_frames);
    expect(place, "saved", levels->saved, levels->baseline - levels->used);
    if (g_str_equal(ops->name, "none")) {
        expect(place, "used", levels->used, (int64_t)mark->baseline_frames);
        expect(place, "saved", levels->saved, 0);
        expect(place, "saved_page_cycles", levels->saved_page_cycles, 0);
    }
    if (g_str_equal(ops->name, "none") || g_str_equal(ops->name, "oracle")) {
        const char *scope = pf_run_scope(place->run);
        uint64_t eligible = g_str_equal(scope, "all")    ? mark->populated_pages
                            : g_str_equal(scope, "anon") ? mark->anon_pages
                                                         : mark->mergeable_pages;
        expect(place, "eligible", levels->eligible, (int64_t)eligible);
    }
    if (g_str_equal(ops->name, "oracle"))
        expect(place, "distinct", levels->used, (int64_t)mark->distinct_contents);
    if ((ops->flags & (PF_POLICY_LOSSY | PF_POLICY_COMPRESSING)) == 0 &&
        levels->used < (int64_t)mark->distinct_contents)
        expect(place, "used (at least)", levels->used, (int64_t)mark->distinct_contents);
}

static int64_t figure(const PfRun *run, const char *name)
{
    PfStatValue value;
    bool found = pf_stats_find(pf_run_stats(run), name, &value);
    CU_ASSERT_TRUE(found);
    return value.i;
}

/* Adds up cycles.account.* */
static void add_account(const PfStatInfo *info, PfStatValue value, void *user)
{
    if (g_str_has_prefix(info->name, "cycles.account."))
        *(int64_t *)user += value.i;
}

static void compare_cycles(Place *place, const PfPolicyOps *ops)
{
    int64_t accounts = 0;
    pf_stats_visit(pf_run_stats(place->run), add_account, &accounts);
    int64_t total = figure(place->run, "cycles.total");
    int64_t policy = figure(place->run, "cycles.policy");
    expect(place, "cycles.total, by account", total, accounts);
    expect(place, "cycles.total, by payer", total, figure(place->run, "cycles.app") + policy);
    if (g_str_equal(ops->name, "none"))
        expect(place, "cycles.policy", policy, 0);
}

static void compare_run(Place *place, const PfRegistry *registry, const LawsTrace *trace)
{
    const PfPolicyOps *ops = pf_registry_find_policy(registry, pf_run_policy(place->run));
    CU_ASSERT_EQUAL(pf_run_mark_count(place->run) + 1, trace->marks->len);
    for (size_t i = 0; i < pf_run_mark_count(place->run); i++) {
        Levels levels = {0};
        place->mark = i + 1;
        pf_run_mark_visit(place->run, i, read_level, &levels);
        compare_levels(place, ops, &levels, &g_array_index(trace->marks, LawsMark, i));
    }
    Levels levels = {0};
    place->mark = trace->marks->len;
    pf_stats_visit(pf_run_stats(place->run), read_level, &levels);
    compare_levels(place, ops, &levels,
                   &g_array_index(trace->marks, LawsMark, trace->marks->len - 1));
    compare_cycles(place, ops);
    CU_ASSERT_EQUAL(place->wrong, 0);
}

static char *trace_path(unsigned seed)
{
    return g_strdup_printf("%s/%u.trace", directory, seed);
}

static void test_laws(void)
{
    PfRegistry *registry = load_registry();
    g_autofree char *policies = every_policy(registry);
    for (unsigned seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        g_autofree char *path = trace_path(seed);
        LawsTrace *trace = laws_trace_write(path, seed, seeds.records);
        PfConfig *config;
        printf("# seed %u\n", seed);
        PfSimulation *simulation = play(registry, path, policies, &config, 1);
        for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
            Place place = {.seed = seed, .run = pf_simulation_run_at(simulation, i)};
            compare_run(&place, registry, trace);
        }
        pf_simulation_free(simulation);
        pf_config_free(config);
        laws_trace_free(trace);
        if (seeds.count != 1)
            g_unlink(path);
    }
    pf_registry_free(registry);
}

/* What TEXT played with SETTINGS fails with, at whatever stage; NULL: it does not. Owned. */
static GError *failure_of(const char *text, const char *settings, const int *interrupted)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autofree char *path = NULL;
    GError *error = NULL;
    int fd = g_file_open_tmp("pagefold-limit-XXXXXX", &path, &error);
    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    g_autoptr(PfConfig) config =
        pf_config_load_text(settings, strlen(settings), "limits", NULL, &error);
    g_assert_no_error(error);
    PfSimulationOptions options = {.threads = 1, .trace = path, .interrupted = interrupted};
    g_autoptr(PfSimulation) simulation = pf_simulation_new(config, registry, &options, &error);
    if (simulation != NULL)
        pf_simulation_run(simulation, &error);
    remove(path);
    return error;
}

#define LIMITS_HEAD "pagefold-trace 1\ncontext a process\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n"

static void test_limits(void)
{
    const char *plain = "policies = ( { name = \"esx\"; } );";
    g_autoptr(GError) none = failure_of(LIMITS_HEAD, plain, NULL);
    CU_ASSERT_PTR_NULL(none);
    g_autoptr(GError) small = failure_of(LIMITS_HEAD, "machine = { memory = 4095; };", NULL);
    CU_ASSERT(g_error_matches(small, PF_ERROR, PF_ERROR_CONFIG));
    g_autoptr(GError) enough = failure_of(LIMITS_HEAD, "machine = { memory = 4096; };", NULL);
    CU_ASSERT_PTR_NULL(enough);
    g_autoptr(GError) rows = failure_of(LIMITS_HEAD "time 1s\n",
                                        "output = { epoch = \"1ps\"; };", NULL);
    CU_ASSERT(g_error_matches(rows, PF_ERROR, PF_ERROR_LIMIT));
    /* 2^63 instructions at half a cycle each are 2^62 cycles: one more is too late. */
    g_autoptr(GError) late = failure_of(
        LIMITS_HEAD "run a 9223372036854775808\nrun a 2\nmark \"x\"\n", "output = { epoch = \"5min\"; };", NULL);
    CU_ASSERT(g_error_matches(late, PF_ERROR, PF_ERROR_LIMIT));
    /* Two months of wake-ups, and somebody in a hurry. */
    const int interrupted = 2;
    g_autoptr(GError) stopped = failure_of(LIMITS_HEAD "time 5000000s\n", plain, &interrupted);
    CU_ASSERT(g_error_matches(stopped, PF_ERROR, PF_ERROR_INTERRUPTED));
}

static const PfCheck checks[] = {
    {"every policy obeys the identities and changes no byte on random traces", test_laws},
    {"a run that cannot go on ends with an error, not with the host", test_limits},
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
