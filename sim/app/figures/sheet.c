#include "sheet.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "error.h"
#include "presets.h"
#include "report.h"

PfScale pf_scale_for(PfUnit unit, double most)
{
    /* From the largest; of each the least number that it is used for. */
    static const struct {
        PfUnit unit;
        double least;
        PfScale scale;
    } scales[] = {
        {PF_UNIT_COUNT, 1e12, {1e-12, "10\302\271\302\262"}},
        {PF_UNIT_COUNT, 1e9, {1e-9, "10\342\201\271"}},
        {PF_UNIT_COUNT, 1e6, {1e-6, "10\342\201\266"}},
        {PF_UNIT_COUNT, 1e4, {1e-3, "10\302\263"}},
        {PF_UNIT_COUNT, 0, {1, ""}},
        {PF_UNIT_SECONDS, 1, {1, "s"}},
        {PF_UNIT_SECONDS, 1e-3, {1e3, "ms"}},
        {PF_UNIT_SECONDS, 1e-6, {1e6, "\302\265s"}},
        {PF_UNIT_SECONDS, 0, {1e9, "ns"}},
        {PF_UNIT_MIB, 4096, {1.0 / 1024, "GiB"}},
        {PF_UNIT_MIB, 1, {1, "MiB"}},
        {PF_UNIT_MIB, 0, {1024, "KiB"}},
        {PF_UNIT_GBPS, 1, {1, "GB/s"}},
        {PF_UNIT_GBPS, 1e-3, {1e3, "MB/s"}},
        {PF_UNIT_GBPS, 0, {1e6, "kB/s"}},
        {PF_UNIT_JOULES, 1, {1, "J"}},
        {PF_UNIT_JOULES, 1e-3, {1e3, "mJ"}},
        {PF_UNIT_JOULES, 1e-6, {1e6, "\302\265J"}},
        {PF_UNIT_JOULES, 0, {1e9, "nJ"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(scales) && most > 0; i++)
        if (scales[i].unit == unit && most >= scales[i].least)
            return scales[i].scale;
    return (PfScale){1, unit == PF_UNIT_MIB       ? "MiB"
                        : unit == PF_UNIT_SECONDS ? "s"
                        : unit == PF_UNIT_JOULES  ? "J"
                        : unit == PF_UNIT_GBPS    ? "GB/s"
                                                  : ""};
}

/* ---- Results ---- */

PfSaved *pf_sheet_results(const PfSheet *sheet, GError **error)
{
    return pf_saved_load(sheet->directory, error);
}

PfCsv *pf_sheet_table(const PfSheet *sheet, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(sheet->directory, name, NULL);
    return pf_csv_load(path, error);
}

double pf_sheet_stat(const PfSavedRun *run, const char *name)
{
    const PfSavedStat *stat = pf_saved_find(run, name);
    return stat != NULL && stat->defined ? stat->number : (double)NAN;
}

char *pf_sheet_label(const PfSavedRun *run)
{
    bool remark = run->remark != NULL && run->remark[0] != '\0';
    g_autofree char *policy = pf_sheet_shorten(run->policy, PF_NAME_WIDTH);
    return remark ? g_strdup_printf("%s (%s)", policy, run->remark) : g_steal_pointer(&policy);
}

static bool is_none(const PfSavedRun *run)
{
    return strcmp(run->policy, "none") == 0;
}

int pf_sheet_number(const PfSaved *saved, guint index)
{
    int number = 0;
    for (guint i = 0; i < index; i++)
        number += !is_none(saved->runs->pdata[i]);
    return is_none(saved->runs->pdata[index]) ? -1 : number;
}

char *pf_sheet_title(const char *question, const PfSaved *saved)
{
    GString *title = g_string_new(question);
    enum { TRACE_WIDTH = 40 };
    if (saved != NULL && saved->trace_name != NULL) {
        g_autofree char *trace = pf_sheet_shorten(saved->trace_name, TRACE_WIDTH);
        g_string_append_printf(title, ", %s", trace);
    }
    if (saved != NULL && (saved->dilation < 1.0 || saved->dilation > 1.0))
        g_string_append_printf(title, ", dilation %g", saved->dilation);
    if (saved != NULL && !saved->complete)
        g_string_append(title, ", not complete");
    return g_string_free(title, FALSE);
}

bool pf_sheet_lacks(const PfSheet *sheet, GError **error, const char *what)
{
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: %s: %s", sheet->directory,
                sheet->figure->name, what);
    return false;
}

/* ---- Script and data ---- */

void pf_sheet_put_number(PfSheet *sheet, double value)
{
    const double exact = 0x1p53;
    if (fabs(value) < exact && !(value < trunc(value) || value > trunc(value)))
        g_string_append_printf(sheet->data, "%.0f", value + 0.0); /* no -0 */
    else
        pf_report_append_value(sheet->data, pf_stat_double(value));
}

void pf_sheet_put_text(PfSheet *sheet, const char *text)
{
    pf_report_append_field(sheet->data, text);
}

void pf_sheet_put_char(PfSheet *sheet, char c)
{
    g_string_append_c(sheet->data, c);
}

GHashTable *pf_words_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void pf_words_set(GHashTable *words, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_hash_table_insert(words, g_strdup(name), g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* A word that nobody set is a programmer's error. */
void pf_sheet_add_template(PfSheet *sheet, const char *name, GHashTable *words)
{
    const char *template = pf_preset_plot(name);
    g_assert(template != NULL);
    g_auto(GStrv) parts = g_strsplit(template, "@", -1);
    for (size_t i = 0; parts[i] != NULL; i++) {
        const char *value = i % 2 == 1 ? g_hash_table_lookup(words, parts[i]) : parts[i];
        g_assert(value != NULL);
        g_string_append(sheet->script, value);
    }
}

void pf_sheet_begin_script(PfSheet *sheet, unsigned height_pixels)
{
    /* Widths are those of a figure across two columns of a page; a terminal has 80 characters, and
     * a line for each 16 pixels. */
    enum { WIDTH = 760, DUMB_WIDTH = 79, LINE = 16 };
    g_autoptr(GHashTable) words = pf_words_new();
    const char *name = sheet->figure->name;
    pf_words_set(words, "NAME", "%s", name);
    pf_words_set(words, "SUMMARY", "%s", sheet->figure->summary);
    pf_words_set(words, "OUTPUT", "set output '%s.%s'", name,
                 pf_terminal_names()[sheet->terminal]);
    /* A terminal draws type 0 with dots and all others like curves. */
    pf_words_set(words, "GRID_TYPE", "1");
    if (sheet->terminal == PF_TERMINAL_SVG)
        pf_words_set(words, "TERMINAL",
                     "svg size %d,%u dynamic noenhanced font \"DejaVu Sans,12\" background "
                     "\"white\" linewidth 1.2",
                     WIDTH, height_pixels);
    if (sheet->terminal == PF_TERMINAL_PNG)
        pf_words_set(words, "TERMINAL",
                     "pngcairo size %d,%u noenhanced font \"DejaVu Sans,20\" linewidth 2.4 "
                     "background \"white\"",
                     2 * WIDTH, 2 * height_pixels);
    if (sheet->terminal == PF_TERMINAL_DUMB) {
        pf_words_set(words, "TERMINAL", "dumb size %d,%u noenhanced mono", DUMB_WIDTH,
                     MAX(height_pixels / LINE, 24));
        pf_words_set(words, "OUTPUT", "# set output: the terminal itself");
        pf_words_set(words, "GRID_TYPE", "0");
    }
    pf_sheet_add_template(sheet, "head", words);
}
