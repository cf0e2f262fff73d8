/* What images of memory are called by. */
#include <string.h>

#include "import.h"

char *pf_import_stem(const char *path)
{
    static const char *const packings[] = {".gz", ".xz", ".zst"};
    g_autofree char *name = g_path_get_basename(strcmp(path, "-") == 0 ? "image" : path);
    for (size_t i = 0; i < G_N_ELEMENTS(packings); i++)
        if (g_str_has_suffix(name, packings[i]))
            *strrchr(name, '.') = '\0';
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name && strspn(dot + 1, "0123456789") != strlen(dot + 1))
        *dot = '\0';
    return g_strdelimit(g_utf8_make_valid(name, -1), " \t\n\r\"#=", '-');
}

char *pf_import_new_name(GHashTable *names, const char *stem)
{
    char *name = g_strdup(stem);
    for (unsigned n = 2; g_hash_table_contains(names, name); n++) {
        g_free(name);
        name = g_strdup_printf("%s-%u", stem, n);
    }
    g_hash_table_add(names, g_strdup(name));
    return name;
}
