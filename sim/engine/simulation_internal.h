/* What the files of the simulation share. */
#pragma once

#include "run.h"

/* The whole configuration, bound. */
typedef struct {
    PfRunConfig run;
    PfMachineConfig *machine;
    GPtrArray *policies; /* of PfPolicySetup, in the order of the runs */
} PfSetup;

/* Binds everything. Errors are collected in CONFIG. */
void simulation_setup_init(PfSetup *setup, PfConfig *config, const PfRegistry *registry);
void simulation_setup_clear(PfSetup *setup);

struct PfSimulation {
    PfSetup setup;
    PfSimulationOptions options;
    PfConfig *config; /* borrowed */
    char *trace_path;
    char *trace_digest;
    PfTrace *trace;
    PfContentStore *store;
    PfImage *image;
    GPtrArray *runs;     /* of PfRun */
    GPtrArray *warnings; /* of char *, NULL-terminated */
    struct PfTeam *team;
    bool complete;
    uint64_t records;
    uint64_t differences;
    double start_seconds;
    double told_seconds;
};

/* simulation_warnings.c: policies with different scopes; once the trace is played, events that none
 * of them makes use of. */
void simulation_warn_of_scopes(PfSimulation *simulation);
void simulation_warn_of_unused(PfSimulation *simulation);

/* simulation_results.c: tells each run what it is relative to `none`, and what lacks a class rule
 * relative to what it lacks it of. */
void simulation_compare_runs(const PfSimulation *simulation);

/* team.c: workers that play one range in all runs. */
struct PfTeam *team_new(GPtrArray *runs, unsigned threads);
void team_free(struct PfTeam *team);
void team_play(struct PfTeam *team, const PfRecordBlock *block, uint32_t from, uint32_t to);
