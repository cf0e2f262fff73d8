#include "import.h"

#include <string.h>

#include "error.h"
#include "import_format.h"
#include "trace_unpack.h"

/* Sorted, which is also the order in which they are asked whether an input looks like them, those
 * that can only be guessed behind all others. */
static const PfImportFormat *const formats[] = {
    &pf_import_champsim, &pf_import_dramsim3, &pf_import_elfcore,   &pf_import_hashes,
    &pf_import_lackey,   &pf_import_lime,     &pf_import_ramulator, &pf_import_raw,
};

/* What is known but cannot be read as it is, and the mend. */
static const struct {
    const char *magic;
    const char *problem;
} foreign[] = {
    {"KDUMP   ", "a dump that kdump has compressed; make it by dump-guest-memory without -z, -l "
                 "and -s, or unpack it by makedumpfile -E"},
    {"makedumpfile",
     "a flattened dump of makedumpfile; join it by makedumpfile -R, unpack it by -E"},
    {"PAGEDU", "a crash dump of Windows; convert it to a raw image"},
    {"QEVM", "the state of a machine as QEMU saves it; use pmemsave or dump-guest-memory"},
    {"\xd2\xbe\xd2\xbe", "a snapshot of VMware; use its .vmem, or vmss2core"},
    {"\xd0\xbe\xd2\xbe", "a snapshot of VMware; use its .vmem, or vmss2core"},
    {"\xd1\xba\xd1\xba", "a snapshot of VMware; use its .vmem, or vmss2core"},
    {"\xd3\xbe\xd3\xbe", "a snapshot of VMware; use its .vmem, or vmss2core"},
    {"AVML", "compressed by AVML; convert it by avml-convert"},
    {"pagefold-trace", "a trace of pagefold already"},
    {"\x89PFT", "a trace of pagefold already"},
};

const PfImportFormat *pf_import_at(size_t index)
{
    return index < G_N_ELEMENTS(formats) ? formats[index] : NULL;
}

const PfImportFormat *pf_import_find(const char *name)
{
    /* The name that is promised; the program is called DRAMsim3. */
    if (g_str_equal(name, "dramsim"))
        return &pf_import_dramsim3;
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

bool pf_import_has_cycles(const PfImportFormat *format)
{
    return format->has_cycles;
}

bool pf_import_is_image(const PfImportFormat *format)
{
    return format->image != NULL;
}

PfInput *pf_import_open(const char *path, GError **error)
{
    PfInput *input = pf_input_open(path, error);
    return input != NULL ? pf_input_unpack(input, error) : NULL;
}

const PfImportFormat *pf_import_sniff(PfInput *input, GError **error)
{
    if (!pf_input_fill(input, PF_IMPORT_SIGHT_BYTES, error))
        return NULL;
    PfImportSight sight = {.total = pf_input_length(input)};
    sight.bytes = pf_input_window(input, &sight.length);
    sight.length = MIN(sight.length, PF_IMPORT_SIGHT_BYTES);
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++)
        if (sight.length >= strlen(foreign[i].magic) &&
            memcmp(sight.bytes, foreign[i].magic, strlen(foreign[i].magic)) == 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: is %s", pf_input_name(input),
                        foreign[i].problem);
            return NULL;
        }
    for (int is_guessed = 0; is_guessed < 2; is_guessed++)
        for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
            if (formats[i]->is_guessed == is_guessed && formats[i]->looks(&sight))
                return formats[i];
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: looks like no format that is known; name its FORMAT if it is one of "
                "`pagefold list importers`",
                pf_input_name(input));
    return NULL;
}

static void open_context(const PfAccesses *accesses, const char *name)
{
    PfTraceDetail detail = {
        .name = name, .node = -1, .core = -1, .context_kind = PF_CONTEXT_PROCESS};
    pf_trace_writer_add(accesses->writer, &(PfRecord){.kind = PF_RECORD_CONTEXT,
                                                      .context = accesses->context,
                                                      .content = PF_TRACE_NO_CONTENT,
                                                      .detail = &detail});
}

bool pf_import(const PfImportFormat *format, PfInput *input, const char *name, uint32_t context,
               uint64_t cycle_ps, PfTraceWriter *writer, const int *interrupted, GError **error)
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
    open_context(&accesses, name);
    if (!format->take(&accesses, input, error))
        return false;
    if (accesses.records > 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: holds no access", pf_input_name(input));
    return false;
}
