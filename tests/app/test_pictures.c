/* Every figure of the registry, drawn from results of the program itself and of sweeps. */
#include <math.h>
#include <string.h>

#include "archive.h"
#include "check.h"
#include "csv.h"
#include "error.h"
#include "figures.h"
#include "saved.h"
#include "spawn.h"

/* ---- Results to draw from ---- */

/* Four contexts on two nodes with equal pages; each round they are scanned, read, and written. */
static char *make_trace(void)
{
    static const char *const names[] = {"web", "db", "job", "mail"};
    GString *text = g_string_new("pagefold-trace 1\nclock 1GHz\ngrain access\n");
    for (unsigned i = 0; i < 4; i++)
        g_string_append_printf(text, "context %s process core=%u\nmap %s 0x0 8 anon mergeable\n",
                               names[i], i, names[i]);
    for (unsigned i = 0; i < 4; i++)
        g_string_append_printf(text, "fill %s 0x0 4 id:1 step=1\nfill %s 0x4000 4 id:%u step=1\n",
                               names[i], names[i], 10 + 10 * (i / 2));
    for (unsigned round = 1; round <= 3; round++) {
        g_string_append_printf(text, "scan pass 2\ntime %ums\n", round);
        for (unsigned i = 0; i < 4; i++) {
            g_string_append_printf(text, "begin %s \"request\"\n", names[i]);
            for (unsigned line = 0; line < 512; line += 7)
                g_string_append_printf(text, "read %s %#x 8\n", names[i], line * 64);
            g_string_append_printf(text, "write %s 0x1000 4 hex:%02x%02x0000\nend %s \"request\"\n",
                                   names[i], round, i, names[i]);
        }
    }
    return g_string_free(text, FALSE);
}

static const char config[] =
    "extends = \"energy-45nm\";\n"
    "trace = \"a.trace\";\n"
    "machine = { cores = 4; core = { leakage_mW = 500.0; };\n"
    "  caches = ( { name = \"l1\"; size = \"8KiB\"; ways = 4; read_pJ = 10.0; write_pJ = 10.0;\n"
    "               leakage_mW = 5.0; } );\n"
    "  numa = { nodes = 2; cores = (2, 2); memory = (\"1MiB\", \"1MiB\"); }; };\n"
    "output = { epoch = \"500us\"; events = true; };\n"
    "policies = ( { name = \"none\"; }, { name = \"oracle\"; },\n"
    "  { name = \"brute\"; label = \"brute, 50 %'s\"; pacing = \"trace\"; },\n"
    "  { name = \"esx\"; pacing = \"trace\"; finder = \"cam\"; } );\n";

/* No bytes are accessed, nothing is shared. */
static const char plain_config[] = "trace = \"b.trace\";\npolicies = ( { name = \"none\"; } );\n";
static const char plain_trace[] = "pagefold-trace 1\ngrain page\ncontext a process\n"
                                  "map a 0x0 1 anon\ntime 1ms\n";

/* Two finders at two costs. */
static const char costs_config[] =
    "trace = \"a.trace\";\n"
    "policies = ( { name = \"oracle\"; }, { name = \"esx\"; } );\n"
    "sweep = { axes = (\n"
    "  { keys = (\"note\", \"policies.esx.finder\");\n"
    "    values = ((\"a\", \"table\"), (\"b\", \"cam\")); },\n"
    "  { key = \"machine.costs\"; each = \"costs.card\"; },\n"
    "  { key = \"policies.esx.rate\"; values = (100000); } ); };\n";

