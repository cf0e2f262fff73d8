#include "spawn.h"

#include <glib/gstdio.h>
#include <sys/wait.h>

const char *spawn_path(void)
{
    const char *path = g_getenv("PAGEFOLD_PROGRAM");
    g_assert_nonnull(path);
    return path;
}

/* The program and its ARGUMENTS. */
static GPtrArray *command_line(const char *const *arguments)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup(spawn_path()));
    for (; *arguments != NULL; arguments++)
        g_ptr_array_add(words, g_strdup(*arguments));
    g_ptr_array_add(words, NULL);
    return words;
}

GPid spawn_start(const char *directory, const char *const *arguments)
{
    g_autoptr(GPtrArray) words = command_line(arguments);
    GPid child = 0;
    g_autoptr(GError) error = NULL;
    g_spawn_async(directory, (char **)words->pdata, NULL,
                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  NULL, NULL, &child, &error);
    g_assert_no_error(error);
    return child;
}

Spawned spawn_program(const char *directory, const char *const *arguments)
{
    Spawned spawned = {0};
    g_autoptr(GPtrArray) words = command_line(arguments);
    int status = 0;
    g_autoptr(GError) error = NULL;
    g_spawn_sync(directory, (char **)words->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &spawned.out,
                 &spawned.err, &status, &error);
    g_assert_no_error(error);
    spawned.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return spawned;
}

void spawned_clear(Spawned *spawned)
{
    g_free(spawned->out);
    g_free(spawned->err);
}

char *spawn_make_place(void)
{
    char *place = g_dir_make_tmp("pagefold-program-XXXXXX", NULL);
    spawn_write(place, "demo.cfg",
                "policies = ( { name = \"ksm\"; rate = 60; }, { name = \"esx\"; } );\n");
    return place;
}

static void remove_all(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
        const char *name;
        while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            remove_all(child);
        }
    }
    g_remove(path);
}

void spawn_clear_place(char *place)
{
    remove_all(place);
    g_free(place);
}

char *spawn_read(const char *place, const char *name)
{
    g_autofree char *path = g_build_filename(place, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

void spawn_write(const char *place, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(place, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* What stands behind KEY in /proc/PID/status, up to the line's end; NULL if it is not there. */
static char *read_status(int pid, const char *key)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    const char *line = strstr(text, key);
    return line != NULL ? g_strndup(line + strlen(key), strcspn(line, "\n") - strlen(key)) : NULL;
}

bool spawn_wait_for_watch(int pid, int number)
{
    for (unsigned i = 0; i < 6000; i++) {
        g_autofree char *blocked = read_status(pid, "SigBlk:\t");
        if (blocked != NULL && (g_ascii_strtoull(blocked, NULL, 16) >> (number - 1) & 1) != 0)
            return true;
        g_usleep(10000);
    }
    return false;
}

bool spawn_wait_for_sleep(int pid)
{
    for (unsigned i = 0; i < 6000; i++) {
        g_autofree char *state = read_status(pid, "State:\t");
        if (state != NULL && state[0] == 'S')
            return true;
        g_usleep(10000);
    }
    return false;
}
