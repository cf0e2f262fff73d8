/* The way of the scanner through contexts and their pages. */
#pragma once

#include "ksm_state.h"

/* A page to look at. */
typedef struct {
    uint32_t item;
    PfPage page;
    PfMpn frame;
} PfKsmCandidate;

/* The next page. False if there is nothing to scan, or if a pass ended instead
 * (RET_PASS_ENDED). */
bool pf_ksm_cursor_next(PfKsm *ksm, PfKsmCandidate *ret_candidate, bool *ret_pass_ended);
