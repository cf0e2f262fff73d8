/* How much memory would each way of sharing leave, and what is it made of? */
#include <string.h>

#include "error.h"
#include "figures.h"
#include "report_potential.h"
#include "units.h"

enum { BASELINES = 4 };

/* Room behind the longest bar for its numbers; below how many MiB these have decimals. */
static const double bar_room = 1.3;
static const double plain_mib = 100.0;

static const struct {
    const char *stat;
    const char *name;
} baselines[BASELINES] = {
    {"no_sharing", "no sharing"},
    {"mmap_fork", "mmap/fork"},
    {"ksm_hint_all", "KSM hint all"},
    {"cbps", "full CBPS"},
};

/* Drawn from the left. */
static const struct {
    PfPageKind kind;
    const char *name;
    const char *title;
    const char *color;
} layers[PF_PAGE_KINDS] = {
    {PF_PAGE_ANON, "anon", "anonymous", "#0072B2"},
    {PF_PAGE_ZERO, "zero", "anonymous, of zeros", "#56B4E9"},
    {PF_PAGE_FILE, "file", "file", "#D55E00"},
    {PF_PAGE_SHMEM, "shmem", "shared memory", "#E69F00"},
};

typedef struct {
    uint64_t pages[BASELINES][PF_PAGE_KINDS];
    uint64_t page_bytes;
    unsigned found; /* of the numbers above */
} Counts;

static unsigned index_of_kind(const char *name)
{
    unsigned kind = 0;
    while (kind < PF_PAGE_KINDS && strcmp(pf_page_kind_names[kind], name) != 0)
        kind++;
    return kind;
}

/* A row of potential.csv: the numbers wanted have no field that is quoted. */
static void take_row(Counts *counts, const char *line)
{
    g_auto(GStrv) fields = g_strsplit(line, ",", 5);
    if (g_strv_length(fields) != 4)
        return;
    uint64_t value = g_ascii_strtoull(fields[3], NULL, 10);
    if (fields[0][0] == '\0' && strcmp(fields[2], "page_bytes") == 0) {
        counts->page_bytes = value;
        counts->found++;
    }
    unsigned kind = index_of_kind(fields[1]);
    for (unsigned i = 0; i < BASELINES && kind < PF_PAGE_KINDS; i++)
        if (strcmp(fields[0], "by_kind") == 0 && strcmp(fields[2], baselines[i].stat) == 0) {
            counts->pages[i][kind] = value;
            counts->found++;
        }
}

static bool load(const char *directory, Counts *counts, GError **error)
{
    g_autofree char *path = g_build_filename(directory, pf_figure_potential.source, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path, cause->message);
        return false;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        take_row(counts, *line);
    if (counts->found == BASELINES * PF_PAGE_KINDS + 1)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: not what this version of pagefold writes",
                path);
    return false;
}

static double mib(const Counts *counts, uint64_t pages)
{
    return (double)pages * (double)counts->page_bytes / (double)PF_MIB;
}

/* A row of data a segment: from where to where it goes, and in which row of the chart. */
static void append_data(const Counts *counts, GString *data)
{
    g_string_append(data, "baseline,kind,MiB,begin,end,row\n");
    for (unsigned i = 0; i < BASELINES; i++) {
        uint64_t begin = 0;
        for (unsigned l = 0; l < PF_PAGE_KINDS; l++) {
            uint64_t pages = counts->pages[i][layers[l].kind];
            char text[3][G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_dtostr(text[0], sizeof text[0], mib(counts, pages));
            g_ascii_dtostr(text[1], sizeof text[1], mib(counts, begin));
            g_ascii_dtostr(text[2], sizeof text[2], mib(counts, begin + pages));
            g_string_append_printf(data, "%s,%s,%s,%s,%s,%u\n", baselines[i].name, layers[l].name,
                                   text[0], text[1], text[2], BASELINES - i);
            begin += pages;
        }
    }
}

/* What stands beside the bars and in front of them; returns the longest bar. */
static double append_labels(const Counts *counts, GString *labels, GString *tics)
{
    double frames = mib(counts, pf_kinds_sum(counts->pages[1]));
    double longest = 0;
    for (unsigned i = 0; i < BASELINES; i++) {
        double total = mib(counts, pf_kinds_sum(counts->pages[i]));
        longest = MAX(longest, total);
        g_string_append_printf(tics, "%s'%s' %u", i > 0 ? ", " : "", baselines[i].name,
                               BASELINES - i);
        char at[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_dtostr(at, sizeof at, total);
        g_string_append_printf(labels,
                               "set label '%.*f MiB (%.0f %%)' at %s, %u left offset 1, 0 "
                               "front textcolor rgb '#404040'\n",
                               total < plain_mib ? 2 : 0, total,
                               frames > 0 ? 100.0 * total / frames : 0.0, at, BASELINES - i);
    }
    return longest;
}

/* The kinds that there are, and the first in any case. */
static void append_plots(const Counts *counts, GString *plots)
{
    for (unsigned l = 0; l < PF_PAGE_KINDS; l++) {
        if (l > 0 && counts->pages[0][layers[l].kind] == 0)
            continue;
        g_string_append_printf(
            plots,
            "%s     'potential.csv' skip 1 using (stringcolumn(2) eq '%s' && $3 > 0 ? $3 : NaN):6:"
            "4:5:($6 - half):($6 + half) with boxxyerror fillcolor rgb '%s' title '%s'",
            l > 0 ? ", \\\n" : "", layers[l].name, layers[l].color, layers[l].title);
    }
}

static bool prepare(const char *directory, GString *data, GHashTable *words, GError **error)
{
    Counts counts = {.page_bytes = 0};
    if (!load(directory, &counts, error))
        return false;
    append_data(&counts, data);
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) tics = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    double longest = append_labels(&counts, labels, tics);
    append_plots(&counts, plots);
    char limit[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(limit, sizeof limit, longest > 0 ? longest * bar_room : 1.0);
    pf_figure_set(words, "MIB_MAX", "%s", limit);
    pf_figure_set(words, "TICS", "%s", tics->str);
    pf_figure_set(words, "LABELS", "%s", labels->str);
    pf_figure_set(words, "PLOTS", "%s", plots->str);
    return true;
}

const PfFigure pf_figure_potential = {
    .name = "potential",
    .summary = "memory that four ways of sharing leave, by kind of page (results of `potential`)",
    .source = "potential.csv",
    .prepare = prepare,
};
