#include "tidy.h"

#include <string.h>

static const char *const roots[] = {"sim", "models", "traces", "tests"};

static void file_free(gpointer data)
{
    PfTidyFile *file = data;
    g_free(file->path);
    g_strfreev(file->raw);
    g_strfreev(file->code);
    g_free(file);
}

/* Blanks comments and what stands between quotes; newlines stay, so lines keep their numbers. */
static void blank(char *text)
{
    while (*text != '\0') {
        if (g_str_has_prefix(text, "/*")) {
            char *end = strstr(text + 2, "*/");
            char *stop = end != NULL ? end + 2 : text + strlen(text);
            for (; text < stop; text++)
                if (*text != '\n')
                    *text = ' ';
        } else if (g_str_has_prefix(text, "//")) {
            for (; *text != '\0' && *text != '\n'; text++)
                *text = ' ';
        } else if (*text == '"' || *text == '\'') {
            char quote = *text;
            for (text++; *text != '\0' && *text != '\n' && *text != quote; text++) {
                if (*text == '\\' && text[1] != '\0' && text[1] != '\n')
                    *text++ = ' ';
                *text = ' ';
            }
            if (*text == quote)
                text++;
        } else {
            text++;
        }
    }
}

static bool read_file(PfTidyTree *tree, const char *root, const char *path, GError **error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *text = NULL;
    size_t length;
    if (!g_file_get_contents(full, &text, &length, error))
        return false;
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    PfTidyFile *file = g_new0(PfTidyFile, 1);
    file->path = g_strdup(path);
    file->raw = g_strsplit(text, "\n", -1);
    blank(text);
    file->code = g_strsplit(text, "\n", -1);
    file->line_count = g_strv_length(file->raw);
    g_ptr_array_add(tree->files, file);
    return true;
}

static bool read_folder(PfTidyTree *tree, const char *root, const char *path, GError **error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    if (!g_file_test(full, G_FILE_TEST_IS_DIR))
        return true;
    g_autoptr(GDir) folder = g_dir_open(full, 0, error);
    if (folder == NULL)
        return false;
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        g_autofree char *inner_full = g_build_filename(root, inner, NULL);
        if (g_file_test(inner_full, G_FILE_TEST_IS_DIR)) {
            if (!read_folder(tree, root, inner, error))
                return false;
        } else if (g_str_has_suffix(name, ".c") || g_str_has_suffix(name, ".h")) {
            if (!read_file(tree, root, inner, error))
                return false;
        }
    }
    return true;
}

static gint by_path(gconstpointer a, gconstpointer b)
{
    const PfTidyFile *const *first = a;
    const PfTidyFile *const *second = b;
    return strcmp((*first)->path, (*second)->path);
}

PfTidyTree *pf_tidy_tree_read(const char *root, GError **error)
{
    g_autoptr(PfTidyTree) tree = g_new0(PfTidyTree, 1);
    tree->files = g_ptr_array_new_with_free_func(file_free);
    tree->headers = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < G_N_ELEMENTS(roots); i++)
        if (!read_folder(tree, root, roots[i], error))
            return NULL;
    g_ptr_array_sort(tree->files, by_path);
    for (guint i = 0; i < tree->files->len; i++) {
        const PfTidyFile *file = g_ptr_array_index(tree->files, i);
        char *name = strrchr(file->path, '/') + 1;
        if (g_str_has_suffix(name, ".h") && !g_hash_table_contains(tree->headers, name))
            g_hash_table_insert(tree->headers, name, file->path);
    }
    return g_steal_pointer(&tree);
}

void pf_tidy_tree_free(PfTidyTree *tree)
{
    if (tree == NULL)
        return;
    g_clear_pointer(&tree->headers, g_hash_table_unref);
    g_clear_pointer(&tree->files, g_ptr_array_unref);
    g_free(tree);
}

void pf_tidy_complain(GPtrArray *report, const PfTidyFile *file, guint line, const char *format,
                      ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(report, g_strdup_printf("%s:%u: %s", file->path, line, message));
}

bool pf_tidy_is_under(const char *path, const char *const *prefixes)
{
    for (; prefixes != NULL && *prefixes != NULL; prefixes++)
        if (g_str_has_prefix(path, *prefixes))
            return true;
    return false;
}
