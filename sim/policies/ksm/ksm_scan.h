/* The scanner: goes from page to page and does with each what is to be done. */
#pragma once

#include "ksm_state.h"

/* Looks at up to PAGES pages; ends early with the end of a pass. True if a pass ended. */
bool pf_ksm_batch(PfKsm *ksm, uint64_t pages);
