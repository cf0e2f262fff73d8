/* Pictures of live processes, epoch by epoch, as a trace of page grain.
 *
 * Each epoch stops all processes together, reads what their memory holds, and lets them go on. A
 * page is told by `state` when its bytes are new, by `alias` when it maps the same frame as a page
 * told before (what fork, or a common file, left behind); a page that maps the kernel's zero page
 * was read but never written and is not told. A page of a file's private mapping that was stored to
 * is mapped as anonymous. `time` is the time that really passed.
 *
 * Processes are stopped by ptrace (seize and interrupt), never by a signal, and without
 * PTRACE_O_EXITKILL: if the recorder dies, whatever the cause, the kernel detaches it and they go
 * on.
 *
 * Frame numbers are readable by root only (Documentation/admin-guide/mm/pagemap.rst of Linux). For
 * others pages of one file at one offset are taken for one frame, and what fork shares looks like
 * copies; zero pages then have a `state` of zero. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"

/* More epochs or processes than these are refused. */
enum { PF_SNAPSHOT_EPOCHS_MAX = 1000000, PF_SNAPSHOT_PROCESSES_MAX = 65536 };

typedef struct {
    unsigned epochs;
    unsigned processes;
    bool has_frames;          /* frame numbers could be read */
    uint64_t pages;           /* populated pages seen, all epochs together */
    uint64_t aliases;         /* of these, pages that mapped the frame of another */
    uint64_t zero_pages;      /* pages that mapped the kernel's zero page */
    uint64_t told_pages;      /* pages of `state` records */
    uint64_t mergeable_pages; /* pages of mappings that KSM may merge */
    uint64_t ksm_pages;       /* of these, pages that KSM has merged; needs root */
    uint64_t swapped_pages;   /* pages that had been swapped out; looking brings them back */
    uint64_t unreadable_pages;
    uint64_t stopped_ns_max; /* how long an epoch held the processes at most */
} PfSnapshotSummary;

typedef struct {
    unsigned epochs;        /* at least 1 */
    uint64_t interval_ps;   /* from the start of one to the start of the next */
    bool children;          /* follow the processes' descendants, those born later included */
    const int *interrupted; /* non-zero: the epoch at hand is the last; may be NULL */
    /* Told now and then how far it is, between any two epochs at least once, while the processes
     * run; may be NULL. */
    void (*progress)(const PfSnapshotSummary *summary, void *user);
    void *user;
} PfSnapshotOptions;

/* Records the COUNT processes PIDS into WRITER, whose pages must be this system's. Errors, each
 * with the mend: PF_ERROR_USAGE (no such process, this process itself, a thread of the kernel),
 * PF_ERROR_IO (no permission; a process does not stop). A process that ends between epochs becomes
 * `exit`. On return, and on any end of the program, all processes run. */
bool pf_snapshot_record(const pid_t *pids, size_t count, const PfSnapshotOptions *options,
                        PfTraceWriter *writer, PfSnapshotSummary *ret_summary, GError **error);

/* Appends to PIDS (of pid_t) each process whose command name, or with CGROUP the path of whose
 * control group, matches the shell pattern. */
void pf_snapshot_find(const char *pattern, bool cgroup, GArray *pids);

/* The bytes of a page of this system. */
uint32_t pf_snapshot_page_bytes(void);
