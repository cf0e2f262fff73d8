/* Every page against every other, without hashes: the quadratic baseline that Waldspurger, US
 * 6,789,156 B1, sets out from.
 *
 * A page is compared with each page met before it in the pass, the earliest first, up to the first
 * difference, and shared with the first equal one: N pages that are all different take N (N - 1)
 * / 2 comparisons. Of equal pages only the first is met by others. All is forgotten at the end of a
 * pass. */
#include "policy.h"
#include "sweep.h"

static const PfConfigField brute_fields[] = {PF_SWEEP_FIELDS};

typedef struct {
    PfHost *host;
    PfSweep sweep;
    GArray *met; /* PfPage, each of other bytes */
    uint64_t compares;
} Brute;

static void look(void *user, PfPage page)
{
    Brute *self = user;
    for (guint i = 0; i < self->met->len; i++) {
        PfMergeResult result =
            pf_host_merge(self->host, page, g_array_index(self->met, PfPage, i));
        self->compares += result == PF_MERGED || result == PF_DIFFERS;
        if (result == PF_MERGED || result == PF_SAME)
            return;
    }
    pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
    g_array_append_val(self->met, page);
}

static bool brute_scan(void *user, uint64_t pages)
{
    Brute *self = user;
    bool ended = pf_sweep_scan(&self->sweep, pages, look, self);
    if (ended)
        g_array_set_size(self->met, 0);
    return ended;
}

static uint64_t brute_wake(void *user, uint64_t now_cycles)
{
    Brute *self = user;
    brute_scan(self, self->sweep.config.pages_to_scan);
    return pf_sweep_next(&self->sweep, now_cycles);
}

static void *brute_create(PfHost *host, const void *config, GError **error)
{
    (void)error;
    Brute *self = g_new0(Brute, 1);
    self->host = host;
    self->met = g_array_new(FALSE, FALSE, sizeof(PfPage));
    pf_sweep_init(&self->sweep, host, config);
    pf_stats_counter(pf_host_stats(host), "compares", "events",
                     "Pairs of pages that were compared.", &self->compares);
    return self;
}

static void brute_free(void *user)
{
    Brute *self = user;
    g_array_free(self->met, TRUE);
    g_free(self);
}

static uint64_t brute_metadata_bytes(const void *user)
{
    const Brute *self = user;
    return self->met->len * sizeof(PfPage);
}

const PfPolicyOps pf_policy_brute = {
    .name = "brute",
    .summary = "Compares every page with every other, without hashes.",
    .fields = brute_fields,
    .field_count = G_N_ELEMENTS(brute_fields),
    .config_bytes = sizeof(PfSweepConfig),
    .create = brute_create,
    .free = brute_free,
    .wake = brute_wake,
    .scan = brute_scan,
    .metadata_bytes = brute_metadata_bytes,
};
