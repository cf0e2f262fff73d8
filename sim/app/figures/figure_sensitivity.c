/* Which cost does the order of units hang on? A row of dots for each cost that moves one. */
#include "sensitivity.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "report.h"
#include "sheet.h"

/* A row that moves no unit by as much as this is left out of the picture, not out of the data. */
static const double least_move = 0.005;

static const double left_edge = 0.19; /* of panels, in the picture's width */

enum { ROW_PIXELS = 19, LINE_PIXELS = 18, AXIS_PIXELS = 54, GAP_PIXELS = 16, CHANGES_MAX = 4 };

typedef struct {
    const PfSensitivity *group;
    unsigned number;
    GPtrArray *rows;  /* that are drawn; borrowed PfSensitivityRow */
    GPtrArray *notes; /* char *: what stands below the axis */
    double least;     /* percent */
    double most;
} Panel;

typedef struct {
    PfSheet *sheet;
    GPtrArray *names; /* of all panels' units, borrowed; the first is what others are compared to */
    double height_pixels;
    unsigned at_pixels; /* so far, from above */
} Page;

static void clear_panel(gpointer data)
{
    Panel *panel = data;
    g_ptr_array_unref(panel->rows);
    g_ptr_array_unref(panel->notes);
}

/* "{ trap = 1000; }" as "trap 1000"; of several costs, how many. */
static char *label_of(const char *costs)
{
    if (costs[0] == '\0')
        return g_strdup("as it is");
    g_auto(GStrv) words = g_strsplit_set(costs, "{}; ", -1);
    GString *label = g_string_new(NULL);
    unsigned count = 0;
    for (char **word = words; *word != NULL; word++) {
        count += strcmp(*word, "=") == 0;
        if (**word != '\0' && strcmp(*word, "=") != 0)
            g_string_append_printf(label, "%s%s", label->len > 0 ? " " : "", *word);
    }
    if (count > 1)
        g_string_printf(label, "all %u", count);
    return g_string_free(label, FALSE);
}

/* ---- Data ---- */

static bool moves(const PfSensitivity *group, const PfSensitivityRow *row)
{
    const PfSensitivityRow *first = group->rows->pdata[0];
    bool moved = row == first || row->changes->len > 0;
    for (guint i = 0; i < group->names->len; i++)
        moved |= fabs(row->cheaper[i] - first->cheaper[i]) >= least_move;
    return moved;
}

static guint number_of(const Page *page, const char *name)
{
    guint number = 0;
    g_ptr_array_find_with_equal_func(page->names, name, g_str_equal, &number);
    return number;
}

/* Places in the picture first, as gnuplot counts commas within quotes. */
static void put_dot(const Page *page, const Panel *panel, const PfSensitivityRow *row, guint unit)
{
    const PfSensitivity *group = panel->group;
    PfSheet *sheet = page->sheet;
    bool is_drawn = panel->rows->len > 0 && panel->rows->pdata[panel->rows->len - 1] == row;
    g_ptr_array_add(row->changes, NULL);
    g_autofree char *changes = g_strjoinv("; ", (char **)row->changes->pdata);
    g_ptr_array_set_size(row->changes, (int)row->changes->len - 1);
    const char *const texts[] = {group->policy, group->trace, row->costs,
                                 group->names->pdata[unit], changes};
    g_string_append_printf(sheet->data, "%u,%u,%u,", panel->number,
                           is_drawn ? panel->rows->len : 0,
                           number_of(page, group->names->pdata[unit]));
    pf_sheet_put_number(sheet, row->cheaper[unit] * 100.0);
    for (size_t text = 0; text < G_N_ELEMENTS(texts); text++) {
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_text(sheet, texts[text]);
    }
    pf_sheet_put_char(sheet, '\n');
}

static void note_changes(const Panel *panel, const PfSensitivityRow *row)
{
    g_autofree char *label = label_of(row->costs);
    for (guint i = 0; i < row->changes->len; i++)
        g_ptr_array_add(panel->notes, g_strdup_printf("%s: %s", label,
                                                      (const char *)row->changes->pdata[i]));
}

static void put_panel(const Page *page, Panel *panel)
{
    const PfSensitivity *group = panel->group;
    for (guint i = 0; i < group->rows->len; i++) {
        PfSensitivityRow *row = group->rows->pdata[i];
        if (moves(group, row))
            g_ptr_array_add(panel->rows, row);
        note_changes(panel, row);
        for (guint unit = 0; unit < group->names->len; unit++) {
            put_dot(page, panel, row, unit);
            if (unit == 0)
                continue;
            panel->least = fmin(panel->least, row->cheaper[unit] * 100.0);
            panel->most = fmax(panel->most, row->cheaper[unit] * 100.0);
        }
    }
    guint count = panel->notes->len;
    if (count > CHANGES_MAX) {
        g_ptr_array_set_size(panel->notes, CHANGES_MAX);
        g_ptr_array_add(panel->notes, g_strdup_printf("and %u more, which the data tells",
                                                      count - CHANGES_MAX));
    }
    if (count == 0)
        g_ptr_array_add(panel->notes, g_strdup("No unit changes places with another."));
}

