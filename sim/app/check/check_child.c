#include "check_child.h"

#include <errno.h>
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
    pf_interrupt_child_setup(NULL);
    limit(cpu_seconds);
    close(tells[0]);
    close(complains[0]);
    dup2(complains[1], STDOUT_FILENO);
    dup2(complains[1], STDERR_FILENO);
    work(tells[1], user);
    fflush(stdout);
    _exit(0);
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

/* Reads both ends until the child has closed them. False if it was killed for an interrupt. */
static bool listen(pid_t child, int tells, int complains, int interrupts, GString *told,
                   GString *errors)
{
    struct pollfd ends[] = {{.fd = tells, .events = POLLIN},
                            {.fd = complains, .events = POLLIN},
                            {.fd = interrupts, .events = POLLIN}};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
        if (poll(ends, G_N_ELEMENTS(ends), -1) <= 0)
            continue;
        if (ends[2].revents != 0) {
            kill(child, SIGKILL);
            return false;
        }
        if (ends[0].revents != 0 && !read_some(tells, told, 0))
            ends[0].fd = -1;
        if (ends[1].revents != 0 && !read_some(complains, errors, MESSAGE_BYTES_MAX))
            ends[1].fd = -1;
    }
    return true;
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
    close(tells[1]);
    close(complains[1]);
    GString *told = g_string_new(NULL);
    GString *errors = g_string_new(NULL);
    int status = 0;
    bool is_heard = child > 0 && listen(child, tells[0], complains[0], interrupts, told, errors);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    close(tells[0]);
    close(complains[0]);
    *ret_child = (PfCheckChild){.status = status,
                                .told = g_string_free(told, FALSE),
                                .errors = g_string_free(errors, FALSE)};
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
    if (WIFEXITED(child->status))
        return g_strdup_printf("it ended the program (exit status %d)", WEXITSTATUS(child->status));
    int number = WTERMSIG(child->status);
    if (number == SIGXCPU || number == SIGKILL)
        return g_strdup_printf("it did not end within %u s of processor time", cpu_seconds);
    return g_strdup_printf("it crashed (%s)", strsignal(number));
}
