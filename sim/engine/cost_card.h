/* Cost cards by name: what `machine.costs.preset` chooses from. */
#pragma once

#include "config.h"
#include "costs.h"

/* The text of the card NAME ("zen4-vm"), which a configuration can also extend, or NULL. Lives as
 * long as the program: a PfConfigPreset. */
const char *pf_cost_card_text(const char *name);

/* The names of all cards that are compiled in, sorted. Free with g_strfreev. */
char **pf_cost_card_names(void);

/* Binds SECTION, `machine.costs`, to COSTS: rows that are not set are those of its preset, a name
 * or the path of a file. Errors are collected. */
void pf_cost_card_bind(PfConfigSection *section, PfCosts *costs);
