/* The hashes of page contents that a policy may be configured with.
 *
 * Costs are those of the computation alone, for a page that is in the first-level cache already;
 * reading it there is charged by the memory models. Measured on an AMD EPYC core whose time stamp
 * counter runs at 2.6 GHz (one 4 KiB page: XXH3 274 cycles, XXH64 1,014, table-driven CRC-32C
 * 24,250), and divided by four. Jenkins' hash by its author's count: 18 cycles for each 24 bytes on
 * a superscalar machine (burtleburtle.net/bob/c/lookup8.c, comment of mix64). */
#include <string.h>
#include <xxhash.h>

#include "policy.h"
#include "units.h"

static uint64_t hash_xxh3(const uint8_t *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}

static uint64_t hash_xxh64(const uint8_t *data, size_t bytes)
{
    return XXH64(data, bytes, 0);
}

/* Remainders of each byte by the Castagnoli polynomial, bits reflected: 0x82f63b78. */
static const uint32_t crc32c_table[256] = {
    0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb,
    0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b, 0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24,
    0x105ec76f, 0xe235446c, 0xf165b798, 0x030e349b, 0xd7c45070, 0x25afd373, 0x36ff2087, 0xc494a384,
    0x9a879fa0, 0x68ec1ca3, 0x7bbcef57, 0x89d76c54, 0x5d1d08bf, 0xaf768bbc, 0xbc267848, 0x4e4dfb4b,
    0x20bd8ede, 0xd2d60ddd, 0xc186fe29, 0x33ed7d2a, 0xe72719c1, 0x154c9ac2, 0x061c6936, 0xf477ea35,
    0xaa64d611, 0x580f5512, 0x4b5fa6e6, 0xb93425e5, 0x6dfe410e, 0x9f95c20d, 0x8cc531f9, 0x7eaeb2fa,
    0x30e349b1, 0xc288cab2, 0xd1d83946, 0x23b3ba45, 0xf779deae, 0x05125dad, 0x1642ae59, 0xe4292d5a,
    0xba3a117e, 0x4851927d, 0x5b016189, 0xa96ae28a, 0x7da08661, 0x8fcb0562, 0x9c9bf696, 0x6ef07595,
    0x417b1dbc, 0xb3109ebf, 0xa0406d4b, 0x522bee48, 0x86e18aa3, 0x748a09a0, 0x67dafa54, 0x95b17957,
    0xcba24573, 0x39c9c670, 0x2a993584, 0xd8f2b687, 0x0c38d26c, 0xfe53516f, 0xed03a29b, 0x1f682198,
    0x5125dad3, 0xa34e59d0, 0xb01eaa24, 0x42752927, 0x96bf4dcc, 0x64d4cecf, 0x77843d3b, 0x85efbe38,
    0xdbfc821c, 0x2997011f, 0x3ac7f2eb, 0xc8ac71e8, 0x1c661503, 0xee0d9600, 0xfd5d65f4, 0x0f36e6f7,
    0x61c69362, 0x93ad1061, 0x80fde395, 0x72966096, 0xa65c047d, 0x5437877e, 0x4767748a, 0xb50cf789,
    0xeb1fcbad, 0x197448ae, 0x0a24bb5a, 0xf84f3859, 0x2c855cb2, 0xdeeedfb1, 0xcdbe2c45, 0x3fd5af46,
    0x7198540d, 0x83f3d70e, 0x90a324fa, 0x62c8a7f9, 0xb602c312, 0x44694011, 0x5739b3e5, 0xa55230e6,
    0xfb410cc2, 0x092a8fc1, 0x1a7a7c35, 0xe811ff36, 0x3cdb9bdd, 0xceb018de, 0xdde0eb2a, 0x2f8b6829,
    0x82f63b78, 0x709db87b, 0x63cd4b8f, 0x91a6c88c, 0x456cac67, 0xb7072f64, 0xa457dc90, 0x563c5f93,
    0x082f63b7, 0xfa44e0b4, 0xe9141340, 0x1b7f9043, 0xcfb5f4a8, 0x3dde77ab, 0x2e8e845f, 0xdce5075c,
    0x92a8fc17, 0x60c37f14, 0x73938ce0, 0x81f80fe3, 0x55326b08, 0xa759e80b, 0xb4091bff, 0x466298fc,
    0x1871a4d8, 0xea1a27db, 0xf94ad42f, 0x0b21572c, 0xdfeb33c7, 0x2d80b0c4, 0x3ed04330, 0xccbbc033,
    0xa24bb5a6, 0x502036a5, 0x4370c551, 0xb11b4652, 0x65d122b9, 0x97baa1ba, 0x84ea524e, 0x7681d14d,
    0x2892ed69, 0xdaf96e6a, 0xc9a99d9e, 0x3bc21e9d, 0xef087a76, 0x1d63f975, 0x0e330a81, 0xfc588982,
    0xb21572c9, 0x407ef1ca, 0x532e023e, 0xa145813d, 0x758fe5d6, 0x87e466d5, 0x94b49521, 0x66df1622,
    0x38cc2a06, 0xcaa7a905, 0xd9f75af1, 0x2b9cd9f2, 0xff56bd19, 0x0d3d3e1a, 0x1e6dcdee, 0xec064eed,
    0xc38d26c4, 0x31e6a5c7, 0x22b65633, 0xd0ddd530, 0x0417b1db, 0xf67c32d8, 0xe52cc12c, 0x1747422f,
    0x49547e0b, 0xbb3ffd08, 0xa86f0efc, 0x5a048dff, 0x8ecee914, 0x7ca56a17, 0x6ff599e3, 0x9d9e1ae0,
    0xd3d3e1ab, 0x21b862a8, 0x32e8915c, 0xc083125f, 0x144976b4, 0xe622f5b7, 0xf5720643, 0x07198540,
    0x590ab964, 0xab613a67, 0xb831c993, 0x4a5a4a90, 0x9e902e7b, 0x6cfbad78, 0x7fab5e8c, 0x8dc0dd8f,
    0xe330a81a, 0x115b2b19, 0x020bd8ed, 0xf0605bee, 0x24aa3f05, 0xd6c1bc06, 0xc5914ff2, 0x37faccf1,
    0x69e9f0d5, 0x9b8273d6, 0x88d28022, 0x7ab90321, 0xae7367ca, 0x5c18e4c9, 0x4f48173d, 0xbd23943e,
    0xf36e6f75, 0x0105ec76, 0x12551f82, 0xe03e9c81, 0x34f4f86a, 0xc69f7b69, 0xd5cf889d, 0x27a40b9e,
    0x79b737ba, 0x8bdcb4b9, 0x988c474d, 0x6ae7c44e, 0xbe2da0a5, 0x4c4623a6, 0x5f16d052, 0xad7d5351,
};

