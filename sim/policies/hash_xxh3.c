/* XXH3 with 64 bits, of pages that change a little from one time to the next.
 *
 * As doc/xxhash_spec.md of the xxHash library defines it for inputs of more than 240 bytes, with
 * the standard secret: a block of 1024 bytes is added up in eight sums, word by word, and the sums
 * are scrambled after each block but the last. So a word's share in the sums of its block can be
 * replaced, and only scrambling and what comes behind it be done anew. */
#include "hash_xxh3.h"

#include <string.h>

#include "units.h"

enum { WORD_BYTES = 8, STRIPE_BYTES = 64, BLOCK_BYTES = 1024, SUMS = STRIPE_BYTES / WORD_BYTES };

/* Where in the secret the words of the last stripe, of scrambling and of the end have theirs. */
enum { LAST_STRIPE = 121, SCRAMBLE = 128, END = 11 };

static const uint64_t prime32[] = {0x9e3779b1, 0x85ebca77, 0xc2b2ae3d};
static const uint64_t prime64[] = {0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
                                   0x85ebca77c2b2ae63, 0x27d4eb2f165667c5};

static const uint8_t secret[] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return GUINT64_FROM_LE(word);
}

static size_t state_bytes(size_t bytes)
{
    return bytes % BLOCK_BYTES == 0 ? bytes / BLOCK_BYTES * SUMS * sizeof(uint64_t) : 0;
}

/* What the bits of WORD do to the sum of its own column. */
static uint64_t product(uint64_t word, uint64_t key)
{
    uint64_t mixed = word ^ key;
    return (mixed & UINT32_MAX) * (mixed >> 32);
}

/* What the word at OFFSET of a page of BYTES is mixed with. */
static uint64_t key_of(size_t bytes, size_t offset)
{
    size_t stripe = offset / STRIPE_BYTES;
    size_t first = (stripe + 1) * STRIPE_BYTES == bytes
                       ? LAST_STRIPE
                       : stripe % (BLOCK_BYTES / STRIPE_BYTES) * WORD_BYTES;
    return word_at(secret + first + offset % STRIPE_BYTES);
}

static void change(void *state, size_t bytes, size_t offset, const uint8_t *old, const uint8_t *new)
{
    uint64_t *sums = (uint64_t *)state + offset / BLOCK_BYTES * SUMS;
    size_t column = offset / WORD_BYTES % SUMS;
    uint64_t key = key_of(bytes, offset);
    sums[column ^ 1] += word_at(new) - word_at(old);
    sums[column] += product(word_at(new), key) - product(word_at(old), key);
}

static void begin(void *state, const uint8_t *data, size_t bytes)
{
    memset(state, 0, state_bytes(bytes));
    for (size_t offset = 0; offset < bytes; offset += WORD_BYTES) {
        uint64_t *sums = (uint64_t *)state + offset / BLOCK_BYTES * SUMS;
        size_t column = offset / WORD_BYTES % SUMS;
        uint64_t word = word_at(data + offset);
        sums[column ^ 1] += word;
        sums[column] += product(word, key_of(bytes, offset));
    }
}

/* Both halves of the product, one over the other. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    PfUint128 whole = (PfUint128)a * b;
    return (uint64_t)whole ^ (uint64_t)(whole >> 64);
}

static uint64_t hash(const void *state, size_t bytes)
{
    const uint64_t *sums = state;
    uint64_t total[SUMS] = {prime32[2], prime64[0], prime64[1], prime64[2],
                            prime64[3], prime32[1], prime64[4], prime32[0]};
    for (size_t left = bytes; left > 0; left -= BLOCK_BYTES, sums += SUMS)
        for (unsigned i = 0; i < SUMS; i++) {
            total[i] += sums[i];
            if (left == BLOCK_BYTES)
                continue;
            total[i] ^= total[i] >> 47 ^ word_at(secret + SCRAMBLE + WORD_BYTES * i);
            total[i] *= prime32[0];
        }
    uint64_t result = bytes * prime64[0];
    for (unsigned i = 0; i < SUMS; i += 2)
        result += fold(total[i] ^ word_at(secret + END + WORD_BYTES * i),
                       total[i + 1] ^ word_at(secret + END + WORD_BYTES * (i + 1)));
    result ^= result >> 37;
    result *= 0x165667919e3779f9;
    return result ^ result >> 32;
}

const PfHashFollowOps pf_hash_xxh3_follow = {
    .state_bytes = state_bytes,
    .begin = begin,
    .change = change,
    .hash = hash,
};
