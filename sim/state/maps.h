/* The mapped memory of each context as a trace has said it: with what the memory image does not
 * keep, as no policy asks for it. */
#pragma once

#include "region.h"

/* Flags of a region; its `file` is 0 or pf_maps_file_name's number. */
enum {
    PF_MAPS_PROTECTION = 3, /* PfProtection */
    PF_MAPS_MERGEABLE = 1 << 2,
    PF_MAPS_READONLY = 1 << 3,
    PF_MAPS_EXECUTED = 1 << 4,
    PF_MAPS_LOCKED = 1 << 5,
    PF_MAPS_HUGE = 1 << 6, /* advised so, or not so */
    PF_MAPS_NOHUGE = 1 << 7,
    PF_MAPS_DISCARDABLE = 1 << 8,
    PF_MAPS_SUSPENDED = 1 << 9,
    PF_MAPS_HUGE_SHIFT = 10, /* logarithm of the size of `huge=`, 0 if none */
};

typedef struct PfMaps PfMaps;

/* Nothing is mapped, of pages of 2^PAGE_SHIFT bytes. */
PfMaps *pf_maps_new(unsigned page_shift);
void pf_maps_free(PfMaps *maps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfMaps, pf_maps_free)

/* Takes RECORD, which the image has taken. */
void pf_maps_apply(PfMaps *maps, const PfRecord *record);

/* What CONTEXT has mapped. */
const PfRegionList *pf_maps_regions(const PfMaps *maps, uint32_t context);

/* The file that a region is of. */
const char *pf_maps_file_name(const PfMaps *maps, uint32_t file, PfBacking *ret_backing);
