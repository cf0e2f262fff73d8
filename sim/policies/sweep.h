/* The scan that simple policies make: page after page in order of context and number, so many at a
 * time with a sleep between, from the first again after the last. */
#pragma once

#include "policy.h"

/* Parameters; they stand at the beginning of a policy's own. */
typedef struct {
    uint64_t pages_to_scan;
    uint64_t sleep_ps;
} PfSweepConfig;

/* Their rows. Defaults are those of Linux's KSM. */
#define PF_SWEEP_FIELDS \
    {.key = "pages_to_scan", \
     .type = PF_CONFIG_UINT, \
     .offset = offsetof(PfSweepConfig, pages_to_scan), \
     .standard = "100", \
     .min = 1, \
     .unit = "pages", \
     .description = "Pages looked at before the policy sleeps again."}, \
    {.key = "sleep", \
     .type = PF_CONFIG_TIME, \
     .offset = offsetof(PfSweepConfig, sleep_ps), \
     .standard = "20ms", \
     .min = 1, \
     .description = "Time between the end of one batch and the start of the next."}

typedef struct {
    PfHost *host;
    PfSweepConfig config;
    PfPage position; /* where the next page is looked for */
} PfSweep;

/* Begins at the first page and asks for the first wake-up, a sleep from now. */
void pf_sweep_init(PfSweep *sweep, PfHost *host, const PfSweepConfig *config);

/* LOOKs at up to PAGES pages (UINT64_MAX: all that are left of the pass) on behalf of POLICY. True
 * if the pass ended, which it does when there is none left to look at. */
bool pf_sweep_scan(PfSweep *sweep, uint64_t pages, void (*look)(void *policy, PfPage page),
                   void *policy);

/* The next wake-up after work that began at NOW_CYCLES. */
uint64_t pf_sweep_next(const PfSweep *sweep, uint64_t now_cycles);
