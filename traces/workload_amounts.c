#include <inttypes.h>

#include "units.h"
#include "workload_plan.h"

uint64_t pf_workload_billionths(double share)
{
    return (uint64_t)(share * (double)PF_WORKLOAD_WHOLE + 0.5);
}

uint64_t pf_workload_part(double share, uint64_t count)
{
    return (uint64_t)((PfUint128)pf_workload_billionths(share) * count / PF_WORKLOAD_WHOLE);
}

static bool check_amount(const PfWorkloadGroup *group, const PfAmount *amount)
{
    bool is_share = group->unit == PF_UNIT_SHARES;
    const char *problem = NULL;
    if (is_share && amount->said > 1)
        problem = "is more than all pages; say unit = \"pages\" if numbers of pages are meant";
    else if (!is_share && amount->said > (double)PF_WORKLOAD_STEPS_MAX)
        problem = "is more pages than any workload has";
    else if (!is_share && amount->said != (double)(uint64_t)amount->said)
        problem = "is no number of pages; say unit = \"shares\" if a share is meant";
    if (problem != NULL)
        pf_config_complain(amount->section, amount->key, "%.10g %s", amount->said, problem);
    return problem == NULL;
}

/* The larger remainder first, then the earlier amount. */
static gint compare_amounts(gconstpointer one, gconstpointer other)
{
    const PfAmount *a = *(PfAmount *const *)one;
    const PfAmount *b = *(PfAmount *const *)other;
    if (a->remainder != b->remainder)
        return a->remainder > b->remainder ? -1 : 1;
    return a < b ? -1 : 1;
}

/* Gives those of AMOUNTS that lose most by rounding down one page more, until all of PAGES are
 * given: the method of the largest remainder. */
static void give_remainders(GArray *amounts, uint64_t pages)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    for (guint i = 0; i < amounts->len; i++) {
        PfAmount *amount = &g_array_index(amounts, PfAmount, i);
        g_ptr_array_add(order, amount);
        pages -= amount->pages;
    }
    g_ptr_array_sort(order, compare_amounts);
    g_assert(pages < order->len);
    for (guint i = 0; i < pages; i++)
        ((PfAmount *)order->pdata[i])->pages++;
}

bool pf_workload_apportion(PfWorkloadGroup *group, GArray *amounts)
{
    uint64_t pages = group->used_pages;
    bool is_share = group->unit == PF_UNIT_SHARES;
    uint64_t whole = is_share ? PF_WORKLOAD_WHOLE : pages;
    uint64_t left = whole;
    PfAmount *rest = &g_array_index(amounts, PfAmount, amounts->len - 1);
    for (PfAmount *amount = (PfAmount *)(void *)amounts->data; amount <= rest; amount++) {
        if (amount < rest && !check_amount(group, amount))
            return false;
        uint64_t part = amount == rest ? left
                        : is_share     ? pf_workload_billionths(amount->said)
                                       : (uint64_t)amount->said;
        if (part > left) {
            pf_config_complain(group->section, NULL,
                               is_share ? "shares of used pages add up to more than 1"
                                        : "amounts add up to more than the used pages, %" PRIu64,
                               pages);
            return false;
        }
        left -= part;
        amount->pages = is_share ? part * pages / whole : part;
        amount->remainder = is_share ? part * pages % whole : 0;
    }
    give_remainders(amounts, pages);
    return true;
}

uint64_t pf_workload_fill_steps(const PfWorkloadGroup *group)
{
    return group->pages + (group->allocation > 0 ? group->pages / group->allocation : 0);
}

bool pf_workload_plan_used(const PfWorkload *workload, PfWorkloadGroup *group)
{
    PfConfigSection *section = group->section;
    if (group->memory_bytes % workload->page_bytes != 0) {
        pf_config_complain(section, "memory", "is no multiple of the page size, %" PRIu64 " bytes",
                           workload->page_bytes);
        return false;
    }
    if (group->address % workload->page_bytes != 0) {
        pf_config_complain(section, "address", "is no multiple of the page size, %" PRIu64 " bytes",
                           workload->page_bytes);
        return false;
    }
    if (group->huge_bytes != 0 &&
        (!pf_is_power_of_two(group->huge_bytes) || group->huge_bytes <= workload->page_bytes)) {
        pf_config_complain(section, "huge", "is no power of two above the page size; say \"2MiB\"");
        return false;
    }
    group->pages = group->memory_bytes / workload->page_bytes;
    if (pf_workload_fill_steps(group) > (PF_WORKLOAD_STEPS_MAX - workload->steps) / group->count) {
        pf_config_complain(section, "memory",
                           "%" PRIu64 " contexts of %" PRIu64 " pages are too many; a workload has "
                           "at most %" PRIu64 " pages and allocation groups",
                           group->count, group->pages, PF_WORKLOAD_STEPS_MAX);
        return false;
    }
    PfAmount used = {.section = section, .key = "used", .said = group->used};
    if (!check_amount(group, &used))
        return false;
    if (group->unit == PF_UNIT_PAGES && !pf_config_is_set(section, "used"))
        group->used_pages = group->pages;
    else if (group->unit == PF_UNIT_PAGES)
        group->used_pages = (uint64_t)group->used;
    else
        group->used_pages =
            (pf_workload_billionths(group->used) * group->pages + PF_WORKLOAD_WHOLE / 2) /
            PF_WORKLOAD_WHOLE;
    if (group->used_pages <= group->pages)
        return true;
    pf_config_complain(section, "used", "%" PRIu64 " pages are more than the memory has, %" PRIu64,
                       group->used_pages, group->pages);
    return false;
}
