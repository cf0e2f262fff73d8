/* What the files of telling share. */
#pragma once

#include "image_groups.h"
#include "table.h"
#include "tell.h"

/* A page of a context. */
typedef struct {
    uint32_t context;
    PfCpn page;
} Spot;

typedef enum { RUN_NONE, RUN_STATE, RUN_READ, RUN_ALIAS, RUN_PIN, RUN_ONCE } RunKind;

/* Neighbouring pages that one event will tell. */
typedef struct {
    RunKind kind;
    Spot first;
    uint64_t pages;
    Spot from;         /* ALIAS */
    PfContent content; /* STATE: of the first page, with a reference */
    uint64_t step;     /* STATE */
} Run;

/* A page beside the contexts' own that has a frame until its pages are told. */
typedef struct {
    Spot spot;
    bool has_member;
    bool moves; /* its only page gets it by a move */
} Stand;

typedef struct {
    const PfTellOptions *options;
    PfImage *image;
    unsigned page_shift;
    PfImageReader reader;
    Run run;
    PfCpn *holes;       /* by context: unused pages, for what is taken away again */
    PfTable leaders;    /* frame -> index in `spots`: a page that has it */
    GArray *spots;      /* of Spot */
    PfTable members;    /* frame that is pinned -> its first page here and how many there are */
    PfTable crooked;    /* slots by which frames are pinned that they do not map */
    PfTable stand_of;   /* frame -> index in `stands` */
    GArray *stands;     /* of Stand */
    PfTable told_files; /* objects whose bytes pages will tell */
    bool files_are_told; /* files have their bytes */
} Telling;

/* Scratch pages of a hole; those of stands follow. */
enum { SCRATCH_FIRST, SCRATCH_SECOND, SCRATCH_STANDS = 512 };

/* Whether CONTEXT is told of. */
static inline bool is_kept(const Telling *telling, uint32_t context)
{
    return telling->options->numbers[context] != PF_TELL_DROPPED;
}

/* The page that SLOT is. */
static inline Spot spot_of(const Telling *telling, PfSlot slot)
{
    const PfLeaf *leaf = pf_image_leaf_of(telling->image, slot);
    return (Spot){leaf->context, pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES)};
}

/* Page INDEX of the hole of CONTEXT. */
static inline Spot scratch_spot(const Telling *telling, uint32_t context, unsigned index)
{
    return (Spot){context, pf_cpn_plus(telling->holes[context], index)};
}

/* tell_events.c: single events. */
void tell_map(Telling *telling, Spot at, const PfTraceDetail *detail, uint64_t pages);
/* PAGES pages of REGION, as the maps have it, from page FROM of it on. */
void tell_region(Telling *telling, Spot at, const PfRegion *region, PfCpn from, uint64_t pages);
void tell_unmap(Telling *telling, Spot at, uint64_t pages);
void tell_remap(Telling *telling, Spot from, Spot to);
void tell_attribute(Telling *telling, Spot at, uint64_t pages, PfAttribute attribute);
void tell_access(Telling *telling, Spot at, PfRecordKind kind);
void tell_zeros(Telling *telling, Spot at);
/* AT holds what SLOT does. */
void tell_content(Telling *telling, Spot at, PfSlot slot);
/* AT becomes an alias of FROM; is read; is pinned; was shared for a moment. With its neighbours. */
void tell_alias(Telling *telling, Spot at, Spot from);
void tell_read(Telling *telling, Spot at);
void tell_pin(Telling *telling, Spot at);
void tell_shared_once(Telling *telling, Spot at);
void tell_flush(Telling *telling);

/* tell_pages.c: AT gets a frame of its own with what PAGE has, which is mapped as AT is. */
void tell_own(Telling *telling, Spot at, PfSlot page);
bool tell_is_natural(const Telling *telling, PfSlot page);
void tell_pages(Telling *telling);

/* tell_pins.c */
void tell_pins_prepare(Telling *telling);
/* Pins on frames that are not mapped by the address that they were taken through. */
void tell_pins_crooked(Telling *telling);
void tell_pins_straight(Telling *telling);
