#include <limits.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "mock_host.h"
#include "registry.h"

enum { FRAMES = 256, KEYS = 24, ROUNDS = 20000 };

#define SEED ((uint64_t)20021208)

static PfRegistry *registry_with_plugins(void)
{
    PfRegistry *registry = pf_registry_new();
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_BLOOM, &error));
    return registry;
}

static PfHost *host_with(const PfFinderOps *ops, const char *const *assignments)
{
    PfHost *host = mock_new(FRAMES, 8, 64);
    g_autoptr(GError) error = NULL;
    bool used = mock_use(host, NULL, ops, assignments, &error);
    CU_ASSERT_FATAL(used);
    return host;
}

/* The naive multimap: values are 0 .. FRAMES - 1, each filed at most once. */
typedef struct {
    bool is_filed[FRAMES];
    unsigned key[FRAMES];   /* its number */
    unsigned round[FRAMES]; /* when it was filed */
} Model;

/* Key NUMBER; they share their low bits by pairs. */
static uint64_t key_of(unsigned number)
{
    return (uint64_t)(number % 2) << 60 | (uint64_t)(number / 2) << 30 | number / 4;
}

/* The page that holds key NUMBER, for finders that look at pages. */
static PfPage page_of(unsigned number)
{
    return mock_page(0, number);
}

static void fill_pages(PfHost *host, unsigned count)
{
    mock_add_context(host);
    for (unsigned i = 0; i < count; i++)
        mock_fill(host, page_of(i), key_of(i));
}

/* Everything filed under key NUMBER is found, each once, the latest first, and nothing else. */
static bool finds_the_same(PfHost *host, const Model *model, unsigned number)
{
    unsigned last = UINT_MAX;
    unsigned found = 0;
    uint64_t cursor = 0;
    uint64_t value;
    while (pf_host_find(host, key_of(number), page_of(number), &cursor, &value)) {
        if (value >= FRAMES || !model->is_filed[value] || model->key[value] != number ||
            model->round[value] >= last)
            return false;
        last = model->round[value];
        found++;
    }
    for (unsigned i = 0; i < FRAMES; i++)
        found -= model->is_filed[i] && model->key[i] == number;
    return found == 0;
}

static void play(const PfFinderOps *ops)
{
    g_autoptr(PfHost) host = host_with(ops, NULL);
    g_autofree Model *model = g_new0(Model, 1);
    PfRng rng = pf_rng_derive(SEED, ops->name);
    unsigned wrong = 0;
    fill_pages(host, KEYS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned value = (unsigned)pf_rng_below(&rng, FRAMES);
        unsigned number = (unsigned)pf_rng_below(&rng, KEYS);
        /* Half of the time as policies do: a search, then the filing. */
        if (round % 2 == 0)
            wrong += !finds_the_same(host, model, number);
        if (model->is_filed[value]) {
            pf_host_unfile(host, key_of(model->key[value]), value);
            model->is_filed[value] = false;
        } else {
            pf_host_file(host, key_of(number), page_of(number), value);
            model->is_filed[value] = true;
            model->key[value] = number;
            model->round[value] = round;
        }
        wrong += !finds_the_same(host, model, (unsigned)pf_rng_below(&rng, KEYS));
        if (ops->check != NULL && round % 1000 == 0)
            ops->check(mock_finder(host));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (unsigned i = 0; i < FRAMES; i++)
        if (model->is_filed[i])
            pf_host_unfile(host, key_of(model->key[i]), i);
    CU_ASSERT_EQUAL(mock_tickets(host), 0);
    memset(model, 0, sizeof(*model));
    CU_ASSERT(finds_the_same(host, model, 0));
    CU_ASSERT(mock_counts(host)->lines[PF_ACCOUNT_LOOKUP] > ROUNDS);
}

static void every_finder_finds_what_a_naive_multimap_finds(void)
{
    g_autoptr(PfRegistry) registry = registry_with_plugins();
    printf("# seed %" G_GUINT64_FORMAT "\n", SEED);
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++)
        play(pf_registry_finder(registry, i));
}

