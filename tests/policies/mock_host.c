#include "mock_state.h"

#include <string.h>
#include <xxhash.h>

#include "units.h"

/* ---- Birth and death ---- */

PfHost *mock_new(uint64_t frames, uint32_t page_bytes, unsigned hash_bits)
{
    PfHost *host = g_new0(PfHost, 1);
    host->frame_count = frames;
    host->page_bytes = page_bytes;
    host->hash_bits = hash_bits;
    host->frames = g_new0(MockFrame, frames);
    host->bytes = g_malloc0(frames * page_bytes);
    host->contexts = g_array_new(FALSE, TRUE, sizeof(MockContext));
    host->remembered = g_ptr_array_new_with_free_func(g_free);
    host->rng = pf_rng_derive(1, "mock");
    host->wake_cycle = PF_HOST_NEVER;
    host->stats = pf_stats_new();
    host->config = pf_config_new(NULL);
    const PfCamConfig ideal = {.is_ideal = true, .entries = 16, .banks = 1, .ports = 1};
    host->cam = pf_cam_new(&ideal, MOCK_CLOCK_HZ, page_bytes, 1, NULL, NULL);
    return host;
}

void mock_free(PfHost *host)
{
    if (host->policy != NULL)
        host->policy_ops->free(host->policy);
    if (host->finder != NULL)
        host->finder_ops->free(host->finder);
    for (guint i = 0; i < host->contexts->len; i++)
        g_array_free(g_array_index(host->contexts, MockContext, i).pages, TRUE);
    g_array_free(host->contexts, TRUE);
    g_ptr_array_free(host->remembered, TRUE);
    g_free(host->policy_config);
    g_free(host->finder_config);
    pf_config_free(host->config);
    pf_stats_free(host->stats);
    pf_cam_free(host->cam);
    g_free(host->frames);
    g_free(host->bytes);
    g_free(host);
}

bool mock_use(PfHost *host, const PfPolicyOps *policy, const PfFinderOps *finder,
              const char *const *assignments, GError **error)
{
    host->policy_ops = policy;
    host->finder_ops = finder;
    for (size_t i = 0; assignments != NULL && assignments[i] != NULL; i++)
        if (!pf_config_override(host->config, assignments[i], error))
            return false;
    host->finder_config = g_malloc0(MAX(1, finder->config_bytes));
    pf_config_bind(pf_config_section(host->config, "finder"), finder->fields, finder->field_count,
                   host->finder_config);
    if (policy != NULL) {
        host->policy_config = g_malloc0(MAX(1, policy->config_bytes));
        pf_config_bind(pf_config_section(host->config, "policy"), policy->fields,
                       policy->field_count, host->policy_config);
    }
    if (!pf_config_finish(host->config, error))
        return false;
    host->finder = finder->create(host, host->finder_config, host->frame_count, error);
    if (host->finder == NULL || policy == NULL)
        return host->finder != NULL;
    host->policy = policy->create(host, host->policy_config, error);
    pf_stats_freeze(host->stats);
    return host->policy != NULL;
}

uint32_t mock_add_context(PfHost *host)
{
    MockContext context = {.pages = g_array_new(FALSE, TRUE, sizeof(MockPage))};
    g_array_append_val(host->contexts, context);
    return host->contexts->len - 1;
}

void mock_run_until(PfHost *host, uint64_t cycle)
{
    while (host->wake_cycle <= cycle) {
        host->now_cycles = host->wake_cycle;
        host->wake_cycle = PF_HOST_NEVER;
        host->counts.wakes++;
        host->wake_cycle = host->policy_ops->wake(host->policy, host->now_cycles);
    }
    host->now_cycles = cycle;
}

void *mock_policy(const PfHost *host)
{
    return host->policy;
}

const PfFinderOps *mock_finder_ops(const PfHost *host)
{
    return host->finder_ops;
}

void *mock_finder(const PfHost *host)
{
    return host->finder;
}

const MockCounts *mock_counts(const PfHost *host)
{
    return &host->counts;
}

uint64_t mock_tickets(const PfHost *host)
{
    return host->tickets;
}

uint64_t mock_samples(const PfHost *host, uint32_t context)
{
    return g_array_index(host->contexts, MockContext, context).samples;
}

