#include "installed.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "version.h"

void pf_installed_find(char **path)
{
    bool is_example = *path != NULL && (g_str_has_prefix(*path, "configs/") ||
                                        g_str_has_prefix(*path, "traces/"));
    if (!is_example || g_file_test(*path, G_FILE_TEST_EXISTS))
        return;
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    if (program == NULL)
        return;
    g_autofree char *folder = g_path_get_dirname(program);
    g_autofree char *relative = g_build_filename(folder, PF_DATA_FROM_BIN, *path, NULL);
    g_autofree char *found = g_canonicalize_filename(relative, NULL);
    if (!g_file_test(found, G_FILE_TEST_EXISTS))
        return;
    fprintf(stderr, "pagefold: %s is not here: taking %s\n", *path, found);
    g_free(*path);
    *path = g_steal_pointer(&found);
}
