#include "cache.h"

#include "cache_internal.h"
#include "coherence.h"

/* Lines of a run that may be under way together. */
enum { RUN_LINES = 64 };

/* What every entry has that ACTOR brings in. */
static uint64_t bits_of(const PfCache *cache, PfActor actor)
{
    return cache->entry_bits | (actor == PF_ACTOR_POLICY ? ENTRY_POLICY : 0U);
}

/* VICTIM has made room for what ACTOR brings in: 0 if that place was empty, else VICTIM as
 * pf_cache_put tells it. */
static inline uint64_t evict(PfCache *cache, uint64_t victim, PfActor actor)
{
    if ((victim & ENTRY_VALID) == 0)
        return 0;
    if (actor == PF_ACTOR_POLICY)
        cache->stats->demand_evicted_by_policy += (victim & ENTRY_POLICY) == 0;
    PfMaddr address = {victim >> ENTRY_SHIFT << cache->line_shift};
    if (cache->inclusion == PF_CACHE_INCLUSIVE &&
        pf_cache_back_invalidate(cache, address, cache->line_bytes))
        victim |= ENTRY_DIRTY;
    cache->stats->writebacks += (victim & ENTRY_DIRTY) != 0;
    return victim;
}

uint64_t pf_cache_put(PfCache *cache, uint64_t *set, uint64_t key, uint64_t bits, PfActor actor)
{
    uint64_t victim = pf_cache_insert(cache, set, key | bits | bits_of(cache, actor));
    return evict(cache, victim, actor);
}

static uint64_t send_victim(PfCache *cache, uint64_t victim, const PfRequest *below);

/* VICTIM, which is clean, has left the level above CACHE, which is exclusive, and comes in. */
static uint64_t take_victim(PfCache *cache, uint64_t victim, const PfRequest *below)
{
    if (!pf_cache_may_take(cache, victim))
        return 0;
    uint64_t line = victim >> ENTRY_SHIFT;
    uint64_t *set = pf_cache_set_of(cache, line);
    uint32_t way = pf_cache_find(cache, set, pf_cache_key(line));
    if (way < cache->ways) {
        pf_cache_renew(cache, set, way);
        return 0;
    }
    cache->stats->victim_fills++;
    PfActor actor = (victim & ENTRY_POLICY) != 0 ? PF_ACTOR_POLICY : PF_ACTOR_DEMAND;
    return send_victim(cache, pf_cache_put(cache, set, pf_cache_key(line), 0, actor), below);
}

/* VICTIM, 0 for none, has left CACHE: it goes to the next level at the time and for the actor of
 * BELOW. When it is taken. */
static uint64_t send_victim(PfCache *cache, uint64_t victim, const PfRequest *below)
{
    bool dirty = (victim & ENTRY_DIRTY) != 0;
    if ((victim & ENTRY_VALID) == 0 || (!dirty && !cache->feeds_exclusive))
        return 0;
    if (!dirty)
        return take_victim(cache->lower, victim, below);
    PfRequest write = *below;
    write.address.bytes = victim >> ENTRY_SHIFT << cache->line_shift;
    write.size_bytes = cache->line_bytes;
    write.kind = PF_ACCESS_WRITE;
    return pf_port_wait(cache->next, pf_port_access(cache->next, &write));
}

/* Takes the MSHR that is free first, which is so at *NOW_CYCLES at the earliest. */
static uint64_t *take_mshr(PfCache *cache, uint64_t *now_cycles)
{
    uint64_t *first = &cache->busy_until[0];
    for (uint32_t i = 1; i < cache->mshrs; i++)
        if (cache->busy_until[i] < *first)
            first = &cache->busy_until[i];
    if (*first > *now_cycles) {
        cache->stats->mshr_stall_cycles += *first - *now_cycles;
        *now_cycles = *first;
    }
    return first;
}

/* Whether an exclusive level below has handed up a line that it held dirty. */
static bool takes_dirt(const PfCache *cache)
{
    if (!cache->feeds_exclusive || !cache->lower->hands_dirty)
        return false;
    cache->lower->hands_dirty = false;
    return true;
}

