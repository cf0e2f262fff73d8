#include "tidy.h"

#include <string.h>

/* Functions whose name says all: they free, they clear, or GLib asks for them. */
static const char *const plain_suffixes[] = {"_free", "_clear", "_quark"};

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* The name before the first parenthesis of a declaration, or NULL. Free with g_free. */
static char *function_name(const char *code)
{
    const char *end = strchr(code, '(');
    if (end == NULL || end == code || !(g_ascii_isalnum(end[-1]) || end[-1] == '_'))
        return NULL;
    const char *start = end;
    while (start > code && (g_ascii_isalnum(start[-1]) || start[-1] == '_'))
        start--;
    return start > code ? g_strndup(start, (gsize)(end - start)) : NULL;
}

/* Whether a declaration or definition of a function begins on this line. */
static bool begins_function(const char *code)
{
    if (!g_ascii_isalpha(code[0]) || g_str_has_prefix(code, "typedef ") ||
        g_str_has_prefix(code, "static_assert") || g_str_has_prefix(code, "G_"))
        return false;
    g_autofree char *name = function_name(code);
    return name != NULL;
}

static bool has_plain_name(const char *code)
{
    g_autofree char *name = function_name(code);
    for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(plain_suffixes); i++)
        if (g_str_has_suffix(name, plain_suffixes[i]))
            return true;
    return false;
}

/* One comment speaks for the declarations that follow it without an empty line. */
void pf_tidy_check_comments(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                            GPtrArray *report)
{
    (void)rule;
    (void)tree;
    if (!g_str_has_suffix(file->path, ".h"))
        return;
    bool is_told = false;
    bool after_body = false;
    for (guint i = 0; i < file->line_count; i++) {
        const char *code = file->code[i];
        if (is_blank(file->raw[i]))
            /* Short inline functions may follow each other under one comment. */
            is_told = is_told && after_body && i + 1 < file->line_count &&
                      g_str_has_prefix(file->code[i + 1], "static inline ");
        else if (is_blank(code))
            is_told = true;
        else if (begins_function(code) && !is_told && !has_plain_name(code))
            pf_tidy_complain(report, file, i + 1, "no comment above");
        after_body = code[0] == '}' && code[1] == '\0';
    }
}

/* The declaration that begins on line INDEX, up to what is declared: no array, value or body. */
static char *declarator(const PfTidyFile *file, guint index)
{
    GString *text = g_string_new(NULL);
    for (guint i = index; i < file->line_count; i++) {
        const char *code = file->code[i];
        gsize length = strcspn(code, "=[;{");
        g_string_append_len(text, code, (gssize)length);
        g_string_append_c(text, ' ');
        if (code[length] != '\0')
            break;
    }
    return g_string_free(text, FALSE);
}

/* Whether TEXT declares something that is not const: after the last star, or at all without one. */
static bool is_mutable(const char *text)
{
    const char *star = strrchr(text, '*');
    g_autoptr(GRegex) constant = g_regex_new("\\bconst\\b", 0, 0, NULL);
    return !g_regex_match(constant, star != NULL ? star : text, 0, NULL);
}

/* Words that begin no variable, or a type's definition, at file scope. */
static const char *const other_beginnings[] = {"typedef ", "struct ",       "union ",
                                               "enum ",    "static_assert", "static inline ",
                                               "G_",       "extern \"",     NULL};

void pf_tidy_check_variables(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                             GPtrArray *report)
{
    (void)rule;
    (void)tree;
    bool in_function = false;
    for (guint i = 0; i < file->line_count; i++) {
        const char *code = file->code[i];
        if (code[0] == '{')
            in_function = true;
        if (code[0] == '}')
            in_function = false;
        const char *start = code + strspn(code, " ");
        bool is_static = g_str_has_prefix(start, "static ");
        bool is_global = !in_function && g_ascii_isalpha(code[0]);
        if (!is_static && !is_global)
            continue;
        if (pf_tidy_is_under(start, other_beginnings))
            continue;
        g_autofree char *text = declarator(file, i);
        const char *parenthesis = strchr(text, '(');
        if (parenthesis != NULL && parenthesis[1] != '*')
            continue;
        if (strchr(g_strstrip(text), ' ') == NULL || strstr(text, "sig_atomic_t") != NULL)
            continue;
        if (is_mutable(text))
            pf_tidy_complain(report, file, i + 1, "%s", text);
    }
}
