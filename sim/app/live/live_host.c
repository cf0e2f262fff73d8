#include "live_host.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "error.h"
#include "live_knobs.h"

/* Since 6.11 a page's checksum is compared before the stable tree is searched (commit
 * d58a361b0350), and chains are chosen from as they are modelled. */
enum { KERNEL_MAJOR_MIN = 6, KERNEL_MINOR_MIN = 11 };

static bool is_new_enough(const char *release)
{
    char *rest = NULL;
    guint64 major = g_ascii_strtoull(release, &rest, 10);
    guint64 minor = *rest == '.' ? g_ascii_strtoull(rest + 1, NULL, 10) : 0;
    return major > KERNEL_MAJOR_MIN || (major == KERNEL_MAJOR_MIN && minor >= KERNEL_MINOR_MIN);
}

bool pf_live_host_check(GError **error)
{
    struct utsname names;
    if (geteuid() != 0)
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "needs root");
    else if (access(PF_KNOB_FOLDER "/run", F_OK) != 0)
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "this kernel has no KSM (%s)", PF_KNOB_FOLDER);
    else if (access(PF_KNOB_FOLDER "/run", W_OK) != 0)
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s/run: %s", PF_KNOB_FOLDER, g_strerror(errno));
    else if (uname(&names) != 0 || !is_new_enough(names.release))
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "Linux %s counts otherwise than the model, which is of %d.%d and later",
                    names.release, KERNEL_MAJOR_MIN, KERNEL_MINOR_MIN);
    else
        return true;
    return false;
}

static char *read_of_process(const char *pid, const char *name)
{
    g_autofree char *path = g_build_filename("/proc", pid, name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static bool is_among(const GArray *pids, const char *pid)
{
    guint64 number = g_ascii_strtoull(pid, NULL, 10);
    for (guint i = 0; pids != NULL && i < pids->len; i++)
        if ((guint64)g_array_index(pids, pid_t, i) == number)
            return true;
    return false;
}

bool pf_live_host_check_unmerged(const GArray *except, GError **error)
{
    g_autoptr(GDir) folder = g_dir_open("/proc", 0, error);
    const char *pid;
    while (folder != NULL && (pid = g_dir_read_name(folder)) != NULL) {
        if (!g_ascii_isdigit(pid[0]) || is_among(except, pid))
            continue;
        g_autofree char *text = read_of_process(pid, "ksm_stat");
        if (text == NULL || strstr(text, ": yes") == NULL)
            continue;
        g_autofree char *command = read_of_process(pid, "comm");
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "process %s (%s) has mergeable memory", pid,
                    command != NULL ? g_strchomp(command) : "?");
        return false;
    }
    return folder != NULL;
}

bool pf_live_host_interrupted(const int *interrupted, GError **error)
{
    if (interrupted == NULL || __atomic_load_n(interrupted, __ATOMIC_RELAXED) == 0)
        return false;
    g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return true;
}
