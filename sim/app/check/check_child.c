#include "check_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "interrupt.h"
#include "units.h"

/* Memory of a child beside what the program has, and how much of its messages is kept. */
static const uint64_t child_bytes_max = 4 * PF_GIB;
enum { MESSAGE_BYTES_MAX = 2000, CHUNK_BYTES = 4096 };

/* How often a silent child is looked at; and one that has closed its ends and is about to die. */
enum { TICK_MS = 100, CLOSED_TICK_MS = 1 };

/* What the child ends with that has done its work. */
enum { EXIT_DONE = 87 };

/* Address space of this process: the sanitizers' is terabytes, so limits come on top of it. */
static uint64_t address_space_bytes(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    return g_ascii_strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(unsigned cpu_seconds)
{
    struct rlimit cpu = {.rlim_cur = cpu_seconds, .rlim_max = cpu_seconds + 1};
    struct rlimit core = {0, 0};
    /* What leaves files open shall be told by the law on that, not stumble elsewhere. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    uint64_t bytes = address_space_bytes();
    struct rlimit space = {.rlim_cur = bytes + child_bytes_max, .rlim_max = RLIM_INFINITY};
    if (bytes > 0)
        setrlimit(RLIMIT_AS, &space);
}

static void be_child(void (*work)(int, void *), void *user, unsigned cpu_seconds, pid_t parent,
                     const int tells[2], const int complains[2])
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0); /* so that what it starts ends with it */
    pf_interrupt_child_setup(NULL);
    limit(cpu_seconds);
    close(tells[0]);
    close(complains[0]);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    dup2(complains[1], STDOUT_FILENO);
    dup2(complains[1], STDERR_FILENO);
    work(tells[1], user);
    fflush(stdout);
    _exit(EXIT_DONE);
}

/* Adds what can be read of DESCRIPTOR to TEXT, of which the last MAX bytes are kept (0: all). False
 * at its end. */
static bool read_some(int descriptor, GString *text, gsize max)
{
    char chunk[CHUNK_BYTES];
    ssize_t count = read(descriptor, chunk, sizeof chunk);
    if (count <= 0)
        return count < 0 && errno == EINTR;
    g_string_append_len(text, chunk, count);
    if (max > 0 && text->len > max)
        g_string_erase(text, 0, (gssize)(text->len - max));
    return true;
}

/* Whether the state in FILE, a `stat` of a thread, is that of one which waits, or is no more; never
 * of one that wants to run, however busy the host is. */
static bool is_waiting(const char *file)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL))
        return true; /* it has just ended */
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && name_end[1] == ' ' && strchr("STZX", name_end[2]) != NULL;
}

/* Whether every thread of CHILD waits. */
static bool is_asleep(pid_t child)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", (int)child);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    if (directory == NULL)
        return false;
    const char *thread;
    while ((thread = g_dir_read_name(directory)) != NULL) {
        g_autofree char *file = g_build_filename(path, thread, "stat", NULL);
        if (!is_waiting(file))
            return false;
    }
    return true;
}

static bool has_died(pid_t child)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

/* Reads both ends until CHILD has died, which may leave others behind that hold them open, or has
 * slept for SECONDS. False if there was an interrupt. */
static bool listen(pid_t child, int tells, int complains, int interrupts, unsigned seconds,
                   PfCheckChild *ret_child, GString *told, GString *errors)
{
    struct pollfd ends[] = {{.fd = tells, .events = POLLIN},
                            {.fd = complains, .events = POLLIN},
                            {.fd = interrupts, .events = POLLIN}};
    int64_t asleep_ms = 0; /* more than it was awake */
    while (!ret_child->has_slept) {
        bool is_dead = has_died(child);
        if (is_dead)
            kill(-child, SIGKILL); /* what it has started, which may write for ever */
        int tick_ms = ends[0].fd < 0 && ends[1].fd < 0 ? CLOSED_TICK_MS : TICK_MS;
        int ready = poll(ends, G_N_ELEMENTS(ends), is_dead ? 0 : tick_ms);
        if (ready == 0 && is_dead)
            break;
        if (ready == 0) {
            asleep_ms = MAX(0, asleep_ms + (is_asleep(child) ? tick_ms : -tick_ms));
            ret_child->has_slept = asleep_ms >= (int64_t)seconds * 1000;
        }
        if (ready <= 0)
            continue;
        if (ends[2].revents != 0)
            return false;
        if (ends[0].revents != 0 && !read_some(tells, told, 0))
            ends[0].fd = -1;
        if (ends[1].revents != 0 && !read_some(complains, errors, MESSAGE_BYTES_MAX))
            ends[1].fd = -1;
    }
    return true;
}

/* Ends CHILD, if it has not died, and all it has started. */
static void end(pid_t child, PfCheckChild *ret_child)
{
    struct rusage usage;
    if (!has_died(child))
        kill(child, SIGKILL);
    siginfo_t info;
    while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        continue;
    kill(-child, SIGKILL);
    while (wait4(child, &ret_child->status, 0, &usage) < 0 && errno == EINTR)
        continue;
    ret_child->cpu_seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                             (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000000;
    ret_child->is_done =
        WIFEXITED(ret_child->status) && WEXITSTATUS(ret_child->status) == EXIT_DONE;
}

static bool fail(const char *what, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", what, g_strerror(errno));
    return false;
}

int pf_check_watch(GError **error)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int interrupts = signalfd(-1, &set, SFD_CLOEXEC);
    if (interrupts < 0)
        fail("signals", error);
    return interrupts;
}

bool pf_check_child(void (*work)(int descriptor, void *user), void *user, unsigned cpu_seconds,
                    int interrupts, PfCheckChild *ret_child, GError **error)
{
    int tells[2];
    int complains[2];
    if (pipe(tells) != 0)
        return fail("a pipe", error);
    if (pipe(complains) != 0) {
        close(tells[0]);
        close(tells[1]);
        return fail("a pipe", error);
    }
    fflush(stdout);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0)
        be_child(work, user, cpu_seconds, parent, tells, complains);
    if (child > 0)
        setpgid(child, child); /* whoever of both comes first */
    close(tells[1]);
    close(complains[1]);
    GString *told = g_string_new(NULL);
    GString *errors = g_string_new(NULL);
    *ret_child = (PfCheckChild){.status = 0};
    bool is_heard = child > 0 && listen(child, tells[0], complains[0], interrupts, cpu_seconds,
                                        ret_child, told, errors);
    if (child > 0)
        end(child, ret_child);
    close(tells[0]);
    close(complains[0]);
    ret_child->told = g_string_free(told, FALSE);
    ret_child->errors = g_string_free(errors, FALSE);
    if (is_heard)
        return true;
    pf_check_child_clear(ret_child);
    if (child <= 0)
        return fail("a process", error);
    g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return false;
}

void pf_check_child_clear(PfCheckChild *child)
{
    g_free(child->told);
    g_free(child->errors);
}

char *pf_check_child_death(const PfCheckChild *child, unsigned cpu_seconds)
{
    if (child->is_done)
        return g_strdup("it closed a file that is not its own");
    if (WIFEXITED(child->status))
        return g_strdup_printf("it ended the program (exit status %d)", WEXITSTATUS(child->status));
    int number = WTERMSIG(child->status);
    if (child->has_slept)
        return g_strdup_printf("it waited for %u s, for what did not come", cpu_seconds);
    if (number == SIGXCPU || (number == SIGKILL && child->cpu_seconds >= cpu_seconds))
        return g_strdup_printf("it did not end within %u s of processor time", cpu_seconds);
    return g_strdup_printf("it crashed (%s)", strsignal(number));
}
