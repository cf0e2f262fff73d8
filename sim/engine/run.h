/* One run: a policy on a machine of its own, playing the records that the image has resolved. */
#pragma once

#include <stdio.h>

#include "host.h"
#include "image.h"
#include "machine.h"
#include "shootdown.h"
#include "simulation.h"

typedef enum { PF_TIMING_AUTO, PF_TIMING_FULL, PF_TIMING_COSTS } PfTiming;
typedef enum { PF_PACING_CLOSED, PF_PACING_OPEN } PfPacing;
typedef enum { PF_MODE_MACHINE, PF_MODE_DRAM, PF_MODE_CACHES } PfMode;
typedef enum { PF_STRADDLE_ONE, PF_STRADDLE_SPLIT } PfStraddle;
typedef enum { PF_MODIFY_READ, PF_MODIFY_READ_WRITE } PfModify;
typedef enum { PF_CONTEXTS_AUTO, PF_CONTEXTS_ALL, PF_CONTEXTS_NONE } PfContextsTold;

/* The top level of the configuration, bound; the same for all runs. */
typedef struct {
    char *trace;
    char *note; /* changes nothing */
    uint64_t seed;
    int mode;   /* PfMode */
    uint64_t outstanding;
    bool timed;
    int straddle; /* PfStraddle */
    int modify;   /* PfModify */
    int timing; /* PfTiming */
    int pacing; /* PfPacing */
    double dilation;
    char *warmup;
    char **roi;
    char *hold;
    uint64_t skew_ps;
    int contexts; /* PfContextsTold */
    uint64_t epoch_ps; /* PF_CONFIG_AUTO: about 200 rows */
    char **plugins;
    /* From `warmup`: at most one of these is set. */
    char *warmup_mark;
    uint64_t warmup_ps;
    uint64_t warmup_passes;
    /* From `hold`: at most one of these is set. */
    uint64_t hold_ps;
    uint64_t hold_passes;
} PfRunConfig;

typedef struct PfRunSpans PfRunSpans;

enum { PF_EPOCH_COLUMNS = 15 };

typedef struct {
    uint64_t cycle;
    PfStatValue values[PF_EPOCH_COLUMNS];
} PfEpochRow;

typedef struct {
    char *label;
    uint64_t cycle;
    GArray *infos;  /* of PfStatInfo; names live with the registry */
    GArray *values; /* of PfStatValue */
    GPtrArray *names; /* of those infos that are the row's own */
} PfMarkRow;

struct PfRun {
    const PfRunConfig *config;         /* borrowed */
    const PfMachineConfig *machine_config; /* borrowed */
    const PfPolicySetup *setup;        /* borrowed */
    PfImage *image;                    /* borrowed */
    bool paranoid;
    PfStats *stats;
    PfMachine *machine;
    PfMemory memory;
    PfWork work;
    PfLedger ledger;
    PfHost *host;

    GArray *places;       /* PfPlace by context */
    GArray *two_stage;    /* bool by context: it has used virtual addresses of a VM's process */
    GArray *ready_cycles; /* uint64_t by context: not before this */
    GArray *context_cycles; /* uint64_t by context: what it has paid */
    uint32_t billed_context; /* who pays what is charged past `work`; UINT32_MAX: nobody yet */
    uint32_t *core_context;  /* by core: who was the last to do so there */
    GArray *app_origins;    /* uint64_t by context: cycles at the last restart of statistics */
    GArray *policy_origins;
    bool *core_is_used;   /* by core: some context runs there */
    bool is_barrier;      /* all contexts wait, having done what came before */
    uint64_t now_cycles;  /* the furthest that anything has come */
    uint64_t due_cycles;  /* the next wake-up or epoch */
    uint64_t time_ps;     /* the last `time` record */
    PfGrain grain;
    bool fills_caches; /* it has timed accesses in full at some time */
    bool has_access_grain;
    bool has_page_grain;
    const PfNote *notes;   /* of the range in hand, by record */
    const PfEvent *events; /* of the range in hand */

