#include "region.h"

void pf_region_list_init(PfRegionList *list)
{
    list->regions = g_array_new(FALSE, FALSE, sizeof(PfRegion));
}

void pf_region_list_clear(PfRegionList *list)
{
    g_clear_pointer(&list->regions, g_array_unref);
}

unsigned pf_region_list_lower(const PfRegionList *list, PfCpn page)
{
    unsigned low = 0;
    unsigned high = list->regions->len;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (pf_region_list_at(list, middle)->end.number > page.number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const PfRegion *pf_region_list_find(const PfRegionList *list, PfCpn page)
{
    unsigned index = pf_region_list_lower(list, page);
    if (index == list->regions->len)
        return NULL;
    const PfRegion *region = pf_region_list_at(list, index);
    return region->first.number <= page.number ? region : NULL;
}

/* Makes PAGE the edge of a region if it lies inside one. */
static void split_at(PfRegionList *list, PfCpn page)
{
    unsigned index = pf_region_list_lower(list, page);
    if (index == list->regions->len)
        return;
    PfRegion *region = pf_region_list_at(list, index);
    if (region->first.number >= page.number)
        return;
    PfRegion tail = *region;
    region->end = page;
    if (tail.file != 0)
        tail.file_page += page.number - tail.first.number;
    tail.first = page;
    g_array_insert_val(list->regions, index + 1, tail);
}

void pf_region_list_cut(PfRegionList *list, PfCpn first, PfCpn end)
{
    split_at(list, first);
    split_at(list, end);
    unsigned from = pf_region_list_lower(list, first);
    unsigned to = from;
    while (to < list->regions->len && pf_region_list_at(list, to)->first.number < end.number)
        to++;
    if (to > from)
        g_array_remove_range(list->regions, from, to - from);
}

void pf_region_list_insert(PfRegionList *list, const PfRegion *region)
{
    g_assert(region->first.number < region->end.number);
    pf_region_list_cut(list, region->first, region->end);
    g_array_insert_val(list->regions, pf_region_list_lower(list, region->first), *region);
}

void pf_region_list_change(PfRegionList *list, PfCpn first, PfCpn end, uint16_t clear,
                           uint16_t set)
{
    split_at(list, first);
    split_at(list, end);
    for (unsigned i = pf_region_list_lower(list, first); i < list->regions->len; i++) {
        PfRegion *region = pf_region_list_at(list, i);
        if (region->first.number >= end.number)
            break;
        region->flags = (uint16_t)((region->flags & ~clear) | set);
    }
}

void pf_region_list_copy(PfRegionList *target, const PfRegionList *source)
{
    g_assert(target->regions->len == 0);
    g_array_append_vals(target->regions, source->regions->data, source->regions->len);
}

void pf_region_list_move(PfRegionList *list, PfCpn first, uint64_t pages, PfCpn target)
{
    PfCpn end = pf_cpn_plus(first, pages);
    split_at(list, first);
    split_at(list, end);
    g_autoptr(GArray) moved = g_array_new(FALSE, FALSE, sizeof(PfRegion));
    for (unsigned i = pf_region_list_lower(list, first); i < list->regions->len; i++) {
        PfRegion region = *pf_region_list_at(list, i);
        if (region.first.number >= end.number)
            break;
        region.first.number += target.number - first.number;
        region.end.number += target.number - first.number;
        g_array_append_val(moved, region);
    }
    pf_region_list_cut(list, first, end);
    pf_region_list_cut(list, target, pf_cpn_plus(target, pages));
    for (unsigned i = 0; i < moved->len; i++)
        pf_region_list_insert(list, &g_array_index(moved, PfRegion, i));
}

void pf_region_list_check(const PfRegionList *list)
{
    for (unsigned i = 0; i < list->regions->len; i++) {
        const PfRegion *region = pf_region_list_at(list, i);
        g_assert(region->first.number < region->end.number);
        if (i > 0)
            g_assert(pf_region_list_at(list, i - 1)->end.number <= region->first.number);
    }
}
