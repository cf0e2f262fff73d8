/* A simulation: one trace, one machine description, several policies, each on a machine of its
 * own; and its results, read by the floor above. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "config.h"
#include "host_observer.h"
#include "registry.h"
#include "stats.h"
#include "trace.h"

typedef struct PfSimulation PfSimulation;
typedef struct PfContentStore PfContentStore;

/* What is told while it runs, at most some times a second. */
typedef struct {
    double share_done;      /* of the trace, 0..1; 0 where unknown */
    uint64_t records;       /* done by all runs */
    uint64_t simulated_ps;  /* of the run that is furthest behind */
    double seconds;         /* since the start */
} PfProgress;

/* From one cycle or time to another, both included. */
typedef struct {
    uint64_t first;
    uint64_t last;
    bool first_is_ps;
    bool last_is_ps;
} PfWindow;

typedef struct {
    unsigned threads;     /* workers, at least 1 */
    bool verify;          /* compare with memory as it would be with no sharing */
    bool paranoid;        /* check invariants of every model at each block */
    bool salvage;         /* read a damaged trace up to the damage */
    bool dry_run;         /* build everything, read no records */
    uint64_t stop_after;  /* records; 0: all */
    const char *events_directory; /* keep events of sharings, in a file there; NULL: do not */
    PfWindow window;      /* ... of this time */
    const PfObserver *observer; /* of the first run, record by record; NULL: nobody watches */
    const char *trace;    /* overrides the configuration's, NULL if not */
    const char *trace_digest; /* of that, where it is known already; NULL: it is computed */
    const PfTraceTape *tape; /* that trace, decoded already; NULL: it is read */
    PfContentStore *store; /* shared with other simulations of its size of pages; NULL: its own */
    void (*progress)(const PfProgress *progress, void *user); /* may be NULL */
    void *progress_user;
    double (*seconds)(void); /* the caller's clock, for progress only; NULL: no progress */
    const int *interrupted; /* read often; non-zero stops at the next block; may be NULL */
} PfSimulationOptions;

/* Opens the trace and builds a machine for each policy. CONFIG is borrowed and must outlive the
 * simulation; all of its errors come as one GError. `none` is added to the policies if missing. */
PfSimulation *pf_simulation_new(PfConfig *config, const PfRegistry *registry,
                                const PfSimulationOptions *options, GError **error);
void pf_simulation_free(PfSimulation *simulation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSimulation, pf_simulation_free)

/* Plays the trace. False with PF_ERROR_TRACE (input), PF_ERROR_LIMIT (out of frames),
 * PF_ERROR_DIFFERENCE (--verify found something); after PF_ERROR_INTERRUPTED, LIMIT and DIFFERENCE
 * results can still be read and are those up to there. A run that is out of frames stands still
 * from there on, while the others go on to the end. */
bool pf_simulation_run(PfSimulation *simulation, GError **error);

/* ---- Results ---- */

/* Whether the whole trace was played, by all runs. */
bool pf_simulation_complete(const PfSimulation *simulation);
const PfTraceHeader *pf_simulation_trace_header(const PfSimulation *simulation);
const char *pf_simulation_trace_path(const PfSimulation *simulation);
const char *pf_simulation_trace_digest(const PfSimulation *simulation);
const char *pf_simulation_trace_damage(const PfSimulation *simulation); /* NULL if none */
uint64_t pf_simulation_records(const PfSimulation *simulation);
uint64_t pf_simulation_clock_hz(const PfSimulation *simulation);
uint64_t pf_simulation_seed(const PfSimulation *simulation);
bool pf_simulation_has_access_grain(const PfSimulation *simulation);
double pf_simulation_dilation(const PfSimulation *simulation);
/* "machine", "dram" or "caches". */
const char *pf_simulation_mode(const PfSimulation *simulation);
/* "full" or "costs" or "full+costs" (a trace with both grains under "auto"). */
const char *pf_simulation_timing(const PfSimulation *simulation);
/* Differences that --verify found; 0 also if it was not asked for. */
uint64_t pf_simulation_differences(const PfSimulation *simulation);
/* NULL-terminated sentences the user should see (mixed scopes, unused events); borrowed. */
const char *const *pf_simulation_warnings(const PfSimulation *simulation);

