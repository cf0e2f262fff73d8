#include "error.h"
#include "import_format.h"

/* Read at a time: few enough to stay in a core's cache until they are hashed. */
enum { RUN_BYTES = 64 * PF_IMPORT_PAGE_BYTES };

typedef struct {
    uint64_t address;
} Raw;

static void *open_raw(PfInput *input, GError **error)
{
    (void)input;
    (void)error;
    return g_new0(Raw, 1);
}

static PfTraceStatus next_raw(void *self, PfInput *input, PfImageRun *ret_run, GError **error)
{
    Raw *raw = self;
    if (!pf_input_fill(input, RUN_BYTES, error))
        return PF_TRACE_ERROR;
    size_t length;
    ret_run->bytes = pf_input_window(input, &length);
    if (length == 0)
        return PF_TRACE_END;
    length = MIN(length, RUN_BYTES);
    ret_run->address = raw->address;
    ret_run->pages = length / PF_IMPORT_PAGE_BYTES;
    if (length % PF_IMPORT_PAGE_BYTES != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: at byte %" G_GUINT64_FORMAT
                    ": ends within a page of %d bytes; a raw image is whole pages",
                    pf_input_name(input), pf_input_offset(input) + length, PF_IMPORT_PAGE_BYTES);
        return PF_TRACE_ERROR;
    }
    pf_input_consume(input, length);
    raw->address += length;
    return PF_TRACE_RECORDS;
}

static bool looks(const PfImportSight *sight)
{
    return sight->length >= PF_IMPORT_PAGE_BYTES && sight->total % PF_IMPORT_PAGE_BYTES == 0;
}

static const PfImageForm form = {.open = open_raw, .next = next_raw, .close = g_free};

const PfImportFormat pf_import_raw = {
    .name = "raw",
    .summary = "physical memory, byte n at address n (pmemsave, .vmem)",
    .looks = looks,
    .image = &form,
};
