/* Axes as commands of gnuplot. */
#include <math.h>
#include <string.h>

#include "chart_internal.h"
#include "report.h"

static void add_named_tics(const PfPanel *panel, GString *text)
{
    size_t width = 0;
    g_autoptr(GString) tics = g_string_new(NULL);
    for (guint i = 0; i < panel->tics->len; i++) {
        const Tic *tic = &g_array_index(panel->tics, Tic, i);
        g_autofree char *name = pf_sheet_shorten(tic->name, PF_NAME_WIDTH);
        g_autofree char *quoted = pf_sheet_quote_tic(name);
        g_string_append_printf(tics, "%s%s %.15g", i > 0 ? ", " : "", quoted,
                               tic->value * panel->x_range.scale.factor);
        width += pf_report_width(name) + 2;
    }
    g_string_append_printf(text, "set xtics %s (%s)",
                           (double)width > panel->columns ? "rotate by -25" : "norotate",
                           tics->str);
}

static void add_number(GString *list, double value)
{
    g_string_append_printf(list, "%s%.6g", list->len > 0 ? ", " : "", value);
}

/* Powers of ten; where there are hardly any, 2 and 5 times these, too; and where there are hardly
 * any of these, equal steps. */
static void add_logarithmic_tics(const Range *range, char axis, GString *text)
{
    static const double steps[] = {1.0, 2.0, 5.0};
    const double few = 300.0;
    const double fewest = 4.0; /* from 1 to 4 or 2 to 8 there are two of 1, 2, 5 ... */
    size_t count = range->high / range->low < few ? G_N_ELEMENTS(steps) : 1;
    double step = pf_sheet_nice((range->high - range->low) / fewest);
    bool equal = range->high / range->low < fewest;
    g_autoptr(GString) list = g_string_new(NULL);
    for (double at = ceil(range->low / step) * step; equal && at <= range->high; at += step)
        add_number(list, at);
    for (double power = pow(10.0, floor(log10(range->low))); !equal && power <= range->high;
         power *= 10.0)
        for (size_t i = 0; i < count; i++)
            if (power * steps[i] >= range->low && power * steps[i] <= range->high)
                add_number(list, power * steps[i]);
    g_string_append_printf(text, "set %ctics norotate (%s)", axis, list->str);
}

void chart_set_axis(const PfPanel *panel, bool is_x, bool named, GHashTable *words)
{
    const PfAxis *axis = is_x ? &panel->x : &panel->y;
    const Range *range = is_x ? &panel->x_range : &panel->y_range;
    const char *letter = is_x ? "X" : "Y";
    g_autoptr(GString) text = g_string_new(NULL);
    char small = is_x ? 'x' : 'y';
    g_autofree char *name =
        named ? pf_sheet_axis(axis->name, range->scale, NULL) : g_strdup("''");
    g_string_append_printf(text, "set %clabel %s\n", small, name);
    g_string_append_printf(text, "%s logscale %c\n", axis->logarithmic ? "set" : "unset", small);
    g_string_append_printf(text, "set %crange [%.15g:%.15g]\n", small, range->low, range->high);
    if (is_x && panel->tics->len > 0) {
        add_named_tics(panel, text);
    } else if (axis->logarithmic) {
        add_logarithmic_tics(range, small, text);
    } else {
        g_string_append_printf(text, "set %ctics norotate %.15g", small, range->step);
    }
    pf_words_set(words, letter, "%s", text->str);
    g_autofree char *scale = g_strconcat(letter, "_SCALE", NULL);
    pf_words_set(words, scale, "%.15g", range->scale.factor);
}
