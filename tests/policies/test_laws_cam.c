/* Random traces that hold every kind of record, under the policies that take a CAM, with CAMs of
 * every make: no byte changes, nothing that is checked is wrong, and where nothing falls out of a
 * CAM it makes the sharings that a table makes. */
#include "check.h"

#include <glib/gstdio.h>
#include <string.h>

#include "laws_check.h"
#include "laws_trace.h"

enum { SEED_FIRST = 1, SEED_COUNT = 4, RECORD_COUNT = 500 };

#define FIGURES                                                                                    \
    "latency = 2; cycle = 1; search_nJ = 1.0; write_nJ = 1.0; leakage_mW = 1.0; "                  \
    "area_mm2 = 1.0; "
#define NODES(count) "numa = { nodes = " count "; }; "

static const struct {
    const char *machine;
    bool is_roomy; /* nothing falls out */
} makes[] = {
    {"cam = \"ideal\"; ", true},
    {"cam = { banks = 16; pipelined = false; at = \"core\"; ports = 2; }; ", true},
    {"cam = { ways = 4; }; ", false},
    {"cam = { stores = \"page\"; priority = \"newest\"; }; ", true},
    {NODES("3") "cam = { scope = \"hashed\"; priority = \"newest\"; }; ", true},
    {NODES("2") "cam = { scope = \"replicated\"; stores = \"page\"; }; ", true},
    {NODES("3") "cam = { scope = \"node\"; }; ", false},
    {"cam = { priority = \"lowest\"; key_bits = 8; }; ", false},
    {"cam = { entries = 16; " FIGURES "behind = \"none\"; }; ", false},
    {"cam = { entries = 16; " FIGURES "replacement = \"fifo\"; priority = \"oldest\"; }; ", false},
    {"cam = { entries = 16; " FIGURES "replacement = \"refuse\"; banks = 2; ways = 1; }; ", false},
    {NODES("2") "cam = { entries = 16; " FIGURES "replacement = \"random\"; stale = \"delete\"; "
                "scope = \"node\"; stores = \"page\"; }; ",
     false},
    {NODES("2") "cam = { entries = 16; " FIGURES "stale = \"dirty-bit\"; behind = \"none\"; "
                "scope = \"hashed\"; stores = \"page\"; key_bits = 8; }; ",
     false},
    {NODES("3") "cam = { entries = 16; " FIGURES "stale = \"delete\"; scope = \"replicated\"; }; ",
     false},
};

/* Each of them with a table, and then with a CAM. */
static char *policies_of(const PfRegistry *registry)
{
    static const char *const settings[][2] = {
        {"esx", "pacing = \"trace\"; candidates = \"sequential\"; "},
        {"esx", "rate = 100000; salting = \"context\"; place = \"stolen\"; "},
        {"esx", "marking = \"cow\"; pacing = \"trace\"; place = \"controller\"; "},
        {"ksm", "pacing = \"trace\"; scope = \"anon\"; max_page_sharing = 3; "},
        {"ksm", "merge_across_nodes = false; scope = \"all\"; "},
        {"collapse", ""},
        {"collapse", "when = \"idle\"; pacing = \"trace\"; scope = \"anon\"; "},
    };
    GString *list = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(settings); i++)
        for (unsigned j = 0; j < 2; j++) {
            g_autofree char *extra =
                g_strdup_printf("finder = \"%s\"; %s", j == 0 ? "table" : "cam", settings[i][1]);
            pf_laws_add_policy(list, pf_registry_find_policy(registry, settings[i][0]), extra);
        }
    return g_string_free(list, FALSE);
}

static int64_t figure(const PfRun *run, const char *name)
{
    PfStatValue value;
    bool found = pf_stats_find(pf_run_stats(run), name, &value);
    g_assert(found);
    return value.i;
}

/* Policies whose looks come at the same records whatever they cost, and which share the same
 * whatever of equal frames the finder names first (collapse: only if that is the one a table
 * names). */
static bool is_comparable(unsigned pair, const char *machine)
{
    bool as_table = strstr(machine, "newest") != NULL || strstr(machine, "ideal") != NULL;
    return pair == 0 || pair == 2 || pair == 3 || (pair >= 5 && as_table);
}

/* How many searches there were. */
static int64_t play(const PfRegistry *registry, const char *path, unsigned make)
{
    g_autofree char *policies = policies_of(registry);
    int64_t searches = 0;
    PfConfig *config;
    PfSimulation *simulation =
        laws_play_on(registry, path, policies, "", makes[make].machine, &config, 1);
    size_t pairs = pf_simulation_run_count(simulation) / 2;
    for (unsigned i = 0; i < pairs; i++) {
        const PfRun *table = pf_simulation_run_at(simulation, 2 * i);
        const PfRun *cam = pf_simulation_run_at(simulation, 2 * i + 1);
        searches += figure(cam, "cam.searches");
        CU_ASSERT_EQUAL(figure(table, "cam.searches"), 0);
        CU_ASSERT(!makes[make].is_roomy || figure(cam, "cam.evictions") == 0);
        if (!makes[make].is_roomy || !is_comparable(i, makes[make].machine))
            continue;
        CU_ASSERT_EQUAL(figure(cam, "policy.shared"), figure(table, "policy.shared"));
        CU_ASSERT_EQUAL(figure(cam, "memory.used_frames"), figure(table, "memory.used_frames"));
    }
    pf_simulation_free(simulation);
    pf_config_free(config);
    return searches;
}

static void cams_of_every_make_change_no_byte(void)
{
    PfRegistry *registry = laws_registry();
    int64_t searches = 0;
    g_autofree char *directory = g_dir_make_tmp("pagefold-laws-XXXXXX", NULL);
    for (unsigned seed = SEED_FIRST; seed < SEED_FIRST + SEED_COUNT; seed++) {
        g_autofree char *path = laws_path(directory, seed);
        pf_laws_trace_free(pf_laws_trace_write(path, seed, RECORD_COUNT, NULL));
        for (unsigned i = 0; i < G_N_ELEMENTS(makes); i++)
            searches += play(registry, path, i);
        g_unlink(path);
    }
    CU_ASSERT(searches > 1000);
    g_rmdir(directory);
    pf_registry_free(registry);
}

static const PfCheck checks[] = {
    {"CAMs of every make change no byte, and roomy ones share what a table does",
     cams_of_every_make_change_no_byte},
};

PF_CHECK_MAIN("laws of CAMs", checks)
