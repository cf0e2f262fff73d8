#include "live_crew.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "live_host.h"

enum {
    LOOK_MS = 50, /* how often a process that does not answer is looked after */
    ANSWER_SECONDS_MAX = 20,
    TEXT_MAX = 512,
};

typedef struct {
    pid_t pid; /* 0: it has ended */
    int ksm_stat;
} Process;

struct PfCrew {
    PfLiveShared *shared;
    Process processes[PF_LIVE_PROCESSES_MAX];
    unsigned count;
    const int *interrupted;
};

PfCrew *pf_crew_new(const int *interrupted, GError **error)
{
    PfLiveShared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "no memory to share: %s", g_strerror(errno));
        return NULL;
    }
    PfCrew *crew = g_new0(PfCrew, 1);
    crew->shared = shared;
    crew->interrupted = interrupted;
    return crew;
}

/* Waits for PROCESS, which has ended or was killed. */
static int bury(Process *process)
{
    int status = 0;
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    process->pid = 0;
    close(process->ksm_stat);
    return status;
}

void pf_crew_free(PfCrew *crew)
{
    if (crew == NULL)
        return;
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->processes[i].pid > 0)
            kill(crew->processes[i].pid, SIGKILL);
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->processes[i].pid > 0)
            bury(&crew->processes[i]);
    munmap(crew->shared, sizeof(*crew->shared));
    g_free(crew);
}

static bool fail_death(Process *process, int status, GError **error)
{
    process->pid = 0;
    close(process->ksm_stat);
    /* Not by itself: memory may be short. */
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "a process was killed");
    else if (WIFSIGNALED(status))
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "the process died of it: %s",
                    g_strsignal(WTERMSIG(status)));
    else
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "the process ended by itself");
    return false;
}

/* Until NUMBER has answered; RET_ANSWER is that. */
static bool await(PfCrew *crew, unsigned number, int *ret_answer, GError **error)
{
    PfMailbox *box = &crew->shared->boxes[number];
    Process *process = &crew->processes[number];
    gint64 begun_us = g_get_monotonic_time();
    for (;;) {
        uint32_t state = atomic_load(&box->state);
        if (state == PF_MAILBOX_DONE)
            break;
        pf_mailbox_wait(box, (PfMailboxState)state, LOOK_MS);
        int status;
        if (process->pid > 0 && atomic_load(&box->state) == state &&
            waitpid(process->pid, &status, WNOHANG) == process->pid)
            return fail_death(process, status, error);
        if (pf_live_host_interrupted(crew->interrupted, error))
            return false;
        if (g_get_monotonic_time() - begun_us > (gint64)ANSWER_SECONDS_MAX * G_USEC_PER_SEC) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "a process does not answer for %d s",
                        ANSWER_SECONDS_MAX);
            return false;
        }
    }
    *ret_answer = box->answer;
    return true;
}

static bool add_process(PfCrew *crew, pid_t pid, GError **error)
{
    Process *process = &crew->processes[crew->count++];
    g_autofree char *path = g_strdup_printf("/proc/%d/ksm_stat", (int)pid);
    process->pid = pid;
    process->ksm_stat = open(path, O_RDONLY | O_CLOEXEC);
    if (process->ksm_stat >= 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", path, g_strerror(errno));
    return false;
}

/* The mailbox of the process to come. */
static bool prepare(PfCrew *crew, unsigned *ret_number, GError **error)
{
    if (crew->count == PF_LIVE_PROCESSES_MAX) {
        g_set_error(error, PF_ERROR, PF_ERROR_LIMIT, "more than %d processes",
                    PF_LIVE_PROCESSES_MAX);
        return false;
    }
    *ret_number = crew->count;
    PfMailbox *box = &crew->shared->boxes[crew->count];
    atomic_store(&box->state, PF_MAILBOX_NEW);
    box->parent = getpid();
    return true;
}

static bool fail_fork(int number, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "cannot make a process: %s", g_strerror(number));
    return false;
}

