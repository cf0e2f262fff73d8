/* Pins. Most are on the frame that their address maps still, and are told last. One whose page was
 * unmapped, moved or copied since is crooked: its frame has to be made first, and to be put to that
 * address for a moment. */
#include "tell_internal.h"

static bool is_straight(const Telling *telling, const PfImagePin *pin)
{
    PfImageGroup frame;
    if (pf_image_base(telling->image, pin->slot, &frame) != pin->state)
        return false;
    if (pin->state == PF_BASE_GROUP)
        return frame.number == pin->frame.number;
    return pin->state != PF_BASE_FILE ||
           pf_slot_equal(pf_image_object(telling->image, pin->slot), pin->object);
}

static PfImagePin pin_at(const Telling *telling, uint32_t index, bool *ret_is_kept)
{
    PfImagePin pin = pf_image_pin(telling->image, index);
    *ret_is_kept = is_kept(telling, pf_image_leaf_of(telling->image, pin.slot)->context);
    return pin;
}

/* Pages that map frames of crooked pins: the first of each. */
static void find_members(Telling *telling)
{
    for (uint32_t c = 0; c < pf_image_context_count(telling->image); c++) {
        for (uint32_t l = 0; is_kept(telling, c) && l < pf_image_leaf_count(telling->image, c);
             l++) {
            const PfLeaf *leaf = pf_image_leaf_nth(telling->image, c, l);
            for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
                PfImageGroup frame;
                PfSlot slot = pf_leaf_slot(leaf, i);
                if (pf_image_base(telling->image, slot, &frame) == PF_BASE_GROUP &&
                    frame.pins > 0 && !pf_table_find(&telling->members, frame.number, NULL))
                    pf_table_insert(&telling->members, frame.number, slot.index);
            }
        }
    }
}

/* Pages of CONTEXT that nothing is mapped at and nothing pinned by. */
static PfCpn find_hole(const Telling *telling, uint32_t context, uint64_t pages)
{
    PfRegionList busy;
    pf_region_list_init(&busy);
    pf_region_list_copy(&busy, &pf_image_context(telling->image, context)->regions);
    bool is_crooked = pf_table_count(&telling->crooked) > 0;
    for (uint32_t i = 0; is_crooked && i < pf_image_pin_count(telling->image); i++) {
        Spot at = spot_of(telling, pf_image_pin(telling->image, i).slot);
        PfRegion page = {.first = at.page, .end = pf_cpn_plus(at.page, 1)};
        if (at.context == context)
            pf_region_list_insert(&busy, &page);
    }
    PfCpn hole = {0};
    for (unsigned i = 0; i < pf_region_list_count(&busy); i++) {
        const PfRegion *region = pf_region_list_at(&busy, i);
        if (region->first.number - hole.number >= pages)
            break;
        hole = region->end;
    }
    pf_region_list_clear(&busy);
    return hole;
}

void tell_pins_prepare(Telling *telling)
{
    for (uint32_t i = 0; i < pf_image_pin_count(telling->image); i++) {
        bool kept;
        PfImagePin pin = pin_at(telling, i, &kept);
        if (kept && !is_straight(telling, &pin))
            pf_table_insert(&telling->crooked, pin.slot.index, 1);
    }
    uint32_t contexts = pf_image_context_count(telling->image);
    telling->holes = g_new0(PfCpn, MAX(contexts, 1));
    /* An address with a crooked pin may have straight ones, too. */
    bool is_crooked = pf_table_count(&telling->crooked) > 0;
    uint64_t pages = SCRATCH_STANDS + (is_crooked ? pf_image_pin_count(telling->image) : 0);
    for (uint32_t c = 0; c < contexts; c++)
        if (is_kept(telling, c) && pf_image_context(telling->image, c)->alive)
            telling->holes[c] = find_hole(telling, c, pages);
    if (is_crooked)
        find_members(telling);
}

