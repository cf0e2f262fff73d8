#include "picture.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "image_groups.h"
#include "maps.h"
#include "table.h"
#include "walk.h"

typedef struct {
    PfWalk walk;
    PfMaps *maps;
    PfImageReader reader;
    PfTable frames; /* number -> in order of appearance */
    GString *out;
} Picture;

static void add_content(Picture *picture, PfSlot slot)
{
    PfContent content;
    if (!pf_image_content(picture->walk.image, &picture->reader, slot, 0, &content)) {
        g_string_append(picture->out, " unknown");
        return;
    }
    g_string_append_printf(picture->out, " %s%" G_GINT64_MODIFIER "x",
                           pf_content_has_bytes(picture->walk.store, content) ? "" : "#",
                           pf_content_hash(picture->walk.store, content));
    pf_content_unref(picture->walk.store, content);
}

static void add_frame(Picture *picture, const PfImageGroup *frame)
{
    uint64_t number;
    if (!pf_table_find(&picture->frames, frame->number, &number)) {
        number = pf_table_count(&picture->frames);
        pf_table_insert(&picture->frames, frame->number, number);
    }
    /* A frame that is alone and not pinned is taken back by a store, shared before or not. */
    bool counts = frame->pins > 0 && frame->maps > 0;
    g_string_append_printf(picture->out, " frame %u maps %u pins %u%s", (unsigned)number,
                           frame->maps, frame->pins,
                           counts && frame->is_exclusive ? " exclusive" : "");
}

static void add_object(Picture *picture, PfSlot object)
{
    PfImageFile file = pf_image_file(picture->walk.image, object);
    g_string_append_printf(picture->out, " %s=%s:%u", file.is_shmem ? "shmem" : "file", file.name,
                           (unsigned)file.page);
}

static void add_page(Picture *picture, PfSlot slot)
{
    static const unsigned shown = PF_IMAGE_FILE | PF_IMAGE_SHMEM | PF_IMAGE_MERGEABLE |
                                  PF_IMAGE_READONLY | PF_IMAGE_EXECUTED | PF_IMAGE_LOCKED |
                                  PF_IMAGE_POPULATED;
    PfImageGroup frame;
    PfBaseState state = pf_image_base(picture->walk.image, slot, &frame);
    const PfLeaf *leaf = pf_image_leaf_of(picture->walk.image, slot);
    if (state == PF_BASE_NONE)
        return;
    /* A frame of one page may be known as one that was shared. */
    bool is_private =
        state == PF_BASE_PRIVATE || (state == PF_BASE_GROUP && frame.maps + frame.pins == 1);
    g_string_append_printf(picture->out, "%u page %u flags %x %s", leaf->context,
                           (unsigned)pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES).number,
                           pf_image_flags(picture->walk.image, slot) & shown,
                           is_private ? "private"
                           : state == PF_BASE_ZERO ? "zero"
                                                   : "");
    if (state == PF_BASE_GROUP && !is_private)
        add_frame(picture, &frame);
    if (state == PF_BASE_FILE)
        add_object(picture, pf_image_object(picture->walk.image, slot));
    add_content(picture, slot);
    g_string_append_c(picture->out, '\n');
}

/* Neighbours that are alike are one. */
static void add_regions(Picture *picture, uint32_t context)
{
    const PfRegionList *regions = pf_maps_regions(picture->maps, context);
    for (unsigned i = 0; i < pf_region_list_count(regions); i++) {
        const PfRegion *region = pf_region_list_at(regions, i);
        for (uint64_t page = region->first.number; page < region->end.number; page++) {
            PfBacking backing = PF_BACKING_ANON;
            const char *name =
                region->file != 0 ? pf_maps_file_name(picture->maps, region->file, &backing) : "";
            g_string_append_printf(
                picture->out, "%u mapped %u flags %x group %u %u:%s:%u\n", context, (unsigned)page,
                region->flags, (unsigned)region->group, (unsigned)backing, name,
                (unsigned)(region->file != 0 ? region->file_page + page - region->first.number
                                             : 0));
        }
    }
}

static void add_context(Picture *picture, uint32_t number)
{
    const PfImageContext *context = pf_image_context(picture->walk.image, number);
    g_string_append_printf(picture->out, "%u %s %u alive %d node %d core %d %s %s %u, %u pages\n",
                           number, context->name, (unsigned)context->kind, context->alive,
                           context->node, context->core,
                           context->label != NULL ? context->label : "-",
                           context->user != NULL ? context->user : "-",
                           (unsigned)context->memory_bytes, (unsigned)context->populated_pages);
    add_regions(picture, number);
    PfCpn from = {0};
    const PfLeaf *leaf;
    while ((leaf = pf_image_leaf_from(picture->walk.image, number, from)) != NULL) {
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++)
            add_page(picture, pf_leaf_slot(leaf, i));
        from = pf_cpn_plus(pf_leaf_page(leaf, 0), PF_LEAF_PAGES);
    }
}

