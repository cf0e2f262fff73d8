#include "live_ksm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "error.h"
#include "live_host.h"
#include "rng.h"

/* An hour and a bit: the two sleeps between which the driver changes. A batch without limit: what
 * the kernel's unsigned int holds. */
#define SLEEP_MILLISECS 3600000U
#define PAGES_UNLIMITED ((uint64_t)UINT32_MAX)

enum {
    TEXT_MAX = 64,
    RESET_ATTEMPTS_MAX = 1000, /* memory of processes that just died may still be going */
    RESET_PAUSE_US = 5000,
    LOCK_PAUSE_US = 1000,
    OTHERS_ATTEMPTS_MAX = 50, /* others' mergeable memory, as a test's, may go soon */
    OTHERS_PAUSE_US = 100000,
    UNUSED_ATTEMPTS_MAX = 20, /* what others left is cleaned away if KSM runs */
};

struct PfKsm {
    PfKnobs knobs;
    PfGuardian guardian;
    bool is_guarded;
    int lock;
    PfKsmd ksmd;
    PfRng wander;
    bool is_wandering;
    int counters[PF_KSM_COUNTERS];
    int64_t base[PF_KSM_COUNTERS]; /* what stood at the scenario's start; 0 where it is reset */
    unsigned sleep_millisecs;
    char run[2];
    const int *interrupted;
};

static const PfKnob defaults_order[] = {PF_KNOB_ADVISOR_MODE,       PF_KNOB_MAX_PAGE_SHARING,
                                        PF_KNOB_MERGE_ACROSS_NODES, PF_KNOB_USE_ZERO_PAGES,
                                        PF_KNOB_SMART_SCAN,         PF_KNOB_PRUNE_MILLISECS,
                                        PF_KNOB_PAGES_TO_SCAN};

/* The kernel's defaults (mm/ksm.c), but for what the driver keeps for itself. */
static const char *const defaults[PF_KNOB_COUNT] = {
    [PF_KNOB_MAX_PAGE_SHARING] = "256", [PF_KNOB_MERGE_ACROSS_NODES] = "1",
    [PF_KNOB_USE_ZERO_PAGES] = "0",     [PF_KNOB_SMART_SCAN] = "1",
    [PF_KNOB_PRUNE_MILLISECS] = "2000", [PF_KNOB_ADVISOR_MODE] = "none",
    [PF_KNOB_PAGES_TO_SCAN] = "0",
};

static bool fail(GError **error, const char *what, int number)
{
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s/%s: %s", PF_KNOB_FOLDER, what,
                g_strerror(number));
    return false;
}

static bool write_knob(const PfKsm *ksm, PfKnob knob, const char *value, GError **error)
{
    int refusal = pf_knob_write(&ksm->knobs, knob, value);
    return refusal == 0 || fail(error, pf_knob_name(knob), refusal);
}

