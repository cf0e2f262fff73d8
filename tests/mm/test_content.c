/* Interned contents. */
#include "content.h"

#include "check.h"

#include <string.h>

#include "rng.h"

enum { PAGE = 4096 };

static PfContentSpec id_spec(uint64_t number)
{
    return (PfContentSpec){.form = PF_CONTENT_ID, .number = number};
}

static PfContent intern_id(PfContentStore *store, uint64_t number)
{
    PfContentSpec spec = id_spec(number);
    return pf_content_intern_spec(store, &spec);
}

static void test_equal_bytes(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    uint8_t a[PAGE] = {1};
    uint8_t b[PAGE] = {1};
    PfContent first = pf_content_intern(store, a);
    PfContent second = pf_content_intern(store, b);
    b[PAGE - 1] = 1;
    PfContent third = pf_content_intern(store, b);
    CU_ASSERT_TRUE(pf_content_equal(first, second));
    CU_ASSERT_FALSE(pf_content_equal(first, third));
    /* The zero page is there from the start. */
    CU_ASSERT_EQUAL(pf_content_store_count(store), 3);
    a[0] = 9; /* the store has a copy */
    uint8_t scratch[PAGE];
    CU_ASSERT_EQUAL(pf_content_bytes(store, first, scratch)[0], 1);
}

static void test_last_reference(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    uint64_t empty_bytes = pf_content_store_bytes(store);
    uint8_t page[PAGE] = {7};
    PfContent content = pf_content_intern(store, page);
    CU_ASSERT_EQUAL(pf_content_store_bytes(store) - empty_bytes >= PAGE, true);
    pf_content_ref(store, content);
    pf_content_unref(store, content);
    CU_ASSERT_EQUAL(pf_content_store_count(store), 2);
    pf_content_unref(store, content);
    CU_ASSERT_EQUAL(pf_content_store_count(store), 1);
    CU_ASSERT_TRUE(pf_content_store_bytes(store) < empty_bytes + PAGE);
    /* The place is used again, and the old bytes are not found. */
    page[0] = 8;
    PfContent other = pf_content_intern(store, page);
    CU_ASSERT_EQUAL(other.index, content.index);
    CU_ASSERT_EQUAL(memcmp(pf_content_bytes(store, other, page), page, PAGE), 0);
}

static void test_zero_page(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    const uint8_t zeros[PAGE] = {0};
    const PfContentSpec empty = {.form = PF_CONTENT_BYTES, .bytes = zeros, .length = 0};
    const PfContentSpec zero = {.form = PF_CONTENT_ZERO};
    CU_ASSERT_TRUE(pf_content_equal(pf_content_intern(store, zeros), PF_CONTENT_OF_ZEROS));
    CU_ASSERT_TRUE(pf_content_equal(pf_content_intern_spec(store, &zero), PF_CONTENT_OF_ZEROS));
    CU_ASSERT_TRUE(pf_content_equal(pf_content_intern_spec(store, &empty), PF_CONTENT_OF_ZEROS));
    CU_ASSERT_TRUE(pf_content_equal(intern_id(store, 0), PF_CONTENT_OF_ZEROS));
    for (unsigned i = 0; i < 9; i++) /* more often than it was asked for */
        pf_content_unref(store, PF_CONTENT_OF_ZEROS);
    CU_ASSERT_EQUAL(pf_content_store_count(store), 1);
    uint8_t scratch[PAGE];
    CU_ASSERT_EQUAL(
        memcmp(pf_content_bytes(store, PF_CONTENT_OF_ZEROS, scratch), zeros, PAGE), 0);
}

static void test_id_is_its_bytes(void)
{
    for (unsigned bytes_first = 0; bytes_first < 2; bytes_first++) {
        g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
        PfContentSpec spec = id_spec(5);
        uint8_t page[PAGE];
        uint8_t scratch[PAGE];
        pf_content_spec_expand(&spec, PAGE, page);
        /* The first word of the stream: splitmix64 of state 5. */
        PfRng rng = {.state = 5};
        uint64_t word = pf_rng_next(&rng);
        word = GUINT64_TO_LE(word);
        CU_ASSERT_EQUAL(memcmp(page, &word, sizeof word), 0);
        PfContent first = bytes_first ? pf_content_intern(store, page) : intern_id(store, 5);
        PfContent second = bytes_first ? intern_id(store, 5) : pf_content_intern(store, page);
        CU_ASSERT_TRUE(pf_content_equal(first, second));
        CU_ASSERT_EQUAL(memcmp(pf_content_bytes(store, first, scratch), page, PAGE), 0);
        CU_ASSERT_EQUAL(pf_content_hash(store, first), pf_content_hash(store, second));
        spec.at = 9;
        spec.with = 4;
        PfContent patched = pf_content_intern_spec(store, &spec);
        size_t at;
        CU_ASSERT_NOT_EQUAL(pf_content_compare(store, first, patched, &at), 0);
        CU_ASSERT_EQUAL(at, 9);
    }
}