uint64_t mock_stat(const PfHost *host, const char *name)
{
    PfStatValue value;
    bool found = pf_stats_find(host->stats, name, &value);
    g_assert(found);
    g_assert(value.kind == PF_STAT_UINT);
    return value.u;
}

/* ---- Services ---- */

uint64_t pf_host_now(const PfHost *host)
{
    return host->now_cycles;
}

uint64_t pf_host_cycles(const PfHost *host, uint64_t picoseconds)
{
    (void)host;
    return pf_cycles_from_ps(picoseconds, MOCK_CLOCK_HZ);
}

void pf_host_wake_at(PfHost *host, uint64_t cycle)
{
    host->wake_cycle = cycle;
}

unsigned pf_host_look(const PfHost *host, PfPage page, PfMpn *ret_frame)
{
    const MockPage *found = mock_present_page(host, page);
    if (found == NULL)
        return 0;
    *ret_frame = found->mpn;
    const MockFrame *frame = &host->frames[found->mpn.number];
    unsigned flags = PF_FLAG_PRESENT | PF_FLAG_ANON | found->flags;
    flags |= frame->references > 1 ? PF_FLAG_SHARED : 0;
    flags |= frame->is_merged ? PF_FLAG_MERGED : 0;
    flags |= found->is_pinned ? PF_FLAG_PINNED : 0;
    flags |= frame->references == 1 && !frame->is_merged ? PF_FLAG_WRITABLE : 0;
    flags |= PF_FLAG_IN_SCOPE | (found->is_isolated ? 0U : PF_FLAG_OPEN);
    return flags;
}

unsigned pf_host_flags(const PfHost *host, PfPage page)
{
    PfMpn frame;
    return pf_host_look(host, page, &frame);
}

uint64_t pf_host_changes(const PfHost *host)
{
    return host->changes;
}

bool pf_host_frame(const PfHost *host, PfPage page, PfMpn *ret_frame)
{
    const MockPage *found = mock_present_page(host, page);
    if (found == NULL)
        return false;
    *ret_frame = found->mpn;
    return true;
}

uint64_t pf_host_frame_refs(const PfHost *host, PfMpn frame)
{
    return host->frames[frame.number].references;
}

bool pf_host_admits(PfHost *host, PfPage page)
{
    const MockPage *found = mock_present_page(host, page);
    return found != NULL && (!found->is_pinned || found->is_isolated);
}

uint32_t pf_host_frame_tag(const PfHost *host, PfMpn frame)
{
    return host->frames[frame.number].tag;
}

bool pf_host_next_region(const PfHost *host, PfPage from, PfPage *ret_first, PfCpn *ret_end)
{
    if (from.context >= host->contexts->len)
        return false;
    guint pages = g_array_index(host->contexts, MockContext, from.context).pages->len;
    *ret_first = from;
    *ret_end = (PfCpn){pages};
    return from.cpn.number < pages;
}

uint64_t pf_host_merged_zeros(const PfHost *host, uint32_t context)
{
    (void)host;
    (void)context;
    return 0;
}

uint64_t pf_host_spent(const PfHost *host)
{
    uint64_t cycles = 0;
    for (unsigned i = 0; i < PF_ACCOUNT_COUNT; i++)
        cycles += host->counts.cycles[i];
    return cycles;
}

unsigned pf_host_color(const PfHost *host, PfMpn frame)
{
    (void)host;
    return frame.number % 2;
}

unsigned pf_host_node(const PfHost *host, PfMpn frame)
{
    (void)host;
    (void)frame;
    return 0;
}

bool pf_host_cursor_next(const PfHost *host, PfPage page, PfPage *ret_page)
{
    for (; page.context < host->contexts->len; page = mock_page(page.context + 1, 0)) {
        const MockContext *context = &g_array_index(host->contexts, MockContext, page.context);
        for (; page.cpn.number < context->pages->len; page.cpn = pf_cpn_plus(page.cpn, 1)) {
            if (mock_present_page(host, page) == NULL)
                continue;
            *ret_page = page;
            return true;
        }
    }
    return false;
}

uint32_t pf_host_context_count(const PfHost *host)
{
    return host->contexts->len;
}