static bool read_integer(int file, const char *name, int64_t *ret_value, GError **error)
{
    char text[TEXT_MAX];
    ssize_t got = pread(file, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return fail(error, name, got < 0 ? errno : EIO);
    text[got] = '\0';
    *ret_value = g_ascii_strtoll(text, NULL, 10);
    return true;
}

static bool read_counter(const PfKsm *ksm, PfKsmCounter counter, int64_t *ret_value, GError **error)
{
    return read_integer(ksm->counters[counter], pf_ksm_counter_name(counter), ret_value, error);
}

static bool wait_asleep(const PfKsm *ksm, GError **error)
{
    return pf_ksmd_wait_asleep(&ksm->ksmd, ksm->interrupted, error);
}

/* Writing the value in force waits for the scan's mutex and wakes a ksmd that had nothing to do. */
static bool settle(const PfKsm *ksm, GError **error)
{
    return write_knob(ksm, PF_KNOB_RUN, ksm->run, error) && wait_asleep(ksm, error);
}

static bool change_sleep(PfKsm *ksm, GError **error)
{
    ksm->sleep_millisecs =
        ksm->sleep_millisecs == SLEEP_MILLISECS ? SLEEP_MILLISECS + 1 : SLEEP_MILLISECS;
    char text[TEXT_MAX];
    snprintf(text, sizeof(text), "%u", ksm->sleep_millisecs);
    return write_knob(ksm, PF_KNOB_SLEEP_MILLISECS, text, error);
}

static bool batch(PfKsm *ksm, const char *pages, GError **error)
{
    return !pf_live_host_interrupted(ksm->interrupted, error) && settle(ksm, error) &&
           write_knob(ksm, PF_KNOB_PAGES_TO_SCAN, pages, error) && change_sleep(ksm, error) &&
           wait_asleep(ksm, error) && settle(ksm, error) &&
           write_knob(ksm, PF_KNOB_PAGES_TO_SCAN, "0", error);
}

/* The same as one batch of up to PAGES, page by page, each on a processor drawn anew. */
static bool wander(PfKsm *ksm, uint64_t pages, GError **error)
{
    for (uint64_t page = 0; page < pages; page++) {
        int64_t passes[2];
        int64_t scanned[2];
        pf_ksmd_move(&ksm->ksmd, pf_rng_next(&ksm->wander));
        if (!read_counter(ksm, PF_KSM_FULL_SCANS, &passes[0], error) ||
            !read_counter(ksm, PF_KSM_PAGES_SCANNED, &scanned[0], error) ||
            !batch(ksm, "1", error) || !read_counter(ksm, PF_KSM_FULL_SCANS, &passes[1], error) ||
            !read_counter(ksm, PF_KSM_PAGES_SCANNED, &scanned[1], error))
            return false;
        if (passes[0] != passes[1] || scanned[0] == scanned[1])
            break;
    }
    return true;
}

static bool scan(PfKsm *ksm, uint64_t pages, GError **error)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, MIN(pages, PAGES_UNLIMITED));
    if (strcmp(ksm->run, "1") != 0)
        return true;
    return ksm->is_wandering ? wander(ksm, pages, error) : batch(ksm, text, error);
}

bool pf_ksm_scan(PfKsm *ksm, uint64_t pages, GError **error)
{
    return scan(ksm, pages, error);
}

bool pf_ksm_scan_pass(PfKsm *ksm, GError **error)
{
    return scan(ksm, PAGES_UNLIMITED, error);
}

void pf_ksm_wander(PfKsm *ksm, uint64_t seed)
{
    ksm->is_wandering = seed != 0;
    ksm->wander = pf_rng_derive(seed, "ksmd");
    if (!ksm->is_wandering)
        pf_ksmd_restore(&ksm->ksmd);
}

bool pf_ksm_control(PfKsm *ksm, PfKnob knob, const char *value, int *ret_refusal, GError **error)
{
    if (!settle(ksm, error))
        return false;
    *ret_refusal = pf_knob_write(&ksm->knobs, knob, value);
    /* "01" is a 1 too: the kernel knows. */
    if (knob == PF_KNOB_RUN && pread(ksm->knobs.files[knob], ksm->run, 1, 0) != 1)
        return fail(error, pf_knob_name(knob), errno);
    return wait_asleep(ksm, error);
}

bool pf_ksm_let_run(PfKsm *ksm, uint64_t pages, unsigned sleep_millisecs, GError **error)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, MIN(pages, PAGES_UNLIMITED));
    if (!settle(ksm, error) || !write_knob(ksm, PF_KNOB_PAGES_TO_SCAN, text, error))
        return false;
    /* Another sleep than before ends the one in hand. */
    snprintf(text, sizeof(text), "%u", sleep_millisecs);
    return write_knob(ksm, PF_KNOB_SLEEP_MILLISECS, text, error);
}

bool pf_ksm_progress(const PfKsm *ksm, PfKsmProgress *ret_progress, GError **error)
{
    PfKsmProgress *to = ret_progress;
    if (!read_counter(ksm, PF_KSM_PAGES_SCANNED, &to->scanned_pages, error) ||
        !read_counter(ksm, PF_KSM_PAGES_SHARING, &to->sharing_pages, error) ||
        !read_counter(ksm, PF_KSM_FULL_SCANS, &to->passes, error) ||
        !pf_ksmd_cpu_ns(&ksm->ksmd, &to->cpu_ns, error))
        return false;
    to->scanned_pages -= ksm->base[PF_KSM_PAGES_SCANNED];
    return true;
}