/* A page that has the frame of PIN until all that belongs to it is told. */
static const Stand *stand_for(Telling *telling, const PfImagePin *pin)
{
    static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
    uint64_t index;
    if (pf_table_find(&telling->stand_of, pin->frame.number, &index))
        return &g_array_index(telling->stands, Stand, index);
    uint64_t slot = 0;
    Stand stand = {
        .has_member = pf_table_find(&telling->members, pin->frame.number, &slot)};
    PfSlot member = {(uint32_t)slot};
    stand.moves =
        stand.has_member && pin->frame.is_exclusive && tell_is_natural(telling, member);
    Spot home = spot_of(telling, stand.moves ? member : pin->slot);
    stand.spot =
        scratch_spot(telling, home.context, SCRATCH_STANDS + telling->stands->len);
    if (stand.moves) {
        const PfRegionList *regions = pf_maps_regions(telling->options->maps, home.context);
        tell_region(telling, stand.spot, pf_region_list_find(regions, home.page), home.page, 1);
        tell_own(telling, stand.spot, member);
    } else {
        tell_map(telling, stand.spot, &anon, 1);
        if (stand.has_member)
            tell_content(telling, stand.spot, member);
        else
            tell_zeros(telling, stand.spot);
    }
    pf_table_insert(&telling->stand_of, pin->frame.number, telling->stands->len);
    g_array_append_val(telling->stands, stand);
    return &g_array_index(telling->stands, Stand, telling->stands->len - 1);
}

static void tell_group_pin(Telling *telling, const PfImagePin *pin, Spot at)
{
    static const PfTraceDetail anon = {.backing = PF_BACKING_ANON};
    const Stand *stand = stand_for(telling, pin);
    if (stand->moves) {
        tell_remap(telling, stand->spot, at);
        tell_attribute(telling, at, 1, PF_ATTRIBUTE_PINNED);
        tell_remap(telling, at, stand->spot);
        return;
    }
    tell_map(telling, at, &anon, 1);
    tell_alias(telling, at, stand->spot);
    tell_attribute(telling, at, 1, PF_ATTRIBUTE_PINNED);
    tell_unmap(telling, at, 1);
}

static void tell_other_pin(Telling *telling, const PfImagePin *pin, Spot at)
{
    PfTraceDetail detail = {.backing = PF_BACKING_ANON};
    if (pin->state == PF_BASE_FILE) {
        PfImageFile file = pf_image_file(telling->image, pin->object);
        detail.backing = file.is_shmem ? PF_BACKING_SHMEM : PF_BACKING_FILE;
        detail.name = file.name;
        detail.number = file.page << telling->page_shift;
    }
    tell_map(telling, at, &detail, 1);
    tell_attribute(telling, at, 1, PF_ATTRIBUTE_PINNED);
    tell_unmap(telling, at, 1);
}

void tell_pins_crooked(Telling *telling)
{
    for (uint32_t i = 0; i < pf_image_pin_count(telling->image); i++) {
        bool kept;
        PfImagePin pin = pin_at(telling, i, &kept);
        if (!kept || !pf_table_find(&telling->crooked, pin.slot.index, NULL))
            continue;
        Spot at = spot_of(telling, pin.slot);
        if (pin.state == PF_BASE_GROUP)
            tell_group_pin(telling, &pin, at);
        else
            tell_other_pin(telling, &pin, at);
    }
    for (guint i = 0; i < telling->stands->len; i++) {
        const Stand *stand = &g_array_index(telling->stands, Stand, i);
        if (!stand->has_member)
            tell_unmap(telling, stand->spot, 1);
    }
}

void tell_pins_straight(Telling *telling)
{
    for (guint i = 0; i < telling->stands->len; i++) {
        const Stand *stand = &g_array_index(telling->stands, Stand, i);
        if (stand->has_member && !stand->moves)
            tell_unmap(telling, stand->spot, 1);
    }
    for (uint32_t i = 0; i < pf_image_pin_count(telling->image); i++) {
        bool kept;
        PfImagePin pin = pin_at(telling, i, &kept);
        if (kept && !pf_table_find(&telling->crooked, pin.slot.index, NULL))
            tell_pin(telling, spot_of(telling, pin.slot));
    }
    tell_flush(telling);
}