    uint64_t epoch_cycles;
    uint64_t next_epoch_cycles;
    GArray *epochs; /* of PfEpochRow */
    GPtrArray *marks;
    PfMarkRow *at_end; /* what is told of contexts at the end; NULL until then */
    bool warm;      /* the warm-up is over, or the region has begun */
    bool has_begun; /* the region of interest */
    bool held;
    unsigned redirected; /* which pages of the record in hand are not stored to: 1, 2 the second */
    FILE *event_file; /* of PfRunEvent, without a name; NULL: nobody wants them */
    uint64_t window_first; /* cycles of the events that are wanted */
    uint64_t window_last;
    PfRunSpans *spans;
    PfHistogram span_cycles; /* of all labels */
    uint64_t untold_spans;   /* whose labels are told of in `span_cycles` only */
    PfHistogram lag_cycles;
    uint64_t distinct_frames;     /* BOUND policies: what they stand for */
    /* At the last restart of statistics: */
    int64_t saved_origin;      /* saved_page_cycles */
    uint64_t cycles_origin;    /* now_cycles */
    uint64_t transfers_origin; /* DRAM transactions */
    uint64_t cam_fJ_origin;
    uint64_t hash_bytes_origin;
    PfDramEnergy dram_origin;
    uint64_t stat_instructions;
    uint64_t stat_accesses;
    uint64_t records;
    struct PfDramFeed *feed; /* mode = "dram": what sends to DRAM; else NULL */
    struct PfRunNodes *nodes;
    struct PfRunRanks *ranks; /* mode = "dram": NULL */
    uint64_t join_cycles; /* when runs are next looked at, to be mapped large; UINT64_MAX: never */
    struct PfRunSwap *swap;
    PfSlot kept_slot; /* whose frame must not be swapped out now; PF_NO_SLOT: none */
    const int *interrupted; /* borrowed, NULL: never; nonzero when the user wants an end */
    bool out_of_memory; /* that is why there is an error */
    GError *error;
};

/* FRAME_CAPACITY: how many frames the trace can need, for tables that are sized by the machine. */
PfRun *pf_run_new(const PfRunConfig *config, const PfMachineConfig *machine_config,
                  const PfPolicySetup *setup, PfImage *image, uint64_t frame_capacity,
                  const PfSimulationOptions *options, GError **error);
void pf_run_free(PfRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfRun, pf_run_free)

/* Structural RECORD comes next, which the image has not applied yet: serves what is due before it,
 * as policies must see pages as the mappings have them. Call before the image prepares the
 * record. */
void pf_run_approach(PfRun *run, const PfRecord *record);

/* Plays records FROM .. TO-1 of BLOCK, which the image has prepared. After an error the run stands
 * still; the error is in `error`. */
void pf_run_play(PfRun *run, const PfRecordBlock *block, uint32_t from, uint32_t to);

/* The trace has ended (or was stopped): the last barrier, epoch and checks. */
void pf_run_finish(PfRun *run);

/* The whole trace was played: false if a mark that the configuration waits for never came. */
bool pf_run_check_marks(const PfRun *run, GError **error);

/* All runs have finished: what RUN is relative to NONE. */
void pf_run_compare(PfRun *run, const PfRun *none);
/* RUN is told what one of its class rules costs and buys, by WITHOUT, which is the same but for
 * that rule; both have finished. */
void pf_run_compare_class(PfRun *run, const PfRun *without);

/* ---- between the files of the run ---- */

/* Where CONTEXT's own work is charged. */
static inline PfPlace *run_place(const PfRun *run, uint32_t context)
{
    return &g_array_index(run->places, PfPlace, context);
}

/* Whether CONTEXT's translations are two-dimensional. */
static inline bool run_is_nested(const PfRun *run, uint32_t context)
{
    return run->machine_config->paging == PF_PAGING_NESTED &&
           pf_image_context(run->image, context)->kind == PF_CONTEXT_VM;
}

/* run_time.c */
/* CONTEXT may not go on yet, or something is due first. */
void run_wait(PfRun *run, uint32_t context);

/* CONTEXT is about to do something: waits until it may, serves what is due on the way. */
static inline void run_begin(PfRun *run, uint32_t context)
{
    uint64_t now = run_place(run, context)->core->now_cycles;
    if (G_UNLIKELY(g_array_index(run->ready_cycles, uint64_t, context) > now ||
                   now >= run->due_cycles))
        run_wait(run, context);
}

