#include "snapshot.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "snapshot_process.h"
#include "units.h"

/* How long a wait between epochs may go on after an interruption. */
static const gint64 nap_us = 50000;

/* One recording. */
typedef struct {
    const PfSnapshotOptions *options;
    PfTraceWriter *writer;
    PfSnapshotSummary *summary;
    GPtrArray *processes; /* PfProcess, in the order of their contexts */
    gint64 start_us;      /* when the first epoch began */
} Recording;

uint32_t pf_snapshot_page_bytes(void)
{
    return (uint32_t)sysconf(_SC_PAGESIZE);
}

/* What /proc/PID/stat tells of a process. */
typedef struct {
    pid_t parent;
    uint64_t start_time;
    bool is_dead;   /* though somebody may still wait for it */
    bool is_kernel; /* a thread of the kernel's own */
} Stat;

/* /proc/PID/stat is "PID (COMMAND) STATE PPID ..."; COMMAND may hold anything, brackets too. */
static bool read_stat(pid_t pid, char **ret_command, Stat *ret_stat)
{
    static const unsigned long kernel_thread = 0x00200000; /* PF_KTHREAD, linux/sched.h */
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    char *open = strchr(text, '(');
    char *close = strrchr(text, ')');
    if (open == NULL || close == NULL || close[1] != ' ')
        return false;
    g_auto(GStrv) fields = g_strsplit(close + 2, " ", 22);
    /* Fields 3, 4, 9 and 22 of the man page; the first of these is its field 3. */
    if (g_strv_length(fields) < 20)
        return false;
    *ret_stat = (Stat){
        .parent = (pid_t)strtol(fields[1], NULL, 10),
        .start_time = strtoull(fields[19], NULL, 10),
        .is_dead = fields[0][0] == 'Z' || fields[0][0] == 'X',
        .is_kernel = (strtoul(fields[6], NULL, 10) & kernel_thread) != 0,
    };
    if (ret_command != NULL)
        *ret_command = g_strndup(open + 1, (gsize)(close - open - 1));
    return true;
}

bool pf_process_start_time(pid_t pid, uint64_t *ret_start_time)
{
    Stat stat;
    if (!read_stat(pid, NULL, &stat) || stat.is_dead)
        return false;
    *ret_start_time = stat.start_time;
    return true;
}

PfProcess *pf_process_new(pid_t pid, GError **error)
{
    g_autofree char *command = NULL;
    Stat stat;
    if (pid <= 0 || !read_stat(pid, &command, &stat) || stat.is_dead) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "%d: no such process; `ps -e` lists them",
                    pid);
        return NULL;
    }
    if (stat.is_kernel) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%d: is %s, a thread of the kernel, which has no memory of its own", pid,
                    command);
        return NULL;
    }
    PfProcess *process = g_new0(PfProcess, 1);
    g_autofree char *valid = g_utf8_make_valid(command, -1);
    g_strdelimit(valid, " \t\n\r\"#", '-');
    process->pid = pid;
    process->start_time = stat.start_time;
    process->name = g_strdup_printf("%s-%d", valid, pid);
    process->threads = g_array_new(FALSE, FALSE, sizeof(pid_t));
    process->mappings = g_array_new(FALSE, FALSE, sizeof(PfMapping));
    process->pages = g_array_new(FALSE, FALSE, sizeof(PfSeenPage));
    return process;
}

void pf_process_free(PfProcess *process)
{
    if (process == NULL)
        return;
    g_array_unref(process->threads);
    g_array_unref(process->mappings);
    g_array_unref(process->pages);
    g_free(process->name);
    g_free(process);
}

static void free_process(gpointer process)
{
    pf_process_free(process);
}

static bool is_known(const Recording *recording, pid_t pid, uint64_t start_time)
{
    for (guint i = 0; i < recording->processes->len; i++) {
        const PfProcess *process = recording->processes->pdata[i];
        if (process->pid == pid && process->start_time == start_time)
            return true;
    }
    return false;
}

