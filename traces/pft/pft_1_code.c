/* pft.c: writes and reads binary traces of pagefold; pft.h says how it is used.
 *
 * This file is put together of seven parts: bytes and frames (pft_1_code.c), records and their
 * rules (pft_2_record.c, pft_3_fields.c), the writer (pft_4_write.c, pft_5_tell.c), and the reader
 * (pft_6_read.c, pft_7_next.c). docs/trace-format.md describes the format;
 * nothing here depends on the byte order or the word size of the machine. MIT licence. */
#define _FILE_OFFSET_BITS 64 /* traces have more than 2 GiB, on machines of 32 bits too */

#include "pft.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifdef PFT_WITH_ZSTD
#include <zstd.h>
#endif

enum {
    FILE_HEADER_BYTES = 40,
    FRAME_HEADER_BYTES = 40,
    CHECKSUM_BYTES = 8,
    TRAILER_BYTES = 32,
    PAYLOAD_BYTES_MAX = 1 << 20,
    PACKED_BYTES_MAX = PAYLOAD_BYTES_MAX + PAYLOAD_BYTES_MAX / 256, /* as zstd promises */
    DESCRIPTION_BYTES_MAX = 1 << 20,
    STRING_BYTES_MAX = 1 << 28, /* of all names and labels */
    SLACK_BYTES = 64            /* behind buffers: integers move in eights */
};

/* What frames begin with, as little-endian numbers. */
#define FRAME_CONTENTS 0x4e435450U /* PTCN */
#define FRAME_RECORDS  0x43525450U /* PTRC */
#define FRAME_INDEX    0x58495450U /* PTIX */
#define FRAME_TOTALS   0x4f545450U /* PTTO */
#define FRAME_TRAILER  0x45545450U /* PTTE */

static const uint8_t magic[8] = {0x89, 'P', 'F', 'T', '\r', '\n', 0x1a, '\n'};

enum { TAGS, ADDRESSES, SIZES, VALUE_CODES, VALUES, VIRTUAL_CODES, VIRTUALS, RARE, COLUMNS };
enum { TAG_RUN = 210, TAG_HOT_END = 214, TAG_SWITCH = 240, TAG_RARE, TAG_VIRTUAL, TAG_NO_VIRTUAL };
enum { TOTAL_CONTEXTS, TOTAL_STRINGS, TOTAL_FORMS, TOTAL_KINDS = TOTAL_FORMS + PFT_FORMS };
enum { TOTALS = TOTAL_KINDS + PFT_KINDS, VIRTUAL_ENTRIES = 256 };

/* Things by digest, numbered as they come. */
typedef struct {
    uint64_t low;
    uint64_t high;
    uint64_t number_plus_one;
} Slot;

typedef struct {
    Slot *slots;
    size_t room;
    uint32_t count;
} Table;

/* A context, and what differences refer to while `frame` is the frame at hand. */
typedef struct {
    uint64_t frame;
    uint64_t address[3]; /* of the previous read, write, fetch */
    uint64_t value;
    uint64_t page;
    bool is_alive;
} Context;

/* What writing and reading have in common. */
typedef struct {
    bool is_writing;
    bool has_failed;
    char message[1024];
    char *path;
    char *description;
    PftHeader header;
    unsigned page_shift;
    uint64_t seed;
    uint8_t *at[COLUMNS];
    uint8_t *end[COLUMNS]; /* reading */
    Context *contexts;
    size_t contexts_room;
    Table names;   /* of contexts */
    Table strings; /* told so far */
    char **texts;  /* reading: of strings, by number */
    size_t texts_room;
    size_t string_bytes;
    const char *problem; /* what is wrong with the record at hand */
    uint64_t records;
    uint64_t contents;
    uint64_t offset; /* in the file */
    uint8_t *index;
    size_t index_room;
    size_t index_bytes;
    uint64_t totals[TOTALS];
    /* The frame at hand. */
    uint64_t frame;
    uint64_t content; /* behind the last one used */
    uint64_t other_page;
    uint64_t time;
    bool has_time;
    uint64_t first_time; /* of its `time` records */
    uint64_t virtuals[VIRTUAL_ENTRIES];
    uint32_t context; /* of hot records, or PFT_NONE */
    bool is_virtual;
} Trace;

/* --- Integers, checksums, memory ----------------------------------------------------------- */

