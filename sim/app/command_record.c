#include <errno.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "version.h"

/* The recorder links Unicorn Engine and is therefore a program of its own, beside this one or where
 * programs lie that only programs call. Nothing else is searched. */
static char *find_recorder(void)
{
    static const char *const folders[] = {".", PF_LIBEXEC_FROM_BIN};
    g_autofree char *own = g_file_read_link("/proc/self/exe", NULL);
    for (unsigned i = 0; own != NULL && i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_path_get_dirname(own);
        g_autofree char *path = g_build_filename(folder, folders[i], "pagefold-record", NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    return g_build_filename(PF_LIBEXECDIR, "pagefold-record", NULL);
}

/* Only comes back if the recorder cannot be started. */
static int run(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error)
{
    (void)command;
    g_autofree char *path = find_recorder();
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autofree char *color = app->color != NULL ? g_strconcat("--color=", app->color, NULL) : NULL;
    g_ptr_array_add(words, path);
    if (color != NULL)
        g_ptr_array_add(words, color);
    for (int i = 0; i < argc; i++)
        g_ptr_array_add(words, argv[i]);
    g_ptr_array_add(words, NULL);
    execv(path, (char **)words->pdata);
    int code = errno;
    g_set_error(error, PF_ERROR, PF_ERROR_GUEST,
                "%s: %s; it is built where libunicorn-dev is installed", path, g_strerror(code));
    return 125;
}

const PfCommand pf_command_trace_record = {
    .name = "trace record",
    .arguments = "-- PROGRAM [ARGUMENT]...",
    .summary = "Record a static x86-64 Linux program (Unicorn Engine)",
    .examples = "  pagefold trace record -o sort.pft -- ./sort words.txt\n",
    .arguments_min = 1,
    .arguments_max = 0,
    .run = run,
};
