/* The laws that every policy keeps, whatever it shares and when: each is a sentence with a function
 * that tries it on a random trace. The tests try them on the built-in policies, `check-policy` on
 * those of a user. */
#pragma once

#include "laws_play.h"
#include "laws_trace.h"

/* What happened in trials, so that no law holds because nothing did. */
enum { PF_LAWS_LARGE_DEEDS = 6 };

typedef struct {
    int64_t scanned; /* policy.scanned, of all runs */
    int64_t shared;
    int64_t swapped_out;
    int64_t writes_skipped;             /* of swap */
    int64_t large[PF_LAWS_LARGE_DEEDS]; /* pf_laws_large_deeds */
} PfLawsTally;

/* Policies, and the random trace that they are tried on. What is not marked as kept by
 * pf_laws_trial_begin is the caller's to set before, and borrowed. */
typedef struct {
    const PfRegistry *registry;
    const PfPolicyOps *ops; /* the policy; NULL: every one of the registry */
    /* Further settings to try POLICY with, NULL-terminated; NULL: none. */
    const char *const *(*variants)(const char *policy);
    const char *settings;  /* of every way to configure it: "rate = 5; ", or "" */
    const char *directory; /* where the trace is written */
    unsigned seed;
    unsigned records;

    PfLawsTally tally;  /* kept: added up */
    PfLawsTrace *trace; /* kept, as are those that follow */
    char *path;         /* of the trace, until the end */
    char *policies;
    PfLawsPlay play;   /* of all of them, once a law has asked for it */
    GString *obstacle; /* why there is none; empty: nothing is wrong */
} PfLawsTrial;

typedef struct {
    const char *name;     /* "counts" */
    const char *sentence; /* what holds */
    /* Whether it does on TRIAL; lines of PROBLEMS say where not. */
    bool (*holds)(PfLawsTrial *trial, GString *problems);
} PfLaw;

extern const PfLaw pf_laws[];
extern const unsigned pf_laws_count;

/* Writes the trace, which what crashes leaves in the directory. False with PF_ERROR_IO. In any case
 * TRIAL is to be ended. */
bool pf_laws_trial_begin(PfLawsTrial *trial, GError **error);
/* Removes what plays of TRIAL that crashed have left in its directory. */
void pf_laws_trial_unlink(const PfLawsTrial *trial);
/* Frees what was kept, but the tally, and removes the trace. */
void pf_laws_trial_end(PfLawsTrial *trial);

/* Whether every run of PLAY, of the trace of TRIAL, keeps the laws that a single play shows. */
bool pf_laws_play_holds(PfLawsTrial *trial, const PfLawsHow *how, const PfLawsPlay *play,
                        GString *problems);

/* How many ways to configure its policies TRIAL tries. */
unsigned pf_laws_way_count(const PfLawsTrial *trial);
