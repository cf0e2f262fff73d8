/* Content-based page sharing as in VMware ESX Server: Waldspurger, US 6,789,156 B1, and "Memory
 * resource management in VMware ESX Server", OSDI 2002.
 *
 * Pages are drawn at random at a fixed rate, hashed, and looked up in a table of frames. A page
 * whose key is new becomes a hint: nothing is write-protected on the mere chance of a later match.
 * When another page has the key of a hint, the hint's page is hashed again; if it has not changed,
 * both are shared, else the hint is stale and goes. Frames that are shared carry a count and no
 * back-map. With `marking = "cow"` the first page is write-protected at once instead.
 *
 * Where the sources leave a choice: a candidate whose own hint carries another key shows that hint
 * to be stale, and it is replaced; a page whose key is equal and whose bytes are not is not
 * entered; a full table takes no further frames. */
#include "esx_config.h"
#include "esx_scan.h"
#include "esx_sharing.h"
#include "policy.h"

typedef struct {
    PfHost *host;
    PfEsxConfig config;
    PfEsxRules rules;
    PfEsxSharing sharing;
    PfEsxScan scan;
} Esx;

static uint64_t esx_wake(void *user, uint64_t now_cycles)
{
    Esx *self = user;
    return pf_esx_scan_wake(&self->scan, now_cycles);
}

static bool esx_scan(void *user, uint64_t pages)
{
    Esx *self = user;
    return pf_esx_scan_pages(&self->scan, pages);
}

/* ---- What happens to pages ---- */

static void esx_page_mapped(void *user, PfPage page)
{
    Esx *self = user;
    pf_esx_sharing_mapped(&self->sharing, page);
    pf_esx_rules_consider(&self->rules, page);
}

static void esx_page_unmapped(void *user, PfPage page)
{
    Esx *self = user;
    pf_esx_sharing_unmapped(&self->sharing, page);
}

static void esx_share_broken(void *user, PfPage page)
{
    Esx *self = user;
    pf_esx_sharing_broken(&self->sharing, page);
}

static void esx_context_event(void *user, const PfContextEvent *event)
{
    Esx *self = user;
    if (event->kind == PF_CONTEXT_REMAPPED)
        pf_esx_sharing_moved(&self->sharing, event->context, event->first, event->target,
                             event->pages);
    else if (event->kind == PF_CONTEXT_ATTRIBUTE)
        pf_esx_rules_consider_range(&self->rules, event->context, event->first, event->pages);
}

static unsigned esx_uses(const void *user)
{
    const Esx *self = user;
    return pf_esx_rules_uses(&self->rules);
}

static void esx_pin_intended(void *user, PfPage page)
{
    Esx *self = user;
    pf_esx_sharing_pin(&self->sharing, page);
}

static void esx_dma_done(void *user, PfPage page, const char *device, uint64_t block)
{
    (void)block;
    Esx *self = user;
    pf_esx_rules_written(&self->rules, page, device);
}

static bool esx_control(void *user, const char *key, const char *value)
{
    Esx *self = user;
    bool is_rate = g_str_equal(key, "rate");
    guint64 number;
    if ((!is_rate && !g_str_equal(key, "rate_total")) ||
        !g_ascii_string_to_unsigned(value, 10, 0, PF_ESX_RATE_MAX, &number, NULL))
        return false;
    *(is_rate ? &self->config.rate : &self->config.rate_total) = number;
    pf_esx_scan_set_rates(&self->scan, self->config.rate, self->config.rate_total);
    return true;
}

/* ---- Statistics, birth and death ---- */

static PfStatValue read_used(const void *user)
{
    const Esx *self = user;
    return pf_stat_uint(pf_esx_scan_present(&self->scan));
}

static PfStatValue read_track(const void *user)
{
    const Esx *self = user;
    return pf_stat_uint(self->sharing.frames.page_count + self->sharing.frames.hint_count);
}

static PfStatValue read_unique(const void *user)
{
    const Esx *self = user;
    return pf_stat_uint(self->sharing.frames.shared_count + self->sharing.frames.hint_count);
}

static PfStatValue read_shared(const void *user)
{
    const Esx *self = user;
    return pf_stat_uint(self->sharing.frames.page_count - self->sharing.frames.shared_count);
}

/* With n pages of different contents and keys of b bits, evenly spread, n^2 / 2 pairs are equal
 * with a chance of 2^-b each. */
static PfStatValue read_collisions(const void *user)
{
    const Esx *self = user;
    double pages = (double)pf_esx_scan_present(&self->scan);
    unsigned bits = pf_host_key_bits(self->host);
    double half = (double)((uint64_t)1 << bits / 2);
    return pf_stat_double(pages / half * pages / half / (bits % 2 == 0 ? 2.0 : 4.0));
}

/* A level that is a plain number. */
static PfStatValue read_number(const void *number)
{
    return pf_stat_uint(*(const uint64_t *)number);
}

