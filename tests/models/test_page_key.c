/* Keys that are kept up line by line, and keys of check bits. */
#include "check.h"

#include <glib.h>
#include <string.h>

#include "page_key.h"
#include "rng.h"

enum { PAGE = 4096, LINE = 64, LINES = PAGE / LINE, WORDS = LINE / 4 };

static PfKeyForm form_of(unsigned digest_bits)
{
    return (PfKeyForm){.line_bytes = LINE, .digest_bits = digest_bits};
}

static void fill_randomly(PfRng *rng, uint8_t *page)
{
    for (unsigned i = 0; i < PAGE; i++)
        page[i] = (uint8_t)pf_rng_next(rng);
}

/* A memory with caches in front of it: stores go to `page`, write-backs to `dram`. An engine at the
 * core keeps `store_key` by each line that a store changes, one at the controller `dram_key` by
 * each write-back, from the digests that it keeps. */
static void kept_up_key_is_that_of_a_full_pass(void)
{
    static const unsigned widths[] = {1, 8, 32, PF_KEY_BITS};
    PfRng rng = pf_rng_derive(1, "test");
    for (unsigned w = 0; w < G_N_ELEMENTS(widths); w++) {
        PfKeyForm form = form_of(widths[w]);
        uint8_t page[PAGE] = {0};
        uint8_t dram[PAGE] = {0};
        uint64_t digests[LINES] = {0}; /* of a line of zeros: 0 */
        uint64_t store_key = pf_key_page(&form, page, PAGE);
        uint64_t dram_key = store_key;
        for (unsigned step = 0; step < 2000; step++) {
            uint32_t at = (uint32_t)pf_rng_below(&rng, PAGE);
            uint32_t count = 1 + (uint32_t)pf_rng_below(&rng, MIN(16, LINE - at % LINE));
            uint32_t line = at / LINE;
            uint8_t before[LINE];
            memcpy(before, page + (size_t)line * LINE, LINE);
            uint64_t old = pf_key_line(&form, before);
            uint64_t key = store_key;
            for (uint32_t i = 0; i < count; i++)
                page[at + i] = (uint8_t)pf_rng_below(&rng, 4);
            store_key = pf_key_replace(store_key, line, old,
                                       pf_key_line(&form, page + (size_t)line * LINE));
            CU_ASSERT_EQUAL(store_key, pf_key_page(&form, page, PAGE));
            CU_ASSERT_EQUAL(
                pf_key_store(&form, key, line, before, page + (size_t)line * LINE), store_key);
            if (pf_rng_below(&rng, 4) != 0)
                continue;
            line = (uint32_t)pf_rng_below(&rng, LINES);
            memcpy(dram + (size_t)line * LINE, page + (size_t)line * LINE, LINE);
            uint64_t new = pf_key_line(&form, dram + (size_t)line * LINE);
            dram_key = pf_key_replace(dram_key, line, digests[line], new);
            digests[line] = new;
            CU_ASSERT_EQUAL(dram_key, pf_key_page(&form, dram, PAGE));
        }
    }
}

/* The digest is linear: what a word is changed by, times its coefficient, which is the digest of a
 * line of which that word alone is 1. */
static void store_needs_the_old_bytes_of_its_words_only(void)
{
    PfKeyForm form = form_of(PF_KEY_BITS);
    PfRng rng = pf_rng_derive(2, "test");
    for (unsigned step = 0; step < 200; step++) {
        uint32_t line[WORDS];
        for (unsigned i = 0; i < WORDS; i++) {
            uint32_t number = (uint32_t)pf_rng_next(&rng);
            line[i] = GUINT32_TO_LE(number);
        }
        unsigned word = (unsigned)pf_rng_below(&rng, WORDS);
        uint32_t unit[WORDS] = {0};
        unit[word] = GUINT32_TO_LE(1);
        uint64_t coefficient = pf_key_line(&form, (uint8_t *)unit);
        uint64_t before = pf_key_line(&form, (uint8_t *)line);
        uint32_t old = GUINT32_FROM_LE(line[word]);
        uint32_t new = (uint32_t)pf_rng_next(&rng);
        line[word] = GUINT32_TO_LE(new);
        uint64_t change = new >= old ? new - old : PF_KEY_PRIME - (old - new);
        __extension__ unsigned __int128 sum = (unsigned __int128)coefficient * change + before;
        CU_ASSERT_EQUAL(pf_key_line(&form, (uint8_t *)line), (uint64_t)(sum % PF_KEY_PRIME));
    }
}

