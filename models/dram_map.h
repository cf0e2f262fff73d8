/* Which bits of an address say where in DRAM it lies.
 *
 * A mapping is text, one of
 *   - a name: "RoBaRaCoCh" (row, bank, group, rank, column, channel, high bits to low),
 *     "ChRaBaRoCo" (channel, rank, group, bank, row, column) or "MOP4CLXOR" (row, columns above
 *     the lowest two bits, bank, group, rank, those two, channel; rank, group and bank exclusive-or
 *     successive bits of the column), as Ramulator calls them;
 *   - the fields in order, high bits to low, of "ch", "ra", "bg", "ba", "ro", "co":
 *     "rochrababgco", as DRAMsim3 has them;
 *   - lists of address bits, low to high: "co=6-12 bg=13^17,14^18 ba=15,16 ro=17-32", where a^b is
 *     the exclusive or of two bits. Fields of one value are left out.
 * Bits above those named do not matter: addresses beyond the capacity wrap around. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    PF_DRAM_CHANNEL,
    PF_DRAM_RANK,
    PF_DRAM_GROUP,
    PF_DRAM_BANK,
    PF_DRAM_ROW,
    PF_DRAM_COLUMN,
    PF_DRAM_FIELDS
} PfDramField;

enum { PF_DRAM_SEGMENTS_MAX = 96 };

/* Neighbouring bits that go together: (address >> shift & mask) << place. */
typedef struct {
    uint32_t mask;
    uint8_t shift;
    uint8_t place;
} PfDramSegment;

typedef struct {
    PfDramSegment segments[PF_DRAM_SEGMENTS_MAX];
    uint8_t first[PF_DRAM_FIELDS + 1]; /* a field is the exclusive or of its segments */
} PfDramMap;

/* Reads TEXT for fields of BITS bits each above OFFSET_BITS. False with PF_ERROR_CONFIG. */
bool pf_dram_map_parse(const char *text, const uint8_t bits[PF_DRAM_FIELDS], unsigned offset_bits,
                       PfDramMap *ret_map, GError **error);

/* FIELD of ADDRESS. */
static inline uint32_t pf_dram_map_field(const PfDramMap *map, PfDramField field, uint64_t address)
{
    uint32_t value = 0;
    for (unsigned i = map->first[field]; i < map->first[field + 1]; i++) {
        const PfDramSegment *segment = &map->segments[i];
        value ^= ((uint32_t)(address >> segment->shift) & segment->mask) << segment->place;
    }
    return value;
}