/* The status table of the patent's "Performance Example". */
static void register_status(Esx *self, PfStatsGroup *group)
{
    const PfEsxFrames *frames = &self->sharing.frames;
    pf_stats_level(group, "used", "pages", "Pages present in all contexts.", read_used, self);
    pf_stats_level(group, "track", "pages", "Pages that are marked copy-on-write or hints.",
                   read_track, self);
    pf_stats_level(group, "cow", "pages", "Pages marked copy-on-write by the policy.", read_number,
                   &frames->page_count);
    pf_stats_level(group, "cow1", "pages",
                   "Pages marked copy-on-write that are the only ones to map their frame.",
                   read_number, &frames->single_count);
    pf_stats_level(group, "hint", "pages", "Pages that are hints, not write-protected.",
                   read_number, &frames->hint_count);
    pf_stats_level(group, "unique", "pages", "Machine pages that the tracked pages take.",
                   read_unique, self);
    pf_stats_level(group, "shared", "pages",
                   "Machine pages that sharing has freed: track - unique.", read_shared, self);
}

static void register_counters(Esx *self, PfStatsGroup *group)
{
    const PfEsxSharing *sharing = &self->sharing;
    const struct {
        const char *name;
        const uint64_t *value;
        const char *description;
    } counters[] = {
        {"hint_matches", &sharing->stats.hint_matches,
         "Hints whose page was unchanged and was shared."},
        {"hint_stale", &sharing->stats.hint_stale, "Hints removed because the page had changed."},
        {"key_matches", &sharing->stats.key_matches,
         "Entries of the table that had the key of a page looked up."},
        {"false_matches", &sharing->stats.false_matches,
         "Pages of equal keys whose bytes were not equal."},
        {"busy", &sharing->stats.busy, "Candidates left alone for a device that had written them."},
        {"excluded", &sharing->stats.excluded, "Candidates left alone by a rule of exclude."},
        {"aged_changed", &sharing->stats.aged_changed,
         "Pages whose hash was another one when they had aged."},
        {"known_hits", &sharing->known.hits, "Keys that the filter of known ones took for known."},
        {"known_false", &sharing->known.false_hits, "Of those, keys that are not known."},
        {"lock_waits", &sharing->locks.waits, "Times that a lock was held by another request."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
        pf_stats_counter(group, counters[i].name, "events", counters[i].description,
                         counters[i].value);
    pf_stats_level(group, "rate", "pages/s", "Candidates a second of each context now.",
                   read_number, &self->scan.pacer.rate);
    pf_stats_level(group, "expected_collisions", "events",
                   "Pairs of the used pages that would have one key by chance, were all different.",
                   read_collisions, self);
    pf_stats_level(group, "overflow_entries", "events",
                   "Frames whose count is above 65,535 and lies in the overflow table.",
                   read_number, &sharing->frames.overflow_count);
}

static void esx_free(void *user)
{
    Esx *self = user;
    if (self == NULL)
        return;
    pf_esx_scan_clear(&self->scan);
    pf_esx_sharing_clear(&self->sharing);
    pf_esx_rules_clear(&self->rules);
    g_free(self);
}

static void *esx_create(PfHost *host, const void *config, GError **error)
{
    Esx *self = g_new0(Esx, 1);
    self->host = host;
    self->config = *(const PfEsxConfig *)config;
    pf_esx_config_resolve(&self->config);
    if (!pf_esx_rules_init(&self->rules, host, &self->config, error) ||
        !pf_esx_sharing_init(&self->sharing, host, &self->config, &self->rules, error)) {
        esx_free(self);
        return NULL;
    }
    pf_esx_scan_init(&self->scan, host, &self->config, &self->rules, &self->sharing);
    register_status(self, pf_host_stats(host));
    register_counters(self, pf_host_stats(host));
    return self;
}

static uint64_t esx_metadata_bytes(const void *user)
{
    const Esx *self = user;
    return pf_esx_sharing_bytes(&self->sharing) + pf_esx_queue_bytes(&self->rules.preferred);
}

static void esx_check(void *user)
{
    const Esx *self = user;
    pf_esx_frames_check(&self->sharing.frames, self->host);
}

const PfPolicyOps pf_policy_esx = {
    .name = "esx",
    .default_split = "pressure",
    .default_finder = "table",
    .default_hash = "jenkins",
    .summary = "Random candidates, a table of hashes, hint frames (VMware ESX Server).",
    .fields = pf_esx_fields,
    .field_count = PF_ESX_FIELDS,
    .config_bytes = sizeof(PfEsxConfig),
    .create = esx_create,
    .free = esx_free,
    .context_event = esx_context_event,
    .uses = esx_uses,
    .page_mapped = esx_page_mapped,
    .page_unmapped = esx_page_unmapped,
    .share_broken = esx_share_broken,
    .pin_intended = esx_pin_intended,
    .dma_done = esx_dma_done,
    .wake = esx_wake,
    .scan = esx_scan,
    .control = esx_control,
    .metadata_bytes = esx_metadata_bytes,
    .check = esx_check,
};
