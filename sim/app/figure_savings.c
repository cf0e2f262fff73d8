/* How much memory does each policy save, and when? */
#include <math.h>
#include <string.h>

#include "error.h"
#include "figures.h"
#include "report.h"
#include "saved.h"
#include "units.h"

enum { LABELS_MAX = 64 };

/* Lines of labels that fit one above the other between the axes. */
static const double label_lines = 18.0;

/* One policy's line. */
typedef struct {
    const char *policy;
    char *label; /* owned */
    double last_mib;
    double place_mib; /* of its label */
    size_t number;    /* among the policies, without none: its colour */
} Line;

typedef struct {
    double seconds_max;
    double mib_min;
    double mib_max;
} Extent;

static void clear_line(gpointer data)
{
    g_free(((Line *)data)->label);
}

static Extent append_data(const PfSaved *saved, const GArray *epochs, GString *data, GArray *lines)
{
    Extent extent = {0};
    g_string_append(data, "policy,time_s,saved_MiB\n");
    for (guint i = 0; i < epochs->len; i++) {
        const PfSavedEpoch *epoch = &g_array_index(epochs, PfSavedEpoch, i);
        double seconds = (double)epoch->cycle / (double)saved->clock_hz;
        double mib = epoch->value * (double)saved->page_bytes / (double)PF_MIB;
        pf_report_append_field(data, epoch->policy);
        g_string_append_c(data, ',');
        pf_report_append_value(data, pf_stat_double(seconds));
        g_string_append_c(data, ',');
        pf_report_append_value(data, pf_stat_double(mib));
        g_string_append_c(data, '\n');
        extent.seconds_max = MAX(extent.seconds_max, seconds);
        for (guint l = 0; l < lines->len && isfinite(mib); l++) {
            Line *line = &g_array_index(lines, Line, l);
            if (strcmp(line->policy, epoch->policy) == 0)
                line->last_mib = mib;
        }
        if (isfinite(mib)) {
            extent.mib_min = MIN(extent.mib_min, mib);
            extent.mib_max = MAX(extent.mib_max, mib);
        }
    }
    return extent;
}

static GArray *make_lines(const PfSaved *saved)
{
    GArray *lines = g_array_new(FALSE, TRUE, sizeof(Line));
    g_array_set_clear_func(lines, clear_line);
    size_t number = 0;
    for (guint i = 0; i < saved->runs->len && i < LABELS_MAX; i++) {
        const PfSavedRun *run = saved->runs->pdata[i];
        bool remark = run->remark != NULL && run->remark[0] != '\0';
        Line line = {
            .policy = run->policy,
            .label = remark ? g_strdup_printf("%s (%s)", run->policy, run->remark)
                            : g_strdup(run->policy),
            .number = number,
        };
        number += strcmp(run->policy, "none") != 0;
        g_array_append_val(lines, line);
    }
    return lines;
}

static int compare_lines(const void *a, const void *b)
{
    const Line *first = a;
    const Line *second = b;
    if (first->last_mib < second->last_mib)
        return -1;
    if (first->last_mib > second->last_mib)
        return 1;
    return first->number < second->number ? 1 : -1;
}

/* `none` is what the others are measured against, so it is grey. */
static const char *line_color(const Line *line)
{
    return strcmp(line->policy, "none") == 0 ? "#767676" : pf_figure_color(line->number);
}

static void set_range(GHashTable *words, Extent *extent)
{
    double step = pf_figure_nice((extent->mib_max - extent->mib_min) / 5.0);
    extent->mib_max = extent->mib_max > 0.0 ? ceil(extent->mib_max / step - 1e-9) * step
                                            : (extent->mib_min < 0.0 ? 0.0 : step);
    extent->mib_min = floor(extent->mib_min / step + 1e-9) * step;
    pf_figure_set(words, "SAVED_MIN", "%.15g", extent->mib_min);
    pf_figure_set(words, "SAVED_MAX", "%.15g", extent->mib_max);
    pf_figure_set(words, "SAVED_STEP", "%.15g", step);
}

