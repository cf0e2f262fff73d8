#include "cam_fixture.h"
#include "check.h"
#include "rng.h"

static uint64_t evicted_by(PfCam *cam, uint64_t bits, uint64_t value)
{
    PfCamItem item = {.key = key_of(bits), .value = value, .frame = PF_CAM_NO_FRAME};
    PfCamItem evicted = {.value = UINT64_MAX};
    uint64_t done;
    CU_ASSERT_EQUAL(pf_cam_insert(cam, &item, 0, &evicted, &done), PF_CAM_EVICTED);
    return evicted.value;
}

static bool clear_entry(PfCam *cam, uint64_t bits, uint64_t value)
{
    PfCamKey key = key_of(bits);
    PfCamItem item;
    uint64_t done;
    return pf_cam_delete(cam, &key, value, 0, &item, &done);
}

/* The values that answer to BITS as digits of a number, the first of them the highest. */
static uint64_t answers(PfCam *cam, uint64_t bits)
{
    PfCamKey key = key_of(bits);
    uint64_t done;
    uint64_t digits = 0;
    for (uint32_t match = pf_cam_search(cam, &key, 0, &done); match != 0;
         match = pf_cam_next(cam, match, 0, &done))
        digits = digits * 10 + pf_cam_item(cam, match).value;
    return digits;
}

static void matches_come_in_order_of_priority(void)
{
    static const uint64_t wanted[] = {3172, 2713, 1237};
    for (int priority = PF_CAM_NEWEST; priority <= PF_CAM_LOWEST; priority++) {
        PfCamConfig config = sixteen();
        config.priority = priority;
        g_autoptr(PfCam) cam = cam_of(&config);
        static const uint64_t values[] = {2, 7, 1, 3};
        for (unsigned i = 0; i < 4; i++)
            insert(cam, 5, values[i]);
        insert(cam, 6, 9);
        CU_ASSERT_EQUAL(answers(cam, 5), wanted[priority]);
        CU_ASSERT_EQUAL(answers(cam, 6), 9);
        CU_ASSERT_EQUAL(answers(cam, 7), 0);
        CU_ASSERT_TRUE(clear_entry(cam, 5, 7));
        CU_ASSERT_FALSE(clear_entry(cam, 5, 7));
        static const uint64_t left[] = {312, 213, 123};
        CU_ASSERT_EQUAL(answers(cam, 5), left[priority]);
        pf_cam_check(cam);
        const PfCamStats *stats = pf_cam_stats(cam);
        CU_ASSERT_EQUAL(stats->searches, 4);
        CU_ASSERT_EQUAL(stats->hits, 3);
        CU_ASSERT_EQUAL(stats->matches, 4 + 1 + 3);
        CU_ASSERT_EQUAL(stats->occupancy, 4);
    }
}

/* Values 1 and 4 are about frame 9, values 2 and 3 about frames 8 and 5. */
static void the_lowest_is_that_of_the_lowest_frame(void)
{
    PfCamConfig config = sixteen();
    config.priority = PF_CAM_LOWEST;
    g_autoptr(PfCam) cam = cam_of(&config);
    static const struct {
        uint64_t value;
        uint32_t frame;
    } rows[] = {{4, 9}, {2, 8}, {1, 9}, {3, 5}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        PfCamItem item = {.key = key_of(5), .value = rows[i].value, .frame = {rows[i].frame}};
        PfCamItem evicted;
        uint64_t done;
        pf_cam_insert(cam, &item, 0, &evicted, &done);
    }
    CU_ASSERT_EQUAL(answers(cam, 5), 3214);
}

static void a_class_is_compared_beside_the_key(void)
{
    PfCamConfig config = sixteen();
    g_autoptr(PfCam) cam = cam_of(&config);
    PfCamItem item = {.key = {.bits = 5, .class = 1}, .value = 8, .frame = PF_CAM_NO_FRAME};
    uint64_t done;
    PfCamItem evicted;
    pf_cam_insert(cam, &item, 0, &evicted, &done);
    PfCamKey other = {.bits = 5, .class = 2};
    CU_ASSERT_EQUAL(pf_cam_search(cam, &other, 0, &done), 0);
    CU_ASSERT_NOT_EQUAL(pf_cam_search(cam, &item.key, 0, &done), 0);
}

