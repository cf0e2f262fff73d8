#include "bars.h"

#include <math.h>
#include <string.h>

#include "report.h"

/* Characters that fit beside each other in the picture. */
static const double picture_characters = 98.0;

/* Of a bar; bars have unit distance. */
static const double half_height = 0.32;

typedef struct {
    char *name;  /* in the data */
    char *label; /* in the picture */
    char *remark;
    char *rest; /* behind the sum; NULL: neither is told */
    double end;
} Row;

typedef struct {
    guint row;
    size_t part;
    double value;
    double begin;
} Segment;

struct PfBars {
    PfBarsLook look;
    GArray *rows;
    GArray *segments;
};

static void clear_row(gpointer data)
{
    Row *row = data;
    g_free(row->name);
    g_free(row->label);
    g_free(row->remark);
    g_free(row->rest);
}

PfBars *pf_bars_new(const PfBarsLook *look)
{
    PfBars *bars = g_new0(PfBars, 1);
    bars->look = *look;
    bars->rows = g_array_new(FALSE, TRUE, sizeof(Row));
    g_array_set_clear_func(bars->rows, clear_row);
    bars->segments = g_array_new(FALSE, FALSE, sizeof(Segment));
    return bars;
}

void pf_bars_free(PfBars *bars)
{
    if (bars == NULL)
        return;
    g_array_unref(bars->rows);
    g_array_unref(bars->segments);
    g_free(bars);
}

static Row *last_row(PfBars *bars)
{
    g_assert(bars->rows->len > 0);
    return &g_array_index(bars->rows, Row, bars->rows->len - 1);
}

void pf_bars_add_row(PfBars *bars, const char *label, const char *remark)
{
    Row row = {.name = g_strdup(label),
               .label = pf_sheet_shorten(label, PF_NAME_WIDTH),
               .remark = pf_sheet_shorten(remark != NULL ? remark : "", PF_NAME_WIDTH)};
    g_array_append_val(bars->rows, row);
}

void pf_bars_add(PfBars *bars, size_t part, double value)
{
    Row *row = last_row(bars);
    g_assert(part < bars->look.part_count);
    if (!(value > 0.0) || !isfinite(value))
        return;
    Segment segment = {bars->rows->len - 1, part, value, row->end};
    g_array_append_val(bars->segments, segment);
    row->end += value;
}

void pf_bars_end(PfBars *bars, const char *rest)
{
    last_row(bars)->rest = g_strdup(rest != NULL ? rest : "");
}

double pf_bars_most(const PfBars *bars)
{
    double most = 0.0;
    for (guint i = 0; i < bars->rows->len; i++)
        most = MAX(most, g_array_index(bars->rows, Row, i).end);
    return most;
}

/* Rows are drawn from the top. */
static guint place_of(const PfBars *bars, guint row)
{
    return bars->rows->len - row;
}

static void put_data(const PfBars *bars, PfSheet *sheet)
{
    g_string_append_printf(sheet->data, "%s,begin,end,row,number\n", bars->look.columns);
    for (guint i = 0; i < bars->segments->len; i++) {
        const Segment *segment = &g_array_index(bars->segments, Segment, i);
        pf_sheet_put_text(sheet, g_array_index(bars->rows, Row, segment->row).name);
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_text(sheet, bars->look.parts[segment->part].name);
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_number(sheet, segment->value);
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_number(sheet, segment->begin);
        pf_sheet_put_char(sheet, ',');
        pf_sheet_put_number(sheet, segment->begin + segment->value);
        g_string_append_printf(sheet->data, ",%u,%zu\n", place_of(bars, segment->row),
                               segment->part);
    }
}