/* Runs in the order of the configuration's list, an added `none` last. */
typedef struct PfRun PfRun;
size_t pf_simulation_run_count(const PfSimulation *simulation);
const PfRun *pf_simulation_run_at(const PfSimulation *simulation, size_t index);
const char *pf_run_label(const PfRun *run);  /* the `label`, else the policy's name */
const char *pf_run_policy(const PfRun *run); /* the policy's name */
const char *pf_run_scope(const PfRun *run);  /* "all", "anon", "mergeable" */
/* "" or a remark for tables: "CAM extrapolated" if its figures lie beyond what is known, "lossy" if
 * pages may be shared whose bytes differ, "not converged" for fewer than two full passes. */
const char *pf_run_remark(const PfRun *run);
/* Everything, in order of registration (the same names in each run where they are common). Held at
 * the end of the region of interest. */
const PfStats *pf_run_stats(const PfRun *run);

/* A content that the policy made pages share. */
typedef struct {
    uint64_t pages; /* mapped to one frame of it */
    uint64_t key;   /* by the policy's hash */
    bool is_zero;   /* nothing but zero bits */
    bool is_ones;   /* nothing but ones */
} PfSharedContent;

/* The frames that most pages share at the end of the run: fills CONTENTS, at most COUNT, the most
 * shared first; returns how many there are. */
size_t pf_run_top_shared(const PfRun *run, PfSharedContent *contents, size_t count);

/* Of the pages that share a frame by the policy's doing, those whose frame an earlier page of the
 * same context maps too, and those whose frame only pages of other contexts do: with the first page
 * of each frame, all. */
void pf_run_shared_split(const PfRun *run, uint64_t *ret_inside, uint64_t *ret_across);

/* Rows of the epochs: columns are fixed names. */
size_t pf_simulation_epoch_columns(const PfSimulation *simulation, const char *const **ret_names);
size_t pf_run_epoch_count(const PfRun *run);
/* The cycle of row INDEX; its values in the order of the columns. */
uint64_t pf_run_epoch(const PfRun *run, size_t index, const PfStatValue **ret_values);

/* What is told at the end beside the statistics: context.NAME.*, by number of the context, nothing
 * unless output.contexts says so; then span.LABEL.*, in the order in which labels came. */
void pf_run_contexts_visit(const PfRun *run, PfStatVisitor visit, void *user);

/* Marks: label, cycle, and all memory.*, policy.* and the policy's own statistics of then. */
size_t pf_run_mark_count(const PfRun *run);
const char *pf_run_mark_label(const PfRun *run, size_t index);
uint64_t pf_run_mark_cycle(const PfRun *run, size_t index);
void pf_run_mark_visit(const PfRun *run, size_t index, PfStatVisitor visit, void *user);

typedef enum { PF_RUN_EVENT_SHARE, PF_RUN_EVENT_BREAK, PF_RUN_EVENT_END } PfRunEventKind;

/* What happened to a sharing. */
typedef struct {
    uint64_t cycle;
    uint64_t lifetime_cycles; /* BREAK, END */
    PfCpn page;
    PfCpn partner_page;
    PfMpn frame;
    uint32_t context;
    uint32_t partner_context;
    uint32_t kind; /* PfRunEventKind */
    bool has_partner; /* another page that maps the frame is known */
} PfRunEvent;

typedef void (*PfRunEventVisitor)(const PfRunEvent *event, void *user);

/* Visits what the run kept, in order. False with PF_ERROR_IO if not all could be kept. */
bool pf_run_events_visit(const PfRun *run, PfRunEventVisitor visit, void *user, GError **error);
/* The name of the context with this number. */
const char *pf_simulation_context_name(const PfSimulation *simulation, uint32_t context);

/* Statistics of every kind that a machine of CONFIG with every policy has, without a trace: for
 * `list stats`. */
void pf_simulation_list_stats(const PfRegistry *registry, PfStatVisitor visit, void *user);

/* Binds every field table of the machine, the policies and the run to CONFIG, so that `config
 * check|dump|explain` know all keys. Errors are collected in CONFIG. */
void pf_simulation_bind(PfConfig *config, const PfRegistry *registry);
