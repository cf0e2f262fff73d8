#include "conflicts.h"

#include "check.h"
#include "mock_port.h"

enum { LINE = 64 };

/* Lines 0, 2 and 4 go to set 0, 1 and 3 to set 1. */
static void ask(PfConflicts *conflicts, unsigned line, PfAccessKind kind, PfActor actor)
{
    PfRequest request = {.address = {(uint64_t)line * LINE},
                         .size_bytes = kind == PF_ACCESS_WRITE ? LINE : 8,
                         .kind = (uint8_t)kind,
                         .actor = (uint8_t)actor};
    pf_port_access(pf_conflicts_port(conflicts), &request);
}

/* Two sets of one way, against two lines without sets. The first touch of a line is no conflict,
 * nor is one that two lines of any kind would have lost; a line that only its set has lost is. */
static void a_miss_that_sets_alone_cause_is_a_conflict(void)
{
    static const struct {
        unsigned line;
        PfAccessKind kind;
        PfActor actor;
        int64_t conflicts; /* after it */
    } steps[] = {
        {0, PF_ACCESS_READ, PF_ACTOR_DEMAND, 0},
        {2, PF_ACCESS_READ, PF_ACTOR_DEMAND, 0},  /* first touch; takes the place of 0 */
        {0, PF_ACCESS_READ, PF_ACTOR_DEMAND, 1},  /* 2 and 0 would both be there */
        {0, PF_ACCESS_READ, PF_ACTOR_DEMAND, 1},  /* a hit */
        {1, PF_ACCESS_READ, PF_ACTOR_DEMAND, 1},  /* first touch; 2 would have to go */
        {2, PF_ACCESS_READ, PF_ACTOR_DEMAND, 1},  /* so this is too much for two lines; 0 goes */
        {1, PF_ACCESS_FETCH, PF_ACTOR_DEMAND, 1}, /* a hit in set 1 */
        {3, PF_ACCESS_READ, PF_ACTOR_DEMAND, 1},  /* first touch: 1 and 3 are there */
        {1, PF_ACCESS_FETCH, PF_ACTOR_DEMAND, 2},
        {3, PF_ACCESS_READ, PF_ACTOR_POLICY, 2}, /* a conflict, but not of a context's */
        {1, PF_ACCESS_WRITE, PF_ACTOR_DEMAND, 2}, /* a write-back: nobody waits for it */
    };
    g_autofree Mock *below = mock_new(100);
    PfCacheConfig config = {
        .size_bytes = 2 * LINE, .ways = 1, .line_bytes = LINE, .latency_cycles = 4};
    PfStats *stats = pf_stats_new();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    PfConflicts *conflicts = pf_conflicts_new(cache, 2, LINE, pf_stats_group(stats, "class"));
    pf_stats_freeze(stats);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        PfStatValue value;
        ask(conflicts, steps[i].line, steps[i].kind, steps[i].actor);
        CU_ASSERT_TRUE(pf_stats_find(stats, "class.conflict_misses", &value));
        CU_ASSERT_EQUAL(value.i, steps[i].conflicts);
    }
    pf_conflicts_free(conflicts);
    pf_stats_free(stats);
}

static void the_answer_is_the_cache_s(void)
{
    g_autofree Mock *below = mock_new(100);
    PfCacheConfig config = {
        .size_bytes = 2 * LINE, .ways = 1, .line_bytes = LINE, .latency_cycles = 4};
    PfStats *stats = pf_stats_new();
    g_autoptr(PfCache) cache = pf_cache_new(&config, &below->port, 1, NULL, NULL);
    PfConflicts *conflicts = pf_conflicts_new(cache, 2, LINE, pf_stats_group(stats, "class"));
    PfRequest request = {.address = {8}, .now_cycles = 10, .size_bytes = 8,
                         .kind = PF_ACCESS_READ, .actor = PF_ACTOR_DEMAND};
    CU_ASSERT_EQUAL(pf_port_access(pf_conflicts_port(conflicts), &request), 10 + 4 + 100);
    request.now_cycles = 500;
    CU_ASSERT_EQUAL(pf_port_access(pf_conflicts_port(conflicts), &request), 500 + 4);
    pf_conflicts_free(conflicts);
    pf_stats_free(stats);
}

static const PfCheck checks[] = {
    {"a miss that sets alone cause is a conflict", a_miss_that_sets_alone_cause_is_a_conflict},
    {"the answer is the cache's", the_answer_is_the_cache_s},
};

PF_CHECK_MAIN("conflicts", checks)
