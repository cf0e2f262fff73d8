#include "live_knobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "error.h"

static const char *const knob_names[PF_KNOB_COUNT] = {
    [PF_KNOB_MAX_PAGE_SHARING] = "max_page_sharing",
    [PF_KNOB_MERGE_ACROSS_NODES] = "merge_across_nodes",
    [PF_KNOB_USE_ZERO_PAGES] = "use_zero_pages",
    [PF_KNOB_SMART_SCAN] = "smart_scan",
    [PF_KNOB_PRUNE_MILLISECS] = "stable_node_chains_prune_millisecs",
    [PF_KNOB_SLEEP_MILLISECS] = "sleep_millisecs",
    [PF_KNOB_PAGES_TO_SCAN] = "pages_to_scan",
    [PF_KNOB_ADVISOR_MODE] = "advisor_mode",
    [PF_KNOB_RUN] = "run",
};

/* A knob is refused while pages are still shared: the processes that share them may be dying. */
enum { RESTORE_ATTEMPTS_MAX = 100, RESTORE_PAUSE_NS = 10000000 };

const char *pf_knob_name(PfKnob knob)
{
    return knob_names[knob];
}

bool pf_knob_find(const char *name, PfKnob *ret_knob)
{
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
        if (strcmp(knob_names[knob], name) == 0) {
            *ret_knob = (PfKnob)knob;
            return true;
        }
    return false;
}

/* A choice reads as "[none] scan-time" and is written as "none". */
static void keep_choice(char *text)
{
    char *open = strchr(text, '[');
    char *close = open != NULL ? strchr(open, ']') : NULL;
    if (close != NULL) {
        *close = '\0';
        memmove(text, open + 1, strlen(open + 1) + 1);
    }
    g_strchomp(text);
}

bool pf_knobs_init(PfKnobs *knobs, GError **error)
{
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
        knobs->files[knob] = -1;
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++) {
        g_autofree char *path = g_build_filename(PF_KNOB_FOLDER, knob_names[knob], NULL);
        int file = open(path, O_RDWR | O_CLOEXEC);
        knobs->files[knob] = file;
        char *saved = knobs->saved[knob];
        ssize_t got = file >= 0 ? pread(file, saved, PF_KNOB_TEXT_MAX - 1, 0) : -1;
        if (got < 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: %s", path, g_strerror(errno));
            return false;
        }
        saved[got] = '\0';
        keep_choice(saved);
    }
    return true;
}

void pf_knobs_clear(PfKnobs *knobs)
{
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
        if (knobs->files[knob] >= 0)
            close(knobs->files[knob]);
}

int pf_knob_write(const PfKnobs *knobs, PfKnob knob, const char *value)
{
    size_t length = strlen(value);
    return pwrite(knobs->files[knob], value, length, 0) == (ssize_t)length ? 0 : errno;
}

bool pf_knobs_restore(const PfKnobs *knobs)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = RESTORE_PAUSE_NS};
    for (unsigned attempt = 0; attempt < RESTORE_ATTEMPTS_MAX; attempt++) {
        if (attempt > 0)
            nanosleep(&pause, NULL);
        bool is_done = pf_knob_write(knobs, PF_KNOB_RUN, "2") == 0;
        /* An advisor at work does not let pages_to_scan be written. */
        pf_knob_write(knobs, PF_KNOB_ADVISOR_MODE, "none");
        for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
            is_done = pf_knob_write(knobs, (PfKnob)knob, knobs->saved[knob]) == 0 && is_done;
        if (is_done)
            return true;
    }
    return false;
}

/* What ends the controller shall not end its guardian: no signal reaches it, and it holds nothing
 * of what the controller had open but what it needs. */
static _Noreturn void guard(const PfKnobs *knobs, const PfKsmd *ksmd, int lock, int death)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    int kept_high = lock > death ? lock : death;
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
        kept_high = knobs->files[knob] > kept_high ? knobs->files[knob] : kept_high;
    for (int file = 0; file <= kept_high; file++) {
        bool is_kept = file == lock || file == death;
        for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
            is_kept = is_kept || file == knobs->files[knob];
        if (!is_kept)
            close(file);
    }
    syscall(SYS_close_range, (unsigned)kept_high + 1, ~0U, 0U);
    char byte;
    while (read(death, &byte, 1) < 0 && errno == EINTR)
        continue;
    pf_ksmd_restore(ksmd);
    _exit(pf_knobs_restore(knobs) ? 0 : 1);
}

bool pf_guardian_start(PfGuardian *guardian, const PfKnobs *knobs, const PfKsmd *ksmd, int lock,
                       GError **error)
{
    int ends[2];
    bool is_made = pipe2(ends, O_CLOEXEC) == 0;
    guardian->pid = is_made ? fork() : -1;
    if (guardian->pid == 0)
        guard(knobs, ksmd, lock, ends[0]);
    if (guardian->pid < 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "cannot make a process: %s", g_strerror(errno));
        if (is_made) {
            close(ends[0]);
            close(ends[1]);
        }
        return false;
    }
    close(ends[0]);
    guardian->life = ends[1];
    return true;
}

bool pf_guardian_finish(PfGuardian *guardian)
{
    close(guardian->life);
    int status = 0;
    pid_t ended;
    do
        ended = waitpid(guardian->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == guardian->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
