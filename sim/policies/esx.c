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
#include "esx_pacer.h"
#include "esx_sharing.h"
#include "policy.h"
#include "units.h"

/* An entry of the overflow table: a 24-bit frame number and 24 bits of count beyond the 16. */
enum { OVERFLOW_ENTRY_BYTES = 6 };

#define RATE_MAX ((uint64_t)1000000000)

enum { MARKING_HINT, MARKING_COW };

static const char *const marking_choices[] = {"hint", "cow", NULL};

typedef struct {
    uint64_t rate;
    uint64_t rate_total;
    int marking;
    bool keep_frame_at_one;
} EsxConfig;

static const PfConfigField esx_fields[] = {
    {.key = "rate",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(EsxConfig, rate),
     .standard = "50",
     .max = RATE_MAX,
     .unit = "pages/s",
     .description = "Candidates a second drawn from each context; 0 stops the scan."},
    {.key = "rate_total",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(EsxConfig, rate_total),
     .standard = "0",
     .max = RATE_MAX,
     .unit = "pages/s",
     .description = "Limit of candidates a second over all contexts; 0: none."},
    {.key = "marking",
     .type = PF_CONFIG_ENUM,
     .offset = offsetof(EsxConfig, marking),
     .standard = "hint",
     .choices = marking_choices,
     .description = "Whether the first page of a key is only remembered (hint) or marked "
                    "copy-on-write at once (cow)."},
    {.key = "keep_frame_at_one",
     .type = PF_CONFIG_BOOL,
     .offset = offsetof(EsxConfig, keep_frame_at_one),
     .standard = "true",
     .description = "Whether a frame whose references fell to one stays in the table for later "
                    "matches."},
};

typedef struct {
    PfHost *host;
    EsxConfig config;
    PfEsxPacer pacer;
    PfEsxSharing sharing;
    uint32_t next_context; /* whose turn it is */
    uint64_t pass_pages;   /* candidates of the pass that goes on */
} Esx;

/* ---- Choosing candidates ---- */

static uint64_t present_pages(const Esx *self)
{
    uint64_t pages = 0;
    uint32_t contexts = pf_host_context_count(self->host);
    for (uint32_t i = 0; i < contexts; i++)
        pages += pf_host_context_pages(self->host, i);
    return pages;
}

/* The next context in turn that has pages; false if none has. */
static bool take_turn(Esx *self, uint32_t *ret_context)
{
    uint32_t contexts = pf_host_context_count(self->host);
    for (uint32_t i = 0; i < contexts; i++) {
        uint32_t context = (uint32_t)(((uint64_t)self->next_context + i) % contexts);
        if (pf_host_context_pages(self->host, context) > 0) {
            self->next_context = context + 1;
            *ret_context = context;
            return true;
        }
    }
    return false;
}

/* Looks at a page of the context whose turn it is. A pass ends with as many candidates as there are
 * pages, PRESENT. True if it did. */
static bool step(Esx *self, uint64_t present)
{
    uint32_t context;
    PfPage page;
    if (!take_turn(self, &context) || !pf_host_sample(self->host, context, &page))
        return false;
    pf_esx_sharing_consider(&self->sharing, page);
    if (++self->pass_pages < present)
        return false;
    self->pass_pages = 0;
    pf_host_count_pass(self->host);
    return true;
}

static uint64_t contexts_with_pages(const Esx *self)
{
    uint64_t count = 0;
    uint32_t contexts = pf_host_context_count(self->host);
    for (uint32_t i = 0; i < contexts; i++)
        count += pf_host_context_pages(self->host, i) > 0;
    return count;
}

static uint64_t esx_wake(void *user, uint64_t now_cycles)
{
    Esx *self = user;
    uint64_t present = present_pages(self);
    uint64_t contexts = contexts_with_pages(self);
    for (uint64_t due = pf_esx_pacer_due(&self->pacer, now_cycles); due > 0; due--) {
        uint64_t allowed = pf_esx_pacer_take(&self->pacer);
        for (uint64_t i = 0; i < MIN(allowed, contexts); i++)
            step(self, present);
    }
    return pf_esx_pacer_next(&self->pacer, MAX(now_cycles, pf_host_now(self->host)));
}

/* With nothing to look at a pass is over before it begins, and is not counted. */
static bool esx_scan(void *user, uint64_t pages)
{
    Esx *self = user;
    uint64_t present = present_pages(self);
    bool ended = present == 0;
    for (uint64_t i = 0; i < pages && present > 0; i++) {
        ended |= step(self, present);
        if (ended && pages == UINT64_MAX)
            break;
    }
    return ended;
}

/* ---- What happens to pages ---- */

static void esx_page_mapped(void *user, PfPage page)
{
    Esx *self = user;
    pf_esx_sharing_mapped(&self->sharing, page);
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
}

