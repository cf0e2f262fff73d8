#include "tell.h"

#include "tell_internal.h"

static void tell_context(const Telling *telling, uint32_t number)
{
    const PfImageContext *context = pf_image_context(telling->image, number);
    PfTraceDetail detail = {.name = context->name,
                            .text = context->label,
                            .user = context->user,
                            .number = context->memory_bytes,
                            .node = context->node,
                            .core = context->core,
                            .context_kind = context->kind};
    PfRecord record = {.kind = PF_RECORD_CONTEXT,
                       .context = telling->options->numbers[number],
                       .content = PF_TRACE_NO_CONTENT,
                       .detail = &detail};
    pf_trace_writer_add(telling->options->writer, &record);
    if (context->alive)
        return;
    /* Its number counts: others have theirs, and with it their cores, from it. */
    PfRecord exited = {.kind = PF_RECORD_EXIT,
                       .context = record.context,
                       .content = PF_TRACE_NO_CONTENT};
    pf_trace_writer_add(telling->options->writer, &exited);
}

static void tell_regions(Telling *telling, uint32_t context)
{
    const PfRegionList *regions = pf_maps_regions(telling->options->maps, context);
    for (unsigned i = 0; i < pf_region_list_count(regions); i++) {
        const PfRegion *region = pf_region_list_at(regions, i);
        tell_region(telling, (Spot){context, region->first}, region, region->first,
                    region->end.number - region->first.number);
    }
}

void pf_tell_memory(const PfTellOptions *options)
{
    Telling telling = {.options = options,
                       .image = options->walk->image,
                       .page_shift = pf_image_page_shift(options->walk->image),
                       .spots = g_array_new(FALSE, FALSE, sizeof(Spot)),
                       .stands = g_array_new(FALSE, FALSE, sizeof(Stand))};
    uint32_t contexts = pf_image_context_count(telling.image);
    pf_image_reader_init(&telling.reader, telling.image);
    tell_pins_prepare(&telling);
    for (uint32_t c = 0; c < contexts; c++)
        if (is_kept(&telling, c))
            tell_context(&telling, c);
    tell_pins_crooked(&telling);
    for (uint32_t c = 0; c < contexts; c++)
        if (is_kept(&telling, c))
            tell_regions(&telling, c);
    tell_pages(&telling);
    tell_pins_straight(&telling);
    pf_image_reader_clear(&telling.reader);
    pf_table_clear(&telling.leaders);
    pf_table_clear(&telling.members);
    pf_table_clear(&telling.crooked);
    pf_table_clear(&telling.stand_of);
    pf_table_clear(&telling.told_files);
    g_array_unref(telling.spots);
    g_array_unref(telling.stands);
    g_free(telling.holes);
}
