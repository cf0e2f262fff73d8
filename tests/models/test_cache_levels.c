/* Levels that know of each other: what stores, victims and MSHRs do between them. */
#include "check.h"
#include "cache.h"
#include "mock_port.h"
#include "rng.h"

enum { LINE = 64, FIRST = 4, SECOND = 14, BELOW = 100 };

typedef struct {
    Mock *memory;
    PfCache *first;
    PfCache *second;
} Levels;

static PfCache *new_level(PfCacheConfig config, uint64_t lines, uint64_t ways, uint64_t latency,
                          PfPort *next)
{
    config.size_bytes = lines * LINE;
    config.ways = ways;
    config.line_bytes = LINE;
    config.latency_cycles = latency;
    return pf_cache_new(&config, next, 1, NULL, NULL);
}

/* FIRST_LINES lines in one set above SECOND_LINES in one set. */
static Levels levels_of(PfCacheConfig first, uint64_t first_lines, PfCacheConfig second,
                        uint64_t second_lines)
{
    Levels levels = {.memory = mock_new(BELOW)};
    levels.second = new_level(second, second_lines, second_lines, SECOND, &levels.memory->port);
    levels.first = new_level(first, first_lines, first_lines, FIRST, pf_cache_port(levels.second));
    pf_cache_attach(levels.first, levels.second);
    return levels;
}

static void levels_clear(Levels *levels)
{
    pf_cache_check(levels->first);
    pf_cache_check(levels->second);
    pf_cache_free(levels->first);
    pf_cache_free(levels->second);
    g_free(levels->memory);
}

static uint64_t ask(PfCache *cache, PfAccessKind kind, uint64_t line, uint32_t bytes, uint64_t now)
{
    PfRequest request = {.address = {line * LINE},
                         .now_cycles = now,
                         .size_bytes = bytes,
                         .kind = (uint8_t)kind,
                         .actor = PF_ACTOR_DEMAND};
    return pf_cache_access(pf_cache_port(cache), &request);
}

static bool holds(const PfCache *cache, uint64_t line)
{
    return pf_cache_holds(cache, (PfMaddr){line * LINE}, NULL);
}

static bool is_dirty(const PfCache *cache, uint64_t line)
{
    bool dirty = false;
    return pf_cache_holds(cache, (PfMaddr){line * LINE}, &dirty) && dirty;
}

static void write_through(void)
{
    Levels levels = levels_of((PfCacheConfig){.write = PF_CACHE_WRITE_THROUGH}, 2,
                              (PfCacheConfig){.write = PF_CACHE_WRITE_BACK}, 4);
    /* The fill, then the store: both ask the second level at 4, the fill takes longer. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_WRITE, 0, 8, 0), FIRST + SECOND + BELOW);
    CU_ASSERT_FALSE(is_dirty(levels.first, 0));
    CU_ASSERT_TRUE(is_dirty(levels.second, 0));
    /* A hit is done when the second level has the store. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_WRITE, 0, 8, 1000), 1000 + FIRST + SECOND);
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 0, 8, 1000), 1000 + FIRST);
    CU_ASSERT_EQUAL(pf_cache_stats(levels.first)->writes_through, 2);
    CU_ASSERT_EQUAL(pf_cache_stats(levels.second)->accesses[PF_ACCESS_WRITE], 2);
    ask(levels.first, PF_ACCESS_READ, 1, 8, 1000);
    ask(levels.first, PF_ACCESS_READ, 2, 8, 1000);
    CU_ASSERT_FALSE(holds(levels.first, 0));
    CU_ASSERT_EQUAL(pf_cache_stats(levels.first)->writebacks, 0);
    levels_clear(&levels);
}

static void write_around(void)
{
    Levels levels = levels_of((PfCacheConfig){.write_miss = PF_CACHE_WRITE_AROUND}, 2,
                              (PfCacheConfig){.write_miss = PF_CACHE_WRITE_AROUND}, 4);
    /* Neither brings it in: eight bytes go to memory. */
    levels.memory->write_latency_cycles = 7;
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_WRITE, 0, 8, 0), FIRST + SECOND + 7);
    CU_ASSERT_FALSE(holds(levels.first, 0) || holds(levels.second, 0));
    CU_ASSERT_EQUAL(levels.memory->count, 1);
    CU_ASSERT_EQUAL(levels.memory->requests[0].kind, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(levels.memory->requests[0].size_bytes, 8);
    /* A line that is held is made dirty, and goes no further. */
    ask(levels.first, PF_ACCESS_READ, 0, 8, 0);
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_WRITE, 0, 8, 1000), 1000 + FIRST);
    CU_ASSERT_TRUE(is_dirty(levels.first, 0));
    CU_ASSERT_EQUAL(levels.memory->count, 2);
    levels_clear(&levels);
}