static void test_id_takes_no_page(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    for (uint64_t i = 1; i <= 1000; i++)
        intern_id(store, i);
    /* 1000 pages would be 4 MB. */
    CU_ASSERT_EQUAL(pf_content_store_count(store), 1001);
    CU_ASSERT_TRUE(pf_content_store_bytes(store) < 1000 * PAGE / 10);
}

static void test_identity(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    uint8_t page[PAGE] = {3};
    PfContent known = pf_content_intern(store, page);
    /* An identity whose number is the hash of a page is not that page. */
    PfContentSpec spec = {.form = PF_CONTENT_HASH, .number = pf_content_hash(store, known)};
    PfContent identity = pf_content_intern_spec(store, &spec);
    CU_ASSERT_FALSE(pf_content_equal(known, identity));
    CU_ASSERT_TRUE(pf_content_equal(identity, pf_content_intern_spec(store, &spec)));
    CU_ASSERT_TRUE(pf_content_equal(known, pf_content_intern(store, page)));
    CU_ASSERT_EQUAL(pf_content_hash(store, identity), spec.number);
    CU_ASSERT_TRUE(pf_content_has_bytes(store, known));
    CU_ASSERT_FALSE(pf_content_has_bytes(store, identity));
    CU_ASSERT_PTR_NULL(pf_content_bytes(store, identity, page));
    spec.number = 0;
    PfContent zero = pf_content_intern_spec(store, &spec);
    CU_ASSERT_FALSE(pf_content_equal(zero, PF_CONTENT_OF_ZEROS));
}

static int sign_of(int value)
{
    return (value > 0) - (value < 0);
}

static void test_order_of_bytes(void)
{
    /* Around the pieces of 256 bytes in which pages are compared, and at both ends. */
    static const size_t places[] = {0, 1, 255, 256, 257, 511, 512, PAGE - 1};
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    uint8_t a[PAGE];
    memset(a, 0x7f, PAGE);
    PfContent left = pf_content_intern(store, a);
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        for (unsigned step = 1; step < 256; step += 254) { /* one more, or (mod 256) one less */
            uint8_t b[PAGE];
            memcpy(b, a, PAGE);
            b[places[i]] = (uint8_t)(b[places[i]] + step);
            if (places[i] + 1 < PAGE)
                b[places[i] + 1] = (uint8_t)(0x100 - step); /* must not count */
            PfContent right = pf_content_intern(store, b);
            size_t at = 99999;
            int order = pf_content_compare(store, left, right, &at);
            CU_ASSERT_EQUAL(order, sign_of(memcmp(a, b, PAGE)));
            CU_ASSERT_EQUAL(pf_content_compare(store, right, left, NULL), -order);
            CU_ASSERT_EQUAL(at, places[i]);
        }
    }
    size_t at;
    CU_ASSERT_EQUAL(pf_content_compare(store, left, left, &at), 0);
    CU_ASSERT_EQUAL(at, PAGE);
}

static void test_order_of_identities(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    PfContentSpec spec = {.form = PF_CONTENT_HASH, .number = 20};
    PfContent large = pf_content_intern_spec(store, &spec);
    spec.number = 10;
    PfContent small = pf_content_intern_spec(store, &spec);
    size_t at = 1;
    CU_ASSERT_EQUAL(pf_content_compare(store, small, large, &at), -1);
    CU_ASSERT_EQUAL(at, 0);
    CU_ASSERT_EQUAL(pf_content_compare(store, large, small, NULL), 1);
    CU_ASSERT_EQUAL(pf_content_compare(store, PF_CONTENT_OF_ZEROS, small, &at), -1);
    CU_ASSERT_EQUAL(at, 0);
    CU_ASSERT_EQUAL(pf_content_compare(store, small, intern_id(store, 1), NULL), 1);
}

static void test_many(void)
{
    enum { COUNT = 30000, SMALL = 16 };
    g_autoptr(PfContentStore) store = pf_content_store_new(SMALL);
    g_autofree PfContent *contents = g_new(PfContent, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t page[SMALL / 4] = {i + 1, i % 7};
        contents[i] = pf_content_intern(store, (const uint8_t *)page);
    }
    CU_ASSERT_EQUAL(pf_content_store_count(store), COUNT + 1);
    unsigned wrong = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t page[SMALL / 4] = {i + 1, i % 7};
        PfContent again = pf_content_intern(store, (const uint8_t *)page);
        wrong += !pf_content_equal(again, contents[i]);
        pf_content_unref(store, again);
        if (i % 2 == 0)
            pf_content_unref(store, contents[i]);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(pf_content_store_count(store), COUNT / 2 + 1);
}

/* ---- several threads ---- */

enum { THREADS = 4, ROUNDS = 20000, ALPHABET = 8, HELD = 4 };

typedef struct {
    PfContentStore *store;
    uint64_t seed;
    unsigned wrong;
} Worker;

