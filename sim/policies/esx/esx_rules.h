/* Which pages are good or bad candidates by what is known of them, and which devices have written
 * lately. */
#pragma once

#include "esx_config.h"
#include "esx_queue.h"

typedef struct {
    PfHost *host;    /* borrowed */
    GArray *prefer;  /* of rules, see esx_rules.c */
    GArray *exclude;
    uint64_t recent_cycles;
    uint64_t io_active_cycles;
    GHashTable *written;  /* PfEsxWrite: what devices wrote, by page */
    GQueue written_order; /* the same, oldest first */
    PfEsxQueue preferred; /* to be looked at first */
} PfEsxRules;

/* Reads the rules of CONFIG; false with PF_ERROR_CONFIG if one is not understood. */
bool pf_esx_rules_init(PfEsxRules *rules, PfHost *host, const PfEsxConfig *config, GError **error);
void pf_esx_rules_clear(PfEsxRules *rules);

/* PF_USES_*: which attributes rules ask for. */
unsigned pf_esx_rules_uses(const PfEsxRules *rules);

/* A device has written PAGE. */
void pf_esx_rules_written(PfEsxRules *rules, PfPage page, const char *device);
/* PAGE was mapped, or its attributes changed: it is put into the queue if it is to be preferred. */
void pf_esx_rules_consider(PfEsxRules *rules, PfPage page);
/* Attributes of pages FIRST .. FIRST + PAGES - 1 of CONTEXT changed. */
void pf_esx_rules_consider_range(PfEsxRules *rules, uint32_t context, PfCpn first, uint64_t pages);

/* Whether a device is at PAGE still. */
bool pf_esx_rules_is_busy(const PfEsxRules *rules, PfPage page);
bool pf_esx_rules_excludes(const PfEsxRules *rules, PfPage page);
