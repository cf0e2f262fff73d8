#include <inttypes.h>
#include <string.h>

#include "units.h"
#include "workload_plan.h"

/* ---- Sets ---- */

/* Counts the contents that COUNT pages of COMMON take of its set, which is made where it is new. */
static bool note_set(PfWorkload *workload, const PfWorkloadCommon *common, uint64_t count)
{
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
    uint64_t pages = common->pages > 0 ? common->pages : MAX(count, 1);
    set->contents = MAX(set->contents, common->first + pages);
    return true;
}

/* Whether all that map the file of COMMON, COUNT pages of it here, find the same bytes in it. */
static bool check_file(const PfWorkload *workload, const PfWorkloadCommon *common, uint64_t count)
{
    if (common->first + count > INT64_MAX / workload->page_bytes) {
        pf_config_complain(common->section, "first", "no file is so large");
        return false;
    }
    const PfWorkloadCommon *other = g_hash_table_lookup(workload->files, common->file);
    if (other == NULL) {
        g_hash_table_insert(workload->files, (gpointer)(uintptr_t)common->file,
                            (gpointer)(uintptr_t)common);
        return true;
    }
    if (other->backing == common->backing && other->own == common->own &&
        other->pages == common->pages && strcmp(other->set, common->set) == 0)
        return true;
    pf_config_complain(common->section, "file",
                       "%s is mapped elsewhere with another backing, own, set or pages; give one "
                       "of them another name",
                       common->file);
    return false;
}

/* ---- Kinds ---- */

/* The amounts of GROUP in the order of ranks. */
static GArray *collect_amounts(const PfWorkloadGroup *group)
{
    PfConfigSection *section = group->section;
    GArray *amounts = g_array_new(FALSE, TRUE, sizeof(PfAmount));
    PfAmount simple[] = {
        {.section = section, .key = "zero", .said = group->zero},
        {.section = section, .key = "ones", .said = group->ones},
        {.section = section, .key = "duplicates", .said = group->duplicates},
        {.section = section, .key = "pinned", .said = group->pinned},
        {.section = section, .key = "similar", .said = group->similar},
        {.section = section, .key = "freed", .said = group->freed},
        {.section = section, .key = "private"},
    };
    g_array_append_vals(amounts, simple, 2);
    for (guint i = 0; i < group->common->len; i++) {
        const PfWorkloadCommon *common = &g_array_index(group->common, PfWorkloadCommon, i);
        PfAmount amount = {.section = common->section, .key = "share", .said = common->share};
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

static void add_plain(PfWorkloadGroup *group, const char *name, PfPagesForm form, uint64_t count)
{
    add_kind(group, (PfPages){.name = name, .form = form, .count = count, .is_init = group->init});
}

/* Adds COUNT pages of COMMON. */
static bool add_common(PfWorkload *workload, PfWorkloadGroup *group, PfWorkloadCommon *common,
                       uint64_t count)
{
    PfPages kind = {.name = common->set, .form = PF_PAGES_NUMBERED, .count = count};
    if (strcmp(common->set, "zero") == 0)
        kind.form = PF_PAGES_ZERO;
    else if (strcmp(common->set, "ones") == 0)
        kind.form = PF_PAGES_ONES;
    else if (!note_set(workload, common, count))
        return false;
    kind.distinct = common->pages > 0 ? common->pages : MAX(count, 1);
    kind.is_init = group->init && common->pages == 1;
    if (group->aslr)
        kind.moved = pf_workload_part(common->pointers, count);
    if (common->backing != PF_BACKING_ANON) {
        if (common->file[0] == '\0')
            common->file = common->set;
        if (!check_file(workload, common, count))
            return false;
        kind.of_file = common;
        kind.start = common->first;
        kind.distinct = common->pages > 0 ? common->pages : common->first + MAX(count, 1);
    }
    add_kind(group, kind);
    return true;
}

/* Whether all of COUNT similar pages in FAMILIES can differ. */
static bool check_similar(const PfWorkload *workload, const PfWorkloadGroup *group, uint64_t count,
                          uint64_t families)
{
    if (group->differ > 1 && group->differ >= workload->page_bytes) {
        pf_config_complain(group->section, "differ", "a page has %" PRIu64 " bytes",
                           workload->page_bytes);
        return false;
    }
    if (count <= families || (count - 1) / families <= PF_WORKLOAD_VARIANTS(workload->page_bytes))
        return true;
    pf_config_complain(group->section, "alike", "at most %" PRIu64 " pages can be nearly equal",
                       PF_WORKLOAD_VARIANTS(workload->page_bytes) / 2);
    return false;
}

bool pf_workload_plan_kinds(PfWorkload *workload, PfWorkloadGroup *group)
{
    g_autoptr(GArray) amounts = collect_amounts(group);
    if (!pf_workload_apportion(group, amounts))
        return false;
    const PfAmount *amount = (const PfAmount *)(const void *)amounts->data;
    add_plain(group, "zero", PF_PAGES_ZERO, amount++->pages);
    add_plain(group, "ones", PF_PAGES_ONES, amount++->pages);
    for (guint i = 0; i < group->common->len; i++)
        if (!add_common(workload, group, &g_array_index(group->common, PfWorkloadCommon, i),
                        amount++->pages))
            return false;
    add_own(group, "duplicates", PF_PAGES_NUMBERED, amount->pages, amount->pages / group->copies);
    amount++;
    add_own(group, "pinned", PF_PAGES_PINNED, amount->pages, amount->pages);
    amount++;
    uint64_t families = MAX(amount->pages / group->alike, 1);
    if (!check_similar(workload, group, amount->pages, families))
        return false;
    if (amount->pages > 0)
        add_own(group, "similar", PF_PAGES_SIMILAR, amount->pages, families);
    amount++;
    if (group->zero_free)
        add_kind(group, (PfPages){.name = "freed", .form = PF_PAGES_ZERO, .count = amount->pages});
    else if (amount->pages > 0)
        add_own(group, "freed", PF_PAGES_NUMBERED, amount->pages, amount->pages);
    amount++;
    add_own(group, "private", PF_PAGES_NUMBERED, amount->pages, amount->pages);
    add_plain(group, "unused", PF_PAGES_UNUSED, group->pages - group->used_pages);
    return true;
}
