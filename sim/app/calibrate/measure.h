/* Measures what this host takes for the steps that a cost card has rows for. Nothing is left behind
 * but the samples. Without samples stays what the host or its rights do not allow. */
#pragma once

#include "samples.h"

/* Moving, hashing and comparing bytes; loads and locks. */
void pf_measure_bytes(PfSamples *samples);

/* Faults, fork, unmapping, moving. */
void pf_measure_faults(PfSamples *samples);

/* Interrupting another processor. */
void pf_measure_calls(PfSamples *samples);

/* The kernel's ksmd, as root, where nobody else uses KSM. RET_OBSTACLE, free with g_free, gets why
 * there are no samples of that; NULL if there are. */
void pf_measure_ksm(PfSamples *samples, char **ret_obstacle);
