/* Changing parameters while it runs, as writing to /sys/kernel/mm/ksm does. */
#pragma once

#include "ksm_state.h"

/* Writes VALUE to parameter KEY. False where the kernel would refuse it (EINVAL, EBUSY) or has no
 * such file; then nothing but staleness has changed. */
bool pf_ksm_set(PfKsm *ksm, const char *key, const char *value);

/* Sets advisor_mode. */
void pf_ksm_set_advisor(PfKsm *ksm, PfKsmAdvisorMode mode);

/* Sets run; 2 unmerges everything. */
void pf_ksm_set_run(PfKsm *ksm, PfKsmRun run);

/* Sets sleep_millisecs. */
void pf_ksm_set_sleep(PfKsm *ksm, uint64_t millisecs);

/* There may be something to do: if the daemon sleeps for lack of that, and there is, it does its
 * next batch at once. It sleeps its time between two batches whatever comes. */
void pf_ksm_bring_work(PfKsm *ksm);

/* Asks the host for the next wake-up. */
void pf_ksm_arm(PfKsm *ksm);
