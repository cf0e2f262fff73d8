#include "maps.h"

#include "units.h"

struct PfMaps {
    unsigned page_shift;
    GPtrArray *contexts; /* of PfRegionList */
    GHashTable *numbers; /* "f" or "s" and the name -> number */
    GPtrArray *names;    /* by number - 1; owned by `numbers` */
};

static void free_list(gpointer list)
{
    pf_region_list_clear(list);
    g_free(list);
}

PfMaps *pf_maps_new(unsigned page_shift)
{
    PfMaps *maps = g_new0(PfMaps, 1);
    maps->page_shift = page_shift;
    maps->contexts = g_ptr_array_new_with_free_func(free_list);
    maps->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    maps->names = g_ptr_array_new();
    return maps;
}

void pf_maps_free(PfMaps *maps)
{
    if (maps == NULL)
        return;
    g_ptr_array_unref(maps->contexts);
    g_hash_table_unref(maps->numbers);
    g_ptr_array_unref(maps->names);
    g_free(maps);
}

static PfRegionList *list_of(const PfMaps *maps, uint32_t context)
{
    g_assert(context < maps->contexts->len);
    return g_ptr_array_index(maps->contexts, context);
}

static PfRegionList *add_context(PfMaps *maps)
{
    PfRegionList *list = g_new0(PfRegionList, 1);
    pf_region_list_init(list);
    g_ptr_array_add(maps->contexts, list);
    return list;
}

static uint32_t file_number(PfMaps *maps, const PfTraceDetail *detail)
{
    if (detail->backing == PF_BACKING_ANON)
        return 0;
    char *key = g_strconcat(detail->backing == PF_BACKING_FILE ? "f" : "s", detail->name, NULL);
    gpointer number = g_hash_table_lookup(maps->numbers, key);
    if (number != NULL) {
        g_free(key);
        return GPOINTER_TO_UINT(number);
    }
    g_ptr_array_add(maps->names, key);
    g_hash_table_insert(maps->numbers, key, GUINT_TO_POINTER(maps->names->len));
    return maps->names->len;
}

static void apply_map(PfMaps *maps, const PfRecord *record, PfCpn first)
{
    const PfTraceDetail *detail = record->detail;
    unsigned flags = detail->protection;
    flags |= detail->mergeable ? PF_MAPS_MERGEABLE : 0U;
    flags |= detail->huge_bytes != 0 ? pf_log2(detail->huge_bytes) << PF_MAPS_HUGE_SHIFT : 0U;
    PfRegion region = {.first = first,
                       .end = pf_cpn_plus(first, record->count),
                       .flags = (uint16_t)flags,
                       .file = file_number(maps, detail),
                       .group = detail->group};
    if (region.file != 0)
        region.file_page = detail->number >> maps->page_shift;
    pf_region_list_insert(list_of(maps, record->context), &region);
}

static void apply_advice(PfMaps *maps, const PfRecord *record, PfCpn first)
{
    static const struct {
        uint16_t clear;
        uint16_t set;
    } changes[PF_ADVICE_COUNT] = {
        [PF_ADVICE_MERGEABLE] = {0, PF_MAPS_MERGEABLE},
        [PF_ADVICE_UNMERGEABLE] = {PF_MAPS_MERGEABLE, 0},
        [PF_ADVICE_HUGE] = {PF_MAPS_NOHUGE, PF_MAPS_HUGE},
        [PF_ADVICE_NOHUGE] = {PF_MAPS_HUGE, PF_MAPS_NOHUGE},
        [PF_ADVICE_DISCARDABLE] = {0, PF_MAPS_DISCARDABLE},
        [PF_ADVICE_SUSPEND] = {0, PF_MAPS_SUSPENDED},
        [PF_ADVICE_RESUME] = {PF_MAPS_SUSPENDED, 0},
    };
    pf_region_list_change(list_of(maps, record->context), first, pf_cpn_plus(first, record->count),
                          changes[record->choice].clear, changes[record->choice].set);
}

static void apply_attribute(PfMaps *maps, const PfRecord *record, PfCpn first)
{
    static const uint16_t sets[PF_ATTRIBUTE_COUNT] = {
        [PF_ATTRIBUTE_READONLY] = PF_MAPS_READONLY,
        [PF_ATTRIBUTE_EXECUTED] = PF_MAPS_EXECUTED,
        [PF_ATTRIBUTE_LOCKED] = PF_MAPS_LOCKED,
    };
    uint16_t clear = record->choice == PF_ATTRIBUTE_UNLOCKED ? PF_MAPS_LOCKED : 0;
    pf_region_list_change(list_of(maps, record->context), first, pf_cpn_plus(first, record->count),
                          clear, sets[record->choice]);
}

void pf_maps_apply(PfMaps *maps, const PfRecord *record)
{
    PfCpn first = {record->address >> maps->page_shift};
    switch ((unsigned)record->kind) {
    case PF_RECORD_CONTEXT:
        add_context(maps);
        return;
    case PF_RECORD_FORK:
        pf_region_list_copy(add_context(maps), list_of(maps, record->context));
        return;
    case PF_RECORD_MAP:
        apply_map(maps, record, first);
        return;
    case PF_RECORD_UNMAP:
        pf_region_list_cut(list_of(maps, record->context), first,
                           pf_cpn_plus(first, record->count));
        return;
    case PF_RECORD_REMAP:
        pf_region_list_move(list_of(maps, record->context), first, record->count,
                            (PfCpn){record->detail->other_address >> maps->page_shift});
        return;
    case PF_RECORD_ADVISE:
        apply_advice(maps, record, first);
        return;
    case PF_RECORD_ATTR:
        apply_attribute(maps, record, first);
        return;
    case PF_RECORD_EXIT:
        pf_region_list_cut(list_of(maps, record->context), (PfCpn){0}, (PfCpn){UINT64_MAX});
        return;
    default:
        return;
    }
}

const PfRegionList *pf_maps_regions(const PfMaps *maps, uint32_t context)
{
    return list_of(maps, context);
}

const char *pf_maps_file_name(const PfMaps *maps, uint32_t file, PfBacking *ret_backing)
{
    const char *key = g_ptr_array_index(maps->names, file - 1);
    *ret_backing = key[0] == 's' ? PF_BACKING_SHMEM : PF_BACKING_FILE;
    return key + 1;
}