static void inclusive(void)
{
    Levels levels = levels_of((PfCacheConfig){.inclusion = PF_CACHE_UNRELATED}, 4,
                              (PfCacheConfig){.inclusion = PF_CACHE_INCLUSIVE}, 4);
    ask(levels.first, PF_ACCESS_WRITE, 0, 8, 0);
    for (uint64_t line = 1; line < 4; line++)
        ask(levels.first, PF_ACCESS_READ, line, 8, 0);
    /* Hits above do not reach the second level, whose least recent line is still 0. */
    ask(levels.first, PF_ACCESS_READ, 0, 8, 0);
    uint32_t before = levels.memory->count;
    ask(levels.first, PF_ACCESS_READ, 4, 8, 0);
    CU_ASSERT_FALSE(holds(levels.first, 0) || holds(levels.second, 0));
    CU_ASSERT_TRUE(holds(levels.first, 1) == false || holds(levels.second, 1));
    CU_ASSERT_EQUAL(pf_cache_stats(levels.first)->back_invalidations, 1);
    /* It was dirty above only: the fill of 4, then 0 goes to memory. */
    CU_ASSERT_EQUAL(levels.memory->count, before + 2);
    CU_ASSERT_EQUAL(levels.memory->requests[before + 1].kind, PF_ACCESS_WRITE);
    CU_ASSERT_EQUAL(levels.memory->requests[before + 1].address.bytes, 0);
    /* A whole line that is written comes in below, too, without a read. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_WRITE, 9, LINE, 0), FIRST + SECOND);
    CU_ASSERT_TRUE(holds(levels.second, 9));
    levels_clear(&levels);
}

static void exclusive(void)
{
    Levels levels = levels_of((PfCacheConfig){.inclusion = PF_CACHE_UNRELATED}, 2,
                              (PfCacheConfig){.inclusion = PF_CACHE_EXCLUSIVE}, 2);
    /* A miss of both goes straight to the first level. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 0, 8, 0), FIRST + SECOND + BELOW);
    CU_ASSERT_FALSE(holds(levels.second, 0));
    ask(levels.first, PF_ACCESS_WRITE, 1, 8, 0);
    ask(levels.first, PF_ACCESS_READ, 2, 8, 0); /* 0, clean, moves down */
    ask(levels.first, PF_ACCESS_READ, 3, 8, 0); /* and 1, dirty */
    CU_ASSERT_TRUE(holds(levels.second, 0) && is_dirty(levels.second, 1));
    CU_ASSERT_EQUAL(pf_cache_stats(levels.second)->victim_fills, 1);
    CU_ASSERT_EQUAL(levels.memory->count, 4);
    /* Four lines in two and two: all of them are hits of one or the other. 1 comes back dirty. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 1, 8, 1000), 1000 + FIRST + SECOND);
    CU_ASSERT_TRUE(is_dirty(levels.first, 1));
    CU_ASSERT_FALSE(holds(levels.second, 1));
    CU_ASSERT_TRUE(holds(levels.second, 2));
    ask(levels.first, PF_ACCESS_READ, 0, 8, 1000);
    CU_ASSERT_EQUAL(levels.memory->count, 4);
    /* A fifth line sends the least recent one out: 1 went down last, 2 before it. */
    ask(levels.first, PF_ACCESS_READ, 4, 8, 1000);
    CU_ASSERT_TRUE(is_dirty(levels.second, 1));
    CU_ASSERT_FALSE(holds(levels.second, 2));
    levels_clear(&levels);
}

/* A dirty line that comes up to a level that writes through goes back down at once. */
static void exclusive_below_write_through(void)
{
    Levels levels = levels_of((PfCacheConfig){.write = PF_CACHE_WRITE_THROUGH}, 2,
                              (PfCacheConfig){.inclusion = PF_CACHE_EXCLUSIVE}, 4);
    ask(levels.first, PF_ACCESS_WRITE, 0, LINE, 0);
    CU_ASSERT_TRUE(holds(levels.first, 0) && is_dirty(levels.second, 0));
    ask(levels.first, PF_ACCESS_READ, 1, 8, 0);
    ask(levels.first, PF_ACCESS_READ, 2, 8, 0);
    CU_ASSERT_FALSE(holds(levels.first, 0));
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 0, 8, 1000), 1000 + FIRST + SECOND);
    CU_ASSERT_TRUE(holds(levels.first, 0) && !is_dirty(levels.first, 0));
    CU_ASSERT_TRUE(is_dirty(levels.second, 0));
    levels_clear(&levels);
}

