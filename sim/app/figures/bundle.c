#include "bundle.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "archive.h"
#include "error.h"
#include "figures.h"
#include "json.h"

/* All that is packed lies in this folder of the archive. */
static const char folder[] = "pagefold-bundle";

static const char redraw[] = "#!/bin/sh\n"
                             "# Draws every figure of this bundle anew, as plots/NAME.svg. Needs\n"
                             "# gnuplot alone; plots/NAME.gp and NAME.csv may be changed before.\n"
                             "set -e\n"
                             "cd \"$(dirname \"$0\")/plots\"\n"
                             "for script in *.gp; do\n"
                             "    gnuplot \"$script\"\n"
                             "    echo \"plots/${script%.gp}\"\n"
                             "done\n";


/* What is packed is a tree of bytes by their names in the bundle. */
static int compare_names(gconstpointer a, gconstpointer b, gpointer user)
{
    (void)user;
    return strcmp(a, b);
}

static void take_text(GTree *files, const char *name, GString *text)
{
    g_tree_insert(files, g_strdup(name), g_string_free_to_bytes(text));
}

/* The members of a manifest that are the same whenever and wherever the run is repeated. */
static GString *reduce_manifest(const char *path, GError **error)
{
    static const char *const kept[] = {"schema",  "complete", "exit",    "versions",
                                       "seed",    "records",  "digests", "differences",
                                       "warnings"};
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) cause = NULL;
    JsonNode *root = NULL;
    if (json_parser_load_from_file(parser, path, &cause))
        root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path,
                    cause != NULL ? cause->message : "not what pagefold writes");
        return NULL;
    }
    g_autoptr(JsonObject) reduced = json_object_new();
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        JsonNode *member = json_object_get_member(json_node_get_object(root), kept[i]);
        if (member != NULL)
            json_object_set_member(reduced, kept[i], json_node_copy(member));
    }
    g_autoptr(JsonNode) node = json_node_alloc();
    json_node_init_object(node, reduced);
    g_autofree char *text = json_to_string(node, TRUE);
    GString *out = g_string_new(text);
    g_string_append_c(out, '\n');
    return out;
}

static bool add_file(GTree *files, const char *path, const char *name, GError **error)
{
    if (g_str_has_suffix(path, "/manifest.json")) {
        GString *text = reduce_manifest(path, error);
        if (text != NULL)
            take_text(files, name, text);
        return text != NULL;
    }
    g_autoptr(GError) cause = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &cause);
    if (file == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path, cause->message);
        return false;
    }
    g_tree_insert(files, g_strdup(name), g_mapped_file_get_bytes(file));
    return true;
}

/* Configurations, data and scripts, but neither pictures nor what is half written. */
static bool is_wanted(const char *name)
{
    static const char *const endings[] = {".cfg", ".csv", ".json", ".gp"};
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(name, endings[i]) && name[0] != '.')
            return true;
    return false;
}

/* Adds what is wanted of DIRECTORY, which is called PREFIX in the bundle. Links to folders are not
 * followed, so this ends. */
static bool add_folder(GTree *files, const char *directory, const char *prefix, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) open = g_dir_open(directory, 0, &cause);
    if (open == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s", cause->message);
        return false;
    }
    const char *entry;
    while ((entry = g_dir_read_name(open)) != NULL) {
        g_autofree char *path = g_build_filename(directory, entry, NULL);
        g_autofree char *name = g_strconcat(prefix, "/", entry, NULL);
        bool is_link = g_file_test(path, G_FILE_TEST_IS_SYMLINK);
        bool is_folder = g_file_test(path, G_FILE_TEST_IS_DIR) && !is_link;
        bool is_file = g_file_test(path, G_FILE_TEST_IS_REGULAR) && is_wanted(entry);
        if (is_folder && entry[0] != '.' && !add_folder(files, path, name, error))
            return false;
        if (is_file && !add_file(files, path, name, error))
            return false;
    }
    return true;
}

/* Data and script of each figure that can be drawn, where there are none yet. */
static bool add_figures(GTree *files, const char *directory, GError **error)
{
    for (size_t i = 0; i < pf_figure_count(); i++) {
        const PfFigure *figure = pf_figure_at(i);
        g_autofree char *data_name = g_strdup_printf("%s/plots/%s.csv", folder, figure->name);
        g_autofree char *script_name = g_strdup_printf("%s/plots/%s.gp", folder, figure->name);
        g_autofree char *source = g_build_filename(directory, figure->source, NULL);
        if (!g_file_test(source, G_FILE_TEST_EXISTS) ||
            g_tree_lookup(files, script_name) != NULL)
            continue;
        g_autoptr(GString) data = g_string_new(NULL);
        g_autoptr(GString) script = g_string_new(NULL);
        g_autoptr(GError) cause = NULL;
        if (pf_figure_prepare(figure, directory, PF_TERMINAL_SVG, data, script, &cause)) {
            take_text(files, data_name, g_steal_pointer(&data));
            take_text(files, script_name, g_steal_pointer(&script));
        } else if (!g_error_matches(cause, PF_ERROR, PF_ERROR_CONFIG)) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
    }
    return true;
}

typedef struct {
    PfArchive *archive;
    GError **error;
    bool failed;
} Packing;

static gboolean pack(gpointer name, gpointer bytes, gpointer user)
{
    Packing *packing = user;
    gsize length = 0;
    const void *data = g_bytes_get_data(bytes, &length);
    packing->failed = !pf_archive_add(packing->archive, name, g_str_has_suffix(name, ".sh"), data,
                                      length, packing->error);
    return packing->failed;
}

bool pf_bundle_write(const char *directory, const char *path, GError **error)
{
    g_autoptr(GTree) files =
        g_tree_new_full(compare_names, NULL, g_free, (GDestroyNotify)g_bytes_unref);
    g_autofree char *manifest = g_build_filename(directory, "manifest.json", NULL);
    if (!g_file_test(manifest, G_FILE_TEST_EXISTS)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%s: no results to pack; they have a manifest.json", directory);
        return false;
    }
    if (!add_folder(files, directory, folder, error) || !add_figures(files, directory, error))
        return false;
    g_autofree char *script_name = g_strconcat(folder, "/redraw.sh", NULL);
    take_text(files, script_name, g_string_new(redraw));
    g_autoptr(PfArchive) archive = pf_archive_open(path, error);
    if (archive == NULL)
        return false;
    Packing packing = {archive, error, false};
    g_tree_foreach(files, pack, &packing);
    return !packing.failed && pf_archive_finish(archive, error);
}
