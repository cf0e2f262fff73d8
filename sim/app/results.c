#include "results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "trace.h"

/* A file that was written and is not seen to the disk yet. */
typedef struct {
    char *name;
    char *digest;
    int descriptor;
} File;

struct PfResults {
    char *path;      /* where they shall be */
    char *temporary; /* where they are, NULL once renamed */
    GArray *files;   /* of File */
    bool force;
};

static void clear_file(gpointer data)
{
    File *file = data;
    if (file->descriptor >= 0)
        close(file->descriptor);
    g_free(file->name);
    g_free(file->digest);
}

/* The file that every directory of results has, and hardly anything else. */
static const char hallmark[] = "manifest.json";

static bool fail(GError **error, const char *path, const char *what)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s%s%s", path, what != NULL ? what : "",
                what != NULL ? ": " : "", g_strerror(errno));
    return false;
}

void pf_results_remove(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    if (directory != NULL) {
        const char *name;
        while ((name = g_dir_read_name(directory)) != NULL) {
            g_autofree char *child = g_build_filename(path, name, NULL);
            struct stat status;
            if (lstat(child, &status) == 0 && S_ISDIR(status.st_mode))
                pf_results_remove(child);
            else
                unlink(child);
        }
    }
    rmdir(path);
}

static bool is_empty_directory(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    return directory != NULL && g_dir_read_name(directory) == NULL;
}

/* Whether PATH, of which nothing exists but some folder above, can be made: better known before a
 * long run than after it. */
static bool check_new(const char *path, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(path);
    struct stat status;
    if (stat(parent, &status) != 0 && errno == ENOENT && !g_str_equal(parent, path))
        return check_new(parent, error);
    if (access(parent, W_OK | X_OK) != 0)
        return fail(error, parent, "cannot write there");
    if (S_ISDIR(status.st_mode))
        return true;
    errno = ENOTDIR;
    return fail(error, parent, NULL);
}

bool pf_results_check(const char *path, bool force, GError **error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? check_new(path, error) : fail(error, path, NULL);
    if (is_empty_directory(path))
        return true;
    g_autofree char *manifest = g_build_filename(path, hallmark, NULL);
    bool results = S_ISDIR(status.st_mode) && access(manifest, F_OK) == 0;
    if (results && force)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%s: %s", path,
                results ? "holds results already; give another -o, or --force to replace them"
                        : "exists and is no directory of results; give another -o");
    return false;
}

PfResults *pf_results_begin(const char *path, bool force, GError **error)
{
    g_autoptr(PfResults) results = g_new0(PfResults, 1);
    results->path = g_strdup(path);
    while (strlen(results->path) > 1 && g_str_has_suffix(results->path, "/"))
        results->path[strlen(results->path) - 1] = '\0';
    results->force = force;
    if (!pf_results_check(results->path, force, error))
        return NULL;
    g_autofree char *parent = g_path_get_dirname(results->path);
    g_autofree char *name = g_path_get_basename(results->path);
    if (g_mkdir_with_parents(parent, 0777) != 0) {
        fail(error, parent, "cannot make the directory");
        return NULL;
    }
    g_autofree char *template = g_strdup_printf("%s/.%s.partial-XXXXXX", parent, name);
    /* mkdtemp gives 0700; results are as readable as any file. */
    if (g_mkdtemp_full(template, 0777) == NULL) {
        fail(error, results->path, "cannot make a directory beside it");
        return NULL;
    }
    results->temporary = g_steal_pointer(&template);
    results->files = g_array_new(FALSE, FALSE, sizeof(File));
    g_array_set_clear_func(results->files, clear_file);
    return g_steal_pointer(&results);
}

const char *pf_results_directory(const PfResults *results)
{
    return results->temporary;
}

static bool write_whole(int descriptor, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* A full disk may show at write, fsync or close. */
static bool synchronise(int descriptor)
{
    /* EINVAL: what cannot be synchronised, as a pipe. */
    return fsync(descriptor) == 0 || errno == EINVAL;
}

bool pf_results_write_file(const char *path, const char *data, size_t length, GError **error)
{
    g_autofree char *temporary = g_strdup_printf("%s.partial", path);
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return fail(error, path, NULL);
    bool written = write_whole(descriptor, data, length) && synchronise(descriptor);
    int why = errno;
    if (close(descriptor) != 0 && written) {
        written = false;
        why = errno;
    }
    if (written && rename(temporary, path) == 0)
        return true;
    errno = written ? errno : why;
    fail(error, path, "cannot write");
    unlink(temporary);
    return false;
}

/* The user knows the directory by its own name, not by the temporary one. */
static bool fail_file(const PfResults *results, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(results->path, name, NULL);
    return fail(error, path, "cannot write");
}

bool pf_results_add(PfResults *results, const char *name, const GString *data, GError **error)
{
    g_autofree char *path = g_build_filename(results->temporary, name, NULL);
    File file = {.descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (file.descriptor < 0)
        return fail_file(results, name, error);
    file.name = g_strdup(name);
    file.digest = pf_digest(data->str, data->len);
    g_array_append_val(results->files, file);
    return write_whole(file.descriptor, data->str, data->len) || fail_file(results, name, error);
}

const char *pf_results_digest(const PfResults *results, const char *name)
{
    for (guint i = 0; i < results->files->len; i++) {
        const File *file = &g_array_index(results->files, File, i);
        if (strcmp(file->name, name) == 0)
            return file->digest;
    }
    return NULL;
}

/* All files go out at once, so that a journal has them in one transaction and not in one each. */
static bool seal(PfResults *results, GError **error)
{
    for (guint i = 0; i < results->files->len; i++)
        sync_file_range(g_array_index(results->files, File, i).descriptor, 0, 0,
                        SYNC_FILE_RANGE_WRITE);
    for (guint i = 0; i < results->files->len; i++) {
        File *file = &g_array_index(results->files, File, i);
        bool is_whole = synchronise(file->descriptor);
        is_whole = close(g_steal_fd(&file->descriptor)) == 0 && is_whole;
        if (!is_whole)
            return fail_file(results, file->name, error);
    }
    return true;
}

bool pf_results_commit(PfResults *results, bool synchronised, GError **error)
{
    if (!pf_results_check(results->path, results->force, error) ||
        (synchronised && !seal(results, error)))
        return false;
    /* Onto nothing or an empty directory a rename is enough. */
    if (rename(results->temporary, results->path) == 0) {
        g_clear_pointer(&results->temporary, g_free);
        return true;
    }
    if (errno != ENOTEMPTY && errno != EEXIST)
        return fail(error, results->path, "cannot rename the results");
    /* Exchanged in one step: at no moment is there nothing. */
    if (renameat2(AT_FDCWD, results->temporary, AT_FDCWD, results->path, RENAME_EXCHANGE) != 0) {
        g_autofree char *old = g_strconcat(results->temporary, ".old", NULL);
        if (rename(results->path, old) != 0 || rename(results->temporary, results->path) != 0)
            return fail(error, results->path, "cannot rename the results");
        pf_results_remove(old);
    } else {
        pf_results_remove(results->temporary);
    }
    g_clear_pointer(&results->temporary, g_free);
    return true;
}

void pf_results_free(PfResults *results)
{
    if (results == NULL)
        return;
    if (results->temporary != NULL)
        pf_results_remove(results->temporary);
    g_clear_pointer(&results->files, g_array_unref);
    g_free(results->temporary);
    g_free(results->path);
    g_free(results);
}