typedef struct {
    uint32_t context;
    uint64_t page;
    uint32_t index;
} PinPlace;

static int compare_places(gconstpointer a, gconstpointer b)
{
    const PinPlace *x = a;
    const PinPlace *y = b;
    if (x->context != y->context)
        return x->context < y->context ? -1 : 1;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* By address: only among those of one does the order count. */
static void add_pins(Picture *picture)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(PinPlace));
    for (uint32_t i = 0; i < pf_image_pin_count(picture->walk.image); i++) {
        PfSlot slot = pf_image_pin(picture->walk.image, i).slot;
        const PfLeaf *leaf = pf_image_leaf_of(picture->walk.image, slot);
        PinPlace place = {leaf->context,
                          pf_leaf_page(leaf, slot.index % PF_LEAF_PAGES).number, i};
        g_array_append_val(places, place);
    }
    g_array_sort(places, compare_places);
    for (guint i = 0; i < places->len; i++) {
        const PinPlace *place = &g_array_index(places, PinPlace, i);
        PfImagePin pin = pf_image_pin(picture->walk.image, place->index);
        g_string_append_printf(picture->out, "pin %u %u", place->context, (unsigned)place->page);
        if (pin.state == PF_BASE_GROUP)
            add_frame(picture, &pin.frame);
        else if (pin.state == PF_BASE_FILE)
            add_object(picture, pin.object);
        g_string_append_c(picture->out, '\n');
    }
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_files(Picture *picture)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GString *out = picture->out;
    for (uint32_t l = 0; l < pf_image_file_leaf_count(picture->walk.image); l++) {
        const PfLeaf *leaf = pf_image_file_leaf_nth(picture->walk.image, l);
        for (unsigned i = 0; i < PF_LEAF_PAGES; i++) {
            if ((leaf->flags[i] & PF_IMAGE_POPULATED) == 0)
                continue;
            picture->out = g_string_new(NULL);
            add_object(picture, pf_leaf_slot(leaf, i));
            add_content(picture, pf_leaf_slot(leaf, i));
            g_ptr_array_add(lines, g_string_free(picture->out, FALSE));
        }
    }
    picture->out = out;
    g_ptr_array_sort(lines, compare_lines);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(out, "%s\n", (const char *)lines->pdata[i]);
}

static void walk_trace(Picture *picture, PfTrace *trace, uint64_t records)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfRecordBlock) block = pf_record_block_new();
    PfTraceStatus status = PF_TRACE_RECORDS;
    while (block->first_record + block->count < records &&
           (status = pf_trace_read(trace, block, &error)) == PF_TRACE_RECORDS) {
        uint32_t bad;
        uint32_t to = (uint32_t)MIN(block->count, records - block->first_record);
        pf_image_add_contents(picture->walk.image, block);
        bool done = pf_walk_records(&picture->walk, block, 0, to, &bad, &error);
        if (!done)
            printf("# record %u: %s\n", bad, error->message);
        CU_ASSERT_FATAL(done);
        for (uint32_t i = 0; i < to; i++)
            pf_maps_apply(picture->maps, &block->records[i]);
    }
    if (status == PF_TRACE_ERROR)
        printf("# %s\n", error->message);
    CU_ASSERT_NOT_EQUAL_FATAL(status, PF_TRACE_ERROR);
}

GString *picture_of(const char *path, uint64_t records)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTrace) trace = pf_trace_open(path, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    Picture picture = {.out = g_string_new(NULL)};
    pf_walk_init(&picture.walk, pf_trace_header(trace)->page_bytes);
    picture.maps = pf_maps_new(pf_image_page_shift(picture.walk.image));
    pf_image_reader_init(&picture.reader, picture.walk.image);
    walk_trace(&picture, trace, records);
    bool alive = false;
    for (uint32_t c = 0; c < pf_image_context_count(picture.walk.image); c++) {
        add_context(&picture, c);
        alive |= pf_image_context(picture.walk.image, c)->alive;
    }
    add_pins(&picture);
    if (alive)
        add_files(&picture);
    g_string_append_printf(picture.out, "%u frames\n",
                           (unsigned)pf_image_baseline_frames(picture.walk.image));
    pf_image_check(picture.walk.image);
    pf_image_reader_clear(&picture.reader);
    pf_table_clear(&picture.frames);
    pf_maps_free(picture.maps);
    pf_walk_clear(&picture.walk);
    return picture.out;
}

bool picture_is_equal(const char *what, const GString *a, const GString *b)
{
    if (g_str_equal(a->str, b->str))
        return true;
    g_auto(GStrv) left = g_strsplit(a->str, "\n", -1);
    g_auto(GStrv) right = g_strsplit(b->str, "\n", -1);
    unsigned i = 0;
    while (left[i] != NULL && right[i] != NULL && g_str_equal(left[i], right[i]))
        i++;
    printf("# %s: '%s', not '%s'\n", what, right[i] != NULL ? right[i] : "(nothing)",
           left[i] != NULL ? left[i] : "(nothing)");
    return false;
}