/* Brings now_cycles up to CYCLE; before mappings change. */
void run_reach(PfRun *run, uint64_t cycle);
/* Wake-ups and epochs up to CYCLE, in order. */
void run_serve(PfRun *run, uint64_t cycle);
/* All contexts wait for the latest of them and for AT_LEAST. */
void run_barrier(PfRun *run, uint64_t at_least);
void run_play_time(PfRun *run, const PfRecord *record);
void run_play_idle(PfRun *run, const PfRecord *record);
void run_play_mark(PfRun *run, const PfRecord *record);
/* The same without the barrier: now. */
void run_keep_mark(PfRun *run, const PfRecord *record);
void run_update_due(PfRun *run);
/* The trace is at its end, and memory stays as it is while policies go on, as `hold` says. */
void run_hold_on(PfRun *run);
void run_sample_epoch(PfRun *run, uint64_t cycle);
extern const char *const run_epoch_columns[PF_EPOCH_COLUMNS];

/* run_spans.c */
/* Counts what spans go to; the second ends that. */
void run_open_spans(PfRun *run);
void run_close_spans(PfRun *run);
void run_play_span(PfRun *run, const PfRecord *record);
/* Spans that end from here on count. */
void run_restart_spans(PfRun *run);
/* Visits what is told of each label, names included only for the call. */
void run_visit_spans(const PfRun *run, PfStatVisitor visit, void *user);
/* The same for a label called LABEL, of which nothing is known. */
void run_list_spans(PfStatVisitor visit, void *user);

/* run_contexts.c */
/* Whether statistics of contexts are told. */
bool run_tells_contexts(const PfRun *run);
/* What was charged past `work` since the last call is the billed context's. */
void run_settle_bill(PfRun *run);

/* From now on what is charged past `work` is CONTEXT's. */
static inline void run_bill_to(PfRun *run, uint32_t context)
{
    if (G_LIKELY(run->billed_context == context))
        return;
    run_settle_bill(run);
    run->billed_context = context;
    run->core_context[run_place(run, context)->index] = context;
    pf_mmu_run(&run->machine->mmu, run_place(run, context)->index, context);
}

/* A context pays for the STALL of its CORE just made: what waited for translations, and what for
 * the rest. */
static inline void run_charge_stall(PfRun *run, PfCore *core, uint64_t stall)
{
    uint64_t walk = pf_core_take_walk_stall(core);
    g_assert(walk <= stall);
    pf_ledger_charge(&run->ledger, PF_PAYER_APP, PF_ACCOUNT_MEMORY, stall - walk);
    pf_ledger_charge(&run->ledger, PF_PAYER_APP, PF_ACCOUNT_WALK, walk);
}

/* CYCLES that CORE waited for what its last context began, just charged; the bill is settled. */
void run_bill_stall(PfRun *run, unsigned core, uint64_t cycles);
/* Bills count from here. */
void run_restart_bills(PfRun *run);
PfMarkRow *run_mark_new(const char *label, uint64_t cycle);
void run_mark_free(gpointer mark);
/* Adds to MARK what is told of contexts. */
void run_keep_contexts(const PfRun *run, PfMarkRow *mark);
/* Visits the names of these, with NAME for the context's and no value. */
void run_list_contexts(const PfRun *run, PfStatVisitor visit, void *user);
/* Statistics stand still from here; those of contexts too. */
void run_hold(PfRun *run);

/* run_events.c */
/* Has events kept, if OPTIONS want that. False with PF_ERROR_IO or _USAGE. */
bool run_open_events(PfRun *run, const PfSimulationOptions *options, GError **error);

/* run_access.c */
void run_play_access(PfRun *run, const PfRecord *record, uint32_t number);
void run_play_instructions(PfRun *run, const PfRecord *record);

/* run_dram.c: mode = "dram". */
/* Makes the requester of DRAM. */
void run_open_dram(PfRun *run);
/* Sends the reads, fetches and writes of BLOCK. Returns how many records were taken: where fewer
 * than there are, the next one is wrong and run->error says why. */
uint32_t run_play_dram(PfRun *run, const PfRecordBlock *block);
/* Waits for all that was sent. */
void run_finish_dram(PfRun *run);

/* run_caches.c: mode = "caches". The same through the caches of core 0. */
uint32_t run_play_caches(PfRun *run, const PfRecordBlock *block);

/* run_frames.c */
/* From now on lines of frames that are given out again are dropped, and reads of shared frames that
 * hit in the last level counted. */
