#include <string.h>

#include "examples.h"

static void free_block(gpointer data)
{
    PfBlock *block = data;
    g_free(block->language);
    g_free(block->file_name);
    g_free(block->heading);
    g_free(block->text);
    g_free(block);
}

static void free_document(gpointer data)
{
    PfDocument *document = data;
    g_free(document->name);
    g_free(document->path);
    g_ptr_array_unref(document->blocks);
    g_free(document);
}

/* The block whose fence is LINE. */
static PfBlock *open_block(const char *line, const char *heading, guint number)
{
    PfBlock *block = g_new0(PfBlock, 1);
    g_auto(GStrv) words = g_strsplit_set(line + strlen("```"), " ", 2);
    block->language = g_strdup(words[0] != NULL ? words[0] : "");
    block->file_name = words[0] != NULL ? g_strdup(words[1]) : NULL;
    block->heading = g_strdup(heading);
    block->line = number;
    return block;
}

static PfDocument *read_document(const char *root, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    PfDocument *document = g_new0(PfDocument, 1);
    document->name = g_strdup(name);
    document->path = g_steal_pointer(&path);
    document->blocks = g_ptr_array_new_with_free_func(free_block);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    const char *heading = name;
    PfBlock *open = NULL;
    g_autoptr(GString) inside = g_string_new(NULL);
    for (guint i = 0; lines[i] != NULL; i++) {
        bool is_fence = g_str_has_prefix(lines[i], "```");
        if (open == NULL && is_fence) {
            open = open_block(lines[i], heading, i + 1);
            g_string_truncate(inside, 0);
        } else if (open != NULL && is_fence) {
            open->text = g_strdup(inside->str);
            open->end = i + 1;
            g_ptr_array_add(document->blocks, open);
            open = NULL;
        } else if (open != NULL) {
            g_string_append_printf(inside, "%s\n", lines[i]);
        } else if (lines[i][0] == '#') {
            heading = lines[i] + strspn(lines[i], "# ");
        }
    }
    if (open != NULL)
        free_block(open);
    return document;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the documents in FOLDER of ROOT and below. */
static bool collect_names(const char *root, const char *folder, GPtrArray *names, GError **error)
{
    g_autofree char *path = g_build_filename(root, folder, NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, error);
    if (directory == NULL)
        return false;
    const char *entry;
    while ((entry = g_dir_read_name(directory)) != NULL) {
        g_autofree char *name = g_build_filename(folder, entry, NULL);
        g_autofree char *below = g_build_filename(root, name, NULL);
        if (g_file_test(below, G_FILE_TEST_IS_DIR)) {
            if (!collect_names(root, name, names, error))
                return false;
        } else if (g_str_has_suffix(entry, ".md")) {
            g_ptr_array_add(names, g_steal_pointer(&name));
        }
    }
    return true;
}

GPtrArray *pf_documents_read(const char *root, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) documents = g_ptr_array_new_with_free_func(free_document);
    g_ptr_array_add(names, g_strdup("README.md"));
    g_ptr_array_add(names, g_strdup("traces/samples/README.md"));
    if (!collect_names(root, "docs", names, error))
        return NULL;
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        PfDocument *document = read_document(root, names->pdata[i], error);
        if (document == NULL)
            return NULL;
        g_ptr_array_add(documents, document);
    }
    return g_steal_pointer(&documents);
}
