/* Frames of the binary form: headers, checksums, compression. */
#pragma once

#include <stdbool.h>

#include "binary_layout.h"

/* XXH64 of LENGTH bytes. */
uint64_t pf_checksum(const void *bytes, size_t length, uint64_t seed);

/* Fills BYTES (PF_FRAME_HEADER_BYTES) with HEADER and its checksum. */
void pf_frame_put_header(uint8_t *bytes, const PfFrameHeader *header, uint64_t seed);

/* Reads HEADER. Returns what is wrong with it, a constant, or NULL. */
const char *pf_frame_get_header(const uint8_t *bytes, uint64_t seed, PfFrameHeader *header);

/* Compression, one frame at a time; made once. */
typedef struct PfPacker PfPacker;

/* A compressor; some MiB. */
PfPacker *pf_packer_new(void);
void pf_packer_free(PfPacker *packer);

/* Compresses PAYLOAD (at most PF_FRAME_PAYLOAD_MAX) as far as HASTE allows, completes HEADER (kind,
 * count and first are given), and returns the compressed bytes, which live until the next call. */
const uint8_t *pf_packer_pack(PfPacker *packer, const uint8_t *payload, size_t length,
                              uint64_t seed, PfHaste haste, PfFrameHeader *header);

typedef struct PfUnpacker PfUnpacker;

/* A decompressor; some MiB. */
PfUnpacker *pf_unpacker_new(void);
void pf_unpacker_free(PfUnpacker *unpacker);

/* Decompresses the payload that HEADER speaks of from BYTES and returns it; it lives until the next
 * call and has PF_DECODER_SLACK_BYTES behind it. NULL, with a constant in RET_PROBLEM, on damage.
 */
const uint8_t *pf_unpacker_unpack(PfUnpacker *unpacker, const PfFrameHeader *header,
                                  const uint8_t *bytes, uint64_t seed, const char **ret_problem);

/* The index, as the writer builds it and the reader builds it again to compare. */

/* Appends the entry of a frame of KIND with COUNT records or contents, TOTAL_BYTES in the file, and
 * the time of its first `time` plus one, or 0. */
void pf_index_add(GByteArray *index, uint32_t kind, uint64_t total_bytes, uint32_t count,
                  uint64_t time_plus_one);

/* What the totals frame holds: u64 each. */
typedef struct {
    uint64_t contexts;
    uint64_t strings;
    uint64_t contents_by_form[PF_CONTENT_FORMS];
    uint64_t records_by_kind[PF_RECORD_KINDS];
} PfTotals;

enum { PF_TOTALS_BYTES = 8 * (2 + PF_CONTENT_FORMS + PF_RECORD_KINDS) };

/* Between the struct and PF_TOTALS_BYTES bytes. */
void pf_totals_put(uint8_t *bytes, const PfTotals *totals);
void pf_totals_get(const uint8_t *bytes, PfTotals *totals);
