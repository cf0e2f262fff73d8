/* Feeds bytes to each importer of other programs' traces. What is refused is refused with a line of
 * text; what is accepted is a trace that the writer accepts. */
#include <stdint.h>
#include <string.h>

#include "import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void import_one(const PfImportFormat *format, const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES};
    g_autoptr(PfTraceWriter) writer =
        pf_trace_writer_new("/dev/null", PF_TRACE_BINARY, &header, &error);
    g_assert(writer != NULL);
    g_autoptr(PfInput) input = pf_input_new_bytes("fuzz", data, size);
    if (!pf_import(format, input, 0, 833, writer, NULL, &error)) {
        g_assert(error->message[0] != '\0' && strchr(error->message, '\n') == NULL);
        return;
    }
    if (!pf_trace_writer_finish(writer, &error))
        g_error("an import that was accepted is not written: %s", error->message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (const char *const *name = pf_import_names; *name != NULL; name++)
        import_one(pf_import_find(*name), data, size);
    return 0;
}