uint64_t pf_host_context_pages(const PfHost *host, uint32_t context)
{
    return g_array_index(host->contexts, MockContext, context).present;
}

bool pf_host_sample(PfHost *host, uint32_t context, PfPage *ret_page)
{
    MockContext *drawn = &g_array_index(host->contexts, MockContext, context);
    if (drawn->present == 0)
        return false;
    drawn->samples++;
    PfPage page;
    do
        page = mock_page(context, pf_rng_below(&host->rng, drawn->pages->len));
    while (mock_present_page(host, page) == NULL);
    *ret_page = page;
    return true;
}

PfRng *pf_host_rng(PfHost *host)
{
    return &host->rng;
}

uint64_t pf_host_frame_capacity(const PfHost *host)
{
    return host->frame_count;
}

uint64_t pf_host_free_frames(const PfHost *host)
{
    return host->frame_count - mock_used_frames(host);
}

uint32_t pf_host_page_bytes(const PfHost *host)
{
    return host->page_bytes;
}

uint64_t pf_host_distinct_contents(PfHost *host)
{
    uint64_t distinct = 0;
    for (uint64_t i = 0; i < host->frame_count; i++) {
        bool is_first = host->frames[i].references > 0;
        for (uint64_t j = 0; j < i && is_first; j++)
            is_first = host->frames[j].references == 0 ||
                       memcmp(mock_bytes_of(host, (PfMpn){(uint32_t)i}),
                              mock_bytes_of(host, (PfMpn){(uint32_t)j}), host->page_bytes) != 0;
        distinct += is_first;
    }
    return distinct;
}

PfStatsGroup *pf_host_stats(PfHost *host)
{
    return pf_stats_group(host->stats, host->policy_ops != NULL ? host->policy_ops->name : "test");
}

void pf_host_verdict(PfHost *host, PfPage page, PfWhy why)
{
    (void)page;
    host->counts.verdicts[why]++;
}

void pf_host_note_hint(PfHost *host, PfPage page, bool is_hint)
{
    (void)host;
    (void)page;
    (void)is_hint;
}

void pf_host_forget_hints(PfHost *host)
{
    (void)host;
}

void pf_host_count_scanned(PfHost *host)
{
    host->counts.scanned++;
}

void pf_host_count_pass(PfHost *host)
{
    host->counts.passes++;
}

static uint64_t hash_bytes(const PfHost *host, const uint8_t *bytes)
{
    uint64_t hash = XXH3_64bits(bytes, host->page_bytes);
    return host->hash_bits >= 64 ? hash : hash & (((uint64_t)1 << host->hash_bits) - 1);
}

uint64_t pf_host_hash_page(PfHost *host, PfPage page)
{
    host->counts.hashes++;
    return hash_bytes(host, mock_bytes_of(host, mock_present_page(host, page)->mpn));
}

unsigned pf_host_key_bits(const PfHost *host)
{
    return MIN(host->hash_bits, 64);
}

uint64_t pf_host_zero_hash(PfHost *host)
{
    g_autofree uint8_t *zeros = g_malloc0(host->page_bytes);
    return hash_bytes(host, zeros);
}

int pf_host_compare_pages(PfHost *host, PfPage a, PfPage b, size_t *ret_first_difference)
{
    return pf_host_compare_frames(host, mock_present_page(host, a)->mpn,
                                  mock_present_page(host, b)->mpn, ret_first_difference);
}

int pf_host_compare_frames(PfHost *host, PfMpn a, PfMpn b, size_t *ret_first_difference)
{
    const uint8_t *left = mock_bytes_of(host, a);
    const uint8_t *right = mock_bytes_of(host, b);
    size_t same = 0;
    while (same < host->page_bytes && left[same] == right[same])
        same++;
    if (ret_first_difference != NULL)
        *ret_first_difference = same;
    return memcmp(left, right, host->page_bytes);
}

void pf_host_charge(PfHost *host, PfAccount account, uint64_t cycles)
{
    host->counts.cycles[account] += cycles;
}

void pf_host_charge_lines(PfHost *host, PfAccount account, uint64_t count)
{
    host->counts.lines[account] += count;
}
