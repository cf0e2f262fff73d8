/* The binary form's bytes: numbers that docs/trace-format.md promises, and how integers are laid.
 *
 * A file is a header, frames, and a trailer. All integers of fixed size are little-endian. All
 * checksums are XXH64, seeded with the checksum of the file's fixed header (that one with 0), so
 * that a frame of another file is not taken for one of this. */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "trace.h"

enum { PF_BINARY_MAGIC_BYTES = 8, PF_BINARY_VERSION = 1 };

/* The first byte is no text; the line ends show a copy in text mode. */
static const uint8_t pf_binary_magic[PF_BINARY_MAGIC_BYTES] = {0x89, 'P',  'F',  'T',
                                                               '\r', '\n', 0x1a, '\n'};

/* File header: magic, u32 version, u32 page bytes, u64 clock, u32 description length, u32 0,
 * u64 checksum of these 32 bytes; description; u64 checksum of the description. */
enum { PF_FILE_HEADER_BYTES = 40, PF_CHECKSUM_BYTES = 8 };

/* Frame header: u32 kind, u32 compressed bytes, u32 payload bytes, u32 count, u64 first, u64
 * checksum of the compressed payload, u64 checksum of these 32 bytes. */
enum { PF_FRAME_HEADER_BYTES = 40, PF_FRAME_PAYLOAD_MAX = 1 << 20 };

/* Kinds of frames: what they begin with, read as a little-endian number. */
#define PF_FRAME_CONTENTS 0x4e435450U /* "PTCN": count contents from number first on */
#define PF_FRAME_RECORDS  0x43525450U /* "PTRC": count records from number first on */
#define PF_FRAME_INDEX    0x58495450U /* "PTIX": a part of the index, from its byte first on */
#define PF_FRAME_TOTALS   0x4f545450U /* "PTTO": count records by kind and more */
#define PF_FRAME_TRAILER  0x45545450U /* "PTTE": the trailer, no frame but told apart alike */

/* Trailer: u32 kind, u32 0, u64 offset of the first index frame, u64 records, u64 checksum of these
 * 24 bytes. Nothing comes after it. */
enum { PF_TRAILER_BYTES = 32 };

typedef struct {
    uint32_t kind;
    uint32_t compressed_bytes;
    uint32_t payload_bytes;
    uint32_t count;
    uint64_t first;
    uint64_t payload_checksum;
} PfFrameHeader;

/* The payload of a record frame: the lengths of its columns as eight u32, then the columns. */
typedef enum {
    PF_COLUMN_TAGS,
    PF_COLUMN_ADDRESSES,
    PF_COLUMN_SIZES,
    PF_COLUMN_VALUE_CODES,
    PF_COLUMN_VALUES,
    PF_COLUMN_VIRTUAL_CODES,
    PF_COLUMN_VIRTUALS,
    PF_COLUMN_RARE,
    PF_COLUMN_COUNT
} PfColumn;

enum { PF_COLUMNS_HEADER_BYTES = PF_COLUMN_COUNT * 4 };

/* Tags. An access has (class * 6 + size code) * 7 + address code, a run of n instructions
 * PF_TAG_RUN + code for 1, 2, 4 or 8 bytes of n; the others have an entry in the column of rare
 * things. */
enum {
    PF_TAG_CLASSES = 5, /* read, dependent read, write, write with value, fetch */
    PF_TAG_SIZES = 6,   /* 1, 2, 4, 8 bytes; a byte, four bytes of size in their column */
    PF_TAG_ADDRESSES = 7,
    PF_TAG_RUN = PF_TAG_CLASSES * PF_TAG_SIZES * PF_TAG_ADDRESSES,
    PF_TAG_HOT_END = PF_TAG_RUN + 4,
    PF_TAG_SWITCH = 240, /* no record: the context of what follows */
    PF_TAG_RARE = 241,
    PF_TAG_VIRTUAL_ON = 242, /* no record: accesses that follow have virtual addresses */
    PF_TAG_VIRTUAL_OFF = 243,
};

/* Bytes of an address difference by address code. */
static const uint8_t pf_tag_address_bytes[PF_TAG_ADDRESSES] = {0, 1, 2, 3, 4, 6, 8};

/* What a value is the difference to: the high half of its code; the low half is its bytes. */
typedef enum {
    PF_VALUE_PLAIN,    /* not a difference */
    PF_VALUE_PREVIOUS, /* the value that the context wrote before */
    PF_VALUE_ADDRESS,  /* the address written to */
    PF_VALUE_FETCH,    /* the address that the context fetched from last */
    PF_VALUE_BASES
} PfValueBase;

/* Little-endian integers, at any address. */
static inline void pf_put_u32(uint8_t *bytes, uint32_t number)
{
    number = GUINT32_TO_LE(number);
    memcpy(bytes, &number, sizeof(number));
}

/* Stores NUMBER in 8 bytes. */
static inline void pf_put_u64(uint8_t *bytes, uint64_t number)
{
    number = GUINT64_TO_LE(number);
    memcpy(bytes, &number, sizeof(number));
}

/* Loads 4 bytes. */
static inline uint32_t pf_get_u32(const uint8_t *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof(number));
    return GUINT32_FROM_LE(number);
}

/* Loads 8 bytes. */
static inline uint64_t pf_get_u64(const uint8_t *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof(number));
    return GUINT64_FROM_LE(number);
}

/* Signed differences as small numbers: 0, -1, 1, -2 ... become 0, 1, 2, 3 ... */
static inline uint64_t pf_zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

/* The difference that NUMBER stands for. */
static inline uint64_t pf_unzigzag(uint64_t number)
{
    return number >> 1 ^ (0 - (number & 1));
}

/* Bytes that NUMBER needs; none for 0. */
static inline unsigned pf_bytes_needed(uint64_t number)
{
    return number == 0 ? 0 : (71U - (unsigned)__builtin_clzll(number)) / 8;
}

/* The lowest BYTES (0 to 8) bytes. */
static inline uint64_t pf_mask_bytes(unsigned bytes)
{
    return bytes == 0 ? 0 : UINT64_MAX >> (64 - 8 * bytes);
}
