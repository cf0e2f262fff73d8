/* What must hold for every policy of the registry where pages are mapped large: on random traces
 * over a few runs of 512 pages, which are filled, forked, stored to, unmapped and pinned.
 *
 * `test_laws_large [FIRST [COUNT [RECORDS]]]` tries other seeds than the usual ones. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>

#include "laws_compare.h"
#include "laws_levels.h"
#include "laws_check.h"
#include "rng.h"

enum { SEED_FIRST = 1, SEED_COUNT = 5, RECORD_COUNT = 40 };
enum { RUN_PAGES = 512, RUNS = 2, PAGES = RUNS * RUN_PAGES, CONTEXTS = 3, PAGE_BYTES = 64 };

static struct {
    unsigned first;
    unsigned count;
    unsigned records;
} seeds = {SEED_FIRST, SEED_COUNT, RECORD_COUNT};

static char *directory;

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

/* Writes the trace of SEED at PATH. */
static void write_trace(const char *path, unsigned seed, unsigned records)
{
    Maker maker = {.rng = pf_rng_derive(seed, "large laws"), .contexts = 1};
    Range all = {.count = PAGES};
    maker.text = g_string_new("pagefold-trace 1\npage 64\ncontext c0 process\n");
    maker.alive[0] = true;
    add(&maker, "map", &all, " anon huge=32KiB mergeable");
    add(&maker, "fill", &all, " id:5");
    map_range(&maker, &all, true);
    for (unsigned i = 0; i < records; i++)
        make_record(&maker);
    g_string_append(maker.text, "scan pass 2\nmark end\n");
    g_autoptr(GError) error = NULL;
    g_file_set_contents(path, maker.text->str, (gssize)maker.text->len, &error);
    g_assert_no_error(error);
    g_string_free(maker.text, TRUE);
}

/* ---- the laws ---- */

/* Every policy, in a way that SEED chooses. */
static char *every_policy(const PfRegistry *registry, unsigned seed)
{
    static const char *const ways[] = {
        "split_large = \"always\"; place = \"stolen\"; ",
        "split_large = \"pressure\"; split_below = 0.9; ",
        "split_large = \"never\"; place = \"stolen\"; ",
        "split_large = \"always\"; ",
        "remap = \"controller\"; ",
    };
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        g_autofree char *extra = g_strconcat(
            "pacing = \"trace\"; ", ways[(seed + i) % G_N_ELEMENTS(ways)], NULL);
        if (!g_str_equal(ops->name, "none"))
            pf_laws_add_policy(list, ops, extra);
    }
    return g_string_free(list, FALSE);
}

static void check_levels(const PfRun *run, const PfLawsLevels *levels)
{
    CU_ASSERT_EQUAL(levels->saved, levels->baseline - levels->used);
    if (!g_str_equal(pf_run_policy(run), "oracle"))
        CU_ASSERT_EQUAL(levels->reasons, levels->populated);
    /* Whatever is mapped large, copied and joined: the baseline is what `none` uses. */
    if (g_str_equal(pf_run_policy(run), "none"))
        CU_ASSERT_EQUAL(levels->saved, 0);
}

/* The baseline at all marks, as text. */
static char *check_run(const PfRun *run)
{
    GString *baselines = g_string_new(NULL);
    for (size_t i = 0; i < pf_run_mark_count(run); i++) {
        PfLawsLevels levels = {0};
        pf_run_mark_visit(run, i, pf_laws_read_level, &levels);
        check_levels(run, &levels);
        g_string_append_printf(baselines, "%" G_GINT64_FORMAT " ", levels.baseline);
    }
    return g_string_free(baselines, FALSE);
}

/* What large pages did in all runs, so that no law holds because nothing happened. */
typedef struct {
    const char *name;
    int64_t sum;
} Deed;

static char *play_one(const PfRegistry *registry, const char *path, const char *policies,
                      const char *machine, Deed *deeds, unsigned deed_count)
{
    PfConfig *config;
    char *first = NULL;
    PfSimulation *simulation =
        laws_play_on(registry, path, policies, "timing = \"full\";", machine, &config, 1);
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        char *baselines = check_run(run);
        if (first != NULL && !g_str_equal(first, baselines))
            printf("# %s: %s\n# not %s\n", pf_run_label(run), baselines, first);
        if (first == NULL)
            first = g_strdup(baselines);
        CU_ASSERT_STRING_EQUAL(baselines, first);
        g_free(baselines);
        for (unsigned j = 0; j < deed_count; j++)
            deeds[j].sum += pf_laws_figure(run, deeds[j].name);
    }
    pf_simulation_free(simulation);
    pf_config_free(config);
    return first;
}

static void test_laws(void)
{
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
    Deed deeds[] = {{"large.filled", 0}, {"large.joined", 0}, {"large.joined_copied", 0},
                    {"large.splits", 0}, {"large.copies", 0}, {"large.taken_back", 0},
                    {"policy.shared", 0}};
    PfRegistry *registry = laws_registry();
    for (unsigned seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        g_autofree char *path = laws_path(directory, seed);
        g_autofree char *policies = every_policy(registry, seed);
        const char *machine = machines[seed % G_N_ELEMENTS(machines)];
        printf("# seed %u\n", seed);
        write_trace(path, seed, seeds.records);
        char *baselines =
            play_one(registry, path, policies, machine, deeds, G_N_ELEMENTS(deeds));
        if (strstr(machine, "split") != NULL) {
            /* A store copies a page and no more: as with no large pages at all. */
            char *without = play_one(registry, path, "{ name = \"none\"; }",
                                     "large = { pages = \"never\"; };", NULL, 0);
            CU_ASSERT_STRING_EQUAL(baselines, without);
            g_free(without);
        }
        g_free(baselines);
        if (seeds.count != 1)
            g_unlink(path);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(deeds) && seeds.count >= SEED_COUNT; i++) {
        if (deeds[i].sum == 0)
            printf("# %s is 0\n", deeds[i].name);
        CU_ASSERT_TRUE(deeds[i].sum > 0);
    }
    pf_registry_free(registry);
}

static const PfCheck checks[] = {
    {"every policy obeys the identities where pages are mapped large", test_laws},
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
    int status = pf_check_main("laws_large", checks, G_N_ELEMENTS(checks));
    g_rmdir(directory);
    g_free(directory);
    return status;
}