/* The names of the rows at the axis, and what stands behind the bars. */
static void set_rows(const PfBars *bars, double factor, GString *tics, GString *labels)
{
    for (guint i = 0; i < bars->rows->len; i++) {
        const Row *row = &g_array_index(bars->rows, Row, i);
        g_autofree char *name = pf_sheet_quote_tic(row->label);
        g_autofree char *remark = pf_sheet_quote_tic(row->remark);
        bool has_remark = row->remark[0] != '\0';
        g_string_append_printf(tics, "%s%s%s%s %u", i > 0 ? ", " : "", name,
                               has_remark ? ".\"\\n\"." : "", has_remark ? remark : "",
                               place_of(bars, i));
        if (row->rest == NULL)
            continue;
        g_autofree char *sum =
            bars->look.no_sums ? g_strdup("") : pf_sheet_short(row->end * factor);
        g_autofree char *text = g_strconcat(sum, row->rest, NULL);
        g_autofree char *quoted = pf_sheet_quote(text);
        g_string_append_printf(labels,
                               "set label %s at %.6g, %u left offset 1, 0 front textcolor rgb "
                               "'#404040'\n",
                               quoted, row->end * factor, place_of(bars, i));
    }
}

/* Of the widest name of a row. */
static size_t labels_width(const PfBars *bars)
{
    size_t width = 0;
    for (guint i = 0; i < bars->rows->len; i++) {
        const Row *row = &g_array_index(bars->rows, Row, i);
        width = MAX(width, MAX(pf_report_width(row->label), pf_report_width(row->remark)));
    }
    return width;
}

/* How much longer than the longest bar the axis is, for what stands behind the bars. */
static double room_of(const PfBars *bars)
{
    enum { SUM_WIDTH = 6 };
    size_t width = 0;
    for (guint i = 0; i < bars->rows->len; i++) {
        const Row *row = &g_array_index(bars->rows, Row, i);
        if (row->rest != NULL)
            width = MAX(width, pf_report_width(row->rest));
    }
    double inside = picture_characters - (double)labels_width(bars);
    return MIN(inside / MAX(inside - (double)(width + SUM_WIDTH), 1.0), 2.5);
}

/* The widest segment of PART, or NULL. */
static const Segment *widest_of(const PfBars *bars, size_t part)
{
    const Segment *widest = NULL;
    for (guint i = 0; i < bars->segments->len; i++) {
        const Segment *segment = &g_array_index(bars->segments, Segment, i);
        if (segment->part == part && (widest == NULL || segment->value > widest->value))
            widest = segment;
    }
    return widest;
}

/* A part is named in its widest segment, or in the key if that is too narrow. True for the key. */
static bool set_part(const PfBars *bars, const PfSheet *sheet, size_t index, double factor,
                     GString *labels, GString *plots)
{
    const PfPart *part = &bars->look.parts[index];
    const Segment *widest = widest_of(bars, index);
    if (widest == NULL)
        return false;
    g_autofree char *title =
        pf_sheet_shorten(part->title != NULL ? part->title : part->name, PF_NAME_WIDTH);
    double most = pf_bars_most(bars);
    double glyph = most * room_of(bars) / (picture_characters - (double)labels_width(bars));
    bool fits = widest->value >= glyph * (double)(pf_report_width(title) + 1);
    const double invisible = 0.003; /* of the longest bar */
    bool in_key = !fits && widest->value >= invisible * most;
    g_autofree char *quoted = pf_sheet_quote(title);
    if (fits)
        g_string_append_printf(labels, "set label %s at %.6g, %u center front textcolor rgb '%s'\n",
                               quoted, (widest->begin + widest->value / 2.0) * factor,
                               place_of(bars, widest->row), pf_sheet_text_color(part->color));
    g_string_append_printf(
        plots,
        "%s     '%s.csv' skip 1 using ($7 == %zu ? $4 * scale : NaN):6:"
        "($4 * scale):($5 * scale):($6 - half):($6 + half) with boxxyerror fillcolor rgb '%s' "
        "%s%s",
        plots->len > 0 ? ", \\\n" : "", sheet->figure->name, index, part->color,
        in_key ? "title " : "notitle", in_key ? quoted : "");
    return in_key;
}