void run_watch_frames(PfRun *run);
/* Under paranoia asserts that no cache holds a line of FRAME, which was just given out. */
void run_check_fresh(const PfRun *run, PfMpn frame);

/* run_swap.c */
/* Makes the device, if frames may be swapped out; registers swap.* in any case. */
void run_open_swap(PfRun *run);
void run_close_swap(PfRun *run);
/* Has a frame swapped out for SLOT, which is going to hold OBJECT; PLACE (NULL: nobody) waits.
 * False if none may be. It may take two: the zero page comes into use without asking for room. */
bool run_make_room(PfRun *run, const PfPlace *place, PfSlot slot, PfSlot object);
/* Brings OBJECT, which is SLOT or the page of the file that SLOT shows, back if it is out. False
 * when there is no memory left: run->error is set. */
bool run_fetch(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object);

/* run_pages.c */
/* Lets SLOT take a store: maps, copies or takes back as need be, charges PLACE (NULL: nobody),
 * drops the stale translation, tells the policy. False when there is no memory left: run->error is
 * set. */
bool run_store(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot, PfSlot object);
/* Whether the policy, which wants to be asked, makes the store to SLOT needless; see below. */
bool run_ask_to_redirect(PfRun *run, PfPage page, PfSlot slot, uint32_t result, bool is_second);
/* Whether the policy makes the store to SLOT, which goes to OBJECT and after which RESULT events of
 * the range are done, needless. IS_SECOND: of the two pages of a store. */
static inline bool run_redirects(PfRun *run, PfPage page, PfSlot slot, PfSlot object,
                                 uint32_t result, bool is_second)
{
    return G_UNLIKELY(pf_host_wants_intents(run->host)) && pf_slot_equal(slot, object) &&
           run_ask_to_redirect(run, page, slot, result, is_second);
}

/* Lets SLOT be read; likewise. */
bool run_read(PfRun *run, const PfPlace *place, PfPage page, PfSlot slot);
void run_play_pages(PfRun *run, const PfRecord *record, uint32_t number);
/* Sets the error: there is no frame for PAGE. */
void run_out_of_memory(PfRun *run, PfPage page);
/* The translations of PAGE, as its space has them. */
PfShootdown run_translations(const PfRun *run, PfPage page);

/* run_structure.c */
void run_play_structural(PfRun *run, const PfRecord *record);
/* How much later begins what draws from STREAM: the same for all policies. */
uint64_t run_skew(const PfRun *run, const char *stream);

/* run_nodes.c */
/* Watches what nodes read, if pages are to move for that. Registers a part of numa.*. */
void run_open_nodes(PfRun *run);
void run_close_nodes(PfRun *run);
/* Moves the pages that are due to. */
void run_migrate(PfRun *run);

/* run_ranks.c */
/* Lets ranks of DRAM without a frame in use sleep. Registers a part of dram.*. */
void run_open_ranks(PfRun *run);
void run_close_ranks(PfRun *run);
/* Asserts that they hold as many frames as are in use. */
void run_check_ranks(const PfRun *run);

/* run_large.c */
/* Runs of pages are mapped large where memory wants that. Registers large.*. */
void run_open_large(PfRun *run);
/* TRANSLATION, of the page at SLOT, gets the sizes of its mappings; VIRTUAL: its space is one of
 * several processes. */
void run_size_translation(const PfRun *run, PfSlot slot, bool is_virtual,
                          PfTranslation *translation);
/* A page was given a frame: from the first run on the daemon looks for runs to be joined. */
void run_expect_large(PfRun *run);
/* It is time for that. */
void run_join_large(PfRun *run);

/* run_energy.c */
/* Whether the run has a CAM with figures that lie beyond the card's table. */
bool run_cam_is_extrapolated(const PfRun *run);
/* Registers energy.* and what is told of the CAM beside its counters. */
void run_register_energy(PfRun *run);

/* run_stats.c */
void run_register(PfRun *run);
/* DRAM transactions so far. */
uint64_t run_transfers(const PfRun *run);
/* Levels are about to be read: lets the policy look first. */
void run_observe(PfRun *run);
/* Statistics are about to be told: lets the policy look, and counts the pages by reason. */
void run_take_stock(PfRun *run);
