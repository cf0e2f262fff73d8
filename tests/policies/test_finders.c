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
    uint64_t key[FRAMES];
} Model;

/* Few keys, so that most are filed several times; they share their low bits by pairs. */
static uint64_t draw_key(PfRng *rng)
{
    uint64_t number = pf_rng_below(rng, KEYS);
    return (number % 2) << 60 | (number / 2) << 30 | number / 4;
}

/* Everything filed under KEY is found, each once, and nothing else. */
static bool finds_the_same(PfHost *host, const Model *model, uint64_t key)
{
    bool is_found[FRAMES] = {false};
    uint64_t cursor = 0;
    uint64_t value;
    while (pf_host_find(host, key, &cursor, &value)) {
        if (value >= FRAMES || is_found[value] || !model->is_filed[value] ||
            model->key[value] != key)
            return false;
        is_found[value] = true;
    }
    for (unsigned i = 0; i < FRAMES; i++)
        if (model->is_filed[i] && model->key[i] == key && !is_found[i])
            return false;
    return true;
}

static void play(const PfFinderOps *ops)
{
    g_autoptr(PfHost) host = host_with(ops, NULL);
    g_autofree Model *model = g_new0(Model, 1);
    PfRng rng = pf_rng_derive(SEED, ops->name);
    unsigned wrong = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t value = pf_rng_below(&rng, FRAMES);
        uint64_t key = draw_key(&rng);
        if (model->is_filed[value]) {
            pf_host_unfile(host, model->key[value], value);
            model->is_filed[value] = false;
        } else {
            pf_host_file(host, key, value);
            model->is_filed[value] = true;
            model->key[value] = key;
        }
        wrong += !finds_the_same(host, model, draw_key(&rng));
        if (ops->check != NULL && round % 1000 == 0)
            ops->check(mock_finder(host));
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (unsigned i = 0; i < FRAMES; i++)
        if (model->is_filed[i])
            pf_host_unfile(host, model->key[i], i);
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
        for (uint64_t value = 0; value < FRAMES; value++)
            pf_host_file(host, value / 2, value);
        uint64_t cursor = 0;
        uint64_t value;
        unsigned found = 0;
        while (pf_host_find(host, 3, &cursor, &value))
            found += value / 2 == 3;
        CU_ASSERT_EQUAL(found, 2);
    }
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
    CU_ASSERT_FALSE(pf_host_find(host, 1, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 1);
    pf_host_file(host, 1, 100);
    pf_host_file(host, 5, 500);
    pf_host_file(host, 9, 900);
    CU_ASSERT_EQUAL(*lines, 1 + 3 * 2);
    cursor = 0;
    CU_ASSERT(pf_host_find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(value, 500);
    CU_ASSERT_EQUAL(*lines, 7 + 1 + 2);
    CU_ASSERT_FALSE(pf_host_find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 10 + 1);
    CU_ASSERT_FALSE(pf_host_find(host, 5, &cursor, &value));
    CU_ASSERT_EQUAL(*lines, 11);
    /* Steps are the frames compared in look-ups: 2, 1 and, below, 3. */
    CU_ASSERT_EQUAL(mock_stat(host, "test.chain_steps"), 3);
    pf_host_unfile(host, 1, 100);
    CU_ASSERT_EQUAL(*lines, 11 + 1 + 3);
    CU_ASSERT_EQUAL(mock_stat(host, "test.chain_steps"), 3);
}

/* Entries are 16 bytes, four a line of 64. */
static void the_list_charges_every_line_of_entries_compared(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(PfHost) host = host_with(pf_registry_find_finder(registry, "brute"), NULL);
    for (uint64_t i = 0; i < 9; i++)
        pf_host_file(host, i, i);
    const uint64_t *lines = &mock_counts(host)->lines[PF_ACCOUNT_LOOKUP];
    uint64_t before = *lines;
    CU_ASSERT_EQUAL(before, 9);
    uint64_t cursor = 0;
    uint64_t value;
    CU_ASSERT(pf_host_find(host, 3, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 1);
    CU_ASSERT_FALSE(pf_host_find(host, 3, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 3);
    cursor = 0;
    CU_ASSERT(pf_host_find(host, 4, &cursor, &value));
    CU_ASSERT_EQUAL(*lines - before, 3 + 2);
    CU_ASSERT_EQUAL(mock_finder_ops(host)->metadata_bytes(mock_finder(host)), 9 * 16);
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
        pf_host_file(host, pf_rng_next(&rng), i);
    for (unsigned i = 0; i < QUERIES; i++) {
        uint64_t cursor = 0;
        uint64_t value;
        CU_ASSERT_FALSE(pf_host_find(host, pf_rng_next(&rng), &cursor, &value));
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
    {"the table takes what the patent says", the_table_takes_what_the_patent_says},
    {"chains are the next power of two of frames", chains_are_the_next_power_of_two_of_frames},
    {"more frames than 24 bits number take wider pointers",
     more_frames_than_24_bits_number_take_wider_pointers},
    {"the Bloom filter has the false positives of theory",
     the_bloom_filter_has_the_false_positives_of_theory},
};

PF_CHECK_MAIN("finders", checks)
