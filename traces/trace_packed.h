/* Accesses of one context by the million, for who records programs: a word or two each instead of a
 * PfRecord, checked once a batch, encoded in one loop.
 *
 * A word holds an address, or the instructions of a run, in its low 48 bits; above these what it
 * is, and the logarithm to base 2 of the bytes accessed. The value of a write with a value is the
 * next word. */
#pragma once

#include <stdint.h>

#include "trace.h"

typedef enum {
    PF_PACKED_READ,
    PF_PACKED_WRITE,         /* the next word is its value, of which its size counts */
    PF_PACKED_WRITE_UNKNOWN, /* without a value */
    PF_PACKED_FETCH,
    PF_PACKED_RUN, /* the low bits are instructions */
    PF_PACKED_KINDS
} PfPackedKind;

enum {
    PF_PACKED_ADDRESS_BITS = 48,
    PF_PACKED_KIND_SHIFT = 56,
    PF_PACKED_DATA_LOG_MAX = 3,  /* reads and writes: 1 to 8 bytes */
    PF_PACKED_FETCH_LOG_MAX = 7, /* fetches: 1 to 128 bytes */
};

/* What the records of a batch are. */
typedef struct {
    uint64_t instructions;
    uint64_t records[PF_PACKED_KINDS];
} PfPackedCounts;

/* The word of an access to BYTES_LOG (see above) at ADDRESS, which has 48 bits. */
static inline uint64_t pf_packed_word(PfPackedKind kind, unsigned bytes_log, uint64_t address)
{
    return address | (uint64_t)kind << PF_PACKED_KIND_SHIFT |
           (uint64_t)bytes_log << PF_PACKED_ADDRESS_BITS;
}

/* What WORD is. */
static inline PfPackedKind pf_packed_kind(uint64_t word)
{
    return (PfPackedKind)(word >> PF_PACKED_KIND_SHIFT);
}

/* The logarithm of the bytes that WORD accesses. */
static inline unsigned pf_packed_bytes_log(uint64_t word)
{
    return (unsigned)(word >> PF_PACKED_ADDRESS_BITS) & 0xffU;
}

/* The low bits of WORD. */
static inline uint64_t pf_packed_address(uint64_t word)
{
    return word & (((uint64_t)1 << PF_PACKED_ADDRESS_BITS) - 1);
}

/* Words of a record that WORD begins. */
static inline unsigned pf_packed_words(uint64_t word)
{
    return pf_packed_kind(word) == PF_PACKED_WRITE ? 2 : 1;
}

/* Appends the records in COUNT words to WRITER, all of CONTEXT, which is alive. Pages have at least
 * 128 bytes. Adds to COUNTS what they are. The bytes written are those that single records
 * would give. */
void pf_trace_writer_add_packed(PfTraceWriter *writer, uint32_t context, const uint64_t *words,
                                size_t count, PfPackedCounts *counts);
