/* Reclaims pages of zeros: their frames are given back, and any access, a read too, gets the page a
 * frame of zeros again. So did VMware ESX Server 1.0; sharing, which came after it (Waldspurger, US
 * 6,789,156 B1), lets reads be and copies for a store only.
 *
 * With `when = "pressure"` it works while fewer frames are free than `low`, and once more when an
 * access finds none; with "always" it scans all the time. The trace's `scan` records are orders,
 * and are followed whatever is free. */
#include "policy.h"
#include "sweep.h"

enum { WHEN_PRESSURE, WHEN_ALWAYS };

static const char *const when_choices[] = {"pressure", "always", NULL};

typedef struct {
    PfSweepConfig sweep;
    int when;
    double low;
} ZeroCompressConfig;

static const PfConfigField zero_compress_fields[] = {
    PF_SWEEP_FIELDS,
    {.key = "when",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(ZeroCompressConfig, when),
     .standard = "pressure",
     .choices = when_choices,
     .description = "Whether it scans only while memory is short (pressure), or always."},
    {.key = "low",
     .type = PF_CONFIG_DOUBLE,
     .offset = offsetof(ZeroCompressConfig, low),
     .standard = "0.05",
     .max = 1,
     .unit = "ratio",
     .description = "Memory is short while less than this part of the machine's frames is free."},
};

typedef struct {
    PfHost *host;
    PfSweep sweep;
    bool always;
    uint64_t low_frames;
    uint64_t reclaimed;
    uint64_t recreated;
} ZeroCompress;

/* Never of a machine without a limit, where any number of frames is free. */
static bool is_short(const ZeroCompress *self)
{
    return pf_host_free_frames(self->host) < self->low_frames;
}

static void look(void *user, PfPage page)
{
    ZeroCompress *self = user;
    if ((pf_host_flags(self->host, page) & (PF_FLAG_ZERO | PF_FLAG_SHARED)) != 0)
        return;
    if (pf_host_is_zero(self->host, page))
        self->reclaimed += pf_host_give_back(self->host, page);
    else
        pf_host_verdict(self->host, page, PF_WHY_UNIQUE);
}

static bool zero_compress_scan(void *user, uint64_t pages)
{
    ZeroCompress *self = user;
    return pf_sweep_scan(&self->sweep, pages, look, self);
}

static uint64_t zero_compress_wake(void *user, uint64_t now_cycles)
{
    ZeroCompress *self = user;
    for (uint64_t i = 0; i < self->sweep.config.pages_to_scan; i++)
        if ((!self->always && !is_short(self)) || zero_compress_scan(self, 1))
            break;
    return pf_sweep_next(&self->sweep, now_cycles);
}

/* Goes on until frames are not low any more, but looks at no page more than twice. */
static void zero_compress_memory_low(void *user)
{
    ZeroCompress *self = user;
    for (unsigned passes = 0; passes < 2 && is_short(self);)
        passes += zero_compress_scan(self, 1);
}

static void zero_compress_page_recreated(void *user, PfPage page)
{
    ZeroCompress *self = user;
    (void)page;
    self->recreated++;
}

static void *zero_compress_create(PfHost *host, const void *user_config, GError **error)
{
    (void)error;
    const ZeroCompressConfig *config = user_config;
    ZeroCompress *self = g_new0(ZeroCompress, 1);
    self->host = host;
    self->always = config->when == WHEN_ALWAYS;
    self->low_frames = MAX(1, (uint64_t)(config->low * (double)pf_host_frame_capacity(host)));
    pf_sweep_init(&self->sweep, host, &config->sweep);
    PfStatsGroup *group = pf_host_stats(host);
    pf_stats_counter(group, "reclaimed", "pages", "Pages of zeros whose frame was given back.",
                     &self->reclaimed);
    pf_stats_counter(group, "recreated", "pages",
                     "Pages that an access, a read too, gave a frame of zeros again.",
                     &self->recreated);
    return self;
}

static void zero_compress_free(void *self)
{
    g_free(self);
}

const PfPolicyOps pf_policy_zero_compress = {
    .name = "zero-compress",
    .summary = "Reclaims pages of zeros; any access makes them again (ESX Server 1.0).",
    .flags = PF_POLICY_COMPRESSING,
    .fields = zero_compress_fields,
    .field_count = G_N_ELEMENTS(zero_compress_fields),
    .config_bytes = sizeof(ZeroCompressConfig),
    .create = zero_compress_create,
    .free = zero_compress_free,
    .page_recreated = zero_compress_page_recreated,
    .memory_low = zero_compress_memory_low,
    .wake = zero_compress_wake,
    .scan = zero_compress_scan,
};