/* Keys 1 .. 16 fill it; a search for 1 makes that the last used but not the last inserted. */
static void a_full_cam_loses_what_replacement_says(void)
{
    PfCamConfig config = sixteen();
    for (int replacement = PF_CAM_LRU; replacement <= PF_CAM_REFUSE; replacement++) {
        config.replacement = replacement;
        g_autoptr(PfCam) cam = cam_of(&config);
        for (unsigned i = 1; i <= 16; i++)
            CU_ASSERT_EQUAL(insert(cam, i, i), PF_CAM_STORED);
        const PfCamStats *stats = pf_cam_stats(cam);
        answers(cam, 1);
        if (replacement == PF_CAM_REFUSE) {
            CU_ASSERT_EQUAL(insert(cam, 17, 17), PF_CAM_REFUSED);
            CU_ASSERT_EQUAL(stats->refusals, 1);
            CU_ASSERT_EQUAL(stats->inserts, 16);
            CU_ASSERT_TRUE(clear_entry(cam, 16, 16));
            CU_ASSERT_EQUAL(insert(cam, 17, 17), PF_CAM_STORED);
            continue;
        }
        uint64_t gone = evicted_by(cam, 17, 17);
        if (replacement == PF_CAM_LRU)
            CU_ASSERT_EQUAL(gone, 2);
        if (replacement == PF_CAM_FIFO)
            CU_ASSERT_EQUAL(gone, 1);
        CU_ASSERT_EQUAL(answers(cam, gone), 0);
        CU_ASSERT_EQUAL(stats->evictions, 1);
        CU_ASSERT_EQUAL(stats->occupancy, 16);
        /* Only entry 1 was ever found. */
        CU_ASSERT_EQUAL(stats->wasted_inserts, gone != 1);
        pf_cam_check(cam);
    }
}

/* 1600 draws from 16: each entry goes now and then, about 100 times. */
static void random_replacement_spares_none(void)
{
    PfCamConfig config = sixteen();
    config.replacement = PF_CAM_RANDOM;
    g_autoptr(PfCam) cam = cam_of(&config);
    for (unsigned i = 0; i < 16; i++)
        insert(cam, i, i);
    unsigned gone[16] = {0};
    for (unsigned i = 0; i < 1600; i++) {
        uint64_t value = evicted_by(cam, 16 + i, UINT64_MAX - 1);
        if (value >= 16)
            continue;
        gone[value]++;
    }
    unsigned total = 0;
    for (unsigned i = 0; i < 16; i++)
        total += gone[i];
    CU_ASSERT_EQUAL(total, 16); /* (15/16)^1600 is 1e-45: none of the first is left */
}

/* Keys have a place in one set of two entries: three that share a set do not fit, though the other
 * sets are empty. */
static void sets_limit_where_a_key_can_be(void)
{
    PfCamConfig config = sixteen();
    config.ways = 2;
    g_autoptr(PfCam) cam = cam_of(&config);
    unsigned stored = 0;
    uint64_t key = 0;
    while (insert(cam, key, key) == PF_CAM_STORED) {
        stored++;
        key++;
    }
    CU_ASSERT(stored >= 2 && stored < 16);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->occupancy, stored);
    /* The same key of several values is in one set. */
    g_autoptr(PfCam) one = cam_of(&config);
    insert(one, 5, 1);
    insert(one, 5, 2);
    CU_ASSERT_EQUAL(evicted_by(one, 5, 3), 1);
    CU_ASSERT_EQUAL(answers(one, 5), 32);
    pf_cam_check(one);
}

/* 0.5 nJ a search, 0.25 nJ a write; a deletion is both. */
static void operations_take_energy(void)
{
    PfCamConfig config = sixteen();
    g_autoptr(PfCam) cam = cam_of(&config);
    insert(cam, 1, 1);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->energy_fJ, 250000);
    search_at(cam, 1, 0);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->energy_fJ, 750000);
    clear_entry(cam, 1, 1);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->energy_fJ, 1500000);
    CU_ASSERT_EQUAL(pf_cam_figures_of(cam)->leakage_W, 8 * 1e-3);
    CU_ASSERT_EQUAL(pf_cam_figures_of(cam)->area_mm2, 2);
}

static void count_told(const PfCamItem *item, void *user)
{
    *(uint64_t *)user = *(uint64_t *)user * 10 + item->value;
}

static void put_frame(PfCam *cam, uint64_t bits, uint64_t value, uint32_t frame)
{
    PfCamItem item = {.key = key_of(bits), .value = value, .frame = {frame}};
    PfCamItem evicted;
    uint64_t done;
    pf_cam_insert(cam, &item, 0, &evicted, &done);
}

static void a_store_marks_or_clears_what_is_about_its_frame(void)
{
    for (unsigned clear = 0; clear < 2; clear++) {
        PfCamConfig config = sixteen();
        config.stale = clear != 0 ? PF_CAM_STALE_DELETE : PF_CAM_STALE_DIRTY_BIT;
        g_autoptr(PfCam) cam = cam_of(&config);
        put_frame(cam, 5, 1, 40);
        put_frame(cam, 5, 2, 41);
        put_frame(cam, 6, 3, 40);
        uint64_t told = 0;
        CU_ASSERT_TRUE(pf_cam_has_frame(cam, (PfMpn){40}));
        CU_ASSERT_FALSE(pf_cam_has_frame(cam, (PfMpn){42}));
        pf_cam_invalidate(cam, (PfMpn){40}, clear != 0, 0, count_told, &told);
        CU_ASSERT_FALSE(pf_cam_has_frame(cam, (PfMpn){40}));
        CU_ASSERT_EQUAL(answers(cam, 5), 2);
        CU_ASSERT_EQUAL(answers(cam, 6), 0);
        CU_ASSERT_EQUAL(pf_cam_stats(cam)->stale, 2);
        CU_ASSERT_EQUAL(pf_cam_stats(cam)->occupancy, clear != 0 ? 1 : 3);
        CU_ASSERT_EQUAL(told, clear != 0 ? 13 : 0);
        pf_cam_check(cam);
        /* A marked entry is there until it is cleared. */
        CU_ASSERT_EQUAL(clear_entry(cam, 6, 3), clear == 0);
        CU_ASSERT_EQUAL(insert(cam, 6, 4), PF_CAM_STORED);
        CU_ASSERT_EQUAL(answers(cam, 6), 4);
        pf_cam_check(cam);
    }
}