/* Asks the next level by BELOW for the line of KEY, which has its place in SET. */
static inline uint64_t fill(PfCache *cache, PfRequest *below, uint64_t *set, uint64_t key)
{
    uint64_t answer;
    if (G_LIKELY(cache->mshrs == 0)) {
        answer = pf_port_access(cache->next, below);
    } else {
        uint64_t *mshr = take_mshr(cache, &below->now_cycles);
        answer = *mshr = pf_port_wait(cache->next, pf_port_access(cache->next, below));
    }
    if (!takes_dirt(cache))
        return answer;
    if (cache->writes_through) /* it has nothing dirty: back it goes */
        return MAX(answer, send_victim(cache, key | ENTRY_DIRTY, below));
    set[pf_cache_find(cache, set, key)] |= ENTRY_DIRTY;
    return answer;
}

/* A level that is not to hold the line lets the request through. */
static uint64_t pass_by(PfCache *cache, const PfRequest *request)
{
    PfRequest below = *request;
    below.now_cycles += cache->latency_cycles;
    cache->stats->writes_through += request->kind == PF_ACCESS_WRITE;
    uint64_t answer = pf_port_access(cache->next, &below);
    cache->hands_dirty = takes_dirt(cache);
    return answer;
}

static inline void count_misses(PfCache *cache, const PfRequest *request, uint32_t count)
{
    cache->stats->misses[request->kind] += count;
    cache->stats->misses_by_actor[request->actor] += count;
}

static void count_miss(PfCache *cache, const PfRequest *request)
{
    uint64_t offset = request->address.bytes & (cache->line_bytes - 1);
    g_assert(request->size_bytes > 0 && offset + request->size_bytes <= cache->line_bytes);
    count_misses(cache, request, 1);
}

/* ANSWER, but not before TAKEN_CYCLES. A ticket is for later than what can be taken at once. */
static uint64_t later(uint64_t answer, uint64_t taken_cycles)
{
    return MAX(answer, taken_cycles);
}

/* What ANSWER to a miss becomes when VICTIM, 0 for none, goes as send_victim says. */
static inline uint64_t answer_after(PfCache *cache, uint64_t answer, uint64_t victim,
                                    const PfRequest *below)
{
    bool is_sent = (victim & ENTRY_DIRTY) != 0 || cache->feeds_exclusive;
    return is_sent ? later(answer, send_victim(cache, victim, below)) : answer;
}

/* The rest of a miss, when KEY has its place in SET: the fill, then the way of VICTIM, 0 for none,
 * which made room. */
static uint64_t bring(PfCache *cache, const PfRequest *request, uint64_t *set, uint64_t key,
                      uint64_t victim)
{
    bool is_write = request->kind == PF_ACCESS_WRITE;
    bool is_whole = is_write && request->size_bytes == cache->line_bytes;
    PfRequest below = {
        .address = {key >> ENTRY_SHIFT << cache->line_shift},
        .now_cycles = request->now_cycles + cache->latency_cycles,
        .size_bytes = cache->line_bytes,
        .core = request->core,
        .kind = request->kind == PF_ACCESS_FETCH ? PF_ACCESS_FETCH : PF_ACCESS_READ,
        .actor = request->actor,
    };
    uint64_t answer = below.now_cycles;
    if (!is_whole)
        answer = fill(cache, &below, set, key);
    if (is_write && (cache->writes_through || (is_whole && cache->keeps_included)))
        answer = later(answer, pf_port_wait(&cache->port, pass_by(cache, request)));
    return answer_after(cache, answer, victim, &below);
}

static uint64_t miss(PfCache *cache, const PfRequest *request, uint64_t *set, uint64_t key)
{
    count_miss(cache, request);
    bool is_write = request->kind == PF_ACCESS_WRITE;
    bool is_whole = is_write && request->size_bytes == cache->line_bytes;
    bool comes_in = !is_write || cache->write_allocates;
    if (cache->inclusion == PF_CACHE_INCLUSIVE)
        comes_in |= is_whole; /* which a level above has */
    if (cache->inclusion == PF_CACHE_EXCLUSIVE)
        comes_in = is_whole;
    if (!comes_in)
        return pass_by(cache, request);
    uint64_t dirty = is_write && !cache->writes_through ? ENTRY_DIRTY : 0;
    uint64_t victim = pf_cache_put(cache, set, key, dirty, (PfActor)request->actor);
    return bring(cache, request, set, key, victim);
}

static void count_shared(PfCache *cache, const PfRequest *request)
{
    cache->stats->hits_on_shared_frames +=
        cache->is_shared(cache->is_shared_user, request->address);
}

