/* An example of a finder that is loaded at run time (docs/adding-hardware.md): a Bloom filter with
 * 4-bit counters (Fan et al., "Summary cache", IEEE/ACM ToN 8(3), 2000) in front of a plain list.
 * The k places of a key come from two hashes (Kirsch, Mitzenmacher, ESA 2006). */
#include "policy.h"

enum { COUNTER_BITS = 4, COUNTER_MAX = (1 << COUNTER_BITS) - 1 };

extern const PfFinderOps pf_finder_brute; /* what the filter stands in front of */

typedef struct {
    uint64_t counters;
    uint64_t hashes;
} BloomConfig;

static const PfConfigField fields[] = {
    {.key = "counters", .type = PF_CONFIG_UINT, .standard = "65536", .min = 1,
     .offset = offsetof(BloomConfig, counters), .description = "Counters of the filter (m)."},
    {.key = "hashes", .type = PF_CONFIG_UINT, .standard = "4", .min = 1, .max = 32,
     .offset = offsetof(BloomConfig, hashes), .description = "Counters a key has (k)."},
};

typedef struct {
    PfHost *host;
    BloomConfig config;
    uint8_t *counters; /* full ones stay full: by how much they overflowed is not known */
    void *list;
    uint64_t false_positives;
} Bloom;

static uint8_t *counter_of(const Bloom *self, uint64_t key, uint64_t i)
{
    PfRng first = {key};
    PfRng second = {~key};
    return &self->counters[(pf_rng_next(&first) + i * (pf_rng_next(&second) | 1)) %
                           self->config.counters];
}

static bool bloom_find(void *user, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    Bloom *self = user;
    bool is_first = *cursor == 0;
    for (uint64_t i = 0; is_first && i < self->config.hashes; i++) {
        pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, 1);
        if (*counter_of(self, key, i) == 0)
            return false;
    }
    bool found = pf_finder_brute.find(self->list, key, page, cursor, ret_value);
    self->false_positives += is_first && !found;
    return found;
}

/* STEP is 1 or -1. */
static void count(Bloom *self, uint64_t key, int step)
{
    for (uint64_t i = 0; i < self->config.hashes; i++) {
        uint8_t *counter = counter_of(self, key, i);
        if (*counter < COUNTER_MAX)
            *counter = (uint8_t)(*counter + step);
    }
    pf_host_charge_lines(self->host, PF_ACCOUNT_LOOKUP, self->config.hashes);
}

static void bloom_file(void *user, uint64_t key, PfPage page, uint64_t value)
{
    Bloom *self = user;
    count(self, key, 1);
    pf_finder_brute.file(self->list, key, page, value);
}

static void bloom_unfile(void *user, uint64_t key, uint64_t value)
{
    Bloom *self = user;
    count(self, key, -1);
    pf_finder_brute.unfile(self->list, key, value);
}

static void *bloom_create(PfHost *host, const void *config, uint64_t frames, GError **error)
{
    Bloom *self = g_new0(Bloom, 1);
    self->host = host;
    self->config = *(const BloomConfig *)config;
    self->counters = g_new0(uint8_t, self->config.counters);
    self->list = pf_finder_brute.create(host, NULL, frames, error);
    pf_stats_counter(pf_host_stats(host), "bloom_false_positives", "events",
                     "Keys that the filter let pass and that are not filed.",
                     &self->false_positives);
    return self;
}

static void bloom_free(void *user)
{
    Bloom *self = user;
    pf_finder_brute.free(self->list);
    g_free(self->counters);
    g_free(self);
}

static uint64_t bloom_metadata_bytes(const void *user)
{
    const Bloom *self = user;
    return (self->config.counters * COUNTER_BITS + 7) / 8 +
           pf_finder_brute.metadata_bytes(self->list);
}

static const PfFinderOps bloom = {
    .name = "bloom", .summary = "A counting Bloom filter in front of a plain list.",
    .fields = fields, .field_count = G_N_ELEMENTS(fields), .config_bytes = sizeof(BloomConfig),
    .create = bloom_create, .free = bloom_free, .metadata_bytes = bloom_metadata_bytes,
    .find = bloom_find, .file = bloom_file, .unfile = bloom_unfile,
};

static const PfFinderOps *const finders[] = {&bloom, NULL};
const PfPlugin pf_plugin = {.abi = PF_POLICY_ABI, .finders = finders};
