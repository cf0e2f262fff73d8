/* The services around the filters that the configuration names: what they leave out, what they let
 * go again, and what they cost. */
#include "host.h"

static const PfConfigField filters_field = {
    .key = "filters",
    .type = PF_CONFIG_STRINGS,
    .offset = offsetof(PfPolicyCommon, filters),
    .standard = "",
    .description = "What leaves pages out for a while; `pagefold list filters`."};

static void clear_setup(void *setup)
{
    g_free(((PfFilterSetup *)setup)->config);
}

void pf_policy_setup_bind_filters(PfPolicySetup *setup, PfConfigSection *section,
                                  const PfRegistry *registry)
{
    setup->filters = g_array_new(FALSE, FALSE, sizeof(PfFilterSetup));
    g_array_set_clear_func(setup->filters, clear_setup);
    pf_config_bind(section, &filters_field, 1, &setup->common);
    for (char **name = setup->common.filters; name != NULL && *name != NULL; name++) {
        PfFilterSetup filter = {.ops = pf_registry_find_filter(registry, *name)};
        if (filter.ops == NULL) {
            pf_config_complain(section, "filters",
                               "there is no filter '%s'; `pagefold list filters` names them",
                               *name);
            continue;
        }
        filter.config = g_malloc0(MAX(filter.ops->config_bytes, 1));
        if (filter.ops->field_count > 0)
            pf_config_bind(pf_config_subsection(section, *name), filter.ops->fields,
                           filter.ops->field_count, filter.config);
        g_array_append_val(setup->filters, filter);
    }
}

static const PfFilterOps *ops_of(const PfHost *host, guint index)
{
    return g_array_index(host->setup->filters, PfFilterSetup, index).ops;
}

static PfStatValue read_bytes(const void *user)
{
    return pf_stat_uint(pf_host_filter_bytes(user));
}

static void register_stats(PfHost *host)
{
    PfStatsGroup *group = pf_stats_group(host->base.stats, "filter");
    pf_stats_counter(group, "left_out", "events", "Looks at pages that a filter left out.",
                     &host->stats.left_out);
    pf_stats_counter(group, "expired", "events",
                     "Pages that filters let go and that came back through a queue.",
                     &host->stats.expired);
    pf_stats_counter(group, "cycles", "cycles",
                     "Of the policy's cycles, those spent on the tables of its filters.",
                     &host->stats.filter_cycles);
    pf_stats_level(group, "metadata_bytes", "bytes", "What these tables and queues take.",
                   read_bytes, host);
}

bool pf_host_create_filters(PfHost *host, GError **error)
{
    const GArray *setups = host->setup->filters;
    register_stats(host);
    host->expiry_cycles = PF_HOST_NEVER;
    if (setups->len == 0)
        return true;
    host->filters = g_new0(void *, setups->len);
    for (guint i = 0; i < setups->len; i++) {
        gpointer config = g_array_index(setups, PfFilterSetup, i).config;
        host->filters[i] =
            ops_of(host, i)->create(host, config, pf_host_frame_capacity(host), error);
        if (host->filters[i] == NULL)
            return false;
    }
    return true;
}

void pf_host_free_filters(PfHost *host)
{
    for (guint i = 0; host->filters != NULL && i < host->setup->filters->len; i++)
        if (host->filters[i] != NULL)
            ops_of(host, i)->free(host->filters[i]);
    g_free(host->filters);
}

/* Whether some filter leaves PAGE, which is present, out; puts down what it costs to see that. */
static bool is_held(PfHost *host, PfPage page)
{
    uint64_t before = pf_host_spent(host);
    bool held = false;
    for (guint i = 0; i < host->setup->filters->len && !held; i++)
        held = ops_of(host, i)->is_left_out(host->filters[i], page);
    host->stats.filter_cycles += pf_host_spent(host) - before;
    return held;
}

bool pf_host_is_left_out(PfHost *host, PfPage page)
{
    PfSlot slot;
    if (host->filters == NULL || !pf_host_present_slot(host, page, &slot) || !is_held(host, page))
        return false;
    host->stats.left_out++;
    pf_host_verdict(host, page, PF_WHY_VOLATILE);
    return true;
}

/* The next page that some filter has let go and no other holds: that one lets it go later. */
static bool take_expired(PfHost *host, PfPage *ret_page)
{
    for (guint i = 0; i < host->setup->filters->len; i++)
        while (ops_of(host, i)->next_expired(host->filters[i], ret_page))
            if (!is_held(host, *ret_page))
                return true;
    return false;
}

bool pf_host_next_expired(PfHost *host, PfPage *ret_page)
{
    if (host->filters == NULL)
        return false;
    uint64_t before = pf_host_spent(host) - host->stats.filter_cycles;
    bool found = take_expired(host, ret_page);
    host->stats.filter_cycles += pf_host_spent(host) - host->stats.filter_cycles - before;
    host->stats.expired += found;
    if (found)
        pf_host_attend(host, ret_page->context);
    return found;
}

/* Has the policy told, if it wants that, when the next page expires. */
static void refresh_due(PfHost *host)
{
    if (host->setup->ops->page_expired == NULL)
        return;
    host->expiry_cycles = PF_HOST_NEVER;
    for (guint i = 0; i < host->setup->filters->len; i++)
        host->expiry_cycles = MIN(host->expiry_cycles, ops_of(host, i)->due(host->filters[i]));
    *host->base.due_cycles = MIN(*host->base.due_cycles, host->expiry_cycles);
}

void pf_host_page_accessed(PfHost *host, PfPage page, bool is_write)
{
    PfSlot slot;
    if (host->filters == NULL || !pf_host_present_slot(host, page, &slot))
        return;
    uint64_t before = pf_host_spent(host);
    for (guint i = 0; i < host->setup->filters->len; i++)
        ops_of(host, i)->page_accessed(host->filters[i], page, is_write);
    host->stats.filter_cycles += pf_host_spent(host) - before;
    refresh_due(host);
}

void pf_host_tell_expired(PfHost *host)
{
    PfPage page;
    while (pf_host_next_expired(host, &page))
        host->setup->ops->page_expired(host->self, page);
    refresh_due(host);
}

uint64_t pf_host_accesses(const PfHost *host)
{
    return host->accesses;
}

uint64_t pf_host_filter_bytes(const PfHost *host)
{
    uint64_t bytes = 0;
    for (guint i = 0; host->filters != NULL && i < host->setup->filters->len; i++)
        bytes += ops_of(host, i)->metadata_bytes(host->filters[i]);
    return bytes;
}

void pf_host_check_filters(const PfHost *host)
{
    for (guint i = 0; host->filters != NULL && i < host->setup->filters->len; i++)
        if (ops_of(host, i)->check != NULL)
            ops_of(host, i)->check(host->filters[i]);
}
