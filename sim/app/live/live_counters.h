/* What KSM counts, as read at a mark: by the running kernel, by pagefold, or stored in a file. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    PF_KSM_PAGES_SHARED,
    PF_KSM_PAGES_SHARING,
    PF_KSM_PAGES_UNSHARED,
    PF_KSM_PAGES_VOLATILE,
    PF_KSM_PAGES_SCANNED, /* since the scenario's start, as the next one */
    PF_KSM_PAGES_SKIPPED,
    PF_KSM_FULL_SCANS,
    PF_KSM_ZERO_PAGES,
    PF_KSM_CHAINS,
    PF_KSM_DUPS,
    PF_KSM_GENERAL_PROFIT,
    PF_KSM_COUNTERS
} PfKsmCounter;

/* The counters of one process, of /proc/PID/ksm_stat. */
typedef enum {
    PF_KSM_PROCESS_ITEMS,
    PF_KSM_PROCESS_ZERO_PAGES,
    PF_KSM_PROCESS_MERGING,
    PF_KSM_PROCESS_PROFIT,
    PF_KSM_PROCESS_MERGEABLE, /* 1: some part of it is */
    PF_KSM_PROCESS_COUNTERS
} PfKsmProcessCounter;

typedef struct {
    char *name; /* the context's; owned */
    int64_t values[PF_KSM_PROCESS_COUNTERS];
} PfKsmProcess;

/* One mark. */
typedef struct {
    char *label; /* owned */
    int refusal; /* errno of the last refused step since the mark before, or 0 */
    int64_t counters[PF_KSM_COUNTERS];
    int64_t overlookable; /* so far, as the policy tells: live counts may differ for that */
    GArray *processes; /* of PfKsmProcess, living ones in order of creation; NULL: unknown */
} PfKsmStep;

/* The counter's name: the kernel's file in /sys/kernel/mm/ksm, or its word in ksm_stat. */
const char *pf_ksm_counter_name(PfKsmCounter counter);
const char *pf_ksm_process_counter_name(PfKsmProcessCounter counter);

/* All marks of a scenario, of PfKsmStep; free with g_array_unref. */
GArray *pf_ksm_steps_new(void);

/* Appends a mark called LABEL, all of it 0, its processes unknown. Valid until the next. */
PfKsmStep *pf_ksm_steps_add(GArray *steps, const char *label);

/* Appends a process called NAME to STEP, whose processes are known from then on; with NAME NULL
 * says only that (there may be none) and returns NULL. */
PfKsmProcess *pf_ksm_step_add_process(PfKsmStep *step, const char *name);

/* One line of JSON a mark. */
GString *pf_ksm_steps_format(const GArray *steps);

/* Reads what pf_ksm_steps_format wrote. ORIGIN is for messages ("ORIGIN:LINE: ..."); PF_ERROR_TRACE
 * where TEXT is not of that form. */
GArray *pf_ksm_steps_parse(const char *text, const char *origin, GError **error);

/* Appends to LINES (of char *, owned) a sentence for each difference between A and B, which are
 * called A_NAME and B_NAME. Processes count only where both know them; of refusals only whether
 * there was one. Returns the number of differences. */
size_t pf_ksm_steps_compare(const GArray *a, const char *a_name, const GArray *b,
                            const char *b_name, GPtrArray *lines);
