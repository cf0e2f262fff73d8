/* Stretches of an image that stand one after the other in its file, read as whole pages. */
#pragma once

#include "import_format.h"

/* Bytes of the image from `address` on, which stand from `offset` on in the file. */
typedef struct {
    uint64_t address;
    uint64_t offset;
    uint64_t bytes;
} PfImagePiece;

/* Shortens PIECE to its whole pages. Returns how many pages only a part of is in it. */
uint64_t pf_image_piece_align(PfImagePiece *piece);

/* Moves INPUT on to OFFSET, which is not behind it. False where it ends before, or cannot be read.
 */
bool pf_image_skip_to(PfInput *input, uint64_t offset, GError **error);

/* The next pages of PIECE, which is aligned, into RET_RUN; PIECE is then what is left. At most up
 * to address END. False with ERROR set, also where the input ends within the piece. */
bool pf_image_piece_next(PfImagePiece *piece, uint64_t end, PfInput *input, PfImageRun *ret_run,
                         GError **error);

/* The little-endian number at BYTES, which need not be aligned. */
static inline uint16_t pf_image_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t pf_image_u32(const uint8_t *bytes)
{
    return (uint32_t)pf_image_u16(bytes) | (uint32_t)pf_image_u16(bytes + 2) << 16;
}

static inline uint64_t pf_image_u64(const uint8_t *bytes)
{
    return (uint64_t)pf_image_u32(bytes) | (uint64_t)pf_image_u32(bytes + 4) << 32;
}
