/* The rules that make classes, one by one: what they are called, what each costs, and a policy
 * without one of them, which tells what that buys. */
#pragma once

#include "host.h"

typedef enum {
    PF_CLASS_COLOR,
    PF_CLASS_NODE,
    PF_CLASS_LABEL,
    PF_CLASS_KIND,
    PF_CLASS_USER,
    PF_CLASS_RULES,
} PfClassRule;

/* "color", "node", ... */
const char *pf_class_rule_name(PfClassRule rule);

/* Binds `classes` and `class_runs` of SECTION to SETUP. */
void pf_policy_setup_bind_classes(PfPolicySetup *setup, PfConfigSection *section);

/* Whether SETUP is to be run without RULE too, for comparison. */
bool pf_policy_setup_is_compared(const PfPolicySetup *setup, PfClassRule rule);

/* Whether SETUP has classes of colour, or is there to be compared with one that has. */
bool pf_policy_setup_minds_color(const PfPolicySetup *setup);

/* SETUP without RULE, called "LABEL without RULE"; it borrows the rest from SETUP, which must live
 * longer. Freed by pf_policy_setup_free. */
PfPolicySetup *pf_policy_setup_without(const PfPolicySetup *setup, PfClassRule rule);

/* Registers class.RULE.* of each rule, the first from HOST->class_forgone. */
void pf_host_register_class_rules(PfHost *host);
