/* The command line of the program: what it refuses and how, help, lists, configurations. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "spawn.h"

static void expect_error(const Spawned *spawned, int status, const char *told)
{
    CU_ASSERT_EQUAL(spawned->status, status);
    CU_ASSERT_STRING_EQUAL(spawned->out, "");
    CU_ASSERT(g_str_has_prefix(spawned->err, "pagefold: error: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(spawned->err, told));
    if (strstr(spawned->err, told) == NULL)
        printf("# %s# is not about: %s\n", spawned->err, told);
}

static void usage_errors(void)
{
    static const struct {
        const char *words[8];
        const char *told;
    } cases[] = {
        {{NULL}, "no command"},
        {{"rnu", "x.cfg", NULL}, "rnu: unknown command; did you mean run?"},
        {{"elephant", NULL}, "elephant: unknown command; `pagefold --help` lists them"},
        {{"sweep", NULL}, "see `pagefold sweep --help`"},
        {{"sweep", "rnu", "x.cfg", NULL}, "did you mean sweep run?"},
        {{"trace", NULL}, "see `pagefold trace --help`"},
        {{"trace", "inof", "x", NULL}, "trace inof: unknown command; did you mean trace info?"},
        {{"--bogus", NULL}, "--bogus"},
        {{"run", NULL}, "an argument is missing"},
        {{"run", "a.cfg", "b.cfg", NULL}, "too many arguments"},
        {{"run", "a.cfg", "--polcy", "ksm", NULL}, "--polcy; did you mean --policy?"},
        {{"run", "a.cfg", "--format", "xml", NULL}, "--format xml: must be"},
        {{"run", "a.cfg", "-j", "-1", NULL}, "-j -1: must be"},
        {{"run", "a.cfg", "--stop-after", "-1", NULL}, "--stop-after -1: must not"},
        {{"run", "a.cfg", "-o", "", NULL}, "-o: a name is missing"},
        {{"run", "a.cfg", "--policy", "", NULL}, "--policy: a name is missing"},
        {{"run", "a.cfg", "--color", "blue", NULL}, "--color blue: must be"},
        {{"--color=blue", "run", "a.cfg", NULL}, "--color blue: must be"},
        {{"compare", "a", NULL}, "an argument is missing"},
        {{"compare", "a", "b", "--check", "x", NULL}, "--check x: must be a percentage"},
        {{"plot", "a", "--term", "pdf", NULL}, "--term pdf: must be svg, png or dumb"},
        {{"plot", "a", "--figure", "cycle", NULL}, "cycle: no such figure; did you mean cycles?"},
        {{"list", "polices", NULL}, "list polices: unknown; did you mean policies?"},
        {{"trace", "binary", "x.trace", NULL}, "-o FILE is missing"},
        {{"trace", "info", "x", "--format", "csv", NULL}, "--format csv: it is table or json"},
        {{"trace", "cut", "x", NULL}, "-o FILE is missing"},
        {{"trace", "cut", "-o", "y", "x", "--from=end", NULL}, "--from end: must be mark:LABEL"},
        {{"trace", "cut", "--output=y", "x", "--from=2", "--to=2", NULL}, "--to 2: must be behind"},
        {{"trace", "mix", "x", NULL}, "-o FILE is missing"},
        {{"trace", "mix", "--output=y", "x", "--offset=5", NULL}, "--offset 5: must be a time"},
        {{"trace", "mix", "--output=y", "x", "--prefix=a", "--prefix=b", NULL}, "--prefix: more"},
        {{"trace", "mix", "--output=y", "-", NULL}, "-: is no file, and traces"},
        {{"trace", "mix", "--output=y", "/dev/null", NULL}, "/dev/null: is no file, and"},
        {{"trace", "snapshot", "1", NULL}, "-o FILE is missing"},
        {{"trace", "snapshot", "-o", "x", "me", NULL}, "me: must be the number of a process"},
        {{"trace", "snapshot", "-o", "x", NULL}, "no process to look at"},
        {{"config", "explain", "no.such.key", NULL}, "no.such.key: no such key"},
        {{"config", "explain", "policies.esx.ratee", NULL}, "did you mean"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Spawned) spawned = spawn_program("/", cases[i].words);
        expect_error(&spawned, 2, cases[i].told);
    }
}

static void configuration_errors(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "bad.cfg", "policies = ( { name = \"ksm\"; ratte = 5; } );\nsede = 2;\n");
    g_auto(Spawned) bad = spawn(place, "config", "check", "bad.cfg");
    expect_error(&bad, 2, "bad.cfg:1");
    CU_ASSERT_PTR_NOT_NULL(strstr(bad.err, "pagefold: error: bad.cfg:2"));
    g_auto(Spawned) missing = spawn(place, "run", "no.cfg");
    expect_error(&missing, 2, "no.cfg");
    spawn_write(place, "a.trace", "pagefold-trace 1\ncontext a vm\n");
    g_auto(Spawned) trace = spawn(place, "run", "a.trace");
    expect_error(&trace, 2, "a.trace: is a trace, no configuration; `pagefold run ");
    g_auto(Spawned) range = spawn(place, "run", "demo.cfg", "-s", "policies.ksm.rate=1001");
    expect_error(&range, 2, "rate");
    g_auto(Spawned) seed = spawn(place, "run", "demo.cfg", "--seed", "x");
    expect_error(&seed, 2, "--seed x: must be a whole number");
    g_auto(Spawned) epoch = spawn(place, "run", "demo.cfg", "--epoch", "5lightyears");
    expect_error(&epoch, 2, "--epoch 5lightyears");
    g_auto(Spawned) form = spawn(place, "run", "demo.cfg", "--policy", "ksm", "--format", "esx");
    expect_error(&form, 2, "--format esx: tells of policy esx");
    g_auto(Spawned) policy = spawn(place, "run", "demo.cfg", "--policy", "nonne");
    expect_error(&policy, 2, "--policy nonne: no such policy; did you mean none?");
    g_auto(Spawned) plugin = spawn(place, "run", "demo.cfg", "--plugin", "no.so");
    expect_error(&plugin, 2, "no.so");
    spawn_clear_place(place);
}

static void input_errors(void)
{
    g_auto(Spawned) plot = spawn("/", "plot", "/nonexistent");
    expect_error(&plot, 3, "/nonexistent/stats.json: is not there; `pagefold run CONFIG -o DIR`");
    g_auto(Spawned) compare = spawn("/", "compare", "/nonexistent", "/nonexistent");
    expect_error(&compare, 3, "/nonexistent/stats.json");
}

static void help_and_version(void)
{
    g_auto(Spawned) version = spawn("/", "--version");
    CU_ASSERT_EQUAL(version.status, 0);
    CU_ASSERT(g_str_has_prefix(version.out, "pagefold "));
    static const char *const commands[][4] = {
        {"--help", NULL},
        {"run", "--help", NULL},
        {"compare", "-h", NULL},
        {"plot", "--help", NULL},
        {"potential", "--help", NULL},
        {"list", "--help", NULL},
        {"trace", "--help", NULL},
        {"trace", "snapshot", "--help", NULL},
        {"trace", "info", "--help", NULL},
        {"config", "--help", NULL},
        {"config", "explain", "--help", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_auto(Spawned) help = spawn_program("/", commands[i]);
        CU_ASSERT_EQUAL(help.status, 0);
        CU_ASSERT(g_str_has_prefix(help.out, "Examples:\n  pagefold "));
        CU_ASSERT_STRING_EQUAL(help.err, "");
        g_auto(GStrv) lines = g_strsplit(help.out, "\n", -1);
        for (char **line = lines; *line != NULL; line++)
            CU_ASSERT(strlen(*line) <= 100);
    }
}

static void colors(void)
{
    g_auto(Spawned) plain = spawn("/", "nothing");
    g_auto(Spawned) color = spawn("/", "--color=always", "nothing");
    CU_ASSERT_PTR_NULL(strchr(plain.err, '\033'));
    CU_ASSERT(g_str_has_prefix(color.err, "pagefold: \033[1;31merror:\033[0m nothing"));
}

static void lists(void)
{
    g_auto(Spawned) stats = spawn("/", "list", "stats");
    CU_ASSERT_EQUAL(stats.status, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(stats.out, "memory.saved_pages                   pages       "
                                             "baseline less used\n"));
    g_auto(Spawned) figures = spawn("/", "list", "figures");
    CU_ASSERT_PTR_NOT_NULL(strstr(figures.out, "savings "));
    CU_ASSERT_PTR_NOT_NULL(strstr(figures.out, "cycles "));
    g_auto(Spawned) presets = spawn("/", "list", "presets");
    CU_ASSERT_PTR_NOT_NULL(strstr(presets.out, "ddr4-1socket "));
    g_auto(Spawned) policies = spawn("/", "list", "policies");
    CU_ASSERT_PTR_NOT_NULL(strstr(policies.out, "none "));
    g_auto(Spawned) importers = spawn("/", "list", "importers");
    CU_ASSERT_PTR_NOT_NULL(strstr(importers.out, "lime "));
}

static void explain(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) key = spawn(place, "config", "explain", "policies.esx.rate", "-s", "seed=1");
    CU_ASSERT_EQUAL(key.status, 0);
    CU_ASSERT_STRING_EQUAL(key.out, "policies.esx.rate\n"
                                    "    pages looked at in a second.\n"
                                    "    integer, from 1 to 1000, in pages/s; default: 50\n");
    g_auto(Spawned) section = spawn(place, "config", "explain", "output");
    CU_ASSERT_PTR_NOT_NULL(strstr(section.out, "output.dir\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(section.out, "output.figures\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(section.out, "output.epoch\n"));
    CU_ASSERT_PTR_NULL(strstr(section.out, "policies."));
    g_auto(Spawned) file = spawn(place, "config", "explain", "demo.cfg");
    CU_ASSERT_PTR_NOT_NULL(strstr(file.out, "policies.esx.rate\n"));
    CU_ASSERT_PTR_NULL(strstr(file.out, "policies.none"));
    spawn_clear_place(place);
}

static void check_and_dump(void)
{
    char *place = spawn_make_place();
    g_auto(Spawned) check = spawn(place, "config", "check", "demo.cfg");
    CU_ASSERT_EQUAL(check.status, 0);
    CU_ASSERT_STRING_EQUAL(check.out, "demo.cfg: OK\n");
    g_auto(Spawned) dump = spawn(place, "config", "dump", "demo.cfg", "-s", "seed=9");
    CU_ASSERT_PTR_NOT_NULL(strstr(dump.out, "seed = 9;  # -s\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump.out, "rate = 60;  # demo.cfg:1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump.out, "dilation = 1.0;  # default\n"));
    spawn_write(place, "dumped.cfg", dump.out);
    g_auto(Spawned) again = spawn(place, "config", "check", "dumped.cfg");
    CU_ASSERT_STRING_EQUAL(again.out, "dumped.cfg: OK\n");
    spawn_clear_place(place);
}

static void full_output(void)
{
    g_autofree char *line = g_strdup_printf("'%s' --help >/dev/full", spawn_path());
    const char *arguments[] = {"/bin/sh", "-c", line, NULL};
    g_autofree char *messages = NULL;
    int status = 0;
    CU_ASSERT(g_spawn_sync("/", (char **)(uintptr_t)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                           NULL, &messages, &status, NULL));
    CU_ASSERT_EQUAL(status >> 8, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(messages, "pagefold: error: standard output: "));
}

static const PfCheck checks[] = {
    {"a wrong command line is told with status 2 and the mend", usage_errors},
    {"errors of a configuration are told all at once, with file and line", configuration_errors},
    {"results that cannot be read are told with status 3", input_errors},
    {"help begins with examples and fits 100 columns", help_and_version},
    {"messages have colours only if asked for where there is no terminal", colors},
    {"lists have a line for each thing", lists},
    {"config explain tells a key, a section or a file's keys", explain},
    {"config check says OK, and what config dump writes can be read", check_and_dump},
    {"output that cannot be written is an error", full_output},
};

PF_CHECK_MAIN("program", checks)
