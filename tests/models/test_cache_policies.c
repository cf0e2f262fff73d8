/* Replacement policies: each by hand from its rule on one set, then against a naive model. */
#include "cache.h"

#include <string.h>

#include "check.h"
#include "rng.h"

enum { LINE = 64 };

static PfCache *cache_of(int replacement, uint64_t sets, uint64_t ways)
{
    PfCacheConfig config = {.size_bytes = sets * ways * LINE,
                            .ways = ways,
                            .line_bytes = LINE,
                            .replacement = replacement};
    return pf_cache_new(&config, NULL, 1, NULL, NULL);
}

static bool touch(PfCache *cache, uint64_t line)
{
    return pf_cache_touch(cache, (PfMaddr){line * LINE}, 1, PF_ACCESS_READ, PF_ACTOR_DEMAND);
}

/* Whether the lines named by the letters of HELD, and no others, are held; a is line 0. */
static bool holds_just(const PfCache *cache, const char *held)
{
    bool right = true;
    for (char letter = 'a'; letter <= 'z'; letter++)
        right &= pf_cache_holds(cache, (PfMaddr){(uint64_t)(letter - 'a') * LINE}, NULL) ==
                 (strchr(held, letter) != NULL);
    return right;
}

static void touch_all(PfCache *cache, const char *letters)
{
    for (; *letters != '\0'; letters++)
        touch(cache, (uint64_t)(*letters - 'a'));
}

/* Once the lines of LETTERS are touched, those of HELD and no others are held. */
static void expect(PfCache *cache, const char *letters, const char *held)
{
    touch_all(cache, letters);
    bool right = holds_just(cache, held);
    CU_ASSERT_TRUE(right);
    if (!right)
        printf("# after %s it does not hold just %s\n", letters, held);
}

static void tree(void)
{
    g_autoptr(PfCache) cache = cache_of(PF_CACHE_TREE_PLRU, 1, 4);
    /* a b c d fill ways 0 .. 3. After d the root points left, and the left node, since b, to a. */
    expect(cache, "abcd", "abcd");
    /* e takes a's way: the root now points right, where d was last: to c. True LRU: b. */
    expect(cache, "e", "bcde");
    expect(cache, "f", "bdef");
    /* A hit on b turns the root right, where f was last: d goes. */
    expect(cache, "bg", "befg");
    pf_cache_check(cache);
}

static void tree_after_invalidation(void)
{
    g_autoptr(PfCache) cache = cache_of(PF_CACHE_TREE_PLRU, 1, 4);
    touch_all(cache, "abcd");
    /* Way 1 is empty and used first, though the tree points to way 0. */
    pf_cache_invalidate_range(cache, (PfMaddr){1 * LINE}, LINE);
    expect(cache, "e", "acde");
    /* The nodes have outlived the line: root right, right node left (d was last there). */
    expect(cache, "f", "adef");
    g_autoptr(GError) error = NULL;
    PfCacheConfig odd = {
        .size_bytes = 3 * LINE, .ways = 3, .line_bytes = LINE, .replacement = PF_CACHE_TREE_PLRU};
    CU_ASSERT_PTR_NULL(pf_cache_new(&odd, NULL, 1, NULL, &error));
    CU_ASSERT_PTR_NOT_NULL(error);
}

static void srrip(void)
{
    g_autoptr(PfCache) cache = cache_of(PF_CACHE_SRRIP, 1, 4);
    /* All come with 2; hits make a and c 0. */
    touch_all(cache, "abcdac");
    /* None has 3, so all grow by 1: a 1, b 3, c 1, d 3. The first is b; e comes with 2. */
    expect(cache, "e", "acde");
    /* d still has 3, and nothing grows: a 1, e 2, c 1, f 2. */
    expect(cache, "f", "acef");
    /* e and f grow to 3, a and c to 2; e goes. A scan does not touch a and c ... */
    expect(cache, "g", "acfg");
    expect(cache, "h", "acgh");
    /* ... until they are as old: all four have 2, grow to 3, and the first way, a, goes. */
    expect(cache, "i", "cghi");
    pf_cache_check(cache);
}

/* ---- Naive models: lists of lines, and what the papers say in words ---- */

enum { WAYS_MAX = 16, NONE = 0xffff };

typedef struct {
    unsigned ways;
    unsigned line[WAYS_MAX]; /* NONE: empty */
    unsigned used[WAYS_MAX]; /* LRU: when */
    unsigned predicted[WAYS_MAX]; /* SRRIP */
    unsigned time;
} Naive;