static bool esx_control(void *user, const char *key, const char *value)
{
    Esx *self = user;
    bool is_rate = g_str_equal(key, "rate");
    guint64 number;
    if ((!is_rate && !g_str_equal(key, "rate_total")) ||
        !g_ascii_string_to_unsigned(value, 10, 0, RATE_MAX, &number, NULL))
        return false;
    *(is_rate ? &self->config.rate : &self->config.rate_total) = number;
    uint64_t now = pf_host_now(self->host);
    pf_esx_pacer_start(&self->pacer, now, self->config.rate, self->config.rate_total);
    pf_host_wake_at(self->host, pf_esx_pacer_next(&self->pacer, now));
    return true;
}

/* ---- Statistics, birth and death ---- */

static PfStatValue read_used(const void *user)
{
    return pf_stat_uint(present_pages(user));
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
    double pages = (double)present_pages(self);
    unsigned bits = pf_host_key_bits(self->host);
    double half = (double)((uint64_t)1 << bits / 2);
    return pf_stat_double(pages / half * pages / half / (bits % 2 == 0 ? 2.0 : 4.0));
}

/* A level that is a plain number. */
static PfStatValue read_number(const void *number)
{
    return pf_stat_uint(*(const uint64_t *)number);
}

static void register_stats(Esx *self)
{
    PfStatsGroup *group = pf_host_stats(self->host);
    pf_stats_level(group, "used", "pages", "Pages present in all contexts.", read_used, self);
    pf_stats_level(group, "track", "pages", "Pages that are marked copy-on-write or hints.",
                   read_track, self);
    pf_stats_level(group, "cow", "pages", "Pages marked copy-on-write by the policy.", read_number,
                   &self->sharing.frames.page_count);
    pf_stats_level(group, "cow1", "pages",
                   "Pages marked copy-on-write that are the only ones to map their frame.",
                   read_number, &self->sharing.frames.single_count);
    pf_stats_level(group, "hint", "pages", "Pages that are hints, not write-protected.",
                   read_number, &self->sharing.frames.hint_count);
    pf_stats_level(group, "unique", "pages", "Machine pages that the tracked pages take.",
                   read_unique, self);
    pf_stats_level(group, "shared", "pages",
                   "Machine pages that sharing has freed: track - unique.", read_shared, self);
    pf_stats_counter(group, "hint_matches", "events",
                     "Hints whose page was unchanged and was shared.",
                     &self->sharing.stats.hint_matches);
    pf_stats_counter(group, "hint_stale", "events", "Hints removed because the page had changed.",
                     &self->sharing.stats.hint_stale);
    pf_stats_counter(group, "false_matches", "events",
                     "Pages of equal keys whose bytes were not equal.",
                     &self->sharing.stats.false_matches);
    pf_stats_counter(group, "key_matches", "events",
                     "Entries of the table that had the key of a page looked up.",
                     &self->sharing.stats.key_matches);
    pf_stats_level(group, "expected_collisions", "events",
                   "Pairs of the used pages that would have one key by chance, were all different.",
                   read_collisions, self);
    pf_stats_level(group, "overflow_entries", "events",
                   "Frames whose count is above 65,535 and lies in the overflow table.",
                   read_number, &self->sharing.frames.overflow_count);
}

static void *esx_create(PfHost *host, const void *config, GError **error)
{
    (void)error;
    Esx *self = g_new0(Esx, 1);
    self->host = host;
    self->config = *(const EsxConfig *)config;
    pf_esx_sharing_init(&self->sharing, host);
    self->sharing.marks_at_once = self->config.marking == MARKING_COW;
    self->sharing.keep_frame_at_one = self->config.keep_frame_at_one;
    self->pacer.kilosecond_cycles = MAX(1, pf_host_cycles(host, 1000 * PF_PS_PER_SECOND));
    register_stats(self);
    uint64_t now = pf_host_now(host);
    pf_esx_pacer_start(&self->pacer, now, self->config.rate, self->config.rate_total);
    pf_host_wake_at(host, pf_esx_pacer_next(&self->pacer, now));
    return self;
}

static void esx_free(void *user)
{
    Esx *self = user;
    if (self == NULL)
        return;
    pf_esx_sharing_clear(&self->sharing);
    g_free(self);
}

static uint64_t esx_metadata_bytes(const void *user)
{
    const Esx *self = user;
    return self->sharing.frames.overflow_count * OVERFLOW_ENTRY_BYTES;
}

static void esx_check(void *user)
{
    const Esx *self = user;
    pf_esx_frames_check(&self->sharing.frames, self->host);
}

const PfPolicyOps pf_policy_esx = {
    .name = "esx",
    .default_finder = "table",
    .default_hash = "jenkins",
    .summary = "Random candidates, a table of hashes, hint frames (VMware ESX Server).",
    .fields = esx_fields,
    .field_count = G_N_ELEMENTS(esx_fields),
    .config_bytes = sizeof(EsxConfig),
    .create = esx_create,
    .free = esx_free,
    .context_event = esx_context_event,
    .page_mapped = esx_page_mapped,
    .page_unmapped = esx_page_unmapped,
    .share_broken = esx_share_broken,
    .wake = esx_wake,
    .scan = esx_scan,
    .control = esx_control,
    .metadata_bytes = esx_metadata_bytes,
    .check = esx_check,
};