bool pf_crew_spawn(PfCrew *crew, unsigned *ret_number, GError **error)
{
    if (!prepare(crew, ret_number, error))
        return false;
    pid_t pid = fork();
    if (pid == 0)
        pf_live_child(crew->shared, *ret_number);
    if (pid < 0)
        return fail_fork(errno, error);
    int answer;
    if (!add_process(crew, pid, error) || !await(crew, *ret_number, &answer, error))
        return false;
    return answer == 0 || fail_fork(-answer, error);
}

static bool ask(PfCrew *crew, unsigned number, PfLiveCommand command, int choice, int *ret_answer,
                GError **error)
{
    PfMailbox *box = &crew->shared->boxes[number];
    box->command = command;
    box->number = choice;
    pf_mailbox_set(box, PF_MAILBOX_COMMAND);
    return await(crew, number, ret_answer, error);
}

bool pf_crew_fork(PfCrew *crew, unsigned number, unsigned *ret_child, GError **error)
{
    int pid;
    int answer;
    g_assert(pf_crew_lives(crew, number));
    if (!prepare(crew, ret_child, error) ||
        !ask(crew, number, PF_LIVE_FORK, (int)*ret_child, &pid, error))
        return false;
    if (pid < 0)
        return fail_fork(-pid, error);
    return add_process(crew, pid, error) && await(crew, *ret_child, &answer, error);
}

bool pf_crew_exit(PfCrew *crew, unsigned number, GError **error)
{
    PfMailbox *box = &crew->shared->boxes[number];
    g_assert(pf_crew_lives(crew, number));
    box->command = PF_LIVE_EXIT;
    pf_mailbox_set(box, PF_MAILBOX_COMMAND);
    int status = bury(&crew->processes[number]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "a process did not end as it should");
    return false;
}

bool pf_crew_lives(const PfCrew *crew, unsigned number)
{
    return number < crew->count && crew->processes[number].pid > 0;
}

GArray *pf_crew_pids(const PfCrew *crew)
{
    GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->processes[i].pid > 0)
            g_array_append_val(pids, crew->processes[i].pid);
    return pids;
}

bool pf_crew_command(PfCrew *crew, unsigned number, PfLiveCommand command, uint64_t address,
                     uint64_t bytes, uint64_t other, int choice, int *ret_refusal, GError **error)
{
    g_assert(pf_crew_lives(crew, number) && command != PF_LIVE_FORK && command != PF_LIVE_EXIT);
    PfMailbox *box = &crew->shared->boxes[number];
    box->address = address;
    box->bytes = bytes;
    box->other = other;
    int answer;
    if (!ask(crew, number, command, choice, &answer, error))
        return false;
    *ret_refusal = -answer;
    return true;
}

uint8_t *pf_crew_data(PfCrew *crew)
{
    return crew->shared->data;
}

/* "NAME 5" or "NAME: yes" at the start of a line. */
static const char *find_stat(const char *text, const char *name)
{
    size_t length = strlen(name);
    while (text != NULL && strncmp(text, name, length) != 0) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return text != NULL ? text + length + strspn(text + length, ": ") : NULL;
}

bool pf_crew_read(PfCrew *crew, unsigned number, int64_t *ret_values, GError **error)
{
    char text[TEXT_MAX];
    ssize_t got = pread(crew->processes[number].ksm_stat, text, sizeof(text) - 1, 0);
    text[MAX(got, 0)] = '\0';
    for (unsigned counter = 0; counter < PF_KSM_PROCESS_COUNTERS; counter++) {
        const char *name = pf_ksm_process_counter_name((PfKsmProcessCounter)counter);
        const char *found = find_stat(text, name);
        if (found == NULL) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "/proc/%d/ksm_stat says nothing of %s",
                        (int)crew->processes[number].pid, name);
            return false;
        }
        ret_values[counter] = *found == 'y' ? 1 : g_ascii_strtoll(found, NULL, 10);
    }
    return true;
}
