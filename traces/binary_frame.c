#include "binary_frame.h"

#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#include "binary_decode.h"

/* Higher levels cost four times the time for some percent of the size. */
static const int levels[] = {[PF_HASTE_NONE] = 3, [PF_HASTE_SOME] = -1, [PF_HASTE_MOST] = -100};

/* By what a frame holds in eight places it is known whether haste pays for compressing it. */
enum { SAMPLES = 8, SAMPLE_BYTES = 4096, SAMPLED_BYTES = SAMPLES * SAMPLE_BYTES };

/* The zstd frame of blocks that are not compressed (RFC 8878, 3.1.1): magic number, a descriptor
 * for a single segment with a content size of four bytes, and three bytes before each block. */
enum {
    STORED_HEADER_BYTES = 9,
    STORED_BLOCK_MAX = 1 << 17,
    STORED_DESCRIPTOR = 0xA0,
};

enum { HEADER_CHECKED_BYTES = PF_FRAME_HEADER_BYTES - PF_CHECKSUM_BYTES };

uint64_t pf_checksum(const void *bytes, size_t length, uint64_t seed)
{
    return XXH64(bytes, length, seed);
}

void pf_frame_put_header(uint8_t *bytes, const PfFrameHeader *header, uint64_t seed)
{
    pf_put_u32(bytes, header->kind);
    pf_put_u32(bytes + 4, header->compressed_bytes);
    pf_put_u32(bytes + 8, header->payload_bytes);
    pf_put_u32(bytes + 12, header->count);
    pf_put_u64(bytes + 16, header->first);
    pf_put_u64(bytes + 24, header->payload_checksum);
    pf_put_u64(bytes + 32, pf_checksum(bytes, HEADER_CHECKED_BYTES, seed));
}

const char *pf_frame_get_header(const uint8_t *bytes, uint64_t seed, PfFrameHeader *header)
{
    if (pf_get_u64(bytes + 32) != pf_checksum(bytes, HEADER_CHECKED_BYTES, seed))
        return "the checksum of a frame's header is wrong";
    *header = (PfFrameHeader){.kind = pf_get_u32(bytes),
                              .compressed_bytes = pf_get_u32(bytes + 4),
                              .payload_bytes = pf_get_u32(bytes + 8),
                              .count = pf_get_u32(bytes + 12),
                              .first = pf_get_u64(bytes + 16),
                              .payload_checksum = pf_get_u64(bytes + 24)};
    if (header->kind != PF_FRAME_CONTENTS && header->kind != PF_FRAME_RECORDS &&
        header->kind != PF_FRAME_INDEX && header->kind != PF_FRAME_TOTALS)
        return "a frame of an unknown kind";
    if (header->payload_bytes == 0 || header->payload_bytes > PF_FRAME_PAYLOAD_MAX ||
        header->compressed_bytes > ZSTD_COMPRESSBOUND(PF_FRAME_PAYLOAD_MAX))
        return "a frame of a size that cannot be";
    return NULL;
}

struct PfPacker {
    ZSTD_CCtx *context;
    uint8_t bytes[ZSTD_COMPRESSBOUND(PF_FRAME_PAYLOAD_MAX)];
};

PfPacker *pf_packer_new(void)
{
    PfPacker *packer = g_new0(PfPacker, 1);
    packer->context = ZSTD_createCCtx();
    g_assert(packer->context != NULL);
    return packer;
}

void pf_packer_free(PfPacker *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->context);
    g_free(packer);
}

/* Compresses LENGTH bytes of PAYLOAD into PACKER. */
static size_t compress(PfPacker *packer, const uint8_t *payload, size_t length, PfHaste haste)
{
    size_t packed = ZSTD_compressCCtx(packer->context, packer->bytes, sizeof(packer->bytes),
                                      payload, length, levels[haste]);
    g_assert(!ZSTD_isError(packed));
    return packed;
}

/* Whether compressing PAYLOAD would save less than an eighth, as far as samples tell. */
static bool is_dense(PfPacker *packer, const uint8_t *payload, size_t length, PfHaste haste)
{
    if (length < 2 * SAMPLED_BYTES)
        return false;
    uint8_t samples[SAMPLED_BYTES];
    size_t step = (length - SAMPLE_BYTES) / (SAMPLES - 1);
    for (size_t i = 0; i < SAMPLES; i++)
        memcpy(samples + i * SAMPLE_BYTES, payload + i * step, SAMPLE_BYTES);
    return compress(packer, samples, sizeof(samples), haste) > SAMPLED_BYTES - SAMPLED_BYTES / 8;
}