static void set_time(GHashTable *words, double seconds_max)
{
    static const struct {
        double per_second;
        const char *name;
    } units[] = {{1.0, "s"}, {1e3, "ms"}, {1e6, "\302\265s"}, {1e9, "ns"}};
    size_t unit = 0;
    while (unit + 1 < G_N_ELEMENTS(units) && seconds_max * units[unit].per_second < 1.0)
        unit++;
    double last = seconds_max * units[unit].per_second;
    pf_figure_set(words, "TIME_UNIT", "%s", units[unit].name);
    pf_figure_set(words, "TIME_SCALE", "%.15g", units[unit].per_second);
    pf_figure_set(words, "TIME_MAX", "%.15g", last > 0.0 ? last : 1.0);
}

static void set_lines(GHashTable *words, GArray *lines, const Extent *extent)
{
    g_autofree double *places = g_new0(double, lines->len);
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    size_t longest = 0;
    for (guint i = 0; i < lines->len; i++)
        places[i] = g_array_index(lines, Line, i).last_mib;
    pf_figure_spread(places, lines->len, (extent->mib_max - extent->mib_min) / label_lines,
                     extent->mib_min, extent->mib_max);
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = &g_array_index(lines, Line, i);
        g_autofree char *label = pf_figure_quote(line->label);
        g_autofree char *policy = pf_figure_quote(line->policy);
        const char *color = line_color(line);
        longest = MAX(longest, strlen(line->label));
        g_string_append_printf(labels,
                               "set label %s at graph 1, first %.15g left offset 1, 0 "
                               "textcolor rgb '%s'\n",
                               label, places[i], color);
        /* Drawn last, what saves less is seen where it meets the bound. */
        g_autofree char *drawn = g_strdup_printf(
            "     'savings.csv' skip 1 using (stringcolumn(1) eq %s ? $2 * scale : NaN):3 "
            "with lines linewidth %s linecolor rgb '%s' dashtype %zu%s",
            policy, strcmp(line->policy, "none") == 0 ? "1.2" : "2", color, line->number / 8 + 1,
            i > 0 ? ", \\\n" : "");
        g_string_prepend(plots, drawn);
    }
    pf_figure_set(words, "LABELS", "%s", labels->str);
    pf_figure_set(words, "PLOTS", "%s", plots->str);
    pf_figure_set(words, "RIGHT_MARGIN", "%zu", longest + 3);
}

static void set_title(GHashTable *words, const PfSaved *saved)
{
    g_autoptr(GString) title = g_string_new("Memory saved");
    if (saved->trace_name != NULL)
        g_string_append_printf(title, ", %s", saved->trace_name);
    if (saved->dilation < 1.0 || saved->dilation > 1.0)
        g_string_append_printf(title, ", dilation %g", saved->dilation);
    if (!saved->complete)
        g_string_append(title, ", not complete");
    g_autofree char *quoted = pf_figure_quote(title->str);
    pf_figure_set(words, "TITLE", "%s", quoted);
}

static bool prepare(const char *directory, GString *data, GHashTable *words, GError **error)
{
    g_autoptr(PfSaved) saved = pf_saved_load(directory, error);
    if (saved == NULL)
        return false;
    g_autoptr(GArray) epochs = pf_saved_epochs(directory, "memory.saved_pages", error);
    if (epochs == NULL)
        return false;
    if (epochs->len == 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s/epochs.csv: no rows to draw", directory);
        return false;
    }
    g_autoptr(GArray) lines = make_lines(saved);
    Extent extent = append_data(saved, epochs, data, lines);
    g_array_sort(lines, compare_lines);
    set_range(words, &extent);
    set_time(words, extent.seconds_max);
    set_lines(words, lines, &extent);
    set_title(words, saved);
    return true;
}

const PfFigure pf_figure_savings = {
    .name = "savings",
    .summary = "memory saved over simulated time, one line a policy",
    .source = "stats.json",
    .prepare = prepare,
};
