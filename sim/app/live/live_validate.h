/* One scenario, two accounts of what KSM counts in it: do they agree? */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "live_ksm.h"
#include "registry.h"

typedef enum {
    PF_TELLER_MODEL,  /* pagefold's policy */
    PF_TELLER_LIVE,   /* the running kernel, now */
    PF_TELLER_STORED, /* the running kernel, as kept in NAME.live.jsonl beside NAME.trace */
    PF_TELLER_COUNT
} PfKsmTeller;

/* What accounts are made with. Borrowed; what an account does not need may be NULL. */
typedef struct {
    PfKsm *ksm;
    const PfRegistry *registry;
    const int *interrupted;
    const char *stored; /* the stored account as text; NULL: it is in a file beside the scenario */
} PfValidator;

/* "model", "live", "stored". */
const char *pf_teller_name(PfKsmTeller teller);

/* Takes "model-live" apart. */
bool pf_teller_parse_pair(const char *text, PfKsmTeller ret_pair[2]);

/* The path of the stored account of the scenario at PATH. Free with g_free. */
char *pf_teller_stored_path(const char *path);

/* What TELLER says of the scenario at PATH: an array of PfKsmStep. Errors are those of
 * pf_live_play, pf_live_model, pf_ksm_steps_parse. */
GArray *pf_teller_tell(const PfValidator *validator, PfKsmTeller teller, const char *path,
                       GError **error);

/* What came of a comparison. */
typedef struct {
    GArray *steps;        /* as the first of the pair told them (of PfKsmStep); owned */
    unsigned tries;       /* how often the running kernel was asked; 1 where that was enough */
    bool is_overlookable; /* the policy says that the kernel may overlook pages: pf_ksm_wander */
} PfVerdict;

/* Has both of PAIR tell the scenario at PATH and compares them. Appends a sentence for each
 * difference to LINES. Where the running kernel, as the second of the pair, differs, it is asked
 * again: where it may overlook pages, with ksmd wandering, until it agrees, up to nine times; else
 * twice, and both times it has to agree, as the difference was a disturbance then. False on error
 * only. Clear the verdict then, too. */
bool pf_teller_compare(const PfValidator *validator, const PfKsmTeller pair[2], const char *path,
                       GPtrArray *lines, PfVerdict *ret_verdict, GError **error);

void pf_verdict_clear(PfVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PfVerdict, pf_verdict_clear)