/* Whether the knobs that make the lock-step are as this driver left them. */
static bool check_undisturbed(const PfKsm *ksm, GError **error)
{
    int64_t sleep_millisecs;
    int64_t pages;
    if (!read_integer(ksm->knobs.files[PF_KNOB_SLEEP_MILLISECS], "sleep_millisecs",
                      &sleep_millisecs, error) ||
        !read_integer(ksm->knobs.files[PF_KNOB_PAGES_TO_SCAN], "pages_to_scan", &pages, error))
        return false;
    if (sleep_millisecs == ksm->sleep_millisecs && pages == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "somebody else writes to %s", PF_KNOB_FOLDER);
    return false;
}

bool pf_ksm_read(PfKsm *ksm, PfKsmStep *step, GError **error)
{
    if (!check_undisturbed(ksm, error))
        return false;
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++) {
        if (!read_counter(ksm, (PfKsmCounter)counter, &step->counters[counter], error))
            return false;
        step->counters[counter] -= ksm->base[counter];
    }
    return true;
}

/* Whether nothing is shared, filed or waiting to be forgotten. */
static bool read_empty(const PfKsm *ksm, bool *ret_empty, GError **error)
{
    *ret_empty = true;
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++) {
        if (counter == PF_KSM_PAGES_SCANNED || counter == PF_KSM_PAGES_SKIPPED ||
            counter == PF_KSM_FULL_SCANS)
            continue;
        int64_t value;
        if (!read_counter(ksm, (PfKsmCounter)counter, &value, error))
            return false;
        *ret_empty = *ret_empty && value == 0;
    }
    return true;
}

/* Unmerges until nothing is left of scenarios before. */
static bool clean(PfKsm *ksm, GError **error)
{
    for (unsigned attempt = 0; attempt < RESET_ATTEMPTS_MAX; attempt++) {
        bool empty;
        if (attempt > 0)
            g_usleep(RESET_PAUSE_US);
        /* Written twice the value would change nothing. */
        if (!write_knob(ksm, PF_KNOB_RUN, "0", error) ||
            !write_knob(ksm, PF_KNOB_RUN, "2", error) || !read_empty(ksm, &empty, error))
            return false;
        if (empty)
            return true;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_IO,
                "%s: something stays merged: is another process at it?", PF_KNOB_FOLDER);
    return false;
}

/* Waits until nobody has mergeable memory. */
static bool wait_alone(const PfKsm *ksm, GError **error)
{
    for (unsigned attempt = 1;; attempt++) {
        g_autoptr(GError) cause = NULL;
        if (pf_live_host_check_unmerged(NULL, &cause))
            return true;
        if (attempt == OTHERS_ATTEMPTS_MAX) {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
        if (pf_live_host_interrupted(ksm->interrupted, error))
            return false;
        g_usleep(OTHERS_PAUSE_US);
    }
}

bool pf_ksm_reset(PfKsm *ksm, GError **error)
{
    if (pf_live_host_interrupted(ksm->interrupted, error) || !wait_alone(ksm, error) ||
        !clean(ksm, error))
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(defaults_order); i++)
        if (!write_knob(ksm, defaults_order[i], defaults[defaults_order[i]], error))
            return false;
    g_strlcpy(ksm->run, "1", sizeof(ksm->run));
    if (!change_sleep(ksm, error) || !settle(ksm, error))
        return false;
    memset(ksm->base, 0, sizeof(ksm->base));
    return read_counter(ksm, PF_KSM_PAGES_SCANNED, &ksm->base[PF_KSM_PAGES_SCANNED], error) &&
           read_counter(ksm, PF_KSM_PAGES_SKIPPED, &ksm->base[PF_KSM_PAGES_SKIPPED], error);
}