static uint64_t hit(PfCache *cache, const PfRequest *request, uint64_t *set, uint32_t way)
{
    uint64_t done_cycles = request->now_cycles + cache->latency_cycles;
    if (request->kind != PF_ACCESS_WRITE) {
        if (cache->is_shared != NULL)
            count_shared(cache, request);
        bool is_dirty = (set[way] & ENTRY_DIRTY) != 0;
        if (cache->inclusion == PF_CACHE_EXCLUSIVE && !(is_dirty && cache->serves_cores)) {
            cache->hands_dirty = is_dirty;
            pf_cache_remove(cache, set, way);
        } else {
            pf_cache_renew(cache, set, way);
        }
        return done_cycles;
    }
    uint64_t *entry = pf_cache_renew(cache, set, way);
    if (cache->writes_through)
        return pass_by(cache, request);
    *entry |= ENTRY_DIRTY;
    return done_cycles;
}

/* A store to a line that is not dirty makes it the core's own before it goes on. */
static uint64_t store_coherently(PfCache *cache, const PfRequest *request, uint64_t *set,
                                 uint64_t key)
{
    PfRequest owned = *request;
    uint64_t probe_cycles = pf_coherence_own(cache->gate, request);
    /* Only now: an inclusive level that took a line back may have changed the set. */
    uint32_t way = pf_cache_find(cache, set, key);
    bool has_fill = way == cache->ways && request->size_bytes < cache->line_bytes;
    if (probe_cycles != 0)
        owned.now_cycles += probe_cycles + (has_fill ? 0 : cache->reach_cycles);
    return way < cache->ways ? hit(cache, &owned, set, way) : miss(cache, &owned, set, key);
}

/* What is_plain says, without a store that concerns other cores. */
static uint64_t access_plainly(PfCache *cache, const PfRequest *request, uint64_t *set,
                               uint64_t key)
{
    uint64_t dirty = request->kind == PF_ACCESS_WRITE ? ENTRY_DIRTY : 0;
    uint64_t entry = key | dirty | bits_of(cache, (PfActor)request->actor);
    uint64_t victim;
    if (pf_cache_turn(cache, set, key, entry, &victim)) {
        set[0] |= dirty;
        if (dirty == 0 && cache->is_shared != NULL)
            count_shared(cache, request);
        return request->now_cycles + cache->latency_cycles;
    }
    count_miss(cache, request);
    return bring(cache, request, set, key, evict(cache, victim, (PfActor)request->actor));
}

/* What is not a hit on the most recent line of its set, or makes that dirty. On its own, so that
 * such a hit saves and restores no registers. */
static G_GNUC_NO_INLINE uint64_t access_slowly(PfCache *cache, const PfRequest *request,
                                               uint64_t *set, uint64_t key)
{
    bool is_concern = request->kind == PF_ACCESS_WRITE && cache->gate != NULL &&
                      !pf_coherence_is_alone(cache->gate, request->core);
    if (cache->is_plain && !is_concern)
        return access_plainly(cache, request, set, key);
    uint32_t way = pf_cache_find(cache, set, key);
    bool is_held = way < cache->ways;
    if (is_concern && (!is_held || (set[way] & ENTRY_DIRTY) == 0))
        return store_coherently(cache, request, set, key);
    return is_held ? hit(cache, request, set, way) : miss(cache, request, set, key);
}

static inline void count_accesses(PfCache *cache, const PfRequest *request, uint32_t count)
{
    cache->stats->accesses[request->kind] += count;
    cache->stats->accesses_by_actor[request->actor] += count;
}

/* An access that is counted. */
static inline uint64_t access_line(PfCache *cache, const PfRequest *request)
{
    uint64_t line = request->address.bytes >> cache->line_shift;
    uint64_t *set = pf_cache_set_of(cache, line);
    uint64_t key = pf_cache_key(line);
    if ((set[0] & ENTRY_QUIET) == key &&
        (request->kind != PF_ACCESS_WRITE || (set[0] & ENTRY_DIRTY) != 0))
        return request->now_cycles + cache->latency_cycles;
    return access_slowly(cache, request, set, key);
}

uint64_t pf_cache_access(PfPort *port, const PfRequest *request)
{
    PfCache *cache = (PfCache *)port;
    count_accesses(cache, request, 1);
    return access_line(cache, request);
}

