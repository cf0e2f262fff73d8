#include "workload_plan.h"

#include <inttypes.h>
#include <string.h>

#include "rng.h"
#include "units.h"

/* Words that `from` and `to` understand, which no set may be called. */
static const char *const words[] = {"used",   "unused",  "zero", "ones",     "duplicates",
                                    "pinned", "private", "same", "original", NULL};

uint64_t pf_workload_billionths(double share)
{
    return (uint64_t)(share * (double)PF_WORKLOAD_WHOLE + 0.5);
}

char *pf_workload_context_name(const PfWorkloadGroup *group, uint64_t index)
{
    if (group->count == 1)
        return g_strdup(group->name);
    return g_strdup_printf("%s%" PRIu64, group->name, index + 1);
}

PfWorkloadSet *pf_workload_find_set(const PfWorkload *workload, const char *name)
{
    for (guint i = 0; i < workload->sets->len; i++) {
        PfWorkloadSet *set = &g_array_index(workload->sets, PfWorkloadSet, i);
        if (strcmp(set->name, name) == 0)
            return set;
    }
    return NULL;
}

bool pf_workload_range(const PfWorkloadGroup *group, const char *name, uint64_t *ret_first,
                       uint64_t *ret_count)
{
    *ret_first = 0;
    *ret_count = strcmp(name, "used") == 0 ? group->used_pages : 0;
    for (guint i = 0; i < group->kinds->len; i++) {
        const PfPages *kind = &g_array_index(group->kinds, PfPages, i);
        if (strcmp(kind->name, name) != 0)
            continue;
        /* A set may stand in `common` more than once; the first with pages counts. */
        *ret_first = kind->first;
        *ret_count = kind->count;
        if (kind->count > 0)
            break;
    }
    return *ret_count > 0;
}

/* ---- Amounts of pages ---- */

/* One amount of a group: what was said and how many pages that is. */
typedef struct {
    PfConfigSection *section;
    const char *key;
    double said;
    uint64_t pages;
    uint64_t remainder; /* billionths of a page that rounding down leaves */
} Amount;

static bool check_amount(const PfWorkloadGroup *group, const Amount *amount)
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
    const Amount *a = *(Amount *const *)one;
    const Amount *b = *(Amount *const *)other;
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
        Amount *amount = &g_array_index(amounts, Amount, i);
        g_ptr_array_add(order, amount);
        pages -= amount->pages;
    }
    g_ptr_array_sort(order, compare_amounts);
    g_assert(pages < order->len);
    for (guint i = 0; i < pages; i++)
        ((Amount *)order->pdata[i])->pages++;
}