/* As a sweep tells its results: a table for each kind of axis. */
static const struct {
    const char *folder;
    const char *results;
} sweeps[] = {
    {"cam", "machine.cam.entries,point,policy,n,memory.net_saved_bytes,cycles.policy,cam.energy_J\n"
            "64,0,none,1,0,0,0.0\n64,0,ksm,1,1048576,9000,1e-06\n"
            "1024,1,none,1,0,0,0.0\n1024,1,ksm,1,4194304,4000,2e-05\n"},
    {"trace", "trace,point,policy,n,slowdown,slowdown:sd,slowdown:ci95\n"
              "../a.pft,0,none,3,1.0,0.0,0.0\n../a.pft,0,ksm,3,1.02,0.001,0.002\n"
              "b.pft,1,none,3,1.0,0.0,0.0\nb.pft,1,ksm,3,1.08,0.001,0.002\n"},
    {"memory", "machine.memory,trace,point,policy,n,cycles.app,cycles.stolen,trace.contexts\n"
               "67108864,2.cfg,0,none,1,110,0,2\n67108864,2.cfg,0,ksm,1,100,4,2\n"
               "67108864,4.cfg,1,none,1,900,0,4\n67108864,4.cfg,1,ksm,1,250,4,4\n"
               "134217728,2.cfg,2,none,1,100,0,2\n134217728,2.cfg,2,ksm,1,100,4,2\n"
               "134217728,4.cfg,3,none,1,230,0,4\n134217728,4.cfg,3,ksm,1,200,4,4\n"},
};

/* Where figures are drawn from; `plain` lacks most of what they need. */
static const char *const folders[] = {"run",   "cam",       "trace", "memory",
                                      "costs", "potential", "plain"};

static char *make_place(void)
{
    char *place = g_dir_make_tmp("pagefold-pictures-XXXXXX", NULL);
    g_autofree char *trace = make_trace();
    spawn_write(place, "a.trace", trace);
    spawn_write(place, "b.trace", plain_trace);
    spawn_write(place, "a.cfg", config);
    spawn_write(place, "b.cfg", plain_config);
    g_auto(Spawned) run = spawn(place, "run", "a.cfg", "-o", "run");
    g_auto(Spawned) plain = spawn(place, "run", "b.cfg", "-o", "plain");
    g_auto(Spawned) potential = spawn(place, "potential", "a.trace", "-o", "potential");
    spawn_write(place, "costs.card", "machine = { costs = { read_page = 1; }; };\n");
    spawn_write(place, "c.cfg", costs_config);
    g_auto(Spawned) costs = spawn(place, "sweep", "run", "c.cfg", "-o", "costs");
    CU_ASSERT_EQUAL_FATAL(costs.status, 0);
    CU_ASSERT_EQUAL_FATAL(run.status, 0);
    CU_ASSERT_EQUAL_FATAL(plain.status, 0);
    CU_ASSERT_EQUAL_FATAL(potential.status, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(sweeps); i++) {
        g_autofree char *folder = g_build_filename(place, sweeps[i].folder, NULL);
        g_assert_true(g_mkdir_with_parents(folder, 0777) == 0);
        spawn_write(folder, "results.csv", sweeps[i].results);
    }
    return place;
}

static bool has_gnuplot(void)
{
    g_autofree char *program = g_find_program_in_path("gnuplot");
    if (program == NULL)
        pf_check_skip("gnuplot is not installed (package gnuplot-nox)");
    return program != NULL;
}

static char *read_plot(const char *folder, const PfFigure *figure, const char *ending)
{
    g_autofree char *name = g_strdup_printf("plots/%s.%s", figure->name, ending);
    return spawn_read(folder, name);
}

/* ---- Tests ---- */

/* Draws FIGURE from FOLDER; data and script are the same once more. False if it cannot be drawn
 * from it. */
