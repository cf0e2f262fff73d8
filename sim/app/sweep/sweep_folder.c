#include "sweep_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "manifest.h"
#include "report.h"
#include "results.h"
#include "version.h"

static const char points_name[] = "points.csv";

const char *pf_sweep_state_name(PfSweepState state)
{
    static const char *const names[] = {"done", "failed", "pending"};
    return names[state];
}

/* ---- The folder ---- */

static bool is_identity(const char *name)
{
    return strspn(name, "0123456789abcdef") >= 16;
}

bool pf_sweep_folder_is_sweep(const char *directory)
{
    g_autofree char *points = g_build_filename(directory, "points", NULL);
    g_autoptr(GDir) folder = g_dir_open(points, 0, NULL);
    if (folder == NULL)
        return false;
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL)
        if (name[0] != '.' && !is_identity(name))
            return false;
    return true;
}

static bool fail(const char *path, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return false;
}

/* Removes runs that a killed process was about to write, below FOLDER, and tables and traces in
 * it. */
static void remove_remains(const char *folder)
{
    g_autoptr(GDir) open = g_dir_open(folder, 0, NULL);
    const char *name;
    while (open != NULL && (name = g_dir_read_name(open)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        bool is_output =
            strstr(name, ".pft.") != NULL || g_str_has_prefix(name, "results.csv.");
        if (name[0] == '.' && strstr(name, ".partial-") != NULL)
            pf_results_remove(path);
        else if (is_output && g_str_has_suffix(name, ".tmp"))
            unlink(path);
        else if (is_identity(name) && g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_remains(path);
    }
}

static void remove_all_remains(const char *directory)
{
    static const char *const folders[] = {"", "points", "traces"};
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_build_filename(directory, folders[i], NULL);
        remove_remains(folder);
    }
}

/* ---- Runs ---- */

static bool has_results(const char *path)
{
    g_autofree char *manifest = g_build_filename(path, "manifest.json", NULL);
    return access(manifest, F_OK) == 0;
}

/* A point that was run once may be repeated later: the run that is there is then the first. */
char *pf_sweep_folder_run(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    g_autofree char *id =
        g_strdup_printf("%016" G_GINT64_MODIFIER "x", (guint64)plan->ids[point]);
    g_autofree char *alone = g_build_filename(plan->directory, "points", id, NULL);
    g_autofree char *name = g_strdup_printf("r%" G_GUINT64_FORMAT, repeat);
    bool is_single = plan->axes->repeat == 1 && access(alone, F_OK) != 0;
    if (repeat == 0 && (is_single || has_results(alone)))
        return g_steal_pointer(&alone);
    return g_build_filename(alone, name, NULL);
}

bool pf_sweep_folder_is_done(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    g_autofree char *path = pf_sweep_folder_run(plan, point, repeat);
    return has_results(path);
}

char *pf_sweep_folder_read(const PfSweepPlan *plan, uint64_t point, uint64_t repeat,
                           GError **error)
{
    g_autofree char *path = pf_sweep_folder_run(plan, point, repeat);
    if (!has_results(path))
        return NULL;
    g_autofree char *manifest_path = g_build_filename(path, "manifest.json", NULL);
    g_autofree char *stats_path = g_build_filename(path, "stats.csv", NULL);
    g_autofree char *manifest = NULL;
    g_autofree char *stats = NULL;
    gsize length = 0;
    if (g_file_get_contents(manifest_path, &manifest, NULL, NULL) &&
        g_file_get_contents(stats_path, &stats, &length, NULL) &&
        pf_manifest_says(manifest, "stats.csv", stats, length))
        return g_steal_pointer(&stats);
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: these results are damaged; `pagefold sweep run` makes them anew", path);
    return NULL;
}

/* Removes the files at PATH, and it, unless other runs of the point are below it. */
static void give_up(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        unlink(file);
    }
    rmdir(path);
}

bool pf_sweep_folder_check(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    g_autofree char *path = pf_sweep_folder_run(plan, point, repeat);
    if (!has_results(path) || pf_manifest_is_true(path))
        return has_results(path);
    give_up(path);
    return false;
}

void pf_sweep_folder_clear(const char *run)
{
    pf_results_remove(run);
    unlink(run);
}

