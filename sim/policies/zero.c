/* Shares pages of zeros and nothing else, as KSM does with `use_zero_pages` and many systems do by
 * itself: each page is read up to its first byte that is not zero, and if there is none it maps the
 * zero page, copy-on-write. No hash, no table; but where the zero page is of another class, the
 * pages of a class share the first one that was met. */
#include "policy.h"
#include "sweep.h"

static const PfConfigField zero_fields[] = {PF_SWEEP_FIELDS};

#define NO_CONTEXT UINT32_MAX

typedef struct {
    PfHost *host;
    PfSweep sweep;
    GArray *keepers; /* PfPage by class: of zeros, when it was last looked at */
} Zero;

/* Shares PAGE, of zeros, with the keeper of its class, or makes it that. */
static void merge_in_class(Zero *self, PfPage page)
{
    uint32_t class = pf_host_class(self->host, page);
    guint known = self->keepers->len;
    if (class >= known)
        g_array_set_size(self->keepers, class + 1);
    for (guint i = known; i < self->keepers->len; i++)
        g_array_index(self->keepers, PfPage, i).context = NO_CONTEXT;
    PfPage *keeper = &g_array_index(self->keepers, PfPage, class);
    if (keeper->context != NO_CONTEXT) {
        PfMergeResult result = pf_host_merge(self->host, page, *keeper);
        if (result == PF_MERGED || result == PF_SAME)
            return;
    }
    *keeper = page;
    pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
}

static void look(void *user, PfPage page)
{
    Zero *self = user;
    if ((pf_host_flags(self->host, page) & PF_FLAG_ZERO) != 0)
        return;
    if (!pf_host_is_zero(self->host, page))
        pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
    else if (pf_host_map_zero(self->host, page) == PF_NOT_ADMITTED)
        merge_in_class(self, page);
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
    self->keepers = g_array_new(FALSE, FALSE, sizeof(PfPage));
    pf_sweep_init(&self->sweep, host, config);
    pf_stats_level(pf_host_stats(host), "mapped", "pages",
                   "Pages that the policy has mapped to the zero page.", read_mapped, self);
    return self;
}

static void zero_free(void *user)
{
    Zero *self = user;
    g_array_unref(self->keepers);
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