/* The axis' name, and its note below it where there is no room for both. */
static char *name_axis(const PfBars *bars, PfScale scale)
{
    const char *note = bars->look.axis_note != NULL ? bars->look.axis_note : "";
    double inside = picture_characters - (double)labels_width(bars);
    if ((double)(pf_report_width(bars->look.axis) + pf_report_width(note)) < inside)
        return pf_sheet_axis(bars->look.axis, scale, note);
    g_autofree char *first = pf_sheet_axis(bars->look.axis, scale, NULL);
    g_autofree char *second = pf_sheet_quote(note + strspn(note, ";, "));
    return g_strconcat(first, ".\"\\n\".", second, NULL);
}

/* Counts have whole numbers at the axis. */
static void set_steps(const PfBars *bars, double end, GHashTable *words)
{
    const double tics = 6.0;
    double step = pf_sheet_nice(end / tics);
    bool whole = bars->look.unit == PF_UNIT_COUNT && step < 1.0;
    pf_words_set(words, "STEP", "%.15g", whole ? 1.0 : step);
    pf_words_set(words, "MOST", "%.15g", end);
}

/* As many columns as have room below the bars, and space above them; in a terminal a line is too
 * much. */
static void set_key(const PfBars *bars, bool has_key, PfTerminal terminal, GHashTable *words)
{
    enum { SAMPLE_WIDTH = 5 };
    size_t width = 0;
    for (size_t i = 0; i < bars->look.part_count; i++) {
        const PfPart *part = &bars->look.parts[i];
        width = MAX(width, pf_report_width(part->title != NULL ? part->title : part->name));
    }
    width = MIN(width, (size_t)PF_NAME_WIDTH) + SAMPLE_WIDTH;
    size_t columns = ((size_t)picture_characters - labels_width(bars)) / width;
    if (has_key)
        pf_words_set(words, "KEY",
                     "set key below horizontal Left reverse samplen 1.2 maxcols %zu%s",
                     MAX(columns, 1),
                     terminal == PF_TERMINAL_DUMB ? "" : " spacing 1.1 height 0.8");
    else
        pf_words_set(words, "KEY", "unset key");
}

void pf_bars_draw(PfBars *bars, PfSheet *sheet)
{
    /* Rows are as wide as at first only while there are few of them. */
    enum { ROW_PIXELS = 34, REST_PIXELS = 130, HEIGHT_MIN = 400 };
    double most = pf_bars_most(bars);
    PfScale scale = pf_scale_for(bars->look.unit, most);
    g_autoptr(GString) tics = g_string_new(NULL);
    g_autoptr(GString) labels = g_string_new(NULL);
    g_autoptr(GString) plots = g_string_new(NULL);
    bool has_key = false;
    put_data(bars, sheet);
    set_rows(bars, scale.factor, tics, labels);
    for (size_t i = 0; i < bars->look.part_count; i++)
        has_key = set_part(bars, sheet, i, scale.factor, labels, plots) || has_key;
    g_autoptr(GHashTable) words = pf_words_new();
    g_autofree char *title = pf_sheet_quote_title(sheet, bars->look.title);
    g_autofree char *axis = name_axis(bars, scale);
    size_t width = pf_report_width(bars->look.title) + labels_width(bars);
    bool fits = (double)width < picture_characters;
    pf_words_set(words, "TITLE", "%s at %s, graph 1 left offset %d, 1.2", title,
                 fits ? "graph 0" : "screen 0", fits ? 0 : 1);
    pf_words_set(words, "AXIS", "%s", axis);
    pf_words_set(words, "SCALE", "%.15g", scale.factor);
    pf_words_set(words, "HALF", "%g", half_height);
    set_steps(bars, most > 0.0 ? most * scale.factor * room_of(bars) : 1.0, words);
    pf_words_set(words, "ROWS", "%u", bars->rows->len);
    pf_words_set(words, "TICS", "%s", tics->str);
    set_key(bars, has_key, sheet->terminal, words);
    pf_words_set(words, "LABELS", "%s", labels->str);
    pf_words_set(words, "PLOTS", "%s", plots->len > 0 ? plots->str : "     NaN");
    pf_sheet_begin_script(sheet, MAX(HEIGHT_MIN, bars->rows->len * ROW_PIXELS + REST_PIXELS));
    pf_sheet_add_template(sheet, "bars", words);
}