static char *failure_path(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    return g_strdup_printf("%s/points/%016" G_GINT64_MODIFIER "x-r%" G_GUINT64_FORMAT ".failed",
                           plan->directory, (guint64)plan->ids[point], repeat);
}

PfSweepState pf_sweep_folder_state(const PfSweepPlan *plan, uint64_t point)
{
    PfSweepState state = PF_SWEEP_DONE;
    for (uint64_t repeat = 0; repeat < plan->axes->repeat; repeat++) {
        if (pf_sweep_folder_is_done(plan, point, repeat))
            continue;
        g_autofree char *failure = failure_path(plan, point, repeat);
        if (access(failure, F_OK) == 0)
            return PF_SWEEP_FAILED;
        state = PF_SWEEP_PENDING;
    }
    return state;
}

void pf_sweep_folder_note(const PfSweepPlan *plan, uint64_t point, uint64_t repeat,
                          const char *text)
{
    g_autofree char *path = failure_path(plan, point, repeat);
    if (text == NULL)
        unlink(path);
    else
        pf_results_write_file(path, text, strlen(text), NULL);
}

char *pf_sweep_folder_failure(const PfSweepPlan *plan, uint64_t point, uint64_t repeat)
{
    g_autofree char *path = failure_path(plan, point, repeat);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

/* ---- Tables ---- */

bool pf_sweep_folder_write(const PfSweepPlan *plan, const char *name, const GString *data,
                           GError **error)
{
    g_autofree char *path = g_build_filename(plan->directory, name, NULL);
    int descriptor = open(plan->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(plan->directory, error);
    flock(descriptor, LOCK_EX);
    bool written = pf_results_write_file(path, data->str, data->len, error);
    close(descriptor);
    return written;
}

bool pf_sweep_folder_write_points(const PfSweepPlan *plan, GError **error)
{
    g_autoptr(GString) text = g_string_new("point,id");
    size_t keys = pf_sweep_plan_keys(plan);
    for (size_t key = 0; key < keys; key++) {
        g_string_append_c(text, ',');
        pf_report_append_field(text, pf_sweep_plan_key(plan, key));
    }
    g_string_append(text, ",status\n");
    for (uint64_t point = 0; point < plan->points; point++) {
        g_string_append_printf(text, "%" G_GUINT64_FORMAT ",%016" G_GINT64_MODIFIER "x", point,
                               (guint64)plan->ids[point]);
        for (size_t key = 0; key < keys; key++) {
            g_autofree char *value = pf_sweep_plan_text(plan, point, key);
            g_string_append_c(text, ',');
            pf_report_append_field(text, value);
        }
        g_string_append_printf(text, ",%s\n",
                               pf_sweep_state_name(pf_sweep_folder_state(plan, point)));
    }
    return pf_sweep_folder_write(plan, points_name, text, error);
}

static bool write_config(const PfSweepPlan *plan, GError **error)
{
    static const char *const except[] = {"output.dir", NULL};
    g_autofree char *rest = pf_config_dump(plan->whole, false, except);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "# pagefold %s; what the points of the sweep have in common\n%s",
                           PF_VERSION, rest);
    return pf_sweep_folder_write(plan, "config.cfg", text, error);
}

/* ---- Beginning ---- */

/* What can be locked of the folder; -1 with an error. */
static int open_points(const PfSweepPlan *plan, GError **error)
{
    if (!pf_sweep_folder_is_sweep(plan->directory) &&
        !pf_results_check(plan->directory, false, error))
        return -1;
    g_autofree char *points = g_build_filename(plan->directory, "points", NULL);
    int descriptor = -1;
    if (g_mkdir_with_parents(points, 0777) != 0 ||
        (descriptor = open(points, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        fail(points, error);
    return descriptor;
}

int pf_sweep_folder_open(const PfSweepPlan *plan, bool shard, GError **error)
{
    int descriptor = open_points(plan, error);
    if (descriptor < 0)
        return -1;
    /* A file system without locks has to do without. */
    if (flock(descriptor, (shard ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(descriptor);
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "%s: another pagefold works at this sweep; wait for it, or give each a part: "
                    "--shard 0/2, --shard 1/2",
                    plan->directory);
        return -1;
    }
    if (!shard)
        remove_all_remains(plan->directory);
    if (pf_sweep_folder_write_points(plan, error) && write_config(plan, error))
        return descriptor;
    close(descriptor);
    return -1;
}
