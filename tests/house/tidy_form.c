#include "tidy.h"

#include <string.h>

void pf_tidy_check_columns(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                           GPtrArray *report)
{
    (void)tree;
    for (guint i = 0; i < file->line_count; i++) {
        glong columns = g_utf8_strlen(file->raw[i], -1);
        if (columns > (glong)rule->max)
            pf_tidy_complain(report, file, i + 1, "%ld columns", columns);
    }
}

/* The brace in column 0 that opens a body to the one that closes it, both counted. */
void pf_tidy_check_functions(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                             GPtrArray *report)
{
    (void)tree;
    guint opened = 0;
    for (guint i = 0; i < file->line_count; i++) {
        if (file->code[i][0] == '{')
            opened = i + 1;
        if (file->code[i][0] != '}' || opened == 0)
            continue;
        guint length = i + 2 - opened;
        if (length > rule->max)
            pf_tidy_complain(report, file, opened, "a function of %u lines", length);
        opened = 0;
    }
}

void pf_tidy_check_file_length(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report)
{
    (void)tree;
    if (file->line_count > rule->max)
        pf_tidy_complain(report, file, rule->max + 1, "a file of %u lines", file->line_count);
}

static void check_pattern(const PfTidyRule *rule, const PfTidyFile *file, char *const *lines,
                          GPtrArray *report)
{
    g_autoptr(GRegex) regex = g_regex_new(rule->pattern, 0, 0, NULL);
    g_assert(regex != NULL);
    for (guint i = 0; i < file->line_count; i++) {
        g_autoptr(GMatchInfo) match = NULL;
        if (!g_regex_match(regex, lines[i], 0, &match))
            continue;
        g_autofree char *found = g_match_info_fetch(match, 0);
        g_autofree char *shown = g_strescape(g_strstrip(found), NULL);
        pf_tidy_complain(report, file, i + 1, "\"%s\"", shown);
    }
}

void pf_tidy_check_raw_pattern(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report)
{
    (void)tree;
    check_pattern(rule, file, file->raw, report);
}

void pf_tidy_check_code_pattern(const PfTidyRule *rule, const PfTidyTree *tree,
                                const PfTidyFile *file, GPtrArray *report)
{
    (void)tree;
    check_pattern(rule, file, file->code, report);
}

void pf_tidy_check_pragma_once(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report)
{
    (void)rule;
    (void)tree;
    if (!g_str_has_suffix(file->path, ".h"))
        return;
    for (guint i = 0; i < file->line_count; i++)
        if (strcmp(file->code[i], "#pragma once") == 0)
            return;
    pf_tidy_complain(report, file, 1, "no #pragma once");
}