/* A whole line that the first level takes in without a read must be in the second all the same. */
static void inclusive_around(void)
{
    Levels levels = levels_of((PfCacheConfig){.write_miss = PF_CACHE_WRITE_ALLOCATE}, 2,
                              (PfCacheConfig){.inclusion = PF_CACHE_INCLUSIVE,
                                              .write_miss = PF_CACHE_WRITE_AROUND}, 4);
    ask(levels.first, PF_ACCESS_WRITE, 0, LINE, 0);
    CU_ASSERT_TRUE(is_dirty(levels.first, 0) && holds(levels.second, 0));
    CU_ASSERT_EQUAL(levels.memory->count, 0);
    /* A part of a line goes around it. */
    ask(levels.second, PF_ACCESS_WRITE, 1, 8, 0);
    CU_ASSERT_FALSE(holds(levels.second, 1));
    CU_ASSERT_EQUAL(levels.memory->count, 1);
    levels_clear(&levels);
}

/* A line each: when 1 comes in, the third level drops 0 before the first hands it to the second. */
static void exclusive_above_inclusive(void)
{
    g_autofree Mock *memory = mock_new(BELOW);
    g_autoptr(PfCache) third = new_level((PfCacheConfig){.inclusion = PF_CACHE_INCLUSIVE}, 1, 1, 30,
                                         &memory->port);
    Levels levels = {.memory = mock_new(BELOW)};
    levels.second = new_level((PfCacheConfig){.inclusion = PF_CACHE_EXCLUSIVE}, 1, 1, SECOND,
                              pf_cache_port(third));
    levels.first = new_level((PfCacheConfig){.ways = 1}, 1, 1, FIRST, pf_cache_port(levels.second));
    pf_cache_attach(levels.second, third);
    pf_cache_attach(levels.first, levels.second);
    ask(levels.first, PF_ACCESS_READ, 0, 8, 0);
    ask(levels.first, PF_ACCESS_READ, 1, 8, 0);
    CU_ASSERT_TRUE(holds(levels.first, 1) && holds(third, 1));
    CU_ASSERT_FALSE(holds(levels.second, 0));
    pf_cache_check(third);
    levels_clear(&levels);
}

static void mshrs(void)
{
    Levels levels = levels_of((PfCacheConfig){.mshrs = 2}, 8, (PfCacheConfig){.mshrs = 0}, 8);
    const uint64_t miss = FIRST + SECOND + BELOW;
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 0, 8, 0), miss);
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 1, 8, 10), 10 + miss);
    /* Sent at 10 + 4 it would be, but goes when the first is back, which frees its register. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 2, 8, 10), miss + SECOND + BELOW);
    CU_ASSERT_EQUAL(pf_cache_stats(levels.first)->mshr_stall_cycles, miss - (10 + FIRST));
    /* A hit needs none; a miss at the very end of another waits no more. */
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 1, 8, 11), 11 + FIRST);
    CU_ASSERT_EQUAL(ask(levels.first, PF_ACCESS_READ, 3, 8, 10 + miss - FIRST),
                    10 + miss - FIRST + miss);
    CU_ASSERT_EQUAL(pf_cache_stats(levels.first)->mshr_stall_cycles, miss - (10 + FIRST));
    levels_clear(&levels);
}

static void actors(void)
{
    Levels levels = levels_of((PfCacheConfig){.mshrs = 0}, 2, (PfCacheConfig){.mshrs = 0}, 4);
    PfRequest request = {.size_bytes = 8, .kind = PF_ACCESS_READ, .actor = PF_ACTOR_DEMAND};
    for (uint64_t line = 0; line < 2; line++) {
        request.address.bytes = line * LINE;
        pf_cache_access(pf_cache_port(levels.first), &request);
    }
    request.actor = PF_ACTOR_POLICY;
    for (uint64_t line = 2; line < 5; line++) {
        request.address.bytes = line * LINE;
        pf_cache_access(pf_cache_port(levels.first), &request);
    }
    const PfCacheStats *stats = pf_cache_stats(levels.first);
    CU_ASSERT_EQUAL(stats->accesses_by_actor[PF_ACTOR_DEMAND], 2);
    CU_ASSERT_EQUAL(stats->accesses_by_actor[PF_ACTOR_POLICY], 3);
    /* 2 and 3 put 0 and 1 out; 4 only what the policy itself had brought. */
    CU_ASSERT_EQUAL(stats->demand_evicted_by_policy, 2);
    CU_ASSERT_EQUAL(pf_cache_stats(levels.second)->demand_evicted_by_policy, 1);
    levels_clear(&levels);
}

static bool is_even_line(const void *user, PfMaddr address)
{
    (void)user;
    return address.bytes / LINE % 2 == 0;
}

static void shared_frames(void)
{
    Levels levels = levels_of((PfCacheConfig){.mshrs = 0}, 1, (PfCacheConfig){.mshrs = 0}, 4);
    pf_cache_watch_hits(levels.second, is_even_line, NULL);
    for (unsigned i = 0; i < 3; i++)
        for (uint64_t line = 0; line < 3; line++)
            ask(levels.first, PF_ACCESS_READ, line, 8, 0);
    /* Three lines three times, of which the first time is a miss; two of three are even. */
    CU_ASSERT_EQUAL(pf_cache_stats(levels.second)->hits_on_shared_frames, 2 * 2);
    levels_clear(&levels);
}

