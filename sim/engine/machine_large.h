/* Section `machine.large`: which memory is mapped by large pages, and what becomes of these. */
#pragma once

#include "config.h"
#include "image.h"

/* How large a guest maps what its host maps large, or small, in memory that no process of it was
 * seen to map in its own way. */
typedef enum { PF_GUEST_SAME, PF_GUEST_BASE, PF_GUEST_LARGE } PfGuestPages;

typedef enum { PF_COW_COPY, PF_COW_SPLIT } PfLargeCow;

typedef struct {
    int pages; /* PfLargeWish */
    int cow; /* PfLargeCow */
    int guest; /* PfGuestPages */
    uint64_t join_every_ps; /* 0: never */
    uint64_t join_runs;
} PfLargeConfig;

/* Binds SECTION. */
void pf_large_bind(PfConfigSection *section, PfLargeConfig *config);
