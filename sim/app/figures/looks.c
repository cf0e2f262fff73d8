/* Colours and places: what makes figures readable and knows nothing of results. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "sheet.h"

char *pf_sheet_shorten(const char *text, size_t width)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (pf_report_width(valid) <= width)
        return g_steal_pointer(&valid);
    const char *end = valid;
    while (pf_report_width(end) > (width - 1) / 2)
        end += g_utf8_skip[(guchar)*end];
    g_autofree char *begin = g_strdup(valid);
    while (pf_report_width(begin) > width / 2)
        *g_utf8_find_prev_char(begin, begin + strlen(begin)) = '\0';
    return g_strconcat(begin, "\342\200\246", end, NULL);
}

char *pf_sheet_quote(const char *text)
{
    g_autofree char *line = g_utf8_make_valid(text, -1);
    for (char *at = line; *at != '\0'; at++)
        *at = g_ascii_iscntrl(*at) ? ' ' : *at;
    g_auto(GStrv) parts = g_strsplit(line, "'", -1);
    g_autofree char *doubled = g_strjoinv("''", parts);
    return g_strconcat("'", doubled, "'", NULL);
}

char *pf_sheet_quote_title(const PfSheet *sheet, const char *title)
{
    enum { WIDTH = 96, DUMB_WIDTH = 68 };
    g_autofree char *short_title =
        pf_sheet_shorten(title, sheet->terminal == PF_TERMINAL_DUMB ? DUMB_WIDTH : WIDTH);
    return pf_sheet_quote(short_title);
}

char *pf_sheet_quote_tic(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "%", -1);
    g_autofree char *doubled = g_strjoinv("%%", parts);
    return pf_sheet_quote(doubled);
}

char *pf_sheet_axis(const char *name, PfScale scale, const char *note)
{
    bool has_unit = scale.name[0] != '\0';
    g_autofree char *text = g_strconcat(name, has_unit ? " (" : "", scale.name, has_unit ? ")" : "",
                                        note, NULL);
    return pf_sheet_quote(text);
}

char *pf_sheet_short(double value)
{
    double amount = fabs(value);
    return g_strdup_printf("%.*f", amount >= 100 ? 0 : amount >= 10 ? 1 : 2, value);
}

const char *pf_sheet_color(int number)
{
    static const char *const palette[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                          "#E69F00", "#56B4E9", "#000000", "#B8A800",
                                          "#332288", "#CC6677", "#117733", "#882255",
                                          "#DDCC77", "#88CCEE", "#44AA99", "#999933"};
    return number < 0 ? "#767676" : palette[(size_t)number % G_N_ELEMENTS(palette)];
}

const char *pf_sheet_text_color(const char *color)
{
    unsigned long rgb = strtoul(color + 1, NULL, 16);
    /* Weights of luminance as in ITU-R BT.601. */
    double luminance = 0.299 * (double)(rgb >> 16) + 0.587 * (double)(rgb >> 8 & 0xff) +
                       0.114 * (double)(rgb & 0xff);
    const double middle = 135;
    return luminance < middle ? "#ffffff" : "#000000";
}

double pf_sheet_nice(double value)
{
    static const double steps[] = {1.0, 2.0, 2.5, 5.0, 10.0};
    if (!(value > 0.0) || !isfinite(value))
        return 1.0;
    double power = pow(10.0, floor(log10(value)));
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (steps[i] * power >= value * (1.0 - 1e-9))
            return steps[i] * power;
    return 10.0 * power;
}

/* With positions[i] - i * gap in place of the positions the gaps become an order, and the nearest
 * ordered sequence comes from pooling neighbours that are out of order to their mean. */
void pf_sheet_spread(double *positions, size_t count, double gap, double low, double high)
{
    g_autofree double *means = g_new0(double, count);
    g_autofree size_t *sizes = g_new0(size_t, count);
    size_t pools = 0;
    for (size_t i = 0; i < count; i++) {
        means[pools] = positions[i] - (double)i * gap;
        sizes[pools++] = 1;
        while (pools > 1 && means[pools - 2] > means[pools - 1]) {
            double both = (double)(sizes[pools - 2] + sizes[pools - 1]);
            means[pools - 2] = (means[pools - 2] * (double)sizes[pools - 2] +
                                means[pools - 1] * (double)sizes[pools - 1]) /
                               both;
            sizes[pools - 2] += sizes[pools - 1];
            pools--;
        }
    }
    double ceiling = high - (double)(count > 0 ? count - 1 : 0) * gap;
    size_t next = 0;
    for (size_t pool = 0; pool < pools; pool++)
        for (size_t i = 0; i < sizes[pool]; i++, next++)
            positions[next] = MAX(MIN(means[pool], ceiling), low) + (double)next * gap;
}
