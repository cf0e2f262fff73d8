#include <glib.h>
#include <string.h>

#include "check.h"
#include "rng.h"
#include "table.h"

static void test_any_key_and_value(void)
{
    static const uint64_t keys[] = {0, 1, UINT64_MAX, (uint64_t)1 << 63, 0x9e3779b97f4a7c15U};
    PfTable table;
    pf_table_init(&table);
    uint64_t value = 77;
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        CU_ASSERT_FALSE(pf_table_find(&table, keys[i], &value));
        CU_ASSERT_EQUAL(value, 77);
        CU_ASSERT_TRUE(pf_table_insert(&table, keys[i], ~keys[i]));
        CU_ASSERT_EQUAL(pf_table_count(&table), i + 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        CU_ASSERT_TRUE(pf_table_find(&table, keys[i], &value));
        CU_ASSERT_EQUAL(value, ~keys[i]);
        CU_ASSERT_TRUE(pf_table_find(&table, keys[i], NULL));
        value = 77;
    }
    pf_table_clear(&table);
}

static void test_insert_replaces(void)
{
    PfTable table;
    pf_table_init(&table);
    for (uint64_t key = 0; key < 2; key++) {
        CU_ASSERT_TRUE(pf_table_insert(&table, key, 10));
        CU_ASSERT_FALSE(pf_table_insert(&table, key, 20));
        uint64_t value = 0;
        CU_ASSERT_TRUE(pf_table_find(&table, key, &value));
        CU_ASSERT_EQUAL(value, 20);
        CU_ASSERT_EQUAL(pf_table_count(&table), key + 1);
    }
    pf_table_clear(&table);
}

static void test_value_in_place(void)
{
    PfTable table;
    pf_table_init(&table);
    uint64_t *value = pf_table_at(&table, 5);
    CU_ASSERT_EQUAL(*value, 0);
    *value = 7;
    CU_ASSERT_PTR_EQUAL(pf_table_at(&table, 5), value);
    CU_ASSERT_FALSE(pf_table_insert(&table, 5, 8));
    CU_ASSERT_EQUAL(*value, 8);
    CU_ASSERT_EQUAL(pf_table_count(&table), 1);
    /* Three quarters of 16 slots are full; the next key doubles them. */
    for (uint64_t key = 6; key < 17; key++)
        *pf_table_at(&table, key) = key;
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 16 * 16);
    *pf_table_at(&table, 17) = 17;
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 32 * 16);
    CU_ASSERT_EQUAL(*pf_table_at(&table, 5), 8);
    pf_table_clear(&table);
}

static void test_remove(void)
{
    PfTable table;
    pf_table_init(&table);
    CU_ASSERT_FALSE(pf_table_remove(&table, 0));
    CU_ASSERT_FALSE(pf_table_remove(&table, 5));
    pf_table_insert(&table, 0, 1);
    pf_table_insert(&table, 5, 2);
    CU_ASSERT_FALSE(pf_table_remove(&table, 6));
    CU_ASSERT_TRUE(pf_table_remove(&table, 0));
    CU_ASSERT_FALSE(pf_table_find(&table, 0, NULL));
    CU_ASSERT_TRUE(pf_table_find(&table, 5, NULL));
    CU_ASSERT_TRUE(pf_table_remove(&table, 5));
    CU_ASSERT_FALSE(pf_table_remove(&table, 5));
    CU_ASSERT_EQUAL(pf_table_count(&table), 0);
    pf_table_clear(&table);
}

static void test_load_and_bytes(void)
{
    PfTable table;
    pf_table_init(&table);
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 0);
    /* 16 slots hold 12 keys (three quarters); the 13th doubles them. */
    for (uint64_t key = 1; key <= 12; key++)
        pf_table_insert(&table, key, key);
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 16 * 16);
    pf_table_insert(&table, 12, 0);
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 16 * 16);
    pf_table_insert(&table, 13, 13);
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 32 * 16);
    pf_table_clear(&table);
    CU_ASSERT_EQUAL(pf_table_bytes(&table), 0);
    CU_ASSERT_FALSE(pf_table_find(&table, 1, NULL));
}

static void test_reserve(void)
{
    for (uint64_t count = 0; count < 200; count++) {
        PfTable table;
        pf_table_init(&table);
        pf_table_reserve(&table, count);
        uint64_t bytes = pf_table_bytes(&table);
        for (uint64_t key = 1; key <= count; key++)
            pf_table_insert(&table, key * 4096, key);
        CU_ASSERT_EQUAL(pf_table_bytes(&table), bytes);
        CU_ASSERT_EQUAL(pf_table_count(&table), count);
        pf_table_reserve(&table, 1);
        CU_ASSERT_EQUAL(pf_table_bytes(&table), bytes);
        pf_table_clear(&table);
    }
}

/* The model: an array of value + 1 by key, 0 for none. */
enum { KEYS = 200, STEPS = 200000 };

static void step_random(PfRng *rng, PfTable *table, uint64_t *model, uint64_t stride,
                        unsigned *count)
{
    uint64_t index = pf_rng_below(rng, KEYS);
    uint64_t key = index * stride;
    uint64_t value = pf_rng_next(rng) >> 1;
    uint64_t found = 0;
    switch (pf_rng_below(rng, 3)) {
    case 0:
        CU_ASSERT_EQUAL(pf_table_insert(table, key, value), model[index] == 0);
        *count += model[index] == 0;
        model[index] = value + 1;
        break;
    case 1:
        CU_ASSERT_EQUAL(pf_table_remove(table, key), model[index] != 0);
        *count -= model[index] != 0;
        model[index] = 0;
        break;
    default:
        CU_ASSERT_EQUAL(pf_table_find(table, key, &found), model[index] != 0);
        CU_ASSERT_EQUAL(found, model[index] == 0 ? 0 : model[index] - 1);
    }
    CU_ASSERT_EQUAL(pf_table_count(table), *count);
}

static void test_against_model(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        uint64_t stride = seed == 1 ? 1 : (uint64_t)1 << (16 * seed);
        printf("# seed %u\n", (unsigned)seed);
        PfRng rng = pf_rng_derive(seed, "table");
        uint64_t model[KEYS] = {0};
        unsigned count = 0;
        PfTable table;
        pf_table_init(&table);
        for (unsigned i = 0; i < STEPS; i++)
            step_random(&rng, &table, model, stride, &count);
        for (uint64_t i = 0; i < KEYS; i++)
            CU_ASSERT_EQUAL(pf_table_find(&table, i * stride, NULL), model[i] != 0);
        pf_table_clear(&table);
    }
}

static const PfCheck checks[] = {
    {"keys and values can be any 64-bit number", test_any_key_and_value},
    {"inserting a key again replaces its value", test_insert_replaces},
    {"a value can be changed where it stands", test_value_in_place},
    {"a removed key is gone and the others stay", test_remove},
    {"the table doubles when it is three quarters full", test_load_and_bytes},
    {"a reserved number of keys fits without growing", test_reserve},
    {"random inserts, removals and look-ups agree with a model", test_against_model},
};

PF_CHECK_MAIN("table", checks)
