/* Keys of pages that hardware makes: one that can be kept up line by line, and one from the check
 * bits that memory with error correction has anyway.
 *
 * The key that is kept up is a multilinear hash of two levels, modulo the prime p = 2^61 - 1 (J. L.
 * Carter and M. N. Wegman, "Universal classes of hash functions", J. Computer and System Sciences
 * 18, 1979; for sets of parts that change, "New hash functions and their use in authentication and
 * set equality", ibid. 22, 1981). A line of words w(j) of 32 bits has the digest
 *     d = (sum of a(j) w(j) mod p) mod 2^digest_bits
 * and a page of lines d(i) the key
 *     k = (c + sum of b(i) d(i)) mod p
 * with coefficients a, b and c that are drawn once, below p and not 0. Each place has a coefficient
 * of its own: words or lines that change places change the key, as they would not change that of an
 * exclusive-or. A change of one line adds b(i) (new d - old d); with digests of 61 bits, the whole
 * residue, so does a change of a word, whose share is a(j) (new w - old w). Two pages that differ
 * have one key with probability of about 2^-digest_bits for each line that does, and 1/p beside.
 *
 * The other key joins the low 8 check bits of chosen lines, as in PageForge (D. Skarlatos, N. S.
 * Kim, J. Torrellas, MICRO 2017): pages that differ elsewhere have the same. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PF_KEY_PRIME (((uint64_t)1 << 61) - 1)

enum {
    PF_KEY_BITS = 61,
    PF_KEY_WORD_BYTES = 4,
    PF_ECC_LINES = 4, /* that make a key: one of each quarter of a page */
};

typedef struct {
    uint32_t line_bytes; /* a power of two, at most a page's */
    unsigned digest_bits; /* 1 .. PF_KEY_BITS */
} PfKeyForm;

/* The digest of a line of FORM. */
uint64_t pf_key_line(const PfKeyForm *form, const uint8_t *bytes);

/* The key of a page of BYTES in COUNT bytes. */
uint64_t pf_key_page(const PfKeyForm *form, const uint8_t *bytes, size_t count);

/* The key that KEY becomes when line LINE of the page goes from digest OLD to NEW. */
uint64_t pf_key_replace(uint64_t key, uint32_t line, uint64_t old, uint64_t new);

/* The key that KEY becomes when the bytes of line LINE go from OLD to NEW; of words that do not
 * change nothing is computed if the digest is the whole residue. */
uint64_t pf_key_store(const PfKeyForm *form, uint64_t key, uint32_t line, const uint8_t *old,
                      const uint8_t *new);

/* The 8 check bits of the (72,64) code that corrects one wrong bit of a word and tells two, after
 * M. Y. Hsiao, "A class of optimal minimum odd-weight-column SEC-DED codes", IBM J. Research and
 * Development 14(4), 1970: bit i of the word stands for a column of three or five ones, each
 * another, in order of their numbers; the check bits are the exclusive-or of the columns of the
 * bits that are set. */
uint8_t pf_ecc_check(uint64_t word);

/* Where line INDEX of the PF_ECC_LINES that make the key of a page of PAGE_BYTES begins: line LINE
 * of its quarter, or as many lines into it as there are. */
uint32_t pf_ecc_offset(uint32_t page_bytes, uint32_t line_bytes, uint32_t line, unsigned index);

/* The key of a page: the check bits of the first word of each chosen line, the first line's lowest.
 * Words are little-endian; a page of less than four words has fewer bytes in some. */
uint64_t pf_ecc_key(const uint8_t *bytes, uint32_t page_bytes, uint32_t line_bytes, uint32_t line);
