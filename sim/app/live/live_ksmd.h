/* The kernel thread ksmd: whether it sleeps, and where it runs. */
#pragma once

#include <glib.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    int stat;          /* its /proc/PID/stat, open; -1 if not */
    cpu_set_t allowed; /* the processors that it was allowed to run on */
} PfKsmd;

/* Finds ksmd. PF_ERROR_IO where it is not to be seen. Clear it in any case. */
bool pf_ksmd_init(PfKsmd *ksmd, GError **error);
void pf_ksmd_clear(PfKsmd *ksmd);

/* Waits until ksmd sleeps and waits for work; PF_ERROR_IO if it does not come to that. INTERRUPTED
 * as in pf_ksm_open. */
bool pf_ksmd_wait_asleep(const PfKsmd *ksmd, const int *interrupted, GError **error);

/* The time that it has run on a processor since it was started. */
bool pf_ksmd_cpu_ns(const PfKsmd *ksmd, int64_t *ret_ns, GError **error);

/* Has it run on one of its processors, chosen by NUMBER. */
void pf_ksmd_move(const PfKsmd *ksmd, uint64_t number);

/* Lets it run where it did. Async-signal-safe. */
void pf_ksmd_restore(const PfKsmd *ksmd);
