/* The ways in which the laws configure policies. */
#pragma once

#include "laws.h"

/* Each policy of TRIAL in every way that the common parameters allow, and with its variants: a list
 * for `policies`. Owned by the caller. */
char *pf_laws_ways(const PfLawsTrial *trial);

/* Each policy of TRIAL that files anything, with every finder, and without one if it can do that;
 * EXTRA are further settings of all. Owned by the caller. */
char *pf_laws_finders(const PfLawsTrial *trial, const char *extra);

/* Each policy of TRIAL in the ways that say what becomes of large pages; if there are several, each
 * in one way, which the seed chooses. Owned by the caller. */
char *pf_laws_large_ways(const PfLawsTrial *trial);
