/* An example of a policy that is loaded at run time (docs/adding-a-policy.md): a sequential scan
 * that shares each page with the first equal one met. All is forgotten at the end of a pass, so
 * writes need not be told; what has gone stale within it, the comparison of bytes refuses. */
#include "policy.h"

typedef struct {
    uint64_t pages_per_wake;
    uint64_t sleep_ps;
} FirstMatchConfig;

static const PfConfigField fields[] = {
    {.key = "pages_per_wake",
     .type = PF_CONFIG_UINT,
     .standard = "100",
     .min = 1,
     .offset = offsetof(FirstMatchConfig, pages_per_wake),
     .unit = "pages",
     .description = "Pages looked at before the policy sleeps again."},
    {.key = "sleep",
     .type = PF_CONFIG_TIME,
     .standard = "20ms",
     .min = 1,
     .offset = offsetof(FirstMatchConfig, sleep_ps),
     .description = "Time between the end of one batch and the start of the next."},
};

typedef struct {
    uint64_t key;
    PfPage page;
} Met;

typedef struct {
    PfHost *host;
    FirstMatchConfig config;
    PfPage position; /* of the scan */
    GArray *met;     /* Met; the finder's values are indices into it */
    uint64_t matches;
} FirstMatch;

static void look(FirstMatch *self, PfPage page)
{
    pf_host_count_scanned(self->host);
    if (!pf_host_admits(self->host, page))
        return;
    uint64_t key = pf_host_hash_page(self->host, page);
    uint64_t cursor = 0;
    uint64_t index;
    while (pf_host_find(self->host, key, page, &cursor, &index)) {
        PfMergeResult result =
            pf_host_merge(self->host, page, g_array_index(self->met, Met, index).page);
        self->matches += result == PF_MERGED;
        if (result == PF_MERGED || result == PF_SAME)
            return;
    }
    bool is_full = self->met->len == pf_host_frame_capacity(self->host);
    pf_host_verdict(self->host, page, is_full ? PF_WHY_LIMIT : PF_WHY_UNIQUE);
    if (is_full)
        return;
    pf_host_file(self->host, key, page, self->met->len);
    g_array_append_vals(self->met, &(Met){key, page}, 1);
}

static bool first_match_scan(void *user, uint64_t pages)
{
    FirstMatch *self = user;
    for (; pages > 0; pages--) {
        if (!pf_host_cursor_next(self->host, self->position, &self->position)) {
            for (guint i = 0; i < self->met->len; i++)
                pf_host_unfile(self->host, g_array_index(self->met, Met, i).key, i);
            g_array_set_size(self->met, 0);
            self->position = (PfPage){0, {0}};
            pf_host_count_pass(self->host);
            return true;
        }
        look(self, self->position);
        self->position.cpn = pf_cpn_plus(self->position.cpn, 1);
    }
    return false;
}

static uint64_t first_match_wake(void *user, uint64_t now_cycles)
{
    FirstMatch *self = user;
    first_match_scan(self, self->config.pages_per_wake);
    uint64_t end = MAX(now_cycles, pf_host_now(self->host));
    return end + pf_host_cycles(self->host, self->config.sleep_ps);
}

static void *first_match_create(PfHost *host, const void *config, GError **error)
{
    (void)error;
    FirstMatch *self = g_new0(FirstMatch, 1);
    self->host = host;
    self->config = *(const FirstMatchConfig *)config;
    self->met = g_array_new(FALSE, FALSE, sizeof(Met));
    pf_stats_counter(pf_host_stats(host), "matches", "events", "Pages shared with an earlier one.",
                     &self->matches);
    pf_host_wake_at(host, pf_host_now(host) + pf_host_cycles(host, self->config.sleep_ps));
    return self;
}

static void first_match_free(void *user)
{
    FirstMatch *self = user;
    g_array_free(self->met, TRUE);
    g_free(self);
}

static const PfPolicyOps first_match = {
    .name = "first_match",
    .default_finder = "table",
    .summary = "Sequential scan; shares each page with the first equal one it met.",
    .fields = fields,
    .field_count = G_N_ELEMENTS(fields),
    .config_bytes = sizeof(FirstMatchConfig),
    .create = first_match_create,
    .free = first_match_free,
    .wake = first_match_wake,
    .scan = first_match_scan,
};

static const PfPolicyOps *const policies[] = {&first_match, NULL};
const PfPlugin pf_plugin = {.abi = PF_POLICY_ABI, .policies = policies};
