/* The running kernel's KSM, driven in lock-step: it scans exactly what it is told to and is asleep
 * otherwise.
 *
 * It is kept at run=1 with pages_to_scan=0 and a sleep of an hour. A batch is made by setting
 * pages_to_scan and changing the sleep by one, which wakes ksmd at once; it is over when ksmd
 * sleeps interruptibly again, which it does nowhere else. (The files are those of
 * Documentation/admin-guide/mm/ksm.rst; that it is so was tried on Linux 6.18.) */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "live_counters.h"
#include "live_knobs.h"

typedef struct PfKsm PfKsm;

/* Takes the kernel's KSM for this process alone, waiting up to WAIT_SECONDS for another that has
 * it by the same lock (flock on /sys/kernel/mm/ksm). Every knob is put back when it is freed, or
 * when this process ends in whatever way. INTERRUPTED (may be NULL) is read often; non-zero makes
 * what is under way fail with PF_ERROR_INTERRUPTED. An error says why this is no place for it: not
 * root, no KSM, too old a kernel, somebody else's mergeable pages. */
PfKsm *pf_ksm_open(unsigned wait_seconds, const int *interrupted, GError **error);

/* Puts the knobs back; false if the kernel did not take that. Then free. */
bool pf_ksm_close(PfKsm *ksm);
void pf_ksm_free(PfKsm *ksm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfKsm, pf_ksm_free)

/* For a new scenario: nothing registered or shared, counters from 0, the kernel's defaults, run=1.
 */
bool pf_ksm_reset(PfKsm *ksm, GError **error);

/* One batch of up to PAGES pages; it ends early where the pass ends. */
bool pf_ksm_scan(PfKsm *ksm, uint64_t pages, GError **error);

/* One batch up to the end of the pass. */
bool pf_ksm_scan_pass(PfKsm *ksm, GError **error);

/* From now on a batch is made page by page, for each of which ksmd is moved to a processor drawn
 * from SEED; 0: no more. It has no influence on what is counted, but for this: a page that comes to
 * a shared frame without a merge (by a fork, as its relative was merged) is overlooked if the frame
 * has a new node at the address of one that the page had before, as if it were still there. Whether
 * the address is used again depends on what the allocator of ksmd's processor has at hand.
 * (docs/validation.md has the experiment; policy `ksm` counts such pages as `overlookable`.) */
void pf_ksm_wander(PfKsm *ksm, uint64_t seed);

/* Writes VALUE to KNOB as a user would, when ksmd sleeps; RET_REFUSAL is the kernel's errno, or 0.
 */
bool pf_ksm_control(PfKsm *ksm, PfKnob knob, const char *value, int *ret_refusal, GError **error);

/* From now on ksmd works by itself, PAGES a batch and SLEEP_MILLISECS between two, until the next
 * pf_ksm_reset. */
bool pf_ksm_let_run(PfKsm *ksm, uint64_t pages, unsigned sleep_millisecs, GError **error);

/* What it has done since pf_ksm_reset; its time on a processor since it was started. */
typedef struct {
    int64_t scanned_pages;
    int64_t sharing_pages;
    int64_t passes;
    int64_t cpu_ns;
} PfKsmProgress;

/* Reads how far it has come, while it works. */
bool pf_ksm_progress(const PfKsm *ksm, PfKsmProgress *ret_progress, GError **error);

/* Fills the counters of STEP. */
bool pf_ksm_read(PfKsm *ksm, PfKsmStep *step, GError **error);
