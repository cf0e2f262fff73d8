#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "snapshot_process.h"

/* A thread that sleeps in the kernel without interruption stops only when that ends. */
static const gint64 stop_limit_us = 10 * G_USEC_PER_SEC;

static bool is_held(const PfProcess *process, pid_t thread)
{
    for (guint i = 0; i < process->threads->len; i++)
        if (g_array_index(process->threads, pid_t, i) == thread)
            return true;
    return false;
}

static pid_t read_tracer(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *line = strstr(text, "\nTracerPid:");
    return line != NULL ? (pid_t)strtol(line + strlen("\nTracerPid:"), NULL, 10) : 0;
}

static void set_refused(const PfProcess *process, int why, GError **error)
{
    pid_t tracer = read_tracer(process->pid);
    if (tracer != 0)
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "process %d: is traced by process %d already; end that first", process->pid,
                    tracer);
    else if (why == EPERM)
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "process %d: no permission to stop it; run as root, or as its own user with "
                    "0 in /proc/sys/kernel/yama/ptrace_scope",
                    process->pid);
    else
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "process %d: cannot be stopped: %s", process->pid,
                    g_strerror(why));
}

/* Seizes each thread that is not held yet and asks it to stop. RET_ADDED counts them. */
static bool seize_threads(PfProcess *process, unsigned *ret_added, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", process->pid);
    g_autoptr(GDir) tasks = g_dir_open(path, 0, NULL);
    const char *name;
    while (tasks != NULL && (name = g_dir_read_name(tasks)) != NULL) {
        pid_t thread = (pid_t)strtol(name, NULL, 10);
        if (is_held(process, thread))
            continue;
        if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0) {
            /* ESRCH: it has ended since; EPERM also for one that is just dying. */
            int why = errno;
            uint64_t start_time;
            if (why == ESRCH || !pf_process_start_time(thread, &start_time))
                continue;
            set_refused(process, why, error);
            return false;
        }
        g_array_append_val(process->threads, thread);
        ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
        (*ret_added)++;
    }
    return true;
}

/* Waits until THREAD stands. False if it ended instead; an error if it does neither. */
static bool wait_for_stop(const PfProcess *process, pid_t thread, GError **error)
{
    gint64 give_up_us = g_get_monotonic_time() + stop_limit_us;
    useconds_t pause_us = 0;
    for (;;) {
        int status = 0;
        pid_t changed = waitpid(thread, &status, __WALL | WNOHANG);
        if (changed == thread && WIFSTOPPED(status)) {
            /* A signal that was on its way is delivered at once: detaching hands it on, which the
             * interrupt that is still pending makes possible only after its own stop. */
            if (status >> 16 == PTRACE_EVENT_STOP)
                return true;
            ptrace(PTRACE_CONT, thread, NULL, (void *)(uintptr_t)WSTOPSIG(status));
            continue;
        }
        if (changed == thread || (changed < 0 && errno != EINTR))
            return false;
        if (g_get_monotonic_time() > give_up_us) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO,
                        "process %d: thread %d does not stop (it waits for a device?)",
                        process->pid, thread);
            return false;
        }
        g_usleep(pause_us);
        pause_us = MIN(pause_us + 20, 1000);
    }
}

/* Waits for threads FROM and later; those that ended are forgotten. */
static bool wait_for_threads(PfProcess *process, guint from, GError **error)
{
    for (guint i = from; i < process->threads->len;) {
        g_autoptr(GError) cause = NULL;
        if (wait_for_stop(process, g_array_index(process->threads, pid_t, i), &cause)) {
            i++;
            continue;
        }
        if (cause != NULL) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        g_array_remove_index(process->threads, i);
    }
    return true;
}

/* Threads that were born while others were being stopped are caught by looking again. */
static bool stop_the_rest(PfProcess *process, GError **error)
{
    for (;;) {
        guint before = process->threads->len;
        unsigned added = 0;
        if (!seize_threads(process, &added, error) || !wait_for_threads(process, before, error))
            return false;
        if (added == 0)
            break;
    }
    uint64_t start_time;
    if (process->threads->len == 0 || !pf_process_start_time(process->pid, &start_time))
        process->has_exited = true;
    return true;
}

static bool stop_all(GPtrArray *processes, GError **error)
{
    for (guint i = 0; i < processes->len; i++) {
        PfProcess *process = processes->pdata[i];
        uint64_t start_time = 0;
        unsigned added = 0;
        if (process->has_exited)
            continue;
        if (!pf_process_start_time(process->pid, &start_time) || start_time != process->start_time)
            process->has_exited = true;
        else if (!seize_threads(process, &added, error))
            return false;
    }
    for (guint i = 0; i < processes->len; i++) {
        PfProcess *process = processes->pdata[i];
        if (!process->has_exited &&
            (!wait_for_threads(process, 0, error) || !stop_the_rest(process, error)))
            return false;
    }
    return true;
}

bool pf_processes_stop(GPtrArray *processes, GError **error)
{
    if (stop_all(processes, error))
        return true;
    pf_processes_resume(processes);
    return false;
}

void pf_processes_resume(GPtrArray *processes)
{
    for (guint i = 0; i < processes->len; i++) {
        PfProcess *process = processes->pdata[i];
        for (guint t = 0; t < process->threads->len; t++) {
            pid_t thread = g_array_index(process->threads, pid_t, t);
            /* A thread that does not stand yet cannot be let go. */
            if (ptrace(PTRACE_DETACH, thread, NULL, NULL) != 0 && errno == ESRCH &&
                wait_for_stop(process, thread, NULL))
                ptrace(PTRACE_DETACH, thread, NULL, NULL);
        }
        g_array_set_size(process->threads, 0);
    }
}