static bool add_process(Recording *recording, pid_t pid, GError **error)
{
    if (pid == getpid()) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "%d: is this program itself, which cannot stop to look at itself", pid);
        return false;
    }
    if (recording->processes->len >= PF_SNAPSHOT_PROCESSES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_LIMIT, "more than %d processes",
                    PF_SNAPSHOT_PROCESSES_MAX);
        return false;
    }
    PfProcess *process = pf_process_new(pid, error);
    if (process == NULL)
        return false;
    if (is_known(recording, pid, process->start_time)) {
        pf_process_free(process);
        return true;
    }
    process->context = recording->processes->len;
    g_ptr_array_add(recording->processes, process);
    return true;
}

static int compare_pids(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a;
    pid_t second = *(const pid_t *)b;
    return first < second ? -1 : first > second;
}

/* The numbers of all processes, ascending. Free with g_array_unref. */
static GArray *list_processes(void)
{
    GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    g_autoptr(GDir) directory = g_dir_open("/proc", 0, NULL);
    const char *name;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        pid_t pid = (pid_t)strtol(name, NULL, 10);
        if (pid > 0)
            g_array_append_val(pids, pid);
    }
    g_array_sort(pids, compare_pids);
    return pids;
}

static bool is_recorded(const Recording *recording, pid_t pid)
{
    for (guint i = 0; i < recording->processes->len; i++) {
        const PfProcess *process = recording->processes->pdata[i];
        if (process->pid == pid && !process->has_exited)
            return true;
    }
    return false;
}

/* Until no process is left whose parent is recorded. One that is gone again is no error. */
static bool add_children(Recording *recording, GError **error)
{
    for (guint before = 0; before != recording->processes->len;) {
        before = recording->processes->len;
        g_autoptr(GArray) pids = list_processes();
        for (guint i = 0; i < pids->len; i++) {
            pid_t pid = g_array_index(pids, pid_t, i);
            Stat stat;
            if (pid == getpid() || !read_stat(pid, NULL, &stat) || stat.is_dead ||
                !is_recorded(recording, stat.parent))
                continue;
            g_autoptr(GError) cause = NULL;
            if (add_process(recording, pid, &cause) ||
                g_error_matches(cause, PF_ERROR, PF_ERROR_USAGE))
                continue;
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
    }
    return true;
}

static void tell_simple(const Recording *recording, PfRecordKind kind, uint32_t context,
                        uint64_t count, const PfTraceDetail *detail)
{
    PfRecord record = {
        .count = count,
        .content = PF_TRACE_NO_CONTENT,
        .context = context,
        .kind = (uint8_t)kind,
    };
    if (detail != NULL)
        record.detail = detail;
    pf_trace_writer_add(recording->writer, &record);
}

/* Numbers of contexts are given in order, so one that has ended already is told too. */
static void tell_process(const Recording *recording, PfProcess *process)
{
    if (!process->is_told) {
        PfTraceDetail detail = {.name = process->name, .node = -1, .core = -1};
        tell_simple(recording, PF_RECORD_CONTEXT, process->context, 0, &detail);
    }
    process->is_told = true;
}

static bool look_at_process(const Recording *recording, PfProcess *process, PfSight *sight,
                            GError **error)
{
    GArray *mappings = pf_process_mappings(process);
    if (mappings == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "process %d: /proc/%d/smaps cannot be read; run as root, or as its own user",
                    process->pid, process->pid);
        return false;
    }
    pf_process_tell_mappings(process, mappings, recording->writer);
    return pf_sight_look(sight, process, error);
}

static bool record_stopped(const Recording *recording, GError **error)
{
    PfSight sight;
    bool good = true;
    pf_sight_init(&sight, recording->options, recording->writer, recording->summary);
    for (guint i = 0; i < recording->processes->len && good; i++) {
        PfProcess *process = recording->processes->pdata[i];
        tell_process(recording, process);
        if (!process->has_exited)
            good = look_at_process(recording, process, &sight, error);
        else if (!process->is_end_told)
            tell_simple(recording, PF_RECORD_EXIT, process->context, 0, NULL);
        process->is_end_told = process->has_exited;
    }
    pf_sight_clear(&sight);
    return good;
}

