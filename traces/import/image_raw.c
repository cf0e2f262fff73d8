#include "error.h"
#include "image_pieces.h"

typedef struct {
    PfImagePiece rest;
} Raw;

static void *open_raw(PfInput *input, GError **error)
{
    (void)error;
    Raw *raw = g_new0(Raw, 1);
    /* Of what is unpacked, or comes through a pipe, the end is not known yet. */
    uint64_t length = pf_input_length(input);
    raw->rest.bytes = length > 0 ? length : UINT64_MAX - (PF_IMPORT_PAGE_BYTES - 1);
    raw->rest.bytes -= raw->rest.bytes % PF_IMPORT_PAGE_BYTES;
    return raw;
}

static PfTraceStatus next_raw(void *self, PfInput *input, PfImageRun *ret_run, GError **error)
{
    Raw *raw = self;
    size_t length;
    if (!pf_input_fill(input, PF_IMPORT_PAGE_BYTES, error))
        return PF_TRACE_ERROR;
    pf_input_window(input, &length);
    if (length == 0)
        return PF_TRACE_END;
    if (length < PF_IMPORT_PAGE_BYTES) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: at byte %" G_GUINT64_FORMAT
                    ": ends within a page of %d bytes; a raw image is whole pages",
                    pf_input_name(input), pf_input_offset(input) + length, PF_IMPORT_PAGE_BYTES);
        return PF_TRACE_ERROR;
    }
    if (raw->rest.bytes == 0)
        raw->rest.bytes = PF_IMPORT_PAGE_BYTES; /* the file has grown */
    if (!pf_image_piece_next(&raw->rest, UINT64_MAX, input, ret_run, error))
        return PF_TRACE_ERROR;
    if (pf_input_length(input) == 0)
        ret_run->extent_pages = ret_run->pages;
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
    .is_guessed = true,
    .image = &form,
};
