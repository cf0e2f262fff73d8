#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const *pf_report_form_names(void)
{
    static const char *const names[PF_REPORT_FORMS + 1] = {
        [PF_REPORT_TABLE] = "table", [PF_REPORT_MARKDOWN] = "markdown", [PF_REPORT_LATEX] = "latex",
        [PF_REPORT_CSV] = "csv",     [PF_REPORT_JSON] = "json",         [PF_REPORT_ESX] = "esx",
    };
    return names;
}

static void append_double(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isfinite(value)) {
        g_string_append(out, "null");
        return;
    }
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(text, sizeof text, formats[i], value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(out, text);
    /* A reader shall see that it is no integer. */
    if (strpbrk(text, ".e") == NULL)
        g_string_append(out, ".0");
}

void pf_report_append_value(GString *out, PfStatValue value)
{
    switch (value.kind) {
    case PF_STAT_NULL:
        g_string_append(out, "null");
        return;
    case PF_STAT_UINT:
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, value.u);
        return;
    case PF_STAT_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value.i);
        return;
    case PF_STAT_DOUBLE:
        append_double(out, value.d);
        return;
    }
}

void pf_report_append_field(GString *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        g_string_append(out, text);
        return;
    }
    g_string_append_c(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

size_t pf_report_width(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return strlen(text);
    size_t width = 0;
    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(guchar)*at]) {
        gunichar letter = g_utf8_get_char(at);
        width += g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
    }
    return width;
}

double pf_report_number(PfStatValue value)
{
    switch (value.kind) {
    case PF_STAT_NULL:
        return (double)NAN;
    case PF_STAT_UINT:
        return (double)value.u;
    case PF_STAT_INT:
        return (double)value.i;
    case PF_STAT_DOUBLE:
        return value.d;
    }
    return (double)NAN;
}

void pf_report_comparison(GString *out, const PfSimulation *simulation, PfReportForm form)
{
    if (form == PF_REPORT_JSON)
        pf_report_json(out, simulation);
    else if (form == PF_REPORT_ESX)
        pf_report_esx(out, simulation);
    else
        pf_report_table(out, simulation, form);
    if (form == PF_REPORT_TABLE || form == PF_REPORT_MARKDOWN) {
        pf_report_reasons(out, simulation, form);
        pf_report_classes(out, simulation, form);
        pf_report_spans(out, simulation, form);
    }
}
