#include "json.h"

#include "report.h"

void pf_json_init(PfJson *json, GString *out)
{
    *json = (PfJson){.out = out, .empty = true};
}

static void append_quoted(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_string_append_c(out, '"');
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            g_string_append_printf(out, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void append_indent(PfJson *json)
{
    if (json->is_line)
        return;
    g_string_append_c(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++)
        g_string_append(json->out, "  ");
}

/* Everything up to the value. */
static void begin_member(PfJson *json, const char *key)
{
    if (!json->empty)
        g_string_append(json->out, json->is_line ? ", " : ",");
    if (json->depth > 0)
        append_indent(json);
    json->empty = false;
    if (key != NULL) {
        append_quoted(json->out, key);
        g_string_append(json->out, ": ");
    }
}

void pf_json_open(PfJson *json, const char *key, char bracket)
{
    begin_member(json, key);
    g_string_append_c(json->out, bracket);
    json->depth++;
    json->empty = true;
}

void pf_json_close(PfJson *json, char bracket)
{
    g_assert(json->depth > 0);
    json->depth--;
    if (!json->empty)
        append_indent(json);
    g_string_append_c(json->out, bracket);
    json->empty = false;
    if (json->depth == 0 && !json->is_line)
        g_string_append_c(json->out, '\n');
}

void pf_json_string(PfJson *json, const char *key, const char *text)
{
    begin_member(json, key);
    if (text != NULL)
        append_quoted(json->out, text);
    else
        g_string_append(json->out, "null");
}

void pf_json_bool(PfJson *json, const char *key, bool value)
{
    begin_member(json, key);
    g_string_append(json->out, value ? "true" : "false");
}

void pf_json_uint(PfJson *json, const char *key, uint64_t value)
{
    pf_json_stat(json, key, pf_stat_uint(value));
}

void pf_json_double(PfJson *json, const char *key, double value)
{
    pf_json_stat(json, key, pf_stat_double(value));
}

void pf_json_stat(PfJson *json, const char *key, PfStatValue value)
{
    begin_member(json, key);
    pf_report_append_value(json->out, value);
}
