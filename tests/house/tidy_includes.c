#include "tidy.h"

#include <string.h>

/* Rooms and the rooms they may include from, besides themselves. traces and models share a storey
 * and do not see each other. tests see everything and are not listed. */
typedef struct {
    const char *room;
    const char *below[10];
} Floor;

static const Floor floors[] = {
    {"sim/base/", {NULL}},
    {"traces/", {"sim/base/", NULL}},
    {"models/", {"sim/base/", NULL}},
    {"sim/mm/", {"sim/base/", "traces/", "models/", NULL}},
    {"sim/state/", {"sim/base/", "traces/", "models/", "sim/mm/", NULL}},
    {"sim/potential/", {"sim/base/", "traces/", "sim/mm/", "sim/state/", NULL}},
    {"sim/policies/", {"sim/base/", "traces/", "models/", "sim/mm/", NULL}},
    {"sim/engine/", {"sim/base/", "traces/", "models/", "sim/mm/", "sim/policies/", NULL}},
    {"sim/app/",
     {"sim/base/", "traces/", "models/", "sim/mm/", "sim/state/", "sim/potential/", "sim/policies/",
      "sim/engine/", NULL}},
};

/* Parts of the policies' floor that join it to the floors below; all others are leaves. */
static const char *const joints[] = {"host", "registry", "policy.h", NULL};

/* What a leaf may include of its own floor, besides its own headers. */
static const char *const leaf_headers[] = {"policy.h", "finder", "filter", "sweep.h", NULL};

static const Floor *floor_of(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(floors); i++)
        if (g_str_has_prefix(path, floors[i].room))
            return &floors[i];
    return NULL;
}

/* The name that line INDEX includes in quotes, or NULL. Free with g_free. */
static char *included_name(const PfTidyFile *file, guint index)
{
    const char *code = file->code[index];
    if (code[0] != '#' || strstr(code, "include") == NULL)
        return NULL;
    const char *start = strchr(file->raw[index], '"');
    const char *end = start != NULL ? strchr(start + 1, '"') : NULL;
    return end != NULL ? g_strndup(start + 1, (gsize)(end - start - 1)) : NULL;
}

void pf_tidy_check_floors(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                          GPtrArray *report)
{
    (void)rule;
    const Floor *own = floor_of(file->path);
    if (own == NULL)
        return;
    for (guint i = 0; i < file->line_count; i++) {
        g_autofree char *name = included_name(file, i);
        const char *path = name != NULL ? g_hash_table_lookup(tree->headers, name) : NULL;
        if (path == NULL || g_str_has_prefix(path, own->room) || pf_tidy_is_under(path, own->below))
            continue;
        pf_tidy_complain(report, file, i + 1, "%s must not see %s", own->room, path);
    }
}

/* The first word of a file's name: "esx" of "sim/policies/esx_table.c". Free with g_free. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    return g_strndup(name, strcspn(name, "_."));
}

/* A leaf's own header: in its inner room, or on its floor with its own first word. */
static bool is_own_header(const char *leaf_path, const char *header_path)
{
    g_autofree char *leaf_room = g_path_get_dirname(leaf_path);
    g_autofree char *header_room = g_path_get_dirname(header_path);
    if (strcmp(leaf_room, header_room) == 0 && strcmp(leaf_room, "sim/policies") != 0)
        return true;
    g_autofree char *leaf_stem = stem_of(leaf_path);
    g_autofree char *header_stem = stem_of(header_path);
    return g_str_has_prefix(header_path, "sim/policies/") && strcmp(leaf_stem, header_stem) == 0;
}

void pf_tidy_check_leaves(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                          GPtrArray *report)
{
    (void)rule;
    if (pf_tidy_is_under(strrchr(file->path, '/') + 1, joints))
        return;
    for (guint i = 0; i < file->line_count; i++) {
        g_autofree char *name = included_name(file, i);
        const char *path = name != NULL ? g_hash_table_lookup(tree->headers, name) : NULL;
        if (path == NULL || g_str_has_prefix(path, "sim/base/") ||
            pf_tidy_is_under(name, leaf_headers) || is_own_header(file->path, path))
            continue;
        pf_tidy_complain(report, file, i + 1, "a leaf must not see %s", path);
    }
}

void pf_tidy_check_header_names(const PfTidyRule *rule, const PfTidyTree *tree,
                                const PfTidyFile *file, GPtrArray *report)
{
    (void)rule;
    if (!g_str_has_suffix(file->path, ".h"))
        return;
    const char *first = g_hash_table_lookup(tree->headers, strrchr(file->path, '/') + 1);
    if (strcmp(first, file->path) != 0)
        pf_tidy_complain(report, file, 1, "%s has the same name", first);
}