static bool record_epoch(Recording *recording, unsigned epoch, GError **error)
{
    if (recording->options->children && !add_children(recording, error))
        return false;
    gint64 before_us = g_get_monotonic_time();
    if (!pf_processes_stop(recording->processes, error))
        return false;
    if (epoch == 0)
        recording->start_us = g_get_monotonic_time();
    uint64_t time_ps =
        (uint64_t)(g_get_monotonic_time() - recording->start_us) * 1000 * PF_PS_PER_NS;
    tell_simple(recording, PF_RECORD_TIME, PF_TRACE_NO_CONTEXT, time_ps, NULL);
    bool good = record_stopped(recording, error);
    pf_processes_resume(recording->processes);
    uint64_t stopped_ns = (uint64_t)(g_get_monotonic_time() - before_us) * 1000;
    recording->summary->stopped_ns_max = MAX(recording->summary->stopped_ns_max, stopped_ns);
    if (!good)
        return false;
    g_autofree char *label = g_strdup_printf("epoch %u", epoch);
    PfTraceDetail detail = {.name = label, .node = -1, .core = -1};
    tell_simple(recording, PF_RECORD_MARK, PF_TRACE_NO_CONTEXT, 0, &detail);
    recording->summary->epochs++;
    return true;
}

void pf_snapshot_progress(const PfSnapshotOptions *options, const PfSnapshotSummary *summary)
{
    if (options->progress != NULL)
        options->progress(summary, options->user);
}

static bool is_interrupted(const Recording *recording)
{
    const int *interrupted = recording->options->interrupted;
    return interrupted != NULL && __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0;
}

/* Until EPOCH shall begin; false if it shall not. */
static bool wait_for_epoch(const Recording *recording, unsigned epoch)
{
    gint64 due_us =
        recording->start_us +
        (gint64)((PfUint128)epoch * recording->options->interval_ps / (1000 * PF_PS_PER_NS));
    for (;;) {
        gint64 left_us = due_us - g_get_monotonic_time();
        pf_snapshot_progress(recording->options, recording->summary);
        if (is_interrupted(recording))
            return false;
        if (left_us <= 0)
            return true;
        g_usleep((gulong)MIN(left_us, nap_us));
    }
}

static bool is_anyone_left(const Recording *recording)
{
    for (guint i = 0; i < recording->processes->len; i++)
        if (!((const PfProcess *)recording->processes->pdata[i])->has_exited)
            return true;
    return false;
}

bool pf_snapshot_record(const pid_t *pids, size_t count, const PfSnapshotOptions *options,
                        PfTraceWriter *writer, PfSnapshotSummary *ret_summary, GError **error)
{
    g_assert(options->epochs >= 1 && options->epochs <= PF_SNAPSHOT_EPOCHS_MAX);
    *ret_summary = (PfSnapshotSummary){0};
    g_autoptr(GPtrArray) processes = g_ptr_array_new_with_free_func(free_process);
    Recording recording = {
        .options = options, .writer = writer, .summary = ret_summary, .processes = processes};
    for (size_t i = 0; i < count; i++)
        if (!add_process(&recording, pids[i], error))
            return false;
    tell_simple(&recording, PF_RECORD_GRAIN, PF_TRACE_NO_CONTEXT, PF_GRAIN_PAGE, NULL);
    for (unsigned epoch = 0; epoch < options->epochs; epoch++) {
        if (epoch > 0 && (!is_anyone_left(&recording) || !wait_for_epoch(&recording, epoch)))
            break;
        if (!record_epoch(&recording, epoch, error))
            return false;
    }
    ret_summary->processes = processes->len;
    return true;
}

void pf_snapshot_find(const char *pattern, bool cgroup, GArray *pids)
{
    g_autoptr(GArray) all = list_processes();
    for (guint i = 0; i < all->len; i++) {
        pid_t pid = g_array_index(all, pid_t, i);
        g_autofree char *path = g_strdup_printf("/proc/%d/%s", pid, cgroup ? "cgroup" : "comm");
        g_autofree char *text = NULL;
        Stat stat;
        if (pid == getpid() || !g_file_get_contents(path, &text, NULL, NULL) ||
            !read_stat(pid, NULL, &stat) || stat.is_kernel)
            continue;
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        bool matches = false;
        for (char **line = lines; *line != NULL && (*line)[0] != '\0'; line++) {
            /* "HIERARCHY:CONTROLLERS:PATH" */
            const char *subject = cgroup ? strchr(*line, '/') : *line;
            matches = matches || (subject != NULL && fnmatch(pattern, subject, 0) == 0);
        }
        if (matches)
            g_array_append_val(pids, pid);
    }
}
