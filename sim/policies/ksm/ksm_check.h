/* The policy's own books, recounted. */
#pragma once

#include "ksm_state.h"

/* Asserts that trees, lists and counters agree with each other. */
void pf_ksm_check(const PfKsm *ksm);
