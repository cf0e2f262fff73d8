/* Plays a trace given as text on a configuration given as text, and reads what came of it. The
 * machine is one of round numbers: 1 GHz, one cycle an instruction, nothing hidden. */
#pragma once

#include "simulation.h"

typedef struct {
    PfRegistry *registry;
    PfConfig *config;
    PfSimulation *simulation; /* NULL: could not be built */
    GError *error;            /* of building or playing */
} Played;

/* Traces begin with "pagefold-trace 1"; SETTINGS are added to those of the plain machine. OPTIONS
 * may be NULL: verified and checked, one thread. */
Played *play(const char *trace, const char *settings, const PfSimulationOptions *options);
/* The same for LENGTH bytes of a trace of any form. */
Played *play_bytes(const char *trace, size_t length, const char *settings,
                   const PfSimulationOptions *options);
/* The same on the standard machine; CONFIG is all of the configuration. */
Played *play_configured(const char *trace, size_t length, const char *config,
                        const PfSimulationOptions *options);
void played_free(Played *played);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Played, played_free)

/* The run labelled LABEL; must exist. */
const PfRun *played_run(const Played *played, const char *label);
/* Its statistic NAME; -1 where that is null. */
double played_stat(const Played *played, const char *label, const char *name);
/* The cycle of its mark number INDEX, and statistic NAME there. */
uint64_t played_mark_cycle(const Played *played, const char *label, size_t index);
double played_mark_stat(const Played *played, const char *label, size_t index, const char *name);