static bool take_lock(PfKsm *ksm, unsigned wait_seconds, GError **error)
{
    ksm->lock = open(PF_KNOB_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ksm->lock < 0)
        return fail(error, "", errno);
    gint64 until_us = g_get_monotonic_time() + (gint64)wait_seconds * G_USEC_PER_SEC;
    while (flock(ksm->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail(error, "", errno);
        if (g_get_monotonic_time() > until_us) {
            g_set_error(error, PF_ERROR, PF_ERROR_IO, "another process drives KSM");
            return false;
        }
        g_usleep(LOCK_PAUSE_US);
        if (pf_live_host_interrupted(ksm->interrupted, error))
            return false;
    }
    return true;
}

static bool open_files(PfKsm *ksm, GError **error)
{
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++) {
        const char *name = pf_ksm_counter_name((PfKsmCounter)counter);
        g_autofree char *path = g_build_filename(PF_KNOB_FOLDER, name, NULL);
        ksm->counters[counter] = open(path, O_RDONLY | O_CLOEXEC);
        if (ksm->counters[counter] < 0)
            return fail(error, name, errno);
    }
    return pf_ksmd_init(&ksm->ksmd, error) && pf_knobs_init(&ksm->knobs, error);
}

static bool check_unused(const PfKsm *ksm, GError **error)
{
    bool empty;
    if (!read_empty(ksm, &empty, error))
        return false;
    if (!empty) {
        g_set_error(error, PF_ERROR, PF_ERROR_IO,
                    "KSM is in use (%s/pages_* and ksm_zero_pages are not 0)", PF_KNOB_FOLDER);
        return false;
    }
    return pf_live_host_check_unmerged(NULL, error);
}

static bool wait_unused(const PfKsm *ksm, GError **error)
{
    for (unsigned attempt = 1; attempt < UNUSED_ATTEMPTS_MAX; attempt++) {
        if (check_unused(ksm, NULL))
            return true;
        if (pf_live_host_interrupted(ksm->interrupted, error))
            return false;
        g_usleep(OTHERS_PAUSE_US);
    }
    return check_unused(ksm, error);
}

static PfKsm *ksm_new(const int *interrupted)
{
    PfKsm *ksm = g_new0(PfKsm, 1);
    ksm->lock = -1;
    ksm->ksmd.stat = -1;
    ksm->interrupted = interrupted;
    ksm->sleep_millisecs = SLEEP_MILLISECS;
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        ksm->counters[counter] = -1;
    for (unsigned knob = 0; knob < PF_KNOB_COUNT; knob++)
        ksm->knobs.files[knob] = -1;
    return ksm;
}

PfKsm *pf_ksm_open(unsigned wait_seconds, const int *interrupted, GError **error)
{
    if (!pf_live_host_check(error))
        return NULL;
    g_autoptr(PfKsm) ksm = ksm_new(interrupted);
    /* What the knobs say counts only once nobody else drives. */
    if (!take_lock(ksm, wait_seconds, error) || !open_files(ksm, error) ||
        !wait_unused(ksm, error))
        return NULL;
    ksm->is_guarded = pf_guardian_start(&ksm->guardian, &ksm->knobs, &ksm->ksmd, ksm->lock, error);
    return ksm->is_guarded ? g_steal_pointer(&ksm) : NULL;
}

bool pf_ksm_close(PfKsm *ksm)
{
    bool is_restored = !ksm->is_guarded || pf_guardian_finish(&ksm->guardian);
    ksm->is_guarded = false;
    return is_restored;
}

void pf_ksm_free(PfKsm *ksm)
{
    if (ksm == NULL)
        return;
    pf_ksm_close(ksm);
    pf_knobs_clear(&ksm->knobs);
    for (unsigned counter = 0; counter < PF_KSM_COUNTERS; counter++)
        if (ksm->counters[counter] >= 0)
            close(ksm->counters[counter]);
    pf_ksmd_clear(&ksm->ksmd);
    if (ksm->lock >= 0)
        close(ksm->lock);
    g_free(ksm);
}