static inline void put32(uint8_t *bytes, uint32_t number)
{
    bytes[0] = (uint8_t)number;
    bytes[1] = (uint8_t)(number >> 8);
    bytes[2] = (uint8_t)(number >> 16);
    bytes[3] = (uint8_t)(number >> 24);
}

static inline void put64(uint8_t *bytes, uint64_t number)
{
    put32(bytes, (uint32_t)number);
    put32(bytes + 4, (uint32_t)(number >> 32));
}

static inline uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline uint64_t get64(const uint8_t *bytes)
{
    return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static inline uint64_t zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t number)
{
    return number >> 1 ^ (0 - (number & 1));
}

static inline uint64_t mask_bytes(unsigned bytes)
{
    return bytes == 0 ? 0 : UINT64_MAX >> (64 - 8 * bytes);
}

/* Bytes that NUMBER needs; none for 0. */
static inline unsigned bytes_needed(uint64_t number)
{
    unsigned bytes = number != 0;
    for (unsigned i = 1; i < 8; i++)
        bytes += number >> 8 * i != 0;
    return bytes;
}

static inline uint64_t rotate(uint64_t number, unsigned bits)
{
    return number << bits | number >> (64 - bits);
}

#define PRIME1 0x9e3779b185ebca87U
#define PRIME2 0xc2b2ae3d27d4eb4fU
#define PRIME3 0x165667b19e3779f9U
#define PRIME4 0x85ebca77c2b2ae63U
#define PRIME5 0x27d4eb2f165667c5U

static inline uint64_t xxh_round(uint64_t sum, uint64_t word)
{
    return rotate(sum + word * PRIME2, 31) * PRIME1;
}

static inline uint64_t xxh_merge(uint64_t hash, uint64_t sum)
{
    return (hash ^ xxh_round(0, sum)) * PRIME1 + PRIME4;
}

/* XXH64, as the specification of xxHash 0.1.1 has it. */
static uint64_t checksum(const uint8_t *bytes, size_t length, uint64_t seed)
{
    uint64_t hash = seed + PRIME5;
    size_t left = length;
    if (length >= 32) {
        uint64_t a = seed + PRIME1 + PRIME2;
        uint64_t b = seed + PRIME2;
        uint64_t c = seed;
        uint64_t d = seed - PRIME1;
        for (; left >= 32; bytes += 32, left -= 32) {
            a = xxh_round(a, get64(bytes));
            b = xxh_round(b, get64(bytes + 8));
            c = xxh_round(c, get64(bytes + 16));
            d = xxh_round(d, get64(bytes + 24));
        }
        hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
        hash = xxh_merge(xxh_merge(xxh_merge(xxh_merge(hash, a), b), c), d);
    }
    hash += length;
    for (; left >= 8; bytes += 8, left -= 8)
        hash = rotate(hash ^ xxh_round(0, get64(bytes)), 27) * PRIME1 + PRIME4;
    for (; left >= 4; bytes += 4, left -= 4)
        hash = rotate(hash ^ get32(bytes) * PRIME1, 23) * PRIME2 + PRIME3;
    for (; left > 0; bytes++, left--)
        hash = rotate(hash ^ *bytes * PRIME5, 11) * PRIME1;
    hash = (hash ^ hash >> 33) * PRIME2;
    hash = (hash ^ hash >> 29) * PRIME3;
    return hash ^ hash >> 32;
}

/* The second half of a digest, of another make than XXH64. */
static uint64_t other_hash(const uint8_t *bytes, size_t length, uint64_t seed)
{
    uint64_t hash = length ^ seed << 32;
    for (; length >= 8; bytes += 8, length -= 8)
        hash = (rotate(hash, 29) ^ get64(bytes)) * PRIME3;
    for (; length > 0; bytes++, length--)
        hash = (rotate(hash, 29) ^ *bytes) * PRIME3;
    return hash ^ hash >> 32;
}

/* ITEMS of SIZE bytes, with room for WANTED, new ones 0; NULL, with ITEMS as they were, where
 * memory is out. */
static void *grow(void *items, size_t *room, size_t wanted, size_t size)
{
    if (wanted <= *room)
        return items;
    size_t more = wanted > *room * 2 ? wanted : *room * 2;
    uint8_t *bytes = more > SIZE_MAX / size ? NULL : realloc(items, more * size);
    if (bytes == NULL)
        return NULL;
    memset(bytes + *room * size, 0, (more - *room) * size);
    *room = more;
    return bytes;
}

