/* Linux Memory Extractor: ranges of physical memory, each behind a header of 32 bytes (lime.h of
 * github.com/504ensicsLabs/LiME): magic, version, first and last address, reserved. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "image_pieces.h"

enum { HEADER_BYTES = 32, VERSION = 1 };

static const uint8_t magic[4] = {'E', 'M', 'i', 'L'};

typedef struct {
    PfImagePiece range;
    uint64_t end;         /* of the range, in the file */
    uint64_t address_min; /* of the next range */
    uint64_t partial_pages;
} Lime;

static void *open_lime(PfInput *input, GError **error)
{
    (void)input;
    (void)error;
    return g_new0(Lime, 1);
}

/* What is wrong with the header at BYTES, or NULL. */
static const char *read_header(Lime *lime, const uint8_t *bytes)
{
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return "no header of LiME where one should be";
    if (pf_image_u32(bytes + 4) != VERSION)
        return "a header of LiME of another version than 1";
    uint64_t first = pf_image_u64(bytes + 8);
    uint64_t last = pf_image_u64(bytes + 16);
    if (first < lime->address_min)
        return "a range of LiME that begins before the end of the one before";
    if (last < first || last > INT64_MAX)
        return "a range of LiME that ends before it begins, or too high";
    lime->range.address = first;
    lime->range.bytes = last - first + 1;
    lime->address_min = last + 1;
    return NULL;
}

/* Moves on to the next range. RET_ENDED: there is none. */
static bool next_range(Lime *lime, PfInput *input, bool *ret_ended, GError **error)
{
    if (!pf_image_skip_to(input, lime->end, error) || !pf_input_fill(input, HEADER_BYTES, error))
        return false;
    size_t length;
    const uint8_t *bytes = pf_input_window(input, &length);
    *ret_ended = length == 0;
    if (length == 0)
        return true;
    const char *problem =
        length < HEADER_BYTES ? "the image ends within a header of LiME" : read_header(lime, bytes);
    if (problem != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: at byte %" PRIu64 ": %s",
                    pf_input_name(input), pf_input_offset(input), problem);
        return false;
    }
    lime->range.offset = pf_input_offset(input) + HEADER_BYTES;
    lime->end = lime->range.offset + lime->range.bytes;
    lime->partial_pages += pf_image_piece_align(&lime->range);
    return true;
}

static PfTraceStatus next_lime(void *self, PfInput *input, PfImageRun *ret_run, GError **error)
{
    Lime *lime = self;
    while (lime->range.bytes == 0) {
        bool ended;
        if (!next_range(lime, input, &ended, error))
            return PF_TRACE_ERROR;
        if (ended)
            return PF_TRACE_END;
    }
    return pf_image_piece_next(&lime->range, UINT64_MAX, input, ret_run, error) ? PF_TRACE_RECORDS
                                                                                : PF_TRACE_ERROR;
}

static uint64_t partial_pages(const void *self)
{
    return ((const Lime *)self)->partial_pages;
}

static bool looks(const PfImportSight *sight)
{
    return sight->length >= sizeof magic && memcmp(sight->bytes, magic, sizeof magic) == 0;
}

static const PfImageForm form = {
    .open = open_lime, .next = next_lime, .close = g_free, .partial_pages = partial_pages};

const PfImportFormat pf_import_lime = {
    .name = "lime",
    .summary = "physical memory as the LiME module dumps it",
    .looks = looks,
    .image = &form,
};