/* Puts PAYLOAD into PACKER as a frame of zstd that is not compressed. */
static size_t store(PfPacker *packer, const uint8_t *payload, size_t length)
{
    uint8_t *end = packer->bytes;
    pf_put_u32(end, ZSTD_MAGICNUMBER);
    end[4] = STORED_DESCRIPTOR;
    pf_put_u32(end + 5, (uint32_t)length);
    end += STORED_HEADER_BYTES;
    while (length > 0) {
        size_t part = MIN(length, (size_t)STORED_BLOCK_MAX);
        uint32_t block = (uint32_t)part << 3 | (part == length ? 1 : 0);
        end[0] = (uint8_t)block;
        end[1] = (uint8_t)(block >> 8);
        end[2] = (uint8_t)(block >> 16);
        memcpy(end + 3, payload, part);
        end += 3 + part;
        payload += part;
        length -= part;
    }
    return (size_t)(end - packer->bytes);
}

const uint8_t *pf_packer_pack(PfPacker *packer, const uint8_t *payload, size_t length,
                              uint64_t seed, PfHaste haste, PfFrameHeader *header)
{
    g_assert(length > 0);
    g_assert(length <= PF_FRAME_PAYLOAD_MAX);
    size_t packed = haste != PF_HASTE_NONE && is_dense(packer, payload, length, haste)
                        ? store(packer, payload, length)
                        : compress(packer, payload, length, haste);
    header->compressed_bytes = (uint32_t)packed;
    header->payload_bytes = (uint32_t)length;
    header->payload_checksum = pf_checksum(packer->bytes, packed, seed);
    return packer->bytes;
}

struct PfUnpacker {
    ZSTD_DCtx *context;
    uint8_t bytes[PF_FRAME_PAYLOAD_MAX + PF_DECODER_SLACK_BYTES];
};

PfUnpacker *pf_unpacker_new(void)
{
    PfUnpacker *unpacker = g_new0(PfUnpacker, 1);
    unpacker->context = ZSTD_createDCtx();
    g_assert(unpacker->context != NULL);
    return unpacker;
}

void pf_unpacker_free(PfUnpacker *unpacker)
{
    if (unpacker == NULL)
        return;
    ZSTD_freeDCtx(unpacker->context);
    g_free(unpacker);
}

const uint8_t *pf_unpacker_unpack(PfUnpacker *unpacker, const PfFrameHeader *header,
                                  const uint8_t *bytes, uint64_t seed, const char **ret_problem)
{
    if (pf_checksum(bytes, header->compressed_bytes, seed) != header->payload_checksum) {
        *ret_problem = "the checksum of a frame is wrong";
        return NULL;
    }
    size_t length = ZSTD_decompressDCtx(unpacker->context, unpacker->bytes, header->payload_bytes,
                                        bytes, header->compressed_bytes);
    if (ZSTD_isError(length) || length != header->payload_bytes) {
        *ret_problem = "a frame cannot be decompressed";
        return NULL;
    }
    return unpacker->bytes;
}

static void add_number(GByteArray *index, uint64_t number)
{
    for (;;) {
        uint8_t byte = (uint8_t)(number & 0x7f);
        number >>= 7;
        if (number != 0)
            byte |= 0x80;
        g_byte_array_append(index, &byte, 1);
        if (number == 0)
            return;
    }
}

void pf_index_add(GByteArray *index, uint32_t kind, uint64_t total_bytes, uint32_t count,
                  uint64_t time_plus_one)
{
    add_number(index, kind == PF_FRAME_RECORDS ? 1 : 0);
    add_number(index, total_bytes);
    add_number(index, count);
    if (kind == PF_FRAME_RECORDS)
        add_number(index, time_plus_one);
}

void pf_totals_put(uint8_t *bytes, const PfTotals *totals)
{
    pf_put_u64(bytes, totals->contexts);
    pf_put_u64(bytes + 8, totals->strings);
    bytes += 16;
    for (unsigned i = 0; i < PF_CONTENT_FORMS; i++, bytes += 8)
        pf_put_u64(bytes, totals->contents_by_form[i]);
    for (unsigned i = 0; i < PF_RECORD_KINDS; i++, bytes += 8)
        pf_put_u64(bytes, totals->records_by_kind[i]);
}

void pf_totals_get(const uint8_t *bytes, PfTotals *totals)
{
    totals->contexts = pf_get_u64(bytes);
    totals->strings = pf_get_u64(bytes + 8);
    bytes += 16;
    for (unsigned i = 0; i < PF_CONTENT_FORMS; i++, bytes += 8)
        totals->contents_by_form[i] = pf_get_u64(bytes);
    for (unsigned i = 0; i < PF_RECORD_KINDS; i++, bytes += 8)
        totals->records_by_kind[i] = pf_get_u64(bytes);
}
