/* How the laws play a random trace. */
#pragma once

#include <glib.h>

#include "simulation.h"

/* What is played, all borrowed. */
typedef struct {
    const PfRegistry *registry;
    const char *path;     /* of the trace */
    const char *policies; /* elements of `policies` (pf_laws_add_policy) */
    const char *top;      /* of the run: "timing = \"full\";" */
    const char *machine;  /* of the machine: "cam = { ... };" */
    unsigned threads;
} PfLawsHow;

typedef struct {
    PfConfig *config;
    PfSimulation *simulation; /* NULL: it could not be made */
} PfLawsPlay;

/* Between two elements of `policies`. */
#define PF_LAWS_NEXT ",\n "

/* Adds an element of `policies`; EXTRA are further settings of it. */
void pf_laws_add_policy(GString *list, const PfPolicyOps *ops, const char *extra);

/* The settings in POLICIES of what is called LABEL, after that. Owned by the caller. */
char *pf_laws_settings(const char *policies, const char *label);

/* Which frames pages get is no law's business: each trace has one of these machines. */
const char *pf_laws_frames(const char *path);

/* Plays as HOW says, verified, and checked after each range; rates are raised so that policies come
 * to work in traces of a few hundred records. False, with lines in PROBLEMS, if that cannot be
 * made, does not get to the end of the trace, or changes a byte that a context reads. PLAY is to be
 * cleared in any case. */
bool pf_laws_play(const PfLawsHow *how, PfLawsPlay *play, GString *problems);
void pf_laws_play_clear(PfLawsPlay *play);
