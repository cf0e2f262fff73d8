#include <string.h>

#include "check.h"
#include "registry.h"
#include "rng.h"

static uint64_t hash_of(const char *name, const void *data, size_t bytes)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const PfHashOps *ops = pf_registry_find_hash(registry, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ops);
    return ops->hash(data, bytes);
}

/* RFC 3720, appendix B.4, and the check value of the catalogues of CRCs. */
static void crc32c_gives_the_published_values(void)
{
    uint8_t data[32];
    memset(data, 0, sizeof(data));
    CU_ASSERT_EQUAL(hash_of("crc32c", data, sizeof(data)), 0x8a9136aa);
    memset(data, 0xff, sizeof(data));
    CU_ASSERT_EQUAL(hash_of("crc32c", data, sizeof(data)), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        data[i] = i;
    CU_ASSERT_EQUAL(hash_of("crc32c", data, sizeof(data)), 0x46dd794e);
    CU_ASSERT_EQUAL(hash_of("crc32c", "123456789", 9), 0xe3069283);
}

/* The values of the empty input with seed 0, as in the sanity checks of the xxHash library. */
static void xxhash_gives_the_published_values(void)
{
    CU_ASSERT_EQUAL(hash_of("xxh64", "", 0), 0xef46db3751d8e999);
    CU_ASSERT_EQUAL(hash_of("xxh3", "", 0), 0x2d06800538d394c2);
}

typedef struct {
    uint64_t a;
    uint64_t b;
    uint64_t c;
} Words;

/* The twelve steps as the author's page gives them, one by one. */
static Words mix_written_out(Words w)
{
    w.a = (w.a - w.b - w.c) ^ (w.c >> 43);
    w.b = (w.b - w.c - w.a) ^ (w.a << 9);
    w.c = (w.c - w.a - w.b) ^ (w.b >> 8);
    w.a = (w.a - w.b - w.c) ^ (w.c >> 38);
    w.b = (w.b - w.c - w.a) ^ (w.a << 23);
    w.c = (w.c - w.a - w.b) ^ (w.b >> 5);
    w.a = (w.a - w.b - w.c) ^ (w.c >> 35);
    w.b = (w.b - w.c - w.a) ^ (w.a << 49);
    w.c = (w.c - w.a - w.b) ^ (w.b >> 11);
    w.a = (w.a - w.b - w.c) ^ (w.c >> 12);
    w.b = (w.b - w.c - w.a) ^ (w.a << 18);
    w.c = (w.c - w.a - w.b) ^ (w.b >> 22);
    return w;
}

/* 27 bytes, 1 to 27: one full round, then three bytes in the lowest places of word a; word c gets
 * the length. */
static void jenkins_is_as_its_description_says(void)
{
    uint8_t data[47];
    for (uint8_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i + 1);
    Words w = {0x0807060504030201, 0x100f0e0d0c0b0a09, 0x9e3779b97f4a7c13 + 0x1817161514131211};
    Words round = mix_written_out(w);
    w = mix_written_out((Words){round.a + 0x1b1a19, round.b, round.c + 27});
    CU_ASSERT_EQUAL(hash_of("jenkins", data, 27), w.c);
    /* 47 bytes: 23 are left; the last seven lie above the length's byte in word c. */
    w = mix_written_out((Words){round.a + 0x201f1e1d1c1b1a19, round.b + 0x2827262524232221,
                                round.c + 47 + 0x2f2e2d2c2b2a2900});
    CU_ASSERT_EQUAL(hash_of("jenkins", data, 47), w.c);
    CU_ASSERT_EQUAL(hash_of("jenkins", data, 0),
                    mix_written_out((Words){0, 0, 0x9e3779b97f4a7c13}).c);
}

static void every_hash_keeps_to_its_width_and_sees_every_byte(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    uint8_t page[256];
    PfRng rng = pf_rng_derive(1, "page");
    for (size_t i = 0; i < sizeof(page); i++)
        page[i] = (uint8_t)pf_rng_next(&rng);
    for (size_t i = 0; i < pf_registry_hash_count(registry); i++) {
        const PfHashOps *ops = pf_registry_hash(registry, i);
        uint64_t hash = ops->hash(page, sizeof(page));
        CU_ASSERT(ops->cycles_per_kib > 0);
        for (size_t byte = 0; byte < sizeof(page); byte++) {
            page[byte] ^= 1;
            uint64_t other = ops->hash(page, sizeof(page));
            CU_ASSERT(other != hash);
            CU_ASSERT(ops->bits == 64 || other >> ops->bits == 0);
            page[byte] ^= 1;
        }
        CU_ASSERT_EQUAL(ops->hash(page, sizeof(page)), hash);
    }
}

/* Stores of 1 to 16 bytes, some of them over the end of a word, told word by word. */
static void a_followed_hash_is_that_of_the_whole_page(void)
{
    static const size_t sizes[] = {1024, 4096, 16384};
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const PfHashOps *ops = pf_registry_find_hash(registry, "xxh3");
    PfRng rng = pf_rng_derive(1, "followed");
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        size_t bytes = sizes[i];
        g_autofree uint8_t *page = g_malloc0(bytes);
        g_autofree uint64_t *state = g_malloc(ops->follow->state_bytes(bytes));
        ops->follow->begin(state, page, bytes);
        CU_ASSERT_EQUAL(ops->follow->hash(state, bytes), ops->hash(page, bytes));
        for (unsigned step = 0; step < 2000; step++) {
            size_t count = 1 + pf_rng_below(&rng, 16);
            /* The last stripe of 64 bytes is mixed in a way of its own. */
            size_t from = step % 4 == 0 ? bytes - 64 : 0;
            size_t at = from + pf_rng_below(&rng, bytes - from - count + 1);
            size_t first = at / 8 * 8;
            uint8_t old[24];
            memcpy(old, page + first, MIN(sizeof old, bytes - first));
            for (size_t j = 0; j < count; j++)
                page[at + j] = (uint8_t)pf_rng_next(&rng);
            for (size_t word = first; word < at + count; word += 8)
                ops->follow->change(state, bytes, word, old + (word - first), page + word);
            CU_ASSERT_EQUAL(ops->follow->hash(state, bytes), ops->hash(page, bytes));
        }
        ops->follow->begin(state, page, bytes);
        CU_ASSERT_EQUAL(ops->follow->hash(state, bytes), ops->hash(page, bytes));
    }
    CU_ASSERT_EQUAL(ops->follow->state_bytes(512), 0);
}

static const PfCheck checks[] = {
    {"CRC-32C gives the published values", crc32c_gives_the_published_values},
    {"xxHash gives the published values", xxhash_gives_the_published_values},
    {"Jenkins' hash is as its description says", jenkins_is_as_its_description_says},
    {"every hash keeps to its width and sees every byte",
     every_hash_keeps_to_its_width_and_sees_every_byte},
    {"a followed hash is that of the whole page", a_followed_hash_is_that_of_the_whole_page},
};

PF_CHECK_MAIN("hashes", checks)