static bool draw_and_compare(const PfFigure *figure, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) data = g_string_new(NULL);
    g_autoptr(GString) script = g_string_new(NULL);
    if (!pf_figure_draw(figure, folder, PF_TERMINAL_SVG, NULL, &error)) {
        /* One line that says what is missing, or what to set. */
        CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG) ||
                  g_error_matches(error, PF_ERROR, PF_ERROR_TRACE));
        CU_ASSERT_PTR_NULL(strchr(error->message, '\n'));
        return false;
    }
    CU_ASSERT(pf_figure_prepare(figure, folder, PF_TERMINAL_SVG, data, script, NULL));
    g_autofree char *drawn_data = read_plot(folder, figure, "csv");
    g_autofree char *drawn_script = read_plot(folder, figure, "gp");
    g_autofree char *picture = read_plot(folder, figure, "svg");
    CU_ASSERT_STRING_EQUAL(data->str, drawn_data);
    CU_ASSERT_STRING_EQUAL(script->str, drawn_script);
    CU_ASSERT(picture != NULL && strstr(picture, "</svg>") != NULL);
    CU_ASSERT_PTR_NULL(strstr(script->str, folder));
    return true;
}

/* Data of the figure NAME of FOLDER. Free with g_free. */
static char *prepare(const char *name, const char *folder)
{
    g_autoptr(GString) script = g_string_new(NULL);
    GString *data = g_string_new(NULL);
    CU_ASSERT(
        pf_figure_prepare(pf_figure_find(name, NULL), folder, PF_TERMINAL_SVG, data, script, NULL));
    return g_string_free(data, FALSE);
}

/* Runs COMMAND in the shell in FOLDER with gnuplot, tar and what else there is; its exit status. */
static int shell(const char *folder, const char *command)
{
    g_autofree char *whole = g_strdup_printf("cd '%s' && %s", folder, command);
    char shell_name[] = "sh";
    char option[] = "-c";
    char *arguments[] = {shell_name, option, whole, NULL};
    int status = 0;
    g_assert_true(g_spawn_sync(NULL, arguments, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, NULL));
    return status;
}

static void all_drawn(void)
{
    if (!has_gnuplot())
        return;
    char *place = make_place();
    for (size_t i = 0; i < pf_figure_count(); i++) {
        const PfFigure *figure = pf_figure_at(i);
        bool drawn = false;
        for (size_t f = 0; f < G_N_ELEMENTS(folders); f++) {
            g_autofree char *folder = g_build_filename(place, folders[f], NULL);
            drawn = (!drawn && draw_and_compare(figure, folder)) || drawn;
        }
        if (!drawn)
            fprintf(stderr, "# %s is drawn from nothing\n", figure->name);
        CU_ASSERT(drawn);
    }
    /* Whoever has the folder needs gnuplot alone. */
    CU_ASSERT_EQUAL(shell(place, "cd run/plots && for s in *.gp; do n=${s%.gp}.svg && mv $n was &&"
                                 " LC_ALL=de_DE.UTF-8 gnuplot $s && cmp was $n || exit 1; done"),
                    0);
    spawn_clear_place(place);
}

/* The sum of column VALUE of the rows of CSV of which the column ROW is NAME. */
static double sum_of(const PfCsv *csv, const char *name, int value)
{
    double sum = 0.0;
    for (guint i = 0; i < csv->rows->len; i++)
        if (strcmp(pf_csv_text(csv, i, 0), name) == 0)
            sum += pf_csv_number(csv, i, value);
    return sum;
}

static void data_agree(void)
{
    /* What the parts of a policy's bar add up to. */
    static const struct {
        const char *figure;
        const char *stats[4];
    } sums[] = {
        {"cycles", {"cycles.total"}},
        {"energy", {"energy.total_J"}},
        {"reasons", {"memory.populated_pages"}},
        {"multiplicity", {"memory.populated_pages"}},
        {"pareto", {NULL}}, /* one number, of MiB: below */
        {"misses", {"cache.l1.misses_demand", "cache.l1.misses_walker", "cache.l1.misses_policy"}},
        {"numa", {"numa.lines_0_0", "numa.lines_0_1", "numa.lines_1_0", "numa.lines_1_1"}},
    };
    static const char policy[] = "brute, 50 %'s";
    char *place = make_place();
    g_autofree char *folder = g_build_filename(place, "run", NULL);
    g_autoptr(PfSaved) saved = pf_saved_load(folder, NULL);
    CU_ASSERT_FATAL(saved != NULL);
    const PfSavedRun *run = pf_saved_find_run(saved, policy);
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
        g_autofree char *text = prepare(sums[i].figure, folder);
        g_autofree char *path = g_build_filename(place, "data.csv", NULL);
        spawn_write(place, "data.csv", text);
        g_autoptr(PfCsv) csv = pf_csv_load(path, NULL);
        CU_ASSERT_FATAL(csv != NULL);
        double expected = 0.0;
        for (size_t s = 0; s < 4 && sums[i].stats[s] != NULL; s++)
            expected += pf_saved_find(run, sums[i].stats[s])->number;
        if (sums[i].stats[0] == NULL)
            expected = pf_saved_find(run, "memory.net_saved_bytes")->number / 1048576.0;
        int value = strcmp(sums[i].figure, "numa") == 0 ? 3 : 2;
        CU_ASSERT(expected > 0.0);
        CU_ASSERT_DOUBLE_EQUAL(sum_of(csv, policy, value), expected, 1e-9 * expected);
    }
    spawn_clear_place(place);
}

