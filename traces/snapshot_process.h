/* The inside of snapshots: processes, their mappings and pages. Only snapshot*.c include this. */
#pragma once

#include "page_telling.h"
#include "snapshot.h"

/* A mapping of an address space. */
typedef struct {
    uint64_t start; /* bytes; a multiple of the page size, as are the others */
    uint64_t end;
    uint64_t offset;  /* in the file */
    const char *name; /* of the file, interned; NULL for anonymous memory */
    PfBacking backing;
    PfProtection protection;
    bool mergeable;
} PfMapping;

typedef struct {
    pid_t pid;
    uint64_t start_time; /* tells a process from a later one of the same number */
    uint32_t context;
    char *name;
    bool has_exited;
    bool is_told;     /* its context record is written */
    bool is_end_told; /* its exit record is */
    GArray *threads;  /* of pid_t, while stopped */
    GArray *mappings; /* of PfMapping, as told, ascending */
    GArray *pages;    /* of PfSeenPage, as told, ascending */
} PfProcess;

/* NULL with PF_ERROR_USAGE if there is no process PID, or it is a thread of the kernel. */
PfProcess *pf_process_new(pid_t pid, GError **error);
void pf_process_free(PfProcess *process);

/* The start time of process PID in clock ticks since boot; false if it does not exist or is dead.
 */
bool pf_process_start_time(pid_t pid, uint64_t *ret_start_time);

/* ---- snapshot_stop.c ---- */

/* Stops all threads of all live PROCESSES (PfProcess). One that has ended is marked. On error none
 * is stopped. */
bool pf_processes_stop(GPtrArray *processes, GError **error);

/* Lets all of them go on. */
void pf_processes_resume(GPtrArray *processes);

/* ---- snapshot_maps.c ---- */

/* The mappings of PROCESS now, without those that hold no memory of a program (vsyscall, vvar,
 * devices, ranges without any permission). NULL if the process is gone. Free with g_array_unref. */
GArray *pf_process_mappings(const PfProcess *process);

/* Writes that PAGE of PROCESS, which lies in MAPPING, is anonymous from here on, or, unless it is
 * its own, the file's again. */
void pf_process_tell_backing(const PfProcess *process, const PfMapping *mapping,
                             const PfSeenPage *page, PfTraceWriter *writer);

/* Writes what changed from the mappings told before to MAPPINGS (taken over), and forgets the pages
 * of ranges that went. */
void pf_process_tell_mappings(PfProcess *process, GArray *mappings, PfTraceWriter *writer);

/* ---- snapshot_pages.c ---- */

/* A frame of machine memory, or what stands for one where numbers cannot be read. */
typedef struct {
    uint64_t number;  /* or the offset in `file` */
    const char *file; /* interned name; NULL: `number` is a frame's */
    uint64_t address; /* of the page that was seen first, in `context` */
    uint32_t context;
    uint32_t content;
    bool is_read;
    bool is_zero_page;
    bool is_told; /* its first page has a `state` in this epoch */
} PfSeenFrame;

/* Tells how far it is, if that is asked for. */
void pf_snapshot_progress(const PfSnapshotOptions *options, const PfSnapshotSummary *summary);

/* What is seen in one epoch. */
typedef struct {
    const PfSnapshotOptions *options;
    PfTraceWriter *writer;
    PfSnapshotSummary *summary;
    GHashTable *frames; /* PfSeenFrame, a set */
    int kpageflags;     /* descriptor, -1 where it cannot be read */
    uint8_t *bytes;     /* of a batch */
} PfSight;

/* For one epoch; OPTIONS, WRITER and SUMMARY are borrowed. */
void pf_sight_init(PfSight *sight, const PfSnapshotOptions *options, PfTraceWriter *writer,
                   PfSnapshotSummary *summary);
void pf_sight_clear(PfSight *sight);

/* Reads the pages of PROCESS and writes in what they differ from those told before. Pages are told
 * batch by batch, so that contents do not pile up. False if nothing of it could be read. */
bool pf_sight_look(PfSight *sight, PfProcess *process, GError **error);
