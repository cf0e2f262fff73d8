#include "live_ksmd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "live_host.h"

enum {
    TEXT_MAX = 64,
    SPINS = 64, /* looks at ksmd before sleeping between two looks */
    PAUSE_US = 20,
    SECONDS_MAX = 20, /* a batch of a scenario is a matter of milliseconds */
};

static char *read_of_process(const char *pid, const char *name)
{
    g_autofree char *path = g_build_filename("/proc", pid, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

/* A program may be called ksmd too, but has a command line. */
static bool is_ksmd(const char *pid)
{
    g_autofree char *name = read_of_process(pid, "comm");
    g_autofree char *arguments = read_of_process(pid, "cmdline");
    return g_strcmp0(name, "ksmd\n") == 0 && arguments != NULL && arguments[0] == '\0';
}

bool pf_ksmd_init(PfKsmd *ksmd, GError **error)
{
    ksmd->stat = -1;
    g_autoptr(GDir) folder = g_dir_open("/proc", 0, error);
    const char *pid;
    while (folder != NULL && (pid = g_dir_read_name(folder)) != NULL) {
        if (!g_ascii_isdigit(pid[0]) || !is_ksmd(pid))
            continue;
        g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL);
        ksmd->pid = (pid_t)g_ascii_strtoull(pid, NULL, 10);
        ksmd->stat = open(path, O_RDONLY | O_CLOEXEC);
        if (ksmd->stat >= 0 &&
            sched_getaffinity(ksmd->pid, sizeof(ksmd->allowed), &ksmd->allowed) == 0)
            return true;
    }
    if (folder != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "ksmd is not to be seen in /proc (another PID namespace?)");
    return false;
}

void pf_ksmd_clear(PfKsmd *ksmd)
{
    if (ksmd->stat >= 0)
        close(ksmd->stat);
    ksmd->stat = -1;
}

/* "PID (ksmd) S ...": the letter after the name. */
static char state_of(const PfKsmd *ksmd)
{
    char text[TEXT_MAX];
    ssize_t got = pread(ksmd->stat, text, sizeof(text) - 1, 0);
    text[MAX(got, 0)] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

bool pf_ksmd_wait_asleep(const PfKsmd *ksmd, const int *interrupted, GError **error)
{
    gint64 begun_us = g_get_monotonic_time();
    for (unsigned look = 0; state_of(ksmd) != 'S'; look++) {
        if (pf_live_host_interrupted(interrupted, error))
            return false;
        if (look < SPINS)
            sched_yield();
        else
            g_usleep(PAUSE_US);
        if (g_get_monotonic_time() - begun_us > (gint64)SECONDS_MAX * G_USEC_PER_SEC) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "ksmd does not come to rest in %d s",
                        SECONDS_MAX);
            return false;
        }
    }
    return true;
}

bool pf_ksmd_cpu_ns(const PfKsmd *ksmd, int64_t *ret_ns, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/schedstat", (int)ksmd->pid);
    g_autofree char *text = NULL;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s", cause->message);
        return false;
    }
    *ret_ns = g_ascii_strtoll(text, NULL, 10);
    return true;
}

void pf_ksmd_move(const PfKsmd *ksmd, uint64_t number)
{
    uint64_t left = number % (uint64_t)CPU_COUNT(&ksmd->allowed);
    for (unsigned processor = 0; processor < CPU_SETSIZE; processor++) {
        if (!CPU_ISSET(processor, &ksmd->allowed) || left-- > 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(processor, &one);
        /* Where it may not be moved it stays. */
        sched_setaffinity(ksmd->pid, sizeof(one), &one);
        return;
    }
}

void pf_ksmd_restore(const PfKsmd *ksmd)
{
    sched_setaffinity(ksmd->pid, sizeof(ksmd->allowed), &ksmd->allowed);
}