/* ---- Picture ---- */

static double place_of(const Page *page, unsigned pixels)
{
    return 1.0 - pixels / page->height_pixels;
}

static void add_label(const Page *page, GString *labels, const char *text, double x,
                      const char *how)
{
    g_autofree char *quoted = pf_sheet_quote(text);
    g_string_append_printf(labels, "set label %s at screen %.6g, %.6g left %s\n", quoted, x,
                           place_of(page, page->at_pixels), how);
}

static unsigned mark_of(guint unit)
{
    static const unsigned marks[] = {7, 5, 9, 11, 13, 6, 4, 8, 10, 12}; /* gnuplot's, full first */
    return marks[(unit - 1) % G_N_ELEMENTS(marks)];
}

static const char *color_of(guint unit)
{
    return pf_sheet_color((int)unit - 1);
}

/* Each unit's mark with its name, in lines of the picture's width. */
static void add_names(Page *page, GString *labels)
{
    const double glyph = 1.0 / 105.0;
    enum { MARK_WIDTH = 4 };
    double x = glyph * MARK_WIDTH;
    for (guint unit = 1; unit < page->names->len; unit++) {
        const char *name = page->names->pdata[unit];
        double width = glyph * (double)(pf_report_width(name) + MARK_WIDTH);
        if (x + width > 1.0 && unit > 1) {
            x = glyph * MARK_WIDTH;
            page->at_pixels += LINE_PIXELS;
        }
        g_autofree char *how =
            g_strdup_printf("point pointtype %u pointsize 1 linecolor rgb '%s' offset 1, 0 "
                            "textcolor rgb '%s'",
                            mark_of(unit), color_of(unit), color_of(unit));
        add_label(page, labels, name, x, how);
        x += width;
    }
    page->at_pixels += LINE_PIXELS;
}

static char *tics_of(const Panel *panel)
{
    GString *tics = g_string_new(NULL);
    for (guint i = 0; i < panel->rows->len; i++) {
        g_autofree char *label = label_of(((const PfSensitivityRow *)panel->rows->pdata[i])->costs);
        g_autofree char *quoted = pf_sheet_quote_tic(label);
        g_string_append_printf(tics, "%s%s %u", i > 0 ? ", " : "", quoted, i + 1);
    }
    return g_string_free(tics, FALSE);
}

/* A line down from where the unit is as it is, and its dots. */
static char *plots_of(const Page *page, const Panel *panel, GString *labels)
{
    const PfSensitivityRow *first = panel->group->rows->pdata[0];
    GString *plots = g_string_new(NULL);
    for (guint i = 1; i < panel->group->names->len; i++) {
        guint unit = number_of(page, panel->group->names->pdata[i]);
        if (isfinite(first->cheaper[i]))
            g_string_append_printf(labels,
                                   "set arrow from %.6g, graph 0 to %.6g, graph 1 nohead back "
                                   "linewidth 0.6 linecolor rgb '%s'\n",
                                   first->cheaper[i] * 100.0, first->cheaper[i] * 100.0,
                                   color_of(unit));
        g_string_append_printf(plots,
                               "%s     '%s.csv' skip 1 using ($1 == %u && $3 == %u && $2 > 0 ? "
                               "$4 : NaN):2 with points pointtype %u pointsize 1 linecolor rgb "
                               "'%s'",
                               i > 1 ? ", \\\n" : "", page->sheet->figure->name, panel->number,
                               unit, mark_of(unit), color_of(unit));
    }
    return g_string_free(plots, FALSE);
}

