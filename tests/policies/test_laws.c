/* What must hold for every policy of the registry, found by walking it: the laws (sim/app/check),
 * on random traces that hold every kind of record, with every finder, every place and every scope.
 *
 * `test_laws [FIRST [COUNT [RECORDS]]]` tries other seeds than the usual ones. */
#include "check.h"

#include <glib/gstdio.h>

#include "laws.h"
#include "laws_check.h"
#include "laws_compare.h"
#include "laws_variants.h"

/* Seeds of the usual run, and records of each trace. */
enum { SEED_FIRST = 1, SEED_COUNT = 4, RECORD_COUNT = 500 };

static struct {
    unsigned first;
    unsigned count;
    unsigned records;
} seeds = {SEED_FIRST, SEED_COUNT, RECORD_COUNT};

static char *directory;

static PfLawsTrial trial_of(const PfRegistry *registry, unsigned seed)
{
    return (PfLawsTrial){.registry = registry,
                         .variants = laws_variants,
                         .settings = "",
                         .directory = directory,
                         .seed = seed,
                         .records = seeds.records};
}

static void begin(PfLawsTrial *trial)
{
    g_autoptr(GError) error = NULL;
    bool begun = pf_laws_trial_begin(trial, &error);
    g_assert_no_error(error);
    g_assert(begun);
}

/* Asserts that LAW, or another name for it, found no PROBLEMS. */
static void assert_holds(bool holds, unsigned seed, const char *law, const GString *problems)
{
    g_auto(GStrv) lines = g_strsplit(problems->str, "\n", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++)
        printf("# seed %u, %s: %s\n", seed, law, *line);
    CU_ASSERT_TRUE(holds);
}

/* Tries the laws NAMES on COUNT seeds. */
static PfLawsTally try_laws(const char *const *names, unsigned count)
{
    PfRegistry *registry = laws_registry();
    PfLawsTally tally = {0};
    for (unsigned seed = seeds.first; seed < seeds.first + MAX(1, count); seed++) {
        PfLawsTrial trial = trial_of(registry, seed);
        trial.tally = tally;
        begin(&trial);
        for (unsigned i = 0; i < pf_laws_count; i++) {
            g_autoptr(GString) problems = g_string_new(NULL);
            if (g_strv_contains(names, pf_laws[i].name))
                assert_holds(pf_laws[i].holds(&trial, problems), seed, pf_laws[i].name, problems);
        }
        for (size_t i = 0;
             trial.play.simulation != NULL && i < pf_simulation_run_count(trial.play.simulation);
             i++)
            CU_ASSERT_TRUE(laws_sums_hold(pf_simulation_run_at(trial.play.simulation, i)));
        tally = trial.tally;
        pf_laws_trial_end(&trial);
    }
    pf_registry_free(registry);
    return tally;
}

static void test_plays(void)
{
    static const char *const names[] = {"plays", "counts", "cycles", "passes", "labels", NULL};
    PfLawsTally tally = try_laws(names, seeds.count);
    CU_ASSERT(tally.scanned > 0 && tally.shared > 0);
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
        pf_laws_add_policy(list, ops, *v);
    for (unsigned i = 0; i < seeds.count * G_N_ELEMENTS(engines); i++) {
        PfLawsTrial trial = trial_of(registry, seeds.first + i / G_N_ELEMENTS(engines));
        g_autoptr(GString) problems = g_string_new(NULL);
        PfLawsPlay play;
        begin(&trial);
        PfLawsHow how = {registry,
                         trial.path,
                         list->str,
                         "timing = \"full\";",
                         engines[i % G_N_ELEMENTS(engines)],
                         1};
        bool holds = pf_laws_play(&how, &play, problems) &&
                     pf_laws_play_holds(&trial, &how, &play, problems);
        assert_holds(holds, trial.seed, "with caches", problems);
        for (size_t j = 0; holds && j < pf_simulation_run_count(play.simulation); j++) {
            const PfRun *run = pf_simulation_run_at(play.simulation, j);
            if (!g_str_equal(pf_run_policy(run), "collapse"))
                continue;
            lines += pf_laws_figure(run, "collapse.lines_written_back");
            collapsed += pf_laws_figure(run, "collapse.collapsed");
        }
        pf_laws_play_clear(&play);
        pf_laws_trial_end(&trial);
    }
    CU_ASSERT(lines > 0 && collapsed > 0);
    g_string_free(list, TRUE);
    pf_registry_free(registry);
}

static void test_swap(void)
{
    static const char *const names[] = {"swap", NULL};
    PfLawsTally tally = try_laws(names, seeds.count / 2);
    CU_ASSERT(tally.swapped_out > 1000 && tally.writes_skipped > 0);
}

static void test_finders(void)
{
    static const char *const names[] = {"finders", NULL};
    CU_ASSERT(try_laws(names, seeds.count).shared > 0);
}

static void test_alone(void)
{
    static const char *const names[] = {"alone", NULL};
    try_laws(names, seeds.count / 3);
}

static const PfCheck checks[] = {
    {"every policy obeys the identities and changes no byte on random traces", test_plays},
    {"policies that follow write-backs obey them with caches", test_write_backs},
    {"every policy obeys them where frames are swapped out", test_swap},
    {"a policy makes the same sharings with every finder", test_finders},
    {"a run does not depend on threads and on other runs", test_alone},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        seeds.first = (unsigned)g_ascii_strtoull(argv[1], NULL, 10);
    if (argc > 2)
        seeds.count = (unsigned)g_ascii_strtoull(argv[2], NULL, 10);
    if (argc > 3)
        seeds.records = (unsigned)g_ascii_strtoull(argv[3], NULL, 10);
    directory = g_dir_make_tmp("pagefold-laws-XXXXXX", NULL);
    int status = pf_check_main("laws", checks, G_N_ELEMENTS(checks));
    g_rmdir(directory);
    g_free(directory);
    return status;
}