/* Takes and drops a few contents at a time; what it holds must be what it asked for. */
static gpointer work(gpointer data)
{
    Worker *worker = data;
    PfRng rng = {.state = worker->seed};
    PfContent held[HELD];
    uint8_t letter[HELD];
    uint8_t page[64];
    uint8_t scratch[64];
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned place = i % HELD;
        if (i >= HELD) {
            memset(page, letter[place], sizeof page);
            const uint8_t *bytes = pf_content_bytes(worker->store, held[place], scratch);
            worker->wrong += memcmp(bytes, page, sizeof page) != 0;
            pf_content_unref(worker->store, held[place]);
        }
        letter[place] = (uint8_t)(1 + pf_rng_below(&rng, ALPHABET));
        memset(page, letter[place], sizeof page);
        held[place] = pf_content_intern(worker->store, page);
    }
    for (unsigned i = 0; i < HELD; i++)
        pf_content_unref(worker->store, held[i]);
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(64);
    Worker workers[THREADS];
    GThread *threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (Worker){.store = store, .seed = i};
        threads[i] = g_thread_new("intern", work, &workers[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        g_thread_join(threads[i]);
        CU_ASSERT_EQUAL(workers[i].wrong, 0);
    }
    CU_ASSERT_EQUAL(pf_content_store_count(store), 1);
}

/* How often digests were asked. */
static unsigned digests;

static uint64_t first_byte(const uint8_t *bytes, size_t length)
{
    digests++;
    return bytes[0] + length;
}

static uint64_t second_byte(const uint8_t *bytes, size_t length)
{
    digests++;
    return bytes[1] + length;
}

static uint64_t last_byte(const uint8_t *bytes, size_t length)
{
    digests++;
    return bytes[length - 1] + length;
}

/* Those of two hashes are kept, and a third is asked each time. */
static void test_digest(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    uint8_t scratch[PAGE];
    uint8_t bytes[PAGE] = {7, 5};
    bytes[PAGE - 1] = 9;
    PfContent content = pf_content_intern(store, bytes);
    digests = 0;
    const unsigned rounds = 3;
    for (unsigned i = 0; i < rounds; i++) {
        CU_ASSERT_EQUAL(pf_content_digest(store, content, first_byte, scratch), 7 + PAGE);
        CU_ASSERT_EQUAL(pf_content_digest(store, content, second_byte, scratch), 5 + PAGE);
        CU_ASSERT_EQUAL(pf_content_digest(store, content, last_byte, scratch), 9 + PAGE);
    }
    CU_ASSERT_EQUAL(digests, 1 + 1 + rounds);
    /* What takes its place in the store has digests of its own. */
    pf_content_unref(store, content);
    bytes[0] = 8;
    bytes[1] = 6;
    PfContent other = pf_content_intern(store, bytes);
    CU_ASSERT_TRUE(pf_content_equal(other, content));
    CU_ASSERT_EQUAL(pf_content_digest(store, other, first_byte, scratch), 8 + PAGE);
    CU_ASSERT_EQUAL(pf_content_digest(store, other, second_byte, scratch), 6 + PAGE);
    pf_content_unref(store, other);
}

static void test_start(void)
{
    g_autoptr(PfContentStore) store = pf_content_store_new(PAGE);
    const uint8_t bytes[PAGE] = {1, 2, 3, 4, 5};
    uint32_t start;
    size_t first;
    PfContent content = pf_content_intern(store, bytes);
    CU_ASSERT_TRUE(pf_content_start(store, content, &start));
    CU_ASSERT_EQUAL(start, 0x01020304);
    CU_ASSERT_EQUAL(pf_content_compare_starts(0x01020304, 0x01030000, &first), -1);
    CU_ASSERT_EQUAL(first, 1);
    CU_ASSERT_EQUAL(pf_content_compare_starts(0x01020304, 0x01020303, &first), 1);
    CU_ASSERT_EQUAL(first, 3);
    const PfContentSpec spec = {.form = PF_CONTENT_HASH, .number = 5};
    PfContent identity = pf_content_intern_spec(store, &spec);
    CU_ASSERT_FALSE(pf_content_start(store, identity, &start));
    pf_content_unref(store, identity);
    pf_content_unref(store, content);
}

static const PfCheck checks[] = {
    {"equal bytes are one content", test_equal_bytes},
    {"a content goes with its last reference", test_last_reference},
    {"the zero page is content 0 in every form and never goes", test_zero_page},
    {"an id is its bytes, whichever came first", test_id_is_its_bytes},
    {"an id takes no page of memory", test_id_takes_no_page},
    {"an identity equals only itself and has no bytes", test_identity},
    {"contents are ordered by their first difference", test_order_of_bytes},
    {"identities are ordered by number, after all bytes", test_order_of_identities},
    {"a digest is made once, and not taken for that of a later content", test_digest},
    {"four bytes tell most contents apart as all of them would", test_start},
    {"thousands of contents are each found again", test_many},
    {"threads take and drop the same contents at once", test_threads},
};

PF_CHECK_MAIN("content", checks)
