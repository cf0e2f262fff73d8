/* What must hold where pages are mapped large, on random traces of their own. */
#pragma once

#include "laws.h"

/* What large pages do, as statistics: none of it may be 0 in many trials. */
extern const char *const pf_laws_large_deeds[PF_LAWS_LARGE_DEEDS];

/* Whether the policies of TRIAL change no byte, add up and leave the baseline as it is on a machine
 * with large pages and caches; PROBLEMS get what is wrong. */
bool pf_laws_large_hold(PfLawsTrial *trial, GString *problems);