/* Which half of the ways FROM .. TO-1 of the tree was used less recently, told by when any way of
 * it was used last. An untouched tree points left. */
static unsigned naive_tree(const Naive *set, unsigned from, unsigned to)
{
    unsigned middle = (from + to) / 2;
    unsigned left = 0;
    unsigned right = 0;
    if (to - from == 1)
        return from;
    for (unsigned i = from; i < middle; i++)
        left = MAX(left, set->used[i]);
    for (unsigned i = middle; i < to; i++)
        right = MAX(right, set->used[i]);
    return left <= right ? naive_tree(set, from, middle) : naive_tree(set, middle, to);
}

static unsigned naive_victim(Naive *set, int replacement)
{
    for (unsigned i = 0; i < set->ways; i++)
        if (set->line[i] == NONE)
            return i;
    if (replacement == PF_CACHE_TREE_PLRU)
        return naive_tree(set, 0, set->ways);
    unsigned chosen = 0;
    if (replacement == PF_CACHE_LRU) {
        for (unsigned i = 1; i < set->ways; i++)
            chosen = set->used[i] < set->used[chosen] ? i : chosen;
        return chosen;
    }
    for (;;) {
        for (unsigned i = 0; i < set->ways; i++)
            if (set->predicted[i] == 3)
                return i;
        for (unsigned i = 0; i < set->ways; i++)
            set->predicted[i]++;
    }
}

static bool naive_touch(Naive *set, int replacement, unsigned line)
{
    set->time++;
    for (unsigned i = 0; i < set->ways; i++)
        if (set->line[i] == line) {
            set->used[i] = set->time;
            set->predicted[i] = 0;
            return true;
        }
    unsigned way = naive_victim(set, replacement);
    set->line[way] = line;
    set->used[way] = set->time;
    set->predicted[way] = 2;
    return false;
}

static void naive_drop(Naive *set, unsigned line)
{
    for (unsigned i = 0; i < set->ways; i++)
        if (set->line[i] == line)
            set->line[i] = NONE; /* when the way was used last is the tree's, not the line's */
}

static void compare(int replacement, unsigned sets, unsigned ways)
{
    enum { ACCESSES = 20000, DROPS = 50 };
    g_autoptr(PfCache) cache = cache_of(replacement, sets, ways);
    g_autofree Naive *naive = g_new0(Naive, sets);
    for (unsigned i = 0; i < sets; i++) {
        naive[i].ways = ways;
        for (unsigned way = 0; way < ways; way++)
            naive[i].line[way] = NONE;
    }
    PfRng rng = pf_rng_derive(ways, "policies");
    unsigned lines = sets * ways * 3 / 2 + 1;
    unsigned wrong = 0;
    for (unsigned i = 0; i < ACCESSES; i++) {
        /* Some lines more often than others, so that policies differ. */
        unsigned line = (unsigned)MIN(pf_rng_below(&rng, lines), pf_rng_below(&rng, lines));
        if (pf_rng_below(&rng, DROPS) == 0) {
            naive_drop(&naive[line % sets], line);
            pf_cache_invalidate_range(cache, (PfMaddr){(uint64_t)line * LINE}, 1);
            continue;
        }
        wrong += touch(cache, line) != naive_touch(&naive[line % sets], replacement, line);
    }
    for (unsigned line = 0; line < lines; line++) {
        bool held = false;
        for (unsigned way = 0; way < ways; way++)
            held |= naive[line % sets].line[way] == line;
        wrong += held != pf_cache_holds(cache, (PfMaddr){(uint64_t)line * LINE}, NULL);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    pf_cache_check(cache);
}

static void naive_models(void)
{
    static const int policies[] = {PF_CACHE_LRU, PF_CACHE_TREE_PLRU, PF_CACHE_SRRIP};
    for (unsigned i = 0; i < G_N_ELEMENTS(policies); i++)
        for (unsigned ways = 1; ways <= WAYS_MAX; ways *= 2)
            for (unsigned sets = 1; sets <= 8; sets *= 4)
                compare(policies[i], sets, ways);
    compare(PF_CACHE_LRU, 2, 12);
    compare(PF_CACHE_SRRIP, 2, 12);
}

static const PfCheck checks[] = {
    {"tree-PLRU evicts where the tree points, which is not the least recent", tree},
    {"an empty way is used before the tree is asked, and the tree outlives lines",
     tree_after_invalidation},
    {"SRRIP evicts the first line of the most distant prediction, and all grow old together",
     srrip},
    {"naive models of LRU, tree-PLRU and SRRIP agree on random streams", naive_models},
};

PF_CHECK_MAIN("cache_policies", checks)