static void every_finder_holds_as_many_values_as_the_machine_has_frames(void)
{
    g_autoptr(PfRegistry) registry = registry_with_plugins();
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++) {
        g_autoptr(PfHost) host = host_with(pf_registry_finder(registry, i), NULL);
        fill_pages(host, FRAMES / 2);
        for (unsigned value = 0; value < FRAMES; value++)
            pf_host_file(host, key_of(value / 2), page_of(value / 2), value);
        uint64_t cursor = 0;
        uint64_t value;
        unsigned found = 0;
        while (pf_host_find(host, key_of(3), page_of(3), &cursor, &value))
            found += value / 2 == 3;
        CU_ASSERT_EQUAL(found, 2);
    }
}

/* Finders of keys do not look at pages: one that is not there will do. */
static bool find(PfHost *host, uint64_t key, uint64_t *cursor, uint64_t *ret_value)
{
    return pf_host_find(host, key, mock_page(0, 0), cursor, ret_value);
}

static void file(PfHost *host, uint64_t key, uint64_t value)
{
    pf_host_file(host, key, mock_page(0, 0), value);
}

/* In a table of four chains keys 1, 5 and 9 are in one chain; the last filed is its first frame. */
static void the_table_charges_the_head_and_each_frame_visited(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const char *const assignments[] = {"finder.index_bits=2", NULL};
    g_autoptr(PfHost) host = host_with(pf_registry_find_finder(registry, "table"), assignments);
    const uint64_t *lines = &mock_counts(host)->lines[PF_ACCOUNT_LOOKUP];
    uint64_t cursor = 0;
    uint64_t value;
    CU_ASSERT_FALSE(find(host, 1, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 1);
    file(host, 1, 100);
    file(host, 5, 500);
    file(host, 9, 900);
    CU_ASSERT_EQUAL(*lines, 1 + 3 * 2);
    cursor = 0;
    CU_ASSERT(find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(value, 500);
    CU_ASSERT_EQUAL(*lines, 7 + 1 + 2);
    CU_ASSERT_FALSE(find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 10 + 1);
    CU_ASSERT_FALSE(find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 11);
    /* Steps are the frames compared in look-ups: 2, 1 and, below, 3. */
    CU_ASSERT_EQUAL(mock_stat(host, "test.chain_steps"), 3);
    pf_host_unfile(host, 1, 100);
    CU_ASSERT_EQUAL(*lines, 11 + 1 + 3);
    CU_ASSERT_EQUAL(mock_stat(host, "test.chain_steps"), 3);
}

/* Entries are 16 bytes, four a line of 64: 0 .. 3, 4 .. 7 and 8 lie on three lines. */
static void the_list_charges_every_line_of_entries_compared(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(PfHost) host = host_with(pf_registry_find_finder(registry, "brute"), NULL);
    for (uint64_t i = 0; i < 9; i++)
        file(host, i, i);
    const uint64_t *lines = &mock_counts(host)->lines[PF_ACCOUNT_LOOKUP];
    uint64_t before = *lines;
    CU_ASSERT_EQUAL(before, 9);
    uint64_t cursor = 0;
    uint64_t value;
    CU_ASSERT(find(host, 8, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 1);
    CU_ASSERT_FALSE(find(host, 8, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 3);
    cursor = 0;
    before = *lines;
    CU_ASSERT(find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 2);
    /* Entry 4 is on the line of entry 5. */
    CU_ASSERT_FALSE(find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 3);
    CU_ASSERT_EQUAL(mock_finder_ops(host)->metadata_bytes(mock_finder(host)), 9 * 16);
    before = *lines;
    pf_host_unfile(host, 4, 4);
    CU_ASSERT_EQUAL(*lines - before, 2);
}

/* A tree for pages of context 0; the page's number is what it holds. */
static PfHost *tree_host(unsigned pages)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfHost *host = host_with(pf_registry_find_finder(registry, "tree"), NULL);
    mock_add_context(host);
    for (unsigned i = 0; i < pages; i++)
        mock_fill(host, mock_page(0, i), i);
    return host;
}

/* Whether a search for what PAGE holds finds VALUE and no other. */
static bool finds_only(PfHost *host, PfPage page, uint64_t value)
{
    uint64_t cursor = 0;
    uint64_t found = UINT64_MAX;
    return pf_host_find(host, 0, page, &cursor, &found) && found == value &&
           !pf_host_find(host, 0, page, &cursor, &found);
}

static bool finds_nothing(PfHost *host, PfPage page)
{
    uint64_t cursor = 0;
    uint64_t found;
    return !pf_host_find(host, 0, page, &cursor, &found);
}

/* 2 is the root, 1 and 3 its children: 0 and 4 would hang below these. */
static void the_tree_charges_a_line_and_a_comparison_a_level(void)
{
    g_autoptr(PfHost) host = tree_host(6);
    const uint64_t *lines = &mock_counts(host)->lines[PF_ACCOUNT_LOOKUP];
    const uint64_t *compares = &mock_counts(host)->compares;
    for (unsigned i = 0; i < 3; i++) {
        static const unsigned order[] = {2, 1, 3};
        PfPage page = mock_page(0, order[i]);
        CU_ASSERT(finds_nothing(host, page));
        pf_host_file(host, 0, page, order[i]);
    }
    /* Nothing at the first search, one level at the two others; filing, two lines each. */
    CU_ASSERT_EQUAL(*compares, 0 + 1 + 1);
    CU_ASSERT_EQUAL(*lines, 2 + 3 * 2);
    CU_ASSERT(finds_only(host, mock_page(0, 3), 3));
    CU_ASSERT_EQUAL(*compares, 2 + 2);
    CU_ASSERT_EQUAL(*lines, 8 + 2);
    CU_ASSERT(finds_nothing(host, mock_page(0, 4)));
    CU_ASSERT_EQUAL(*compares, 4 + 2);
    /* Another page than the one searched for last has to be walked for. */
    pf_host_file(host, 0, mock_page(0, 0), 0);
    CU_ASSERT_EQUAL(*compares, 6 + 2);
    CU_ASSERT_EQUAL(*lines, 10 + 2 + 2 + 2);
    CU_ASSERT_EQUAL(mock_stat(host, "test.tree_levels"), 8);
    pf_host_unfile(host, 0, 2);
    CU_ASSERT_EQUAL(*compares, 8);
    CU_ASSERT_EQUAL(*lines, 16 + 2);
    CU_ASSERT_EQUAL(mock_finder_ops(host)->metadata_bytes(mock_finder(host)), 3 * 48);
}

static void the_tree_finds_what_a_page_held_when_it_was_filed(void)
{
    g_autoptr(PfHost) host = tree_host(6);
    for (unsigned i = 0; i < 5; i++)
        pf_host_file(host, 0, mock_page(0, i), i);
    mock_fill(host, mock_page(0, 1), 5); /* was 1 */
    mock_fill(host, mock_page(0, 5), 1); /* was 5 */
    CU_ASSERT(finds_only(host, mock_page(0, 5), 1));
    CU_ASSERT(finds_nothing(host, mock_page(0, 1)));
    for (unsigned i = 2; i < 5; i++)
        CU_ASSERT(finds_only(host, mock_page(0, i), i));
    pf_host_unfile(host, 0, 1);
    CU_ASSERT(finds_nothing(host, mock_page(0, 5)));
    mock_finder_ops(host)->check(mock_finder(host));
}

/* The metadata of a table for FRAMES frames, with the default of chains. */
static uint64_t table_bytes(uint64_t frames)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const PfFinderOps *ops = pf_registry_find_finder(registry, "table");
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    g_autofree void *values = g_malloc0(ops->config_bytes);
    pf_config_bind(pf_config_section(config, "finder"), ops->fields, ops->field_count, values);
    g_autoptr(PfHost) host = mock_new(1, 8, 64);
    g_autoptr(GError) error = NULL;
    void *finder = ops->create(host, values, frames, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(finder);
    uint64_t bytes = ops->metadata_bytes(finder);
    ops->free(finder);
    return bytes;
}

/* US 6,789,156 B1, performance example: 112,640 frames, 131,072 chains; 441 and 97 pages, of which
 * the tables themselves need 440 and 96. */
static void the_table_takes_what_the_patent_says(void)
{
    uint64_t chains_bytes = (uint64_t)131072 * 3;
    uint64_t frames_bytes = (uint64_t)112640 * 16;
    CU_ASSERT_EQUAL(chains_bytes, 96 * 4096);
    CU_ASSERT_EQUAL(frames_bytes, 440 * 4096);
    CU_ASSERT_EQUAL(table_bytes(112640), chains_bytes + frames_bytes);
}

static void chains_are_the_next_power_of_two_of_frames(void)
{
    CU_ASSERT_EQUAL(table_bytes(131072), 131072 * 3 + 131072 * 16);
    CU_ASSERT_EQUAL(table_bytes(131073), 262144 * 3 + 131073 * 16);
}

/* 2^24 frames of 4 KiB are 64 GiB; one more does not fit a 24-bit number. */
static void more_frames_than_24_bits_number_take_wider_pointers(void)
{
    uint64_t most = (uint64_t)1 << 24;
    CU_ASSERT_EQUAL(table_bytes(most), most * 3 + most * 16);
    CU_ASSERT_EQUAL(table_bytes(most + 1), 2 * most * 4 + (most + 1) * (8 + 4 + 2 + 4));
}

/* n = 200 keys, m = 1024 counters, k = 3: (1 - e^(-kn/m))^k = 0.0872. The rate over 40,000 keys
 * that are not filed must be within a fifth of it. */
static void the_bloom_filter_has_the_false_positives_of_theory(void)
{
    g_autoptr(PfRegistry) registry = registry_with_plugins();
    const char *const assignments[] = {"finder.counters=1024", "finder.hashes=3", NULL};
    g_autoptr(PfHost) host = host_with(pf_registry_find_finder(registry, "bloom"), assignments);
    enum { FILED = 200, QUERIES = 40000 };
    PfRng rng = pf_rng_derive(SEED, "bloom");
    for (uint64_t i = 0; i < FILED; i++)
        file(host, pf_rng_next(&rng), i);
    for (unsigned i = 0; i < QUERIES; i++) {
        uint64_t cursor = 0;
        uint64_t value;
        CU_ASSERT_FALSE(find(host, pf_rng_next(&rng), &cursor, &value));
    }
    double expected = pow(1 - exp(-3.0 * FILED / 1024), 3) * QUERIES;
    double got = (double)mock_stat(host, "test.bloom_false_positives");
    CU_ASSERT(got > 0.8 * expected);
    CU_ASSERT(got < 1.2 * expected);
    /* 4 bits a counter, and the list. */
    CU_ASSERT_EQUAL(mock_finder_ops(host)->metadata_bytes(mock_finder(host)),
                    1024 / 2 + FILED * 16);
}

static const PfCheck checks[] = {
    {"every finder finds what a naive multimap finds",
     every_finder_finds_what_a_naive_multimap_finds},
    {"every finder holds as many values as the machine has frames",
     every_finder_holds_as_many_values_as_the_machine_has_frames},
    {"the table charges the head and each frame visited",
     the_table_charges_the_head_and_each_frame_visited},
    {"the list charges every line of entries compared",
     the_list_charges_every_line_of_entries_compared},
    {"the tree charges a line and a comparison a level",
     the_tree_charges_a_line_and_a_comparison_a_level},
    {"the tree finds what a page held when it was filed",
     the_tree_finds_what_a_page_held_when_it_was_filed},
    {"the table takes what the patent says", the_table_takes_what_the_patent_says},
    {"chains are the next power of two of frames", chains_are_the_next_power_of_two_of_frames},
    {"more frames than 24 bits number take wider pointers",
     more_frames_than_24_bits_number_take_wider_pointers},
    {"the Bloom filter has the false positives of theory",
     the_bloom_filter_has_the_false_positives_of_theory},
};

PF_CHECK_MAIN("finders", checks)