/* All of these have the same exclusive-or of words. */
static void places_of_words_and_lines_count(void)
{
    PfKeyForm form = form_of(PF_KEY_BITS);
    PfRng rng = pf_rng_derive(3, "test");
    uint8_t page[PAGE];
    fill_randomly(&rng, page);
    uint64_t key = pf_key_page(&form, page, PAGE);
    uint8_t other[PAGE];
    memcpy(other, page, PAGE);
    memcpy(other, page + 4, 4);
    memcpy(other + 4, page, 4);
    CU_ASSERT_NOT_EQUAL(pf_key_page(&form, other, PAGE), key);
    memcpy(other, page, PAGE);
    memcpy(other, page + LINE, LINE);
    memcpy(other + LINE, page, LINE);
    CU_ASSERT_NOT_EQUAL(pf_key_page(&form, other, PAGE), key);
    /* The same bit turned over in two words: of a sum modulo 2^64 the top bits would cancel. */
    for (unsigned bit = 0; bit < 32; bit++) {
        memcpy(other, page, PAGE);
        other[bit / 8] ^= (uint8_t)(1U << bit % 8);
        other[1024 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        CU_ASSERT_NOT_EQUAL(pf_key_page(&form, other, PAGE), key);
    }
}

/* 300 pages of few words that differ, so that 44,850 pairs could meet: at 61 bits none is expected
 * to, at 8 bits a digest of the one line that differs is one of 256. */
static void narrow_digests_meet(void)
{
    PfKeyForm wide = form_of(PF_KEY_BITS);
    PfKeyForm narrow = form_of(8);
    uint64_t wide_keys[300];
    uint64_t narrow_keys[300];
    unsigned wide_meet = 0;
    unsigned narrow_meet = 0;
    for (unsigned i = 0; i < 300; i++) {
        uint8_t page[PAGE] = {0};
        page[5] = (uint8_t)i;
        page[9] = (uint8_t)(i >> 8);
        wide_keys[i] = pf_key_page(&wide, page, PAGE);
        narrow_keys[i] = pf_key_page(&narrow, page, PAGE);
        for (unsigned j = 0; j < i; j++) {
            wide_meet += wide_keys[i] == wide_keys[j];
            narrow_meet += narrow_keys[i] == narrow_keys[j];
        }
    }
    CU_ASSERT_EQUAL(wide_meet, 0);
    CU_ASSERT(narrow_meet >= 300 - 256); /* pigeons in 256 holes */
}

/* A word and its check bits are a word of the code: the syndrome of an error is the check bits of
 * what is turned over. One wrong bit, of 72, gives an odd number of ones and each another; two give
 * an even number that is not 0. */
static void code_corrects_one_bit_and_tells_two(void)
{
    uint8_t syndromes[72];
    for (unsigned bit = 0; bit < 72; bit++)
        syndromes[bit] = (uint8_t)(bit < 64 ? pf_ecc_check((uint64_t)1 << bit) : 1U << (bit - 64));
    for (unsigned a = 0; a < 72; a++) {
        CU_ASSERT_EQUAL(__builtin_popcount(syndromes[a]) % 2, 1);
        for (unsigned b = 0; b < a; b++) {
            CU_ASSERT_NOT_EQUAL(syndromes[a], syndromes[b]);
            CU_ASSERT_EQUAL(__builtin_popcount(syndromes[a] ^ syndromes[b]) % 2, 0);
        }
    }
    PfRng rng = pf_rng_derive(4, "test");
    for (unsigned i = 0; i < 100; i++) {
        uint64_t a = pf_rng_next(&rng);
        uint64_t b = pf_rng_next(&rng);
        CU_ASSERT_EQUAL(pf_ecc_check(a ^ b), pf_ecc_check(a) ^ pf_ecc_check(b));
    }
}

/* Line 3 of each quarter of 1024 bytes begins at 192, 1216, 2240 and 3264. Its first word alone
 * counts: 1 stands for the column 0x07, 2 for 0x0b. */
static void four_lines_make_32_bits(void)
{
    uint8_t page[PAGE] = {0};
    CU_ASSERT_EQUAL(pf_ecc_key(page, PAGE, LINE, 3), 0);
    page[192] = 1;
    page[3264] = 2;
    CU_ASSERT_EQUAL(pf_ecc_key(page, PAGE, LINE, 3), 0x0b000007);
    PfRng rng = pf_rng_derive(5, "test");
    uint8_t other[PAGE];
    fill_randomly(&rng, other);
    for (unsigned i = 0; i < PF_ECC_LINES; i++)
        memcpy(other + 192 + (size_t)i * 1024, page + 192 + (size_t)i * 1024, 8);
    CU_ASSERT_EQUAL(pf_ecc_key(other, PAGE, LINE, 3), 0x0b000007);
    CU_ASSERT_EQUAL(pf_ecc_offset(PAGE, LINE, 15, 3), 4096 - 64);
    CU_ASSERT_EQUAL(pf_ecc_offset(PAGE, LINE, 16, 3), 4096 - 64); /* 16 lines: 0 to 15 */
}

static const PfCheck checks[] = {
    {"a key kept up by stores, and one by write-backs, is that of a full pass each time",
     kept_up_key_is_that_of_a_full_pass},
    {"a store needs the old bytes of its words only", store_needs_the_old_bytes_of_its_words_only},
    {"words and lines that change places change the key", places_of_words_and_lines_count},
    {"narrow digests let keys meet", narrow_digests_meet},
    {"the code tells one wrong bit of 72 from each other and from two",
     code_corrects_one_bit_and_tells_two},
    {"check bits of four lines make a key of 32 bits", four_lines_make_32_bits},
};

PF_CHECK_MAIN("page_key", checks)