static Slot *find_slot(const Table *table, uint64_t low, uint64_t high)
{
    size_t at = (size_t)low & (table->room - 1);
    while (table->slots[at].number_plus_one != 0 &&
           (table->slots[at].low != low || table->slots[at].high != high))
        at = (at + 1) & (table->room - 1);
    return &table->slots[at];
}

static bool grow_table(Table *table)
{
    Table wider = {.room = table->room == 0 ? 64 : table->room * 2, .count = table->count};
    wider.slots = calloc(wider.room, sizeof(Slot));
    if (wider.slots == NULL)
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->slots[i].number_plus_one != 0)
            *find_slot(&wider, table->slots[i].low, table->slots[i].high) = table->slots[i];
    free(table->slots);
    *table = wider;
    return true;
}

/* The number of BYTES of a sort, which is new where it was the table's count. PFT_NONE where memory
 * or numbers are out. */
static uint32_t intern(Table *table, const void *bytes, size_t length, uint64_t sort)
{
    if (table->count == PFT_NONE || ((size_t)table->count * 2 >= table->room && !grow_table(table)))
        return PFT_NONE;
    uint64_t low = checksum(bytes, length, sort);
    uint64_t high = other_hash(bytes, length, sort);
    Slot *slot = find_slot(table, low, high);
    if (slot->number_plus_one == 0)
        *slot = (Slot){.low = low, .high = high, .number_plus_one = (uint64_t)++table->count};
    return (uint32_t)(slot->number_plus_one - 1);
}

/* Sets the error, which sticks if it is the first: PROBLEM of what PLACE names, if that is said. */
static void fail(Trace *trace, const char *place, const char *problem)
{
    if (trace->has_failed)
        return;
    trace->has_failed = true;
    snprintf(trace->message, sizeof(trace->message), "%.500s: %s%s%s",
             strcmp(trace->path, "-") != 0 ? trace->path
             : trace->is_writing           ? "standard output"
                                           : "standard input",
             place, place[0] != 0 ? ": " : "", problem);
}

static void set_problem(Trace *trace, const char *problem)
{
    if (trace->problem == NULL)
        trace->problem = problem;
}

/* --- Frames -------------------------------------------------------------------------------- */

static void begin_frame(Trace *trace)
{
    trace->frame++;
    trace->content = 0;
    trace->other_page = 0;
    trace->time = 0;
    trace->has_time = false;
    memset(trace->virtuals, 0, sizeof(trace->virtuals));
    trace->context = PFT_NONE;
    trace->is_virtual = false;
}

static void add_to_index(Trace *trace, uint64_t number)
{
    uint8_t *index = grow(trace->index, &trace->index_room, trace->index_bytes + 10, 1);
    if (index == NULL) {
        fail(trace, "", "out of memory");
        return;
    }
    trace->index = index;
    for (; number >= 0x80; number >>= 7)
        trace->index[trace->index_bytes++] = (uint8_t)(number | 0x80);
    trace->index[trace->index_bytes++] = (uint8_t)number;
}

/* Enters a frame of PACKED_BYTES, of contents or of records, into the index. */
static void index_frame(Trace *trace, uint32_t kind, size_t packed_bytes, uint32_t count)
{
    add_to_index(trace, kind == FRAME_RECORDS);
    add_to_index(trace, FRAME_HEADER_BYTES + packed_bytes);
    add_to_index(trace, count);
    if (kind == FRAME_RECORDS)
        add_to_index(trace, trace->has_time ? trace->first_time + 1 : 0);
}

static bool is_power_of_two(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool set_page(Trace *trace, uint32_t bytes)
{
    if (!is_power_of_two(bytes) || bytes < 4 || bytes > 1U << 30)
        return false;
    trace->header.page_bytes = bytes;
    for (trace->page_shift = 2; 1U << trace->page_shift != bytes;)
        trace->page_shift++;
    return true;
}

static void clear_trace(Trace *trace)
{
    for (uint32_t i = 0; trace->texts != NULL && i < trace->strings.count; i++)
        free(trace->texts[i]);
    free(trace->texts);
    free(trace->strings.slots);
    free(trace->names.slots);
    free(trace->contexts);
    free(trace->index);
    free(trace->path);
    free(trace->description);
}