/* RFC 3720, appendix B.4, has the polynomial's conventions and test vectors. */
static uint64_t hash_crc32c(const uint8_t *data, size_t bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes; i++)
        crc = (crc >> 8) ^ crc32c_table[(crc ^ data[i]) & 0xff];
    return crc ^ UINT32_MAX;
}

/* Three words of the state of Jenkins' hash, in turn a, b and c. */
typedef struct {
    uint64_t word[3];
} JenkinsState;

/* One step takes the two other words from one and stirs it with a shift of the last of them. Twelve
 * steps, whose shifts the author chose by search, let each bit of the state reach each other. */
static void jenkins_mix(JenkinsState *state)
{
    static const struct {
        unsigned right; /* 0: the shift goes left */
        unsigned left;
    } shifts[] = {{43, 0}, {0, 9},  {8, 0},  {38, 0}, {0, 23}, {5, 0},
                  {35, 0}, {0, 49}, {11, 0}, {12, 0}, {0, 18}, {22, 0}};
    for (unsigned i = 0; i < G_N_ELEMENTS(shifts); i++) {
        uint64_t first = state->word[(i + 1) % 3];
        uint64_t second = state->word[(i + 2) % 3];
        uint64_t stir = shifts[i].left != 0 ? second << shifts[i].left : second >> shifts[i].right;
        state->word[i % 3] = (state->word[i % 3] - first - second) ^ stir;
    }
}

