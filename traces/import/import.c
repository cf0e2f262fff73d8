#include "import.h"

#include "error.h"
#include "import_format.h"

/* Sorted, which is also the order in which they are asked whether an input looks like them; raw,
 * which has nothing to be known by, is the last. */
static const PfImportFormat *const formats[] = {
    &pf_import_dramsim3, &pf_import_hashes, &pf_import_lackey, &pf_import_ramulator, &pf_import_raw,
};

const PfImportFormat *pf_import_at(size_t index)
{
    return index < G_N_ELEMENTS(formats) ? formats[index] : NULL;
}

const PfImportFormat *pf_import_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (g_str_equal(formats[i]->name, name))
            return formats[i];
    return NULL;
}

const char *pf_import_name(const PfImportFormat *format)
{
    return format->name;
}

const char *pf_import_summary(const PfImportFormat *format)
{
    return format->summary;
}

bool pf_import_is_image(const PfImportFormat *format)
{
    return format->image != NULL;
}

const PfImportFormat *pf_import_sniff(PfInput *input, GError **error)
{
    if (!pf_input_fill(input, PF_IMPORT_SIGHT_BYTES, error))
        return NULL;
    PfImportSight sight = {.total = pf_input_length(input)};
    sight.bytes = pf_input_window(input, &sight.length);
    sight.length = MIN(sight.length, PF_IMPORT_SIGHT_BYTES);
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i]->looks(&sight))
            return formats[i];
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: looks like no format that is known; name its FORMAT if it is one",
                pf_input_name(input));
    return NULL;
}

static void open_context(const PfAccesses *accesses)
{
    g_autofree char *name = g_strdup_printf("t%u", accesses->context);
    PfTraceDetail detail = {
        .name = name, .node = -1, .core = -1, .context_kind = PF_CONTEXT_PROCESS};
    pf_trace_writer_add(accesses->writer, &(PfRecord){.kind = PF_RECORD_CONTEXT,
                                                      .context = accesses->context,
                                                      .content = PF_TRACE_NO_CONTENT,
                                                      .detail = &detail});
}

bool pf_import(const PfImportFormat *format, PfInput *input, uint32_t context, uint64_t cycle_ps,
               PfTraceWriter *writer, const int *interrupted, GError **error)
{
    g_assert(cycle_ps > 0);
    g_assert(format->take != NULL);
    g_autoptr(GHashTable) chunks = g_hash_table_new(NULL, NULL);
    PfAccesses accesses = {.writer = writer,
                           .chunks = chunks,
                           .last_chunk = UINT64_MAX,
                           .context = context,
                           .cycle_ps = cycle_ps,
                           .interrupted = interrupted};
    open_context(&accesses);
    return format->take(&accesses, input, error);
}
