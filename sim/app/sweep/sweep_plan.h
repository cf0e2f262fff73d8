/* A sweep before anything of it runs: its points, the configuration of each, and what tells an
 * unchanged point from a changed one. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "setup.h"
#include "sweep_axes.h"

typedef struct {
    char *path;        /* of the configuration */
    PfConfig *base;    /* as it was given; each point begins with a copy */
    PfConfig *whole;   /* bound, with `sweep` */
    PfRegistry *registry;
    PfSweepAxes *axes;
    char *directory;   /* where it goes; NULL if nobody said */
    char **figures;    /* to be drawn there; of `base` */
    char *version;     /* digests of the program and its plug-ins */
    GHashTable *traces; /* path of a trace to its identity */
    GMutex lock;        /* of `traces`, and of traces being generated */
    uint64_t points;
    uint64_t *ids;     /* of each point */
    uint8_t *is_valid; /* of each point: whether its configuration is */
} PfSweepPlan;

/* Reads the sweep of PATH, or, where VARIED (`-x`) is not NULL, its axes. DIRECTORY (may be NULL)
 * is -o. PF_ERROR_CONFIG with all mistakes; a value that no point can use is one. WORKERS resolve
 * the points. */
PfSweepPlan *pf_sweep_plan_new(const PfSetup *setup, const char *path, char **varied,
                               const char *directory, unsigned workers, GError **error);
void pf_sweep_plan_free(PfSweepPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfSweepPlan, pf_sweep_plan_free)

/* The configuration of run REPEAT of POINT: a copy of the common one with what the point sets, for
 * a simulation to bind. PF_ERROR_CONFIG if there is no such key. Free with pf_config_free. */
PfConfig *pf_sweep_plan_begin(PfSweepPlan *plan, uint64_t point, uint64_t repeat, GError **error);

/* The same, bound and checked, to be looked at. */
PfConfig *pf_sweep_plan_config(PfSweepPlan *plan, uint64_t point, uint64_t repeat, GError **error);

/* Where the trace of CONFIG, that of run REPEAT, is; a workload is generated there first if it is
 * not. RET_DIGEST (free with g_free) is its digest. Free with g_free. */
char *pf_sweep_plan_trace(PfSweepPlan *plan, PfConfig *config, uint64_t repeat,
                          const int *interrupted, char **ret_digest, GError **error);

/* The number of keys that vary; the name of each; what POINT gives to each, as in the file, "" if
 * it leaves it. Texts are borrowed, but for the last, which is free with g_free. */
size_t pf_sweep_plan_keys(const PfSweepPlan *plan);
const char *pf_sweep_plan_key(const PfSweepPlan *plan, size_t key);
char *pf_sweep_plan_text(const PfSweepPlan *plan, uint64_t point, size_t key);

/* The command that repeats run REPEAT of POINT alone; TRACE (may be NULL) is the trace that it
 * plays. Free with g_free. */
char *pf_sweep_plan_command(PfSweepPlan *plan, const PfSetup *setup, uint64_t point,
                            uint64_t repeat, const char *trace);