/* Bob Jenkins' 64-bit hash of 1997 (lookup8, public domain), level 0: 24 bytes a round, read as
 * three little-endian words; the low byte of the last word of the last round is the length's. */
static uint64_t hash_jenkins(const uint8_t *data, size_t bytes)
{
    JenkinsState state = {{0, 0, 0x9e3779b97f4a7c13}};
    size_t left = bytes;
    for (; left >= 24; left -= 24, data += 24) {
        uint64_t words[3];
        memcpy(words, data, sizeof words);
        for (unsigned i = 0; i < 3; i++)
            state.word[i] += GUINT64_FROM_LE(words[i]);
        jenkins_mix(&state);
    }
    state.word[2] += bytes;
    for (unsigned i = 0; i < left; i++) {
        unsigned place = i < 16 ? i : i + 1;
        state.word[place / 8] += (uint64_t)data[i] << (place % 8 * 8);
    }
    jenkins_mix(&state);
    return state.word[2];
}

/* ---- XXH3 of pages that change a little from one time to the next ----
 *
 * As doc/xxhash_spec.md of the xxHash library defines it for inputs of more than 240 bytes, with
 * the standard secret: a block of 1024 bytes is added up in eight sums, word by word, and the sums
 * are scrambled after each block but the last. So a word's share in the sums of its block can be
 * replaced, and only scrambling and what comes behind it be done anew. */
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

static size_t xxh3_state_bytes(size_t bytes)
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

static void xxh3_change(void *state, size_t bytes, size_t offset, const uint8_t *old,
                        const uint8_t *new)
{
    uint64_t *sums = (uint64_t *)state + offset / BLOCK_BYTES * SUMS;
    size_t column = offset / WORD_BYTES % SUMS;
    uint64_t key = key_of(bytes, offset);
    sums[column ^ 1] += word_at(new) - word_at(old);
    sums[column] += product(word_at(new), key) - product(word_at(old), key);
}

static void xxh3_begin(void *state, const uint8_t *data, size_t bytes)
{
    memset(state, 0, xxh3_state_bytes(bytes));
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

static uint64_t xxh3_hash(const void *state, size_t bytes)
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

static const PfHashFollowOps xxh3_follow = {
    .state_bytes = xxh3_state_bytes,
    .begin = xxh3_begin,
    .change = xxh3_change,
    .hash = xxh3_hash,
};

/* ---- The list ---- */

static const PfHashOps crc32c = {
    .name = "crc32c",
    .summary = "CRC-32C (Castagnoli) in software, by a table of 256 words.",
    .bits = 32,
    .hash = hash_crc32c,
    .cycles_per_kib = 6062,
};

static const PfHashOps jenkins = {
    .name = "jenkins",
    .summary = "Bob Jenkins' 64-bit hash of 1997, as in the first page-sharing prototypes.",
    .bits = 64,
    .hash = hash_jenkins,
    .cycles_per_kib = 768,
};

static const PfHashOps xxh3 = {
    .name = "xxh3",
    .summary = "XXH3, 64 bits.",
    .bits = 64,
    .hash = hash_xxh3,
    .cycles_per_kib = 69,
    .follow = &xxh3_follow,
};

static const PfHashOps xxh64 = {
    .name = "xxh64",
    .summary = "XXH64, seed 0.",
    .bits = 64,
    .hash = hash_xxh64,
    .cycles_per_kib = 254,
};

/* Sorted by name, NULL-terminated; registry.c reads it. */
const PfHashOps *const pf_hashes[] = {&crc32c, &jenkins, &xxh3, &xxh64, NULL};
