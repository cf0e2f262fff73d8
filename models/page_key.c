#include "page_key.h"

#include <glib.h>
#include <string.h>

#include "units.h"

/* VALUE modulo p: 2^61 is 1. */
static uint64_t reduce(PfUint128 value)
{
    uint64_t sum = ((uint64_t)value & PF_KEY_PRIME) + ((uint64_t)(value >> 61) & PF_KEY_PRIME) +
                   (uint64_t)(value >> 122);
    while (sum >= PF_KEY_PRIME)
        sum -= PF_KEY_PRIME;
    return sum;
}

/* Coefficient NUMBER: that output of splitmix64, started at 0, in 1 .. p - 1. */
static uint64_t coefficient(uint64_t number)
{
    uint64_t value = (number + 1) * 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return (value ^ (value >> 31)) % (PF_KEY_PRIME - 1) + 1;
}

/* Numbers of coefficients: words' from 0, then c, then lines'. */
enum { LINE_BYTES_MAX = 4096, CONSTANT = LINE_BYTES_MAX / PF_KEY_WORD_BYTES, FIRST_LINE };

/* Coefficients of the words of a line. */
static void make_coefficients(uint64_t *coefficients, uint32_t count)
{
    g_assert(count <= CONSTANT);
    for (uint32_t i = 0; i < count; i++)
        coefficients[i] = coefficient(i);
}

static uint64_t digest(const PfKeyForm *form, const uint64_t *coefficients, const uint8_t *bytes)
{
    PfUint128 sum = 0; /* of at most 1024 products below 2^93 */
    for (uint32_t i = 0; i < form->line_bytes / PF_KEY_WORD_BYTES; i++) {
        uint32_t word;
        memcpy(&word, bytes + (size_t)i * PF_KEY_WORD_BYTES, sizeof word);
        sum += (PfUint128)coefficients[i] * GUINT32_FROM_LE(word);
    }
    return reduce(sum) & (((uint64_t)1 << form->digest_bits) - 1);
}

uint64_t pf_key_line(const PfKeyForm *form, const uint8_t *bytes)
{
    uint64_t coefficients[CONSTANT];
    make_coefficients(coefficients, form->line_bytes / PF_KEY_WORD_BYTES);
    return digest(form, coefficients, bytes);
}

uint64_t pf_key_page(const PfKeyForm *form, const uint8_t *bytes, size_t count)
{
    uint64_t coefficients[CONSTANT];
    make_coefficients(coefficients, form->line_bytes / PF_KEY_WORD_BYTES);
    uint64_t key = coefficient(CONSTANT);
    for (uint32_t line = 0; line < count / form->line_bytes; line++)
        key = pf_key_replace(key, line, 0,
                             digest(form, coefficients, bytes + (size_t)line * form->line_bytes));
    return key;
}

uint64_t pf_key_replace(uint64_t key, uint32_t line, uint64_t old, uint64_t new)
{
    uint64_t change = reduce((PfUint128)new + PF_KEY_PRIME - old);
    return reduce((PfUint128)coefficient(FIRST_LINE + line) * change + key);
}

uint64_t pf_key_store(const PfKeyForm *form, uint64_t key, uint32_t line, const uint8_t *old,
                      const uint8_t *new)
{
    if (form->digest_bits < PF_KEY_BITS)
        return pf_key_replace(key, line, pf_key_line(form, old), pf_key_line(form, new));
    uint64_t change = 0;
    for (uint32_t i = 0; i < form->line_bytes / PF_KEY_WORD_BYTES; i++) {
        uint32_t before;
        uint32_t after;
        memcpy(&before, old + (size_t)i * PF_KEY_WORD_BYTES, sizeof before);
        memcpy(&after, new + (size_t)i * PF_KEY_WORD_BYTES, sizeof after);
        if (before != after)
            change = reduce((PfUint128)coefficient(i) * (PF_KEY_PRIME + GUINT32_FROM_LE(after) -
                                                         GUINT32_FROM_LE(before)) +
                            change);
    }
    return reduce((PfUint128)coefficient(FIRST_LINE + line) * change + key);
}

/* All bytes of three ones, and eight of five, each in order. */
static const uint8_t columns[64] = {
    0x07, 0x0b, 0x0d, 0x0e, 0x13, 0x15, 0x16, 0x19, 0x1a, 0x1c, 0x23, 0x25, 0x26, 0x29, 0x2a, 0x2c,
    0x31, 0x32, 0x34, 0x38, 0x43, 0x45, 0x46, 0x49, 0x4a, 0x4c, 0x51, 0x52, 0x54, 0x58, 0x61, 0x62,
    0x64, 0x68, 0x70, 0x83, 0x85, 0x86, 0x89, 0x8a, 0x8c, 0x91, 0x92, 0x94, 0x98, 0xa1, 0xa2, 0xa4,
    0xa8, 0xb0, 0xc1, 0xc2, 0xc4, 0xc8, 0xd0, 0xe0, 0x1f, 0x2f, 0x37, 0x3b, 0x3d, 0x3e, 0x4f, 0x57,
};

uint8_t pf_ecc_check(uint64_t word)
{
    uint8_t check = 0;
    for (unsigned bit = 0; bit < G_N_ELEMENTS(columns); bit++)
        check ^= (word >> bit & 1) != 0 ? columns[bit] : 0;
    return check;
}

uint32_t pf_ecc_offset(uint32_t page_bytes, uint32_t line_bytes, uint32_t line, unsigned index)
{
    uint32_t quarter = page_bytes / PF_ECC_LINES;
    uint32_t lines = MAX(1, quarter / line_bytes);
    return index * quarter + MIN(line, lines - 1) * line_bytes;
}

uint64_t pf_ecc_key(const uint8_t *bytes, uint32_t page_bytes, uint32_t line_bytes, uint32_t line)
{
    uint64_t key = 0;
    for (unsigned i = 0; i < PF_ECC_LINES; i++) {
        uint32_t offset = pf_ecc_offset(page_bytes, line_bytes, line, i);
        uint64_t word = 0;
        memcpy(&word, bytes + offset, MIN(sizeof word, page_bytes - offset));
        key |= (uint64_t)pf_ecc_check(GUINT64_FROM_LE(word)) << (8 * i);
    }
    return key;
}
