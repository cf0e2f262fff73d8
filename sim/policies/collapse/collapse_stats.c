#include "collapse_state.h"

static PfStatValue read_count(const void *count)
{
    return pf_stat_uint(*(const uint64_t *)count);
}

static PfStatValue read_unfreed(const void *host)
{
    return pf_stat_uint(pf_host_unfreed(host));
}

void pf_collapse_register(PfCollapse *self)
{
    PfStatsGroup *group = pf_host_stats(self->host);
    const PfStatCounter counters[] = {
        {"stores", "events", &self->stats.stores,
         "Stores of which the policy was told before they were made."},
        {"searches", "events", &self->stats.searches,
         "Pages, or results of stores, that were looked up."},
        {"lines_written_back", "events", &self->stats.lines,
         "Dirty lines of the policy's pages that caches wrote back, where these are looked up."},
        {"collapsed", "pages", &self->stats.collapsed,
         "Pages that were mapped onto a primary page."},
        {"redirected", "events", &self->stats.redirected,
         "Stores that were not made, as their result existed and the page was mapped there."},
        {"silent", "events", &self->stats.silent,
         "Stores that were not made, as they would have changed nothing in a shared page."},
        {"transient", "events", &self->stats.transient,
         "Collapsed pages that were copied again within `transient_stores`."},
        {"false_matches", "events", &self->stats.false_matches,
         "Pages of equal keys whose bytes were not equal."},
        {"stale_matches", "events", &self->stats.stale,
         "Pages found that had been written since they were filed."},
        {"requested", "events", &self->stats.requested,
         "Pages that were asked for with the content of a pattern page."},
        {"provided", "events", &self->stats.provided,
         "Of those, pages that were mapped onto the pattern page without a store."},
        {"group_compares", "events", &self->stats.group_compares,
         "Pages of allocation groups compared with those of another: the first ones by key."},
        {"group_skipped", "events", &self->stats.skipped,
         "Pages not looked up, as the first ones of their group were not equal to another's."},
        {"collections", "events", &self->stats.collections,
         "Times that the collector freed frames."},
    };
    pf_stats_counters(group, counters, G_N_ELEMENTS(counters));
    pf_stats_ratio(group, "searches_per_store", "ratio", "Look-ups for each store.",
                   &self->stats.searches, &self->stats.stores, 1.0);
    pf_stats_level(group, "waiting", "pages", "Pages that wait to be looked up.", read_count,
                   &self->lines[PF_COLLAPSE_WAITING].count);
    pf_stats_level(group, "dirty", "pages",
                   "Pages that wait for dirty lines of theirs to be written back.", read_count,
                   &self->lines[PF_COLLAPSE_DIRTY].count);
    pf_stats_level(group, "duplicates", "pages",
                   "Pages that were found to be duplicates and are not collapsed yet.", read_count,
                   &self->lines[PF_COLLAPSE_DUPLICATE].count);
    pf_stats_level(group, "group_missed", "pages",
                   "Frames of skipped pages that another frame equals: sharings missed.",
                   read_count, &self->group_missed);
    pf_stats_level(group, "unfreed", "pages",
                   "Frames that no page maps and the collector has not freed yet.", read_unfreed,
                   self->host);
}
