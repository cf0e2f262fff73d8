/* The bound: one frame for each distinct content of a populated page, at no cost. No lossless
 * policy that does not compress can use fewer frames.
 *
 * It is arithmetic, not a mapping: the host sees PF_POLICY_BOUND and reports the count as used
 * frames. Scope and classes are ignored, so the bound holds for every choice of them. */
#include "policy.h"

typedef struct {
    PfHost *host;
    uint64_t distinct_contents;
} Oracle;

static PfStatValue read_distinct_contents(const void *user)
{
    const Oracle *self = user;
    return pf_stat_uint(self->distinct_contents);
}

static void *oracle_create(PfHost *host, const void *config, GError **error)
{
    (void)config;
    (void)error;
    Oracle *self = g_new0(Oracle, 1);
    self->host = host;
    pf_stats_level(pf_host_stats(host), "distinct_contents", "pages",
                   "Distinct contents of populated pages when last observed.",
                   read_distinct_contents, self);
    return self;
}

static void oracle_free(void *self)
{
    g_free(self);
}

static void oracle_observe(void *user)
{
    Oracle *self = user;
    self->distinct_contents = pf_host_distinct_contents(self->host);
}

const PfPolicyOps pf_policy_oracle = {
    .name = "oracle",
    .summary = "One frame for each distinct content: the bound that no lossless policy beats.",
    .flags = PF_POLICY_BOUND,
    .create = oracle_create,
    .free = oracle_free,
    .observe = oracle_observe,
};