/* An exclusive pair is, for hits, one list in order of use: the first level its front, as long as
 * nothing is taken out of the middle but to the front. */
static void exclusive_is_one_list(void)
{
    enum { ABOVE = 3, BEHIND = 5, ALL = ABOVE + BEHIND, ACCESSES = 20000 };
    Levels levels = levels_of((PfCacheConfig){.inclusion = PF_CACHE_UNRELATED}, ABOVE,
                              (PfCacheConfig){.inclusion = PF_CACHE_EXCLUSIVE}, BEHIND);
    uint64_t list[ALL];
    unsigned length = 0;
    unsigned wrong = 0;
    PfRng rng = pf_rng_derive(3, "exclusive");
    for (unsigned i = 0; i < ACCESSES; i++) {
        uint64_t line = pf_rng_below(&rng, ALL + 3);
        unsigned place = 0;
        while (place < length && list[place] != line)
            place++;
        bool is_hit = place < length;
        bool is_above = is_hit && place < ABOVE;
        uint64_t expected = FIRST + (is_above ? 0U : SECOND) + (is_hit ? 0U : BELOW);
        wrong += ask(levels.first, PF_ACCESS_READ, line, 8, 0) != expected;
        length += !is_hit && length < ALL;
        for (unsigned j = MIN(place, length - 1); j > 0; j--)
            list[j] = list[j - 1];
        list[0] = line;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (unsigned i = 0; i < length; i++)
        CU_ASSERT_TRUE(holds(i < ABOVE ? levels.first : levels.second, list[i]));
    levels_clear(&levels);
}

/* Whatever is read and written, an inclusive level holds all that is above it, and no byte that was
 * written is lost: it is dirty somewhere or has been written to memory since. */
static void nothing_is_lost(void)
{
    enum { LINES = 24, ACCESSES = 4000 };
    for (unsigned i = PF_CACHE_UNRELATED; i <= PF_CACHE_EXCLUSIVE; i++) {
        int inclusion = (int)i;
        Levels levels = levels_of((PfCacheConfig){.replacement = PF_CACHE_RANDOM}, 4,
                                  (PfCacheConfig){.inclusion = inclusion,
                                                  .replacement = PF_CACHE_SRRIP}, 8);
        bool pending[LINES] = {false};
        PfRng rng = pf_rng_derive(i, "lost");
        unsigned lost = 0;
        for (unsigned access = 0; access < ACCESSES; access++) {
            uint64_t line = pf_rng_below(&rng, LINES);
            bool is_write = pf_rng_below(&rng, 2) == 0;
            uint32_t bytes = pf_rng_below(&rng, 4) == 0 ? LINE : 8;
            bool written[LINES] = {false};
            levels.memory->count = 0;
            ask(levels.first, is_write ? PF_ACCESS_WRITE : PF_ACCESS_READ, line, bytes, 0);
            pending[line] |= is_write;
            for (uint32_t j = 0; j < levels.memory->count; j++)
                if (levels.memory->requests[j].kind == PF_ACCESS_WRITE)
                    written[levels.memory->requests[j].address.bytes / LINE] = true;
            for (uint64_t j = 0; j < LINES; j++) {
                bool dirty = is_dirty(levels.first, j) || is_dirty(levels.second, j);
                lost += pending[j] && !dirty && !written[j];
                pending[j] = dirty;
            }
            pf_cache_check(levels.second);
        }
        CU_ASSERT_EQUAL(lost, 0);
        levels_clear(&levels);
    }
}

static const PfCheck checks[] = {
    {"a store through a level leaves its line clean and is done with the next level",
     write_through},
    {"a store around a level does not bring its line in, and makes a held one dirty",
     write_around},
    {"what leaves an inclusive level leaves those above, with its dirt", inclusive},
    {"... and holds whole lines that are stored above, even if stores go around it",
     inclusive_around},
    {"an exclusive level holds what left the one above, which takes it back", exclusive},
    {"... but nothing that an inclusive level behind it has dropped", exclusive_above_inclusive},
    {"... unless that one writes through, which sends dirty lines back",
     exclusive_below_write_through},
    {"a miss without a free MSHR waits for the first to be done", mshrs},
    {"accesses are counted by actor, and what a policy puts out", actors},
    {"reads that hit on shared frames are counted", shared_frames},
    {"an exclusive pair is one list in order of use", exclusive_is_one_list},
    {"no store is lost, and an inclusive level holds all that is above", nothing_is_lost},
};

PF_CHECK_MAIN("cache_levels", checks)