static void draw_panel(Page *page, const Panel *panel, GString *labels)
{
    const PfSensitivity *group = panel->group;
    g_autoptr(GHashTable) words = pf_words_new();
    g_autofree char *file = g_path_get_basename(group->trace);
    g_autofree char *name =
        g_strconcat(group->policy, group->trace[0] != '\0' ? ", " : "",
                    group->trace[0] != '\0' ? file : "", NULL);
    page->at_pixels += GAP_PIXELS;
    add_label(page, labels, name, 0.01, "");
    page->at_pixels += LINE_PIXELS / 2;
    pf_words_set(words, "TOP", "%.6g", place_of(page, page->at_pixels));
    page->at_pixels += ROW_PIXELS * panel->rows->len;
    pf_words_set(words, "BOTTOM", "%.6g", place_of(page, page->at_pixels));
    page->at_pixels += AXIS_PIXELS + LINE_PIXELS / 2;
    for (guint i = 0; i < panel->notes->len; i++, page->at_pixels += LINE_PIXELS)
        add_label(page, labels, panel->notes->pdata[i], left_edge, "textcolor rgb '#404040'");
    g_autofree char *plots = plots_of(page, panel, labels);
    g_autofree char *tics = tics_of(panel);
    g_autofree char *note = g_strdup_printf("fewer cycles than '%s' for the same savings (%%)",
                                            (const char *)group->names->pdata[0]);
    g_autofree char *axis = pf_sheet_quote(note);
    double pad = fmax((panel->most - panel->least) * 0.04, 0.1);
    pf_words_set(words, "LEFT", "%.6g", left_edge);
    pf_words_set(words, "LEAST", "%.6g", panel->least - pad);
    pf_words_set(words, "MOST", "%.6g", panel->most + pad);
    pf_words_set(words, "ROWS", "%u", panel->rows->len);
    pf_words_set(words, "TICS", "%s", tics);
    pf_words_set(words, "AXIS", "%s", axis);
    pf_words_set(words, "LABELS", "%s", labels->str);
    pf_words_set(words, "PLOTS", "%s", plots);
    pf_sheet_add_template(page->sheet, "dots", words);
    g_string_truncate(labels, 0);
}

static void draw_page(Page *page, const GArray *panels)
{
    enum { TITLE_PIXELS = 22 };
    static const char title[] = "How much cheaper units are, with one cost changed at a time";
    static const char key[] = "Below: pairs of units that change places. < pays less, > more, "
                              "= as much within 1 %";
    unsigned height = TITLE_PIXELS + GAP_PIXELS;
    g_autoptr(GString) labels = g_string_new(NULL);
    page->height_pixels = 1.0;
    add_names(page, labels); /* to see how many lines they are */
    height += page->at_pixels;
    for (guint i = 0; i < panels->len; i++) {
        const Panel *panel = &g_array_index(panels, Panel, i);
        height += GAP_PIXELS + LINE_PIXELS + ROW_PIXELS * panel->rows->len + AXIS_PIXELS +
                  LINE_PIXELS * panel->notes->len;
    }
    page->height_pixels = height;
    page->at_pixels = TITLE_PIXELS / 2;
    g_string_truncate(labels, 0);
    pf_sheet_begin_script(page->sheet, height);
    add_label(page, labels, title, 0.01, "");
    page->at_pixels += TITLE_PIXELS;
    add_names(page, labels);
    add_label(page, labels, key, 0.01, "textcolor rgb '#404040'");
    page->at_pixels += GAP_PIXELS;
    g_string_append(page->sheet->script, "set multiplot\n");
    for (guint i = 0; i < panels->len; i++)
        draw_panel(page, &g_array_index(panels, Panel, i), labels);
    g_string_append(page->sheet->script, "unset multiplot\n");
}

static bool draw(PfSheet *sheet, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GPtrArray) units = pf_frontier_read(sheet->directory, &cause);
    /* A sweep of something else is none that cannot be read. */
    if (units == NULL && !g_error_matches(cause, PF_ERROR, PF_ERROR_USAGE)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return false;
    }
    g_autoptr(GPtrArray) groups = units != NULL ? pf_sensitivity_of(units) : NULL;
    if (groups == NULL || groups->len == 0)
        return pf_sheet_lacks(sheet, error,
                              "no two units at several costs; sweep over units and { key = "
                              "\"machine.costs\"; each = \"bare-metal\"; }");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GArray) panels = g_array_new(FALSE, TRUE, sizeof(Panel));
    g_array_set_clear_func(panels, clear_panel);
    Page page = {.sheet = sheet, .names = names};
    g_string_append(sheet->data,
                    "panel,row,number,cheaper_percent,policy,trace,costs,unit,changes\n");
    for (guint i = 0; i < groups->len; i++) {
        PfSensitivity *group = groups->pdata[i];
        for (guint unit = 0; unit < group->names->len; unit++)
            if (!g_ptr_array_find_with_equal_func(names, group->names->pdata[unit], g_str_equal,
                                                  NULL))
                g_ptr_array_add(names, group->names->pdata[unit]);
        Panel panel = {.group = group,
                       .number = i + 1,
                       .rows = g_ptr_array_new(),
                       .notes = g_ptr_array_new_with_free_func(g_free),
                       .least = INFINITY,
                       .most = -INFINITY};
        put_panel(&page, &panel);
        g_array_append_val(panels, panel);
    }
    draw_page(&page, panels);
    return true;
}

const PfFigure pf_figure_sensitivity = {
    .name = "sensitivity",
    .summary = "by how much units are cheaper with each cost changed alone, and which units change "
               "places, over a sweep of machine.costs",
    .source = "results.csv",
    .draw = draw,
};
