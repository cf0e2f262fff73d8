/* The policy that does nothing: the baseline of every comparison, and the template to copy.
 *
 * A new policy starts as a copy of this file under its own name. It then
 *   - gets a struct for its parameters and one row of a PfConfigField table for each;
 *   - registers its counters in `create`, with unit and sentence (pf_host_stats);
 *   - asks for its first wake-up in `create` (pf_host_wake_at) and sets the ops it is interested
 *     in; what is left out is NULL and never called.
 * docs/adding-a-policy.md goes through an example. */
#include "policy.h"

typedef struct {
    PfHost *host; /* borrowed; outlives the policy */
} None;

/* A policy with parameters casts CONFIG to its own struct; one that finds them at odds with each
 * other sets ERROR and returns NULL. */
static void *none_create(PfHost *host, const void *config, GError **error)
{
    (void)config;
    (void)error;
    None *self = g_new0(None, 1);
    self->host = host;
    return self;
}

static void none_free(void *self)
{
    g_free(self);
}

const PfPolicyOps pf_policy_none = {
    .name = "none",
    .summary = "Shares nothing: the baseline.",
    .create = none_create,
    .free = none_free,
};
