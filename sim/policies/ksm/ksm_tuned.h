/* ksmtuned, the shell script that Red Hat's and Debian's qemu packages bring: it looks at free
 * memory once a minute and sets run, pages_to_scan and sleep_millisecs. It never unmerges.
 * (ksmtuned 4.20150326, /etc/ksmtuned.conf for names and defaults.) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ksm_config.h"

typedef struct {
    uint64_t at_cycles; /* when it looks next */
    uint64_t pages;     /* a batch, as last set; 0 at first */
} PfKsmTuned;

/* All in KiB. */
typedef struct {
    uint64_t total;
    uint64_t free;      /* page cache included */
    uint64_t committed; /* resident pages of all guests, shared ones counted each time */
} PfKsmMemory;

typedef struct {
    bool run;
    uint64_t pages_to_scan;   /* if run */
    uint64_t sleep_millisecs; /* if run */
} PfKsmTuning;

/* What ksmtuned decides at a look at MEMORY. */
PfKsmTuning pf_ksm_tuned_look(PfKsmTuned *tuned, const PfKsmConfig *config,
                              const PfKsmMemory *memory);
