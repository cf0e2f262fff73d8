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

/* Makes both accounts of PAIR and compares them. Appends a sentence for each difference to LINES;
 * RET_MARKS (may be NULL) gets the number of marks of the first. False on error only. */
bool pf_teller_compare(const PfValidator *validator, const PfKsmTeller pair[2], const char *path,
                       GPtrArray *lines, guint *ret_marks, GError **error);