/* Computes the pages of AMOUNTS, parts of PAGES, the last of which takes what the others leave. */
static bool apportion(PfWorkloadGroup *group, GArray *amounts, uint64_t pages)
{
    bool is_share = group->unit == PF_UNIT_SHARES;
    uint64_t whole = is_share ? PF_WORKLOAD_WHOLE : pages;
    uint64_t left = whole;
    Amount *rest = &g_array_index(amounts, Amount, amounts->len - 1);
    for (Amount *amount = (Amount *)(void *)amounts->data; amount <= rest; amount++) {
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

static bool plan_used(const PfWorkload *workload, PfWorkloadGroup *group)
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
    group->pages = group->memory_bytes / workload->page_bytes;
    if (group->pages > (PF_WORKLOAD_STEPS_MAX - workload->steps) / group->count) {
        pf_config_complain(section, "memory",
                           "%" PRIu64 " contexts of %" PRIu64 " pages are too many; a workload has "
                           "at most %" PRIu64 " pages",
                           group->count, group->pages, PF_WORKLOAD_STEPS_MAX);
        return false;
    }
    Amount used = {.section = section, .key = "used", .said = group->used};
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

/* ---- Sets and kinds ---- */

/* Notes the set of COMMON, which PAGES pages take contents of. */
static bool note_set(PfWorkload *workload, PfWorkloadCommon *common, uint64_t pages)
{
    if (common->pages == 0)
        common->pages = MAX(pages, 1);
    PfWorkloadSet *set = pf_workload_find_set(workload, common->set);
    if (set == NULL && workload->sets->len == PF_WORKLOAD_LIST_MAX) {
        pf_config_complain(common->section, "set", "at most %u sets are understood",
                           PF_WORKLOAD_LIST_MAX);
        return false;
    }
    if (set == NULL) {
        PfWorkloadSet fresh = {.name = common->set};
        g_array_append_val(workload->sets, fresh);
        set = pf_workload_find_set(workload, common->set);
    }
    set->contents = MAX(set->contents, common->first + common->pages);
    return true;
}

/* The amounts of GROUP in the order of ranks: zero, ones, common ..., duplicates, pinned, private.
 */
static GArray *collect_amounts(const PfWorkloadGroup *group)
{
    PfConfigSection *section = group->section;
    GArray *amounts = g_array_new(FALSE, TRUE, sizeof(Amount));
    Amount simple[] = {
        {.section = section, .key = "zero", .said = group->zero},
        {.section = section, .key = "ones", .said = group->ones},
        {.section = section, .key = "duplicates", .said = group->duplicates},
        {.section = section, .key = "pinned", .said = group->pinned},
        {.section = section, .key = "private"},
    };
    g_array_append_vals(amounts, simple, 2);
    for (guint i = 0; i < group->common->len; i++) {
        const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        Amount amount = {.section = common->section, .key = "share", .said = common->share};
        g_array_append_val(amounts, amount);
    }
    g_array_append_vals(amounts, simple + 2, G_N_ELEMENTS(simple) - 2);
    return amounts;
}

static void add_kind(PfWorkloadGroup *group, PfPages kind)
{
    const PfPages *last =
        group->kinds->len > 0 ? &g_array_index(group->kinds, PfPages, group->kinds->len - 1) : NULL;
    kind.first = last != NULL ? last->first + last->count : 0;
    kind.distinct = MAX(kind.distinct, 1);
    g_array_append_val(group->kinds, kind);
}

/* Adds COUNT pages whose contents, of which there are DISTINCT, each context has for itself. */
static void add_own(PfWorkloadGroup *group, const char *name, PfPagesForm form, uint64_t count,
                    uint64_t distinct)
{
    PfPages kind = {.name = name,
                    .form = form,
                    .count = count,
                    .distinct = distinct,
                    .stride = MAX(distinct, 1)};
    add_kind(group, kind);
}

static bool plan_kinds(PfWorkload *workload, PfWorkloadGroup *group)
{
    g_autoptr(GArray) amounts = collect_amounts(group);
    if (!apportion(group, amounts, group->used_pages))
        return false;
    const Amount *amount = (const Amount *)(const void *)amounts->data;
    add_kind(group, (PfPages){.name = "zero", .form = PF_PAGES_ZERO, .count = amount++->pages});
    add_kind(group, (PfPages){.name = "ones", .form = PF_PAGES_ONES, .count = amount++->pages});
    for (guint i = 0; i < group->common->len; i++) {
        PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        if (!note_set(workload, common, amount->pages))
            return false;
        add_kind(group, (PfPages){.name = common->set,
                                  .form = PF_PAGES_NUMBERED,
                                  .count = amount++->pages,
                                  .distinct = common->pages});
    }
    add_own(group, "duplicates", PF_PAGES_NUMBERED, amount->pages, amount->pages / group->copies);
    amount++;
    add_own(group, "pinned", PF_PAGES_PINNED, amount->pages, amount->pages);
    amount++;
    add_own(group, "private", PF_PAGES_NUMBERED, amount->pages, amount->pages);
    add_kind(group, (PfPages){.name = "unused",
                              .form = PF_PAGES_UNUSED,
                              .count = group->pages - group->used_pages});
    return true;
}

/* Gives each set, and each group's own contents, numbers that nothing else has. Numbers begin at a
 * place that the seed chooses, and stay below 2^63. */
static void number_contents(PfWorkload *workload)
{
    PfRng place = pf_rng_derive(workload->seed, "contents");
    uint64_t next = (pf_rng_next(&place) >> 2) + 1;
    for (guint i = 0; i < workload->sets->len; i++) {
        PfWorkloadSet *set = &g_array_index(workload->sets, PfWorkloadSet, i);
        set->id = next;
        next += set->contents;
    }
    for (guint i = 0; i < workload->groups->len; i++) {
        PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        for (guint j = 0; j < group->kinds->len; j++) {
            PfPages *kind = &g_array_index(group->kinds, PfPages, j);
            kind->id = next;
            next += kind->stride * group->count;
        }
        /* Kinds of sets stand behind those of zeros and ones. */
        for (guint j = 0; j < group->common->len; j++) {
            const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, j);
            g_array_index(group->kinds, PfPages, 2 + j).id =
                pf_workload_find_set(workload, common->set)->id + common->first;
        }
    }
    workload->next_id = next;
}

/* ---- Groups ---- */

static bool check_names(PfWorkload *workload, PfWorkloadGroup *group, GHashTable *taken)
{
    if (group->name == NULL || group->name[0] == '\0') {
        pf_config_complain(group->section, "name", "a context needs a name");
        return false;
    }
    if (group->count > PF_TRACE_CONTEXTS_MAX - workload->contexts) {
        pf_config_complain(group->section, "count", "a trace has at most %u contexts",
                           PF_TRACE_CONTEXTS_MAX);
        return false;
    }
    for (uint64_t i = 0; i < group->count; i++) {
        char *name = pf_workload_context_name(group, i);
        if (!g_hash_table_add(taken, name)) {
            pf_config_complain(group->section, "name", "there are two contexts called %s", name);
            return false;
        }
    }
    for (guint i = 0; i < group->common->len; i++) {
        const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        if (common->set == NULL || common->set[0] == '\0') {
            pf_config_complain(common->section, "set", "a set needs a name");
            return false;
        }
        if (!g_strv_contains(words, common->set))
            continue;
        pf_config_complain(common->section, "set",
                           "no set can be called %s, which means pages of "
                           "a kind; give it another name",
                           common->set);
        return false;
    }
    return true;
}

static bool plan_groups(PfWorkload *workload, PfConfigSection *section)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (workload->groups->len == 0)
        pf_config_complain(section, "contexts",
                           "a workload needs at least one context: contexts = "
                           "( { name = \"vm\"; } )");
    bool good = workload->groups->len > 0;
    for (guint i = 0; i < workload->groups->len; i++) {
        PfWorkloadGroup *group = &g_array_index(workload->groups, PfWorkloadGroup, i);
        group->first_context = workload->contexts;
        if (!check_names(workload, group, taken) || !plan_used(workload, group) ||
            !plan_kinds(workload, group)) {
            good = false;
            continue;
        }
        workload->contexts += (uint32_t)group->count;
        workload->steps += group->pages * group->count;
    }
    if (good)
        number_contents(workload);
    return good;
}

void pf_workload_plan(PfWorkload *workload, PfConfigSection *section)
{
    if (plan_groups(workload, section))
        pf_workload_plan_phases(workload);
}
