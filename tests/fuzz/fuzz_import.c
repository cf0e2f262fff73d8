/* Feeds bytes to each importer of other programs' traces. What is refused is refused with a line of
 * text; what is accepted is a trace that the writer accepts. */
#include <stdint.h>
#include <string.h>

#include "image_reader.h"
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

static void read_one(const PfImportFormat *format, const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    PfInput *input = pf_input_new_bytes("fuzz", data, size);
    g_autoptr(PfImageReader) reader = pf_image_reader_new(input, format, &error);
    PfImageRun run;
    PfTraceStatus status = PF_TRACE_ERROR;
    uint64_t next = 0;
    while (reader != NULL &&
           (status = pf_image_reader_next(reader, &run, &error)) == PF_TRACE_RECORDS) {
        g_assert(run.pages > 0 && run.address >= next);
        g_assert((run.bytes == NULL) != (run.hashes == NULL));
        next = run.address + run.pages * PF_IMPORT_PAGE_BYTES;
    }
    g_assert((status == PF_TRACE_ERROR) == (error != NULL));
    g_assert(error == NULL || strchr(error->message, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        if (pf_import_is_image(format))
            read_one(format, data, size);
        else
            import_one(format, data, size);
    return 0;
}
