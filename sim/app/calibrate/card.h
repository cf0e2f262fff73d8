/* A cost card made of what was measured. */
#pragma once

#include "samples.h"

/* The text of a configuration file with each row of `machine.costs`, in cycles of the standard
 * clock: what SAMPLES give, else the row of the standard card. Comments say which, and how a row
 * follows from what was measured. HOST names the host; OBSTACLE, why ksmd was not measured, may be
 * NULL. Free with g_free. */
char *pf_card_format(const PfSamples *samples, const char *host, const char *obstacle);
