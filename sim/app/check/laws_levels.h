/* The statistics that the laws speak of, as a visit of them finds them. */
#pragma once

#include "stats.h"

typedef struct {
    int64_t populated;
    int64_t eligible;
    int64_t baseline;
    int64_t used;
    int64_t saved;
    int64_t saved_page_cycles;
    int64_t reasons;        /* pages of all reasons */
    unsigned nulls;         /* reasons that are null */
    int64_t context_cycles; /* of all contexts */
    int64_t context_policy_cycles;
    int64_t context_shared_pages;
    double context_saved_pages;
    int64_t shared;  /* reason.shared */
    int64_t unfreed; /* frames that wait for a collector */
} PfLawsLevels;

/* A PfStatVisitor: USER is the PfLawsLevels that gets the value. */
void pf_laws_read_level(const PfStatInfo *info, PfStatValue value, void *user);