static void an_ideal_cam_has_no_limit_and_takes_nothing(void)
{
    PfCamConfig config = {.is_ideal = true,
                          .key_bits = 64,
                          .banks = 1,
                          .ports = 1,
                          .verify = true,
                          .entries = PF_CAM_ENTRIES_MAX};
    g_autoptr(PfCam) cam = cam_of(&config);
    enum { MANY = 100000 };
    for (unsigned i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(insert(cam, i, i), PF_CAM_STORED);
    CU_ASSERT_EQUAL(search_at(cam, 77, 100), 100);
    CU_ASSERT_EQUAL(search_at(cam, 77, 100), 100);
    const PfCamStats *stats = pf_cam_stats(cam);
    CU_ASSERT_EQUAL(stats->hits, 2);
    CU_ASSERT_EQUAL(stats->occupancy, MANY);
    CU_ASSERT_EQUAL(stats->energy_fJ, 0);
    CU_ASSERT_EQUAL(stats->port_conflicts, 0);
}

/* A naive CAM: an array in order of insertion. */
enum { STEPS = 20000, NAIVE_MAX = 64 };

typedef struct {
    struct {
        uint64_t bits;
        uint64_t value;
    } entries[NAIVE_MAX];
    unsigned count;
} Naive;

static void naive_remove(Naive *naive, unsigned index)
{
    for (; index + 1 < naive->count; index++)
        naive->entries[index] = naive->entries[index + 1];
    naive->count--;
}

/* Fully associative, first in, first out, the newest first: both must agree at each step. */
static void it_agrees_with_an_array(void)
{
    PfCamConfig config = sixteen();
    config.entries = NAIVE_MAX;
    config.replacement = PF_CAM_FIFO;
    g_autoptr(PfCam) cam = cam_of(&config);
    Naive naive = {.count = 0};
    PfRng rng = {SEED};
    unsigned wrong = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        uint64_t bits = pf_rng_below(&rng, 40);
        uint64_t done;
        PfCamKey key = key_of(bits);
        uint32_t match = pf_cam_search(cam, &key, 0, &done);
        for (unsigned i = naive.count; i-- > 0;) {
            if (naive.entries[i].bits != bits)
                continue;
            wrong += match == 0 || pf_cam_item(cam, match).value != naive.entries[i].value;
            match = match != 0 ? pf_cam_next(cam, match, 0, &done) : 0;
        }
        wrong += match != 0;
        if (pf_rng_below(&rng, 3) == 0 && naive.count > 0) {
            unsigned index = (unsigned)pf_rng_below(&rng, naive.count);
            wrong += !clear_entry(cam, naive.entries[index].bits, naive.entries[index].value);
            naive_remove(&naive, index);
        }
        if (naive.count == NAIVE_MAX) {
            wrong += evicted_by(cam, bits, step) != naive.entries[0].value;
            naive_remove(&naive, 0);
        } else {
            wrong += insert(cam, bits, step) != PF_CAM_STORED;
        }
        naive.entries[naive.count].bits = bits;
        naive.entries[naive.count++].value = step;
        if (step % 1000 == 0)
            pf_cam_check(cam);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(pf_cam_stats(cam)->evictions > 0);
}

static const PfCheck checks[] = {
    {"matches come in order of priority", matches_come_in_order_of_priority},
    {"the lowest is that of the lowest frame", the_lowest_is_that_of_the_lowest_frame},
    {"a class is compared beside the key", a_class_is_compared_beside_the_key},
    {"a full CAM loses what its replacement says", a_full_cam_loses_what_replacement_says},
    {"random replacement spares none", random_replacement_spares_none},
    {"sets limit where a key can be", sets_limit_where_a_key_can_be},
    {"operations take energy", operations_take_energy},
    {"a store marks or clears what is about its frame",
     a_store_marks_or_clears_what_is_about_its_frame},
    {"an ideal CAM has no limit and takes nothing", an_ideal_cam_has_no_limit_and_takes_nothing},
    {"it agrees with an array", it_agrees_with_an_array},
};

PF_CHECK_MAIN("cam", checks)