uint64_t pf_cache_resolve(PfPort *port, uint64_t ticket)
{
    return pf_port_wait(((PfCache *)port)->next, ticket);
}

/* What is left to wait for of a run. */
typedef struct {
    uint64_t done_cycles; /* of what has its time */
    uint32_t count;
    uint64_t answers[RUN_LINES];
} Outstanding;

static inline void note_answer(Outstanding *outstanding, uint64_t answer)
{
    if (pf_answer_is_ticket(answer))
        outstanding->answers[outstanding->count++] = answer;
    else
        outstanding->done_cycles = MAX(outstanding->done_cycles, answer);
}

/* COUNT lines of a run from REQUEST on, one a cycle. */
static void run_any(PfCache *cache, PfRequest *request, uint32_t count, Outstanding *outstanding)
{
    for (uint32_t i = 0; i < count; i++) {
        note_answer(outstanding, access_line(cache, request));
        request->address.bytes += cache->line_bytes;
        request->now_cycles++;
    }
}

/* Line KEY of a run of reads has taken the place of VICTIM in SET; BELOW asks for it. On its own,
 * so that lines that are held keep to registers. */
static G_GNUC_NO_INLINE void run_miss(PfCache *cache, PfRequest *below, uint64_t *set, uint64_t key,
                                      uint64_t victim, Outstanding *outstanding)
{
    below->address.bytes = key >> ENTRY_SHIFT << cache->line_shift;
    victim = evict(cache, victim, (PfActor)below->actor);
    uint64_t answer = fill(cache, below, set, key);
    note_answer(outstanding, answer_after(cache, answer, victim, below));
}

/* The same for reads of a level of WAYS that is_plain and tells of no hits. */
static inline void run_among(PfCache *cache, uint32_t ways, PfRequest *request, uint32_t count,
                             Outstanding *outstanding)
{
    const uint64_t set_mask = cache->set_mask;
    const uint64_t entry_bits = bits_of(cache, (PfActor)request->actor);
    const uint64_t done_cycles = request->now_cycles + cache->latency_cycles; /* of the first */
    uint64_t line = request->address.bytes >> cache->line_shift;
    uint32_t hits_end = 0; /* behind the last hit, which is done after all others */
    uint32_t misses = 0;
    PfRequest below = *request;
    for (uint32_t i = 0; i < count; i++, line++) {
        uint64_t *set = cache->entries + (line & set_mask) * ways;
        uint64_t key = pf_cache_key(line);
        uint64_t victim;
        if (pf_cache_turn_among(set, ways, key, key | entry_bits, &victim)) {
            hits_end = i + 1;
            continue;
        }
        misses++;
        below.now_cycles = done_cycles + i;
        run_miss(cache, &below, set, key, victim, outstanding);
    }
    if (hits_end > 0)
        note_answer(outstanding, done_cycles + hits_end - 1);
    count_misses(cache, request, misses);
    request->address.bytes = line << cache->line_shift;
    request->now_cycles += count;
}

static void run_plainly(PfCache *cache, PfRequest *request, uint32_t count,
                        Outstanding *outstanding)
{
    if (cache->ways == 8)
        run_among(cache, 8, request, count, outstanding);
    else
        run_among(cache, cache->ways, request, count, outstanding);
}

uint64_t pf_cache_run(PfCache *cache, const PfRequest *first, uint32_t lines)
{
    PfRequest request = *first;
    request.address.bytes &= ~(uint64_t)(cache->line_bytes - 1);
    request.size_bytes = cache->line_bytes;
    count_accesses(cache, first, lines);
    bool is_plain = cache->is_plain && first->kind != PF_ACCESS_WRITE && cache->is_shared == NULL;
    Outstanding outstanding;
    outstanding.done_cycles = first->now_cycles;
    while (lines > 0) {
        uint32_t count = MIN(lines, RUN_LINES);
        outstanding.count = 0;
        if (is_plain)
            run_plainly(cache, &request, count, &outstanding);
        else
            run_any(cache, &request, count, &outstanding);
        for (uint32_t i = 0; i < outstanding.count; i++) {
            uint64_t done_cycles = pf_port_wait(&cache->port, outstanding.answers[i]);
            outstanding.done_cycles = MAX(outstanding.done_cycles, done_cycles);
        }
        lines -= count;
    }
    return outstanding.done_cycles;
}
