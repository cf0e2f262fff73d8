/* The tables of the status of page sharing in Waldspurger, US 6,789,156 B1, "Performance Example":
 * what its tables take, what the pages are, and which contents are shared the most. Figures are cut
 * off, not rounded, as they are there. */
#include "report.h"
#include "units.h"

enum { TOP_CONTENTS = 8 };

static uint64_t figure(const PfRun *run, const char *name)
{
    PfStatValue value;
    return pf_stats_find(pf_run_stats(run), name, &value) && value.kind == PF_STAT_UINT ? value.u
                                                                                       : 0;
}

/* "-" of nothing. */
static void append_percent(GString *out, uint64_t part, uint64_t whole)
{
    if (whole == 0)
        g_string_append_printf(out, "%9s", "-");
    else
        g_string_append_printf(out, "%9" G_GUINT64_FORMAT,
                               (uint64_t)((PfUint128)part * 100 / whole));
}

static void append_overhead(GString *out, const PfRun *run, uint64_t page_bytes)
{
    static const struct {
        const char *name;
        const char *count;
        const char *bytes;
    } tables[] = {{"chains", "esx.chains", "esx.chain_bytes"},
                  {"frames", "esx.frames", "esx.frame_bytes"}};
    uint64_t total = 0;
    g_string_append(out, "OVERHEAD\nname       count    pages       KB\n");
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        uint64_t count = figure(run, tables[i].count);
        uint64_t bytes = figure(run, tables[i].bytes);
        /* Each table of the patent's snapshot took a page more than its entries fill. */
        uint64_t pages = bytes == 0 ? 0 : (bytes + page_bytes - 1) / page_bytes + 1;
        total += pages;
        g_string_append_printf(out,
                               "%-6s %9" G_GUINT64_FORMAT "%9" G_GUINT64_FORMAT
                               "%9" G_GUINT64_FORMAT "\n",
                               tables[i].name, count, pages, pages * page_bytes / PF_KIB);
    }
    g_string_append_printf(out, "%-6s %9s%9" G_GUINT64_FORMAT "%9" G_GUINT64_FORMAT "\n\n", "total",
                           "", total, total * page_bytes / PF_KIB);
}

static void append_status(GString *out, const PfRun *run, uint64_t page_bytes)
{
    static const char *const rows[] = {"used", "track", "cow", "cow1", "hint", "unique", "shared"};
    uint64_t used = figure(run, "esx.used");
    uint64_t track = figure(run, "esx.track");
    g_string_append(out, "STATUS\nname       pages       MB  % track   % used\n");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name = g_strconcat("esx.", rows[i], NULL);
        uint64_t pages = figure(run, name);
        g_string_append_printf(out, "%-6s %9" G_GUINT64_FORMAT "%9" G_GUINT64_FORMAT, rows[i],
                               pages, (uint64_t)((PfUint128)pages * page_bytes / PF_MIB));
        append_percent(out, pages, i == 0 ? 0 : track);
        append_percent(out, pages, i == 0 ? 0 : used);
        g_string_append_c(out, '\n');
    }
    g_string_append_c(out, '\n');
}

static void append_contents(GString *out, const PfRun *run)
{
    PfSharedContent contents[TOP_CONTENTS];
    size_t count = pf_run_top_shared(run, contents, TOP_CONTENTS);
    uint64_t shared = figure(run, "esx.shared");
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += contents[i].pages;
    g_string_append(out, "SHARED MOST\nrank       pages    % top % shared  content\n");
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(out, "%-6zu %9" G_GUINT64_FORMAT, i + 1, contents[i].pages);
        append_percent(out, contents[i].pages, total);
        append_percent(out, contents[i].pages, shared);
        if (contents[i].is_zero || contents[i].is_ones)
            g_string_append(out, contents[i].is_zero ? "  zero\n" : "  ones\n");
        else
            g_string_append_printf(out, "  key 0x%016" G_GINT64_MODIFIER "x\n", contents[i].key);
    }
    g_string_append_printf(out, "%-6s %9" G_GUINT64_FORMAT, "total", total);
    append_percent(out, total, total);
    append_percent(out, total, shared);
    g_string_append_c(out, '\n');
    uint64_t inside;
    uint64_t across;
    pf_run_shared_split(run, &inside, &across);
    g_string_append_printf(out,
                           "\nSHARED WITH\n%-6s %9" G_GUINT64_FORMAT "  a page of the same "
                           "context\n%-6s %9" G_GUINT64_FORMAT "  pages of other contexts\n",
                           "inside", inside, "across", across);
}

void pf_report_esx(GString *out, const PfSimulation *simulation)
{
    uint64_t page_bytes = pf_simulation_trace_header(simulation)->page_bytes;
    for (size_t i = 0; i < pf_simulation_run_count(simulation); i++) {
        const PfRun *run = pf_simulation_run_at(simulation, i);
        if (!g_str_equal(pf_run_policy(run), "esx"))
            continue;
        g_string_append_printf(out, "%s%s\n\n", out->len > 0 ? "\n" : "", pf_run_label(run));
        append_overhead(out, run, page_bytes);
        append_status(out, run, page_bytes);
        append_contents(out, run);
    }
}
