/* The mapped regions of a context, as a list sorted by address: what `map` made and what `unmap`,
 * `remap` and `advise` cut and changed. Regions never overlap. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "trace.h"

typedef struct {
    PfCpn first;
    PfCpn end;       /* one past the last page */
    uint16_t flags;  /* what pages of it start with: PF_IMAGE_* */
    uint32_t file;   /* number of the backing file; 0 for anonymous */
    uint64_t file_page; /* the file's page that `first` maps */
    uint64_t group;  /* allocation group, 0 for none */
} PfRegion;

typedef struct {
    GArray *regions; /* of PfRegion */
} PfRegionList;

/* An empty list. */
void pf_region_list_init(PfRegionList *list);
void pf_region_list_clear(PfRegionList *list);

/* The region that holds PAGE, or NULL; borrowed until the list changes. */
const PfRegion *pf_region_list_find(const PfRegionList *list, PfCpn page);

/* Index of the first region that ends behind PAGE (the count of regions if none). */
unsigned pf_region_list_lower(const PfRegionList *list, PfCpn page);

/* Regions in order of address: how many, and one of them. */
static inline unsigned pf_region_list_count(const PfRegionList *list)
{
    return list->regions->len;
}

static inline PfRegion *pf_region_list_at(const PfRegionList *list, unsigned index)
{
    return &g_array_index(list->regions, PfRegion, index);
}

/* Removes what lies in [FIRST, END), splitting regions at its edges. */
void pf_region_list_cut(PfRegionList *list, PfCpn first, PfCpn end);

/* Puts REGION in place of whatever lay there. */
void pf_region_list_insert(PfRegionList *list, const PfRegion *region);

/* In [FIRST, END): clears the flags CLEAR and sets SET, splitting regions at the edges. */
void pf_region_list_change(PfRegionList *list, PfCpn first, PfCpn end, uint16_t clear,
                           uint16_t set);

/* Copies all of SOURCE to the empty list TARGET (fork). */
void pf_region_list_copy(PfRegionList *target, const PfRegionList *source);

/* Moves PAGES pages from FIRST to TARGET, in place of what lay at the target. */
void pf_region_list_move(PfRegionList *list, PfCpn first, uint64_t pages, PfCpn target);

/* Asserts order and disjointness. */
void pf_region_list_check(const PfRegionList *list);
