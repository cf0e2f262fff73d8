/* Shares pages of zeros and nothing else, as KSM does with `use_zero_pages` and many systems do by
 * itself: each page is read up to its first byte that is not zero, and if there is none it maps the
 * zero page, copy-on-write. No hash, no table. */
#include "policy.h"
#include "sweep.h"

static const PfConfigField zero_fields[] = {PF_SWEEP_FIELDS};

typedef struct {
    PfHost *host;
    PfSweep sweep;
} Zero;

static void look(void *user, PfPage page)
{
    Zero *self = user;
    if ((pf_host_flags(self->host, page) & PF_FLAG_ZERO) != 0)
        return;
    if (pf_host_is_zero(self->host, page))
        pf_host_map_zero(self->host, page);
    else
        pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
}

static bool zero_scan(void *user, uint64_t pages)
{
    Zero *self = user;
    return pf_sweep_scan(&self->sweep, pages, look, self);
}

static uint64_t zero_wake(void *user, uint64_t now_cycles)
{
    Zero *self = user;
    zero_scan(self, self->sweep.config.pages_to_scan);
    return pf_sweep_next(&self->sweep, now_cycles);
}

static PfStatValue read_mapped(const void *user)
{
    return pf_stat_uint(pf_host_merged_zeros(((const Zero *)user)->host, UINT32_MAX));
}

static void *zero_create(PfHost *host, const void *config, GError **error)
{
    (void)error;
    Zero *self = g_new0(Zero, 1);
    self->host = host;
    pf_sweep_init(&self->sweep, host, config);
    pf_stats_level(pf_host_stats(host), "mapped", "pages",
                   "Pages that the policy has mapped to the zero page.", read_mapped, self);
    return self;
}

static void zero_free(void *self)
{
    g_free(self);
}

const PfPolicyOps pf_policy_zero = {
    .name = "zero",
    .summary = "Maps pages of zeros to the zero page, and shares nothing else.",
    .fields = zero_fields,
    .field_count = G_N_ELEMENTS(zero_fields),
    .config_bytes = sizeof(PfSweepConfig),
    .create = zero_create,
    .free = zero_free,
    .wake = zero_wake,
    .scan = zero_scan,
};
