/* The scan-time advisor: chooses pages_to_scan so that a pass takes a target time. Integer
 * arithmetic as documented for Linux 6.8 and later ("mm/ksm: add ksm advisor", Stefan Roesch,
 * December 2023; Documentation/admin-guide/mm/ksm.rst). */
#pragma once

#include <stdint.h>

#include "ksm_config.h"

typedef struct {
    uint64_t start_cycles;      /* of the pass; 0: not begun since the advisor was chosen */
    uint64_t last_busy_cycles;  /* the daemon's, when it last advised */
    uint64_t last_scan_seconds; /* of the pass before, 0: there was none */
    uint64_t change_percent;    /* moving mean of how passes grow */
} PfKsmAdvisor;

/* The new pages_to_scan after a pass of SCAN_SECONDS in which the daemon was busy for BUSY_MS, when
 * PAGES_TO_SCAN was in force. */
uint64_t pf_ksm_advise(PfKsmAdvisor *advisor, const PfKsmConfig *config, uint64_t pages_to_scan,
                       uint64_t scan_seconds, uint64_t busy_ms);
