/* What the laws know of single policies: further ways to configure them, and sums of their own. */
#pragma once

#include <stdbool.h>

#include "simulation.h"

/* Settings of POLICY beside the common ones, NULL-terminated. */
const char *const *laws_variants(const char *policy);

/* Those of `collapse` that wait for caches to write lines back: not for timing by costs. */
extern const char *const laws_cached_variants[];

/* Whether the sums of RUN's policy are right at every mark and at the end; says which are not. */
bool laws_sums_hold(const PfRun *run);