/* See the sweeps `cam` and `memory`. */
static void front_by_hand(void)
{
    char *place = make_place();
    g_autofree char *cam = g_build_filename(place, "cam", NULL);
    g_autofree char *data = prepare("frontiers", cam);
    CU_ASSERT_STRING_EQUAL(data, "policy,policy_cycles,net_saved_MiB\nnone,0,0\nnone,0,0\n"
                                 "ksm,4000,4\nksm,9000,1\nPareto front,4000,4\n");
    g_autofree char *memory = g_build_filename(place, "memory", NULL);
    /* Of four contexts 204 cycles are the least: 900 are 22.7 % of that speed and 230 are 88.7 %;
     * of two 100 are the least, and 110 are 10 % slower. 104 are 4 %, which passes. */
    g_autofree char *contexts = prepare("capacity", memory);
    CU_ASSERT_PTR_NOT_NULL(strstr(contexts, ",none,64,0\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(contexts, ",none,128,2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(contexts, ",ksm,64,2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(contexts, ",ksm,128,4\n"));
    spawn_clear_place(place);
}

/* Each figure of the sources cut off at many places: drawn, or refused in a line; gnuplot, which
 * takes long, is not found. */
static void damage_survived(void)
{
    static const char *const sources[] = {"stats.json", "epochs.csv", "distributions.csv",
                                          "events.csv", "results.csv"};
    char *place = make_place();
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_setenv("PATH", "/nonexistent", TRUE);
    for (size_t s = 0; s < G_N_ELEMENTS(sources); s++) {
        const char *folder_name = s < 4 ? "run" : "memory";
        g_autofree char *folder = g_build_filename(place, folder_name, NULL);
        g_autofree char *whole = spawn_read(folder, sources[s]);
        size_t length = strlen(whole);
        for (unsigned cut = 0; cut < 5; cut++) {
            g_autofree char *part = g_strndup(whole, length * cut / 5);
            spawn_write(folder, sources[s], part);
            for (size_t i = 0; i < pf_figure_count(); i++) {
                g_autoptr(GError) error = NULL;
                CU_ASSERT(!pf_figure_draw(pf_figure_at(i), folder, PF_TERMINAL_SVG, NULL, &error));
                CU_ASSERT(error != NULL && strchr(error->message, '\n') == NULL);
            }
        }
        spawn_write(folder, sources[s], whole);
    }
    g_setenv("PATH", path, TRUE);
    spawn_clear_place(place);
}

/* The folder `potential` has a figure, which is drawn as it is now. */
static void bundles_redrawn(void)
{
    if (!has_gnuplot())
        return;
    char *place = make_place();
    g_autofree char *folder = g_build_filename(place, "run", NULL);
    const PfFigure *figure = pf_figure_find("pareto", NULL);
    CU_ASSERT(pf_figure_draw(figure, folder, PF_TERMINAL_SVG, NULL, NULL));
    g_auto(Spawned) first = spawn(place, "bundle", "run/");
    g_auto(Spawned) again = spawn(place, "bundle", "run", "-o", "again.tar.gz");
    g_auto(Spawned) potential = spawn(place, "bundle", "potential");
    g_auto(Spawned) nothing = spawn(place, "bundle", ".");
    CU_ASSERT_EQUAL(first.status, 0);
    CU_ASSERT_EQUAL(again.status, 0);
    CU_ASSERT_EQUAL(potential.status, 0);
    CU_ASSERT_EQUAL(nothing.status, 2);
    CU_ASSERT_EQUAL(shell(place, "cmp run.tar.gz again.tar.gz"), 0);
    CU_ASSERT_EQUAL(shell(place, "tar xzf run.tar.gz && pagefold-bundle/redraw.sh"), 0);
    /* By the name that the folder has outside; and never onto what is packed. */
    CU_ASSERT_EQUAL(shell(place, "rm run.tar.gz"), 0);
    g_auto(Spawned) within = spawn(folder, "bundle", ".");
    CU_ASSERT_EQUAL(within.status, 0);
    CU_ASSERT_EQUAL(shell(place, "cmp run.tar.gz again.tar.gz"), 0);
    g_auto(Spawned) onto = spawn(place, "bundle", "run", "-o", "run/manifest.json");
    CU_ASSERT_EQUAL(onto.status, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(onto.err, "is in run, which is packed"));
    g_autofree char *savings = spawn_read(place, "pagefold-bundle/plots/savings.svg");
    CU_ASSERT(savings != NULL && strstr(savings, "</svg>") != NULL);
    /* Of the manifest only what is the same on any host; the rest as it was. */
    g_autofree char *manifest = spawn_read(place, "pagefold-bundle/manifest.json");
    CU_ASSERT(manifest != NULL && strstr(manifest, "\"digests\"") != NULL);
    CU_ASSERT_PTR_NULL(strstr(manifest, "\"host\""));
    CU_ASSERT_EQUAL(shell(place, "cmp run/stats.csv pagefold-bundle/stats.csv"), 0);
    CU_ASSERT_EQUAL(shell(place, "cmp run/config.cfg pagefold-bundle/config.cfg"), 0);
    CU_ASSERT_EQUAL(shell(place, "cmp run/plots/pareto.svg pagefold-bundle/plots/pareto.svg"), 0);
    /* Every script that is packed has drawn. */
    CU_ASSERT_EQUAL(shell(place, "cd pagefold-bundle/plots && "
                                 "for s in *.gp; do test -s ${s%.gp}.svg || exit 1; done"),
                    0);
    spawn_clear_place(place);
}

/* A name has 100 bytes; a longer one is cut at a slash into a prefix of at most 155. */
static void archive_names(void)
{
    static const char *const parts[] = {"", "d/", NULL};
    for (size_t i = 0; parts[i] != NULL; i++)
        for (size_t length = 100; length <= 101; length++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *last = g_strnfill(length, 'n');
            g_autofree char *name = g_strconcat(parts[i], last, NULL);
            g_autoptr(PfArchive) archive = pf_archive_open("/dev/null", NULL);
            CU_ASSERT_EQUAL(pf_archive_add(archive, name, false, "x", 1, &error), length == 100);
            CU_ASSERT_EQUAL(g_error_matches(error, PF_ERROR, PF_ERROR_LIMIT), length == 101);
        }
}

static const PfCheck checks[] = {
    {"each figure is drawn from some results, each time the same, by gnuplot alone, too, and says "
     "what others lack",
     all_drawn},
    {"what is drawn of a policy adds up to its statistics", data_agree},
    {"fronts and contexts that fit are as counted by hand", front_by_hand},
    {"a bundle has the same bytes each time, and its script draws all figures", bundles_redrawn},
    {"names that an archive cannot hold are refused", archive_names},
    {"results that end anywhere are drawn or refused in a line", damage_survived},
};

PF_CHECK_MAIN("pictures", checks)
