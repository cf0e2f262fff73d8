/* `run --format esx` against the tables that Waldspurger, US 6,789,156 B1, prints under
 * "Performance Example": three virtual machines of 320 MB in all, 112,640 frames of table. */
#include <string.h>

#include "check.h"
#include "report.h"

struct PfRun {
    PfStats *stats;
    const char *policy;
};

struct PfSimulation {
    PfTraceHeader header;
    PfRun runs[2];
};

/* The patent's counts, and those of its list of contents that it names. */
static const struct {
    const char *name;
    uint64_t value;
} counts[] = {
    {"used", 81919},        {"track", 78143},      {"cow", 58770},     {"cow1", 244},
    {"hint", 19373},        {"unique", 36194},     {"shared", 41949},  {"chains", 131072},
    {"chain_bytes", 131072 * 3}, {"frames", 112640}, {"frame_bytes", 112640 * 16},
};

static const PfSharedContent top[] = {
    {.pages = 14310, .is_zero = true},
    {.pages = 15686 - 14310 - 78, .key = 0x1234},
    {.pages = 78, .is_ones = true},
};

const PfTraceHeader *pf_simulation_trace_header(const PfSimulation *simulation)
{
    return &simulation->header;
}

size_t pf_simulation_run_count(const PfSimulation *simulation)
{
    return G_N_ELEMENTS(simulation->runs);
}

const PfRun *pf_simulation_run_at(const PfSimulation *simulation, size_t index)
{
    return &simulation->runs[index];
}

const char *pf_run_label(const PfRun *run)
{
    return run->policy;
}

const char *pf_run_policy(const PfRun *run)
{
    return run->policy;
}

const PfStats *pf_run_stats(const PfRun *run)
{
    return run->stats;
}

size_t pf_run_top_shared(const PfRun *run, PfSharedContent *contents, size_t count)
{
    (void)run;
    CU_ASSERT_FATAL(count >= G_N_ELEMENTS(top));
    memcpy(contents, top, sizeof top);
    return G_N_ELEMENTS(top);
}

void pf_run_shared_split(const PfRun *run, uint64_t *ret_inside, uint64_t *ret_across)
{
    (void)run;
    *ret_inside = 12000;
    *ret_across = 41949 - 12000;
}

/* Chains: 131,072 * 3 / 4096 = 96 pages, frames: 112,640 * 16 / 4096 = 440, and one of each
 * more. */
static void the_snapshot(void)
{
    g_autoptr(PfStats) stats = pf_stats_new();
    PfSimulation simulation = {.header = {.page_bytes = 4096},
                               .runs = {{stats, "none"}, {stats, "esx"}}};
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        pf_stats_counter(pf_stats_group(stats, "esx"), counts[i].name, "pages", "canned",
                         &counts[i].value);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_esx(text, &simulation);
    const char *expected = "esx\n"
                           "\n"
                           "OVERHEAD\n"
                           "name       count    pages       KB\n"
                           "chains    131072       97      388\n"
                           "frames    112640      441     1764\n"
                           "total                 538     2152\n"
                           "\n"
                           "STATUS\n"
                           "name       pages       MB  % track   % used\n"
                           "used       81919      319        -        -\n"
                           "track      78143      305      100       95\n"
                           "cow        58770      229       75       71\n"
                           "cow1         244        0        0        0\n"
                           "hint       19373       75       24       23\n"
                           "unique     36194      141       46       44\n"
                           "shared     41949      163       53       51\n"
                           "\n"
                           "SHARED MOST\n"
                           "rank       pages    % top % shared  content\n"
                           "1          14310       91       34  zero\n"
                           "2           1298        8        3  key 0x0000000000001234\n"
                           "3             78        0        0  ones\n"
                           "total      15686      100       37\n"
                           "\n"
                           "SHARED WITH\n"
                           "inside     12000  a page of the same context\n"
                           "across     29949  pages of other contexts\n";
    CU_ASSERT_STRING_EQUAL(text->str, expected);
    if (strcmp(text->str, expected) != 0)
        printf("# got:\n%s\n", text->str);
}

static const PfCheck checks[] = {
    {"the patent's counts give the patent's tables", the_snapshot},
};

PF_CHECK_MAIN("report_esx", checks)
