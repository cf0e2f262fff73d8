/* Feeds bytes to each importer of other programs' traces and images, and to what unpacks them. What
 * is refused is refused with a line of text; what is accepted is a trace that the writer accepts.
 */
#include <stdint.h>
#include <string.h>

#include "image_import.h"
#include "import.h"
#include "trace_unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const GError *error)
{
    g_assert(error != NULL);
    g_assert(error->message[0] != '\0' && strchr(error->message, '\n') == NULL);
}

static PfTraceWriter *open_writer(void)
{
    g_autoptr(GError) error = NULL;
    PfTraceHeader header = {.page_bytes = PF_IMPORT_PAGE_BYTES};
    PfTraceWriter *writer = pf_trace_writer_new("/dev/null", PF_TRACE_TEXT, &header, &error);
    g_assert(writer != NULL);
    return writer;
}

static void finish(PfTraceWriter *writer)
{
    g_autoptr(GError) error = NULL;
    if (!pf_trace_writer_finish(writer, &error))
        g_error("an import that was accepted is not written: %s", error->message);
}

static void import_one(const PfImportFormat *format, const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTraceWriter) writer = open_writer();
    g_autoptr(PfInput) input = pf_input_new_bytes("fuzz", data, size);
    if (pf_import(format, input, "t0", 0, 833, writer, NULL, &error))
        finish(writer);
    else
        check_message(error);
}

/* Pages ascend, and belong to who the run says until it ends. */
static bool read_one(const PfImportFormat *format, const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    PfInput *input = pf_input_new_bytes("fuzz", data, size);
    g_autoptr(PfImageReader) reader = pf_image_reader_new(input, format, &error);
    PfImageRun run;
    PfTraceStatus status = PF_TRACE_ERROR;
    uint64_t next = 0;
    uint64_t mappings = 0;
    while (reader != NULL &&
           (status = pf_image_reader_next(reader, &run, &error)) == PF_TRACE_RECORDS) {
        g_assert(run.pages > 0 && run.pages <= run.extent_pages && run.address >= next);
        g_assert((run.bytes == NULL) != (run.hashes == NULL));
        next = run.address + run.pages * PF_IMPORT_PAGE_BYTES;
        g_assert(next > run.address);
        for (uint64_t i = 0; i < run.pages && run.hashes != NULL; i++)
            mappings += run.hashes[i].mappings;
    }
    if (status == PF_TRACE_ERROR)
        check_message(error);
    /* A million pages for a line are asked for easily. */
    return status == PF_TRACE_END && mappings < 100000;
}

/* The image twice, as two epochs of one context. */
static void tell_one(const PfImportFormat *format, const uint8_t *data, size_t size)
{
    g_autoptr(PfTraceWriter) writer = open_writer();
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "image", PF_CONTEXT_VM);
    const PfAddressRange skip = {4 * PF_IMPORT_PAGE_BYTES, 5 * PF_IMPORT_PAGE_BYTES};
    PfImageSummary summary = {0};
    uint64_t told = 0;
    for (int epoch = 0; epoch < 2; epoch++) {
        g_autoptr(GError) error = NULL;
        PfInput *input = pf_input_new_bytes("fuzz", data, size);
        g_autoptr(PfImageReader) reader = pf_image_reader_new(input, format, &error);
        PfImageOptions options = {
            .skips = &skip, .skip_count = 1, .is_hashed = true, .is_last = epoch == 1};
        bool good = pf_image_context_tell(context, reader, &options, &summary, &error);
        g_assert(good);
        if (epoch == 0)
            told = summary.told_pages;
    }
    g_assert(told == summary.told_pages);
    finish(writer);
}

static void unpack(const uint8_t *data, size_t size)
{
    const uint64_t unpacked_max = (uint64_t)1 << 24;
    g_autoptr(GError) error = NULL;
    g_autoptr(PfInput) input = pf_input_unpack(pf_input_new_bytes("fuzz", data, size), &error);
    size_t length = 1;
    while (input != NULL && length > 0 && pf_input_offset(input) < unpacked_max) {
        if (!pf_input_fill(input, 1, &error)) {
            check_message(error);
            return;
        }
        pf_input_window(input, &length);
        pf_input_consume(input, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const PfImportFormat *format;
    for (size_t i = 0; (format = pf_import_at(i)) != NULL; i++)
        if (!pf_import_is_image(format))
            import_one(format, data, size);
        else if (read_one(format, data, size))
            tell_one(format, data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfInput) input = pf_input_new_bytes("fuzz", data, size);
    if (pf_import_sniff(input, &error) == NULL)
        check_message(error);
    unpack(data, size);
    return 0;
}
