#include "image_pieces.h"

#include "error.h"

/* Read at a time: few enough to stay in a core's cache until they are hashed. */
enum { RUN_BYTES = 64 * PF_IMPORT_PAGE_BYTES };

uint64_t pf_image_piece_align(PfImagePiece *piece)
{
    const uint64_t mask = PF_IMPORT_PAGE_BYTES - 1;
    uint64_t head = (0 - piece->address) & mask;
    uint64_t end = piece->address + piece->bytes;
    uint64_t partial = (uint64_t)(head != 0) + (uint64_t)((end & mask) != 0);
    /* Both ends lie in one page. */
    if (piece->bytes == 0 || piece->bytes < head + (end & mask)) {
        piece->bytes = 0;
        return partial > 0;
    }
    piece->address += head;
    piece->offset += head;
    piece->bytes -= head + (end & mask);
    return partial;
}

static void fail_short(const PfInput *input, size_t length, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: at byte %" G_GUINT64_FORMAT ": the image ends here and should not; it is cut "
                "short",
                pf_input_name(input), pf_input_offset(input) + length);
}

bool pf_image_skip_to(PfInput *input, uint64_t offset, GError **error)
{
    g_assert(pf_input_offset(input) <= offset);
    while (pf_input_offset(input) < offset) {
        size_t length;
        if (!pf_input_fill(input, 1, error))
            return false;
        pf_input_window(input, &length);
        if (length == 0) {
            fail_short(input, length, error);
            return false;
        }
        pf_input_consume(input, (size_t)MIN(offset - pf_input_offset(input), (uint64_t)length));
    }
    return true;
}

bool pf_image_piece_next(PfImagePiece *piece, uint64_t end, PfInput *input, PfImageRun *ret_run,
                         GError **error)
{
    g_assert(piece->bytes > 0 && end > piece->address);
    if (!pf_image_skip_to(input, piece->offset, error) ||
        !pf_input_fill(input, PF_IMPORT_PAGE_BYTES, error))
        return false;
    size_t length;
    ret_run->bytes = pf_input_window(input, &length);
    if (length < PF_IMPORT_PAGE_BYTES) {
        fail_short(input, length, error);
        return false;
    }
    uint64_t left = MIN(piece->bytes, end - piece->address);
    length = (size_t)MIN(MIN((uint64_t)length, left), (uint64_t)RUN_BYTES);
    length -= length % PF_IMPORT_PAGE_BYTES;
    ret_run->address = piece->address;
    ret_run->pages = length / PF_IMPORT_PAGE_BYTES;
    ret_run->extent_pages = left / PF_IMPORT_PAGE_BYTES;
    pf_input_consume(input, length);
    piece->address += length;
    piece->offset += length;
    piece->bytes -= length;
    return true;
}
