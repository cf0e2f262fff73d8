#include "trace_pieces.h"

#include <string.h>

#include "binary_frame.h"

/* A zstd frame of one raw block: magic, a header with the content's size, the block's header. */
static void append_raw_frame(GByteArray *file, const uint8_t *payload, uint32_t length)
{
    uint8_t header[12] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0};
    pf_put_u32(header + 5, length);
    header[9] = (uint8_t)(length << 3 | 1);
    header[10] = (uint8_t)(length >> 5);
    header[11] = (uint8_t)(length >> 13);
    g_byte_array_append(file, header, sizeof(header));
    g_byte_array_append(file, payload, length);
}

static void append_file_header(GByteArray *file, uint8_t page_shift, uint64_t *ret_seed)
{
    uint8_t header[PF_FILE_HEADER_BYTES + PF_CHECKSUM_BYTES] = {0};
    size_t checked = PF_FILE_HEADER_BYTES - PF_CHECKSUM_BYTES;
    memcpy(header, pf_binary_magic, PF_BINARY_MAGIC_BYTES);
    pf_put_u32(header + 8, PF_BINARY_VERSION);
    pf_put_u32(header + 12, 4U << page_shift % 20);
    *ret_seed = pf_checksum(header, checked, 0);
    pf_put_u64(header + checked, *ret_seed);
    pf_put_u64(header + checked + PF_CHECKSUM_BYTES, pf_checksum("", 0, *ret_seed));
    g_byte_array_append(file, header, sizeof(header));
}

GByteArray *trace_pieces_build(const uint8_t *data, size_t size)
{
    static const uint32_t kinds[] = {PF_FRAME_CONTENTS, PF_FRAME_RECORDS, PF_FRAME_INDEX,
                                     PF_FRAME_TOTALS};
    enum { PIECE_HEADER_BYTES = 4, RAW_HEADER_BYTES = 12 };
    GByteArray *file = g_byte_array_new();
    uint64_t seed;
    uint64_t firsts[G_N_ELEMENTS(kinds)] = {0};
    append_file_header(file, size > 0 ? data[0] : 0, &seed);
    for (size_t at = 1; at + PIECE_HEADER_BYTES < size;) {
        unsigned kind = data[at] % G_N_ELEMENTS(kinds);
        size_t length = data[at + 2] | (size_t)data[at + 3] << 8;
        size_t left = size - at - PIECE_HEADER_BYTES;
        length = MIN(MAX(length, 1), left);
        g_autoptr(GByteArray) frame = g_byte_array_new();
        append_raw_frame(frame, data + at + PIECE_HEADER_BYTES, (uint32_t)length);
        PfFrameHeader header = {.kind = kinds[kind],
                                .compressed_bytes = (uint32_t)length + RAW_HEADER_BYTES,
                                .payload_bytes = (uint32_t)length,
                                .count = data[at + 1],
                                .first = firsts[kind],
                                .payload_checksum = pf_checksum(frame->data, frame->len, seed)};
        firsts[kind] += header.count;
        uint8_t bytes[PF_FRAME_HEADER_BYTES];
        pf_frame_put_header(bytes, &header, seed);
        g_byte_array_append(file, bytes, sizeof(bytes));
        g_byte_array_append(file, frame->data, frame->len);
        at += PIECE_HEADER_BYTES + length;
    }
    return file;
}
