/* The counter by itself, against counting by comparing everything with everything. */
#include "check.h"

#include <string.h>

#include "potential.h"
#include "rng.h"

enum { PAGE = 64, FRAMES = 700, CONTENTS = 40, CONTEXTS = 5 };

/* A random set of frames, in the order they are told. */
typedef struct {
    PfPotentialFrame frames[FRAMES];
    unsigned context[FRAMES];
    uint8_t bytes[CONTENTS][PAGE];
} Memory;

static void make_memory(Memory *memory, uint64_t seed)
{
    PfRng rng = pf_rng_derive(seed, "potential");
    for (unsigned i = 1; i < CONTENTS; i++) /* number 0 stays zero */
        memory->bytes[i][pf_rng_below(&rng, PAGE)] = (uint8_t)(1 + i);
    unsigned context = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        if (context + 1 < CONTEXTS && pf_rng_below(&rng, FRAMES / CONTEXTS) == 0)
            context++;
        PfPotentialFrame *frame = &memory->frames[i];
        *frame = (PfPotentialFrame){
            .address = (i + pf_rng_below(&rng, 2)) * PAGE,
            .mappings = 1 + pf_rng_below(&rng, 3),
            .kind = PF_PAGE_ANON + (unsigned)pf_rng_below(&rng, 3),
            .known = (PfKnown)(pf_rng_below(&rng, 8) == 0 ? 1 + pf_rng_below(&rng, 2) : 0),
        };
        memory->context[i] = context;
        if (frame->known == PF_KNOWN_BYTES)
            frame->bytes = memory->bytes[pf_rng_below(&rng, 1 + pf_rng_below(&rng, CONTENTS))];
        else
            frame->number = pf_rng_below(&rng, 12);
    }
}

static bool is_same(const PfPotentialFrame *a, const PfPotentialFrame *b)
{
    if (a->known != b->known)
        return false;
    return a->known == PF_KNOWN_BYTES ? memcmp(a->bytes, b->bytes, PAGE) == 0
                                      : a->number == b->number;
}

static bool is_anonymous(const PfPotentialFrame *frame)
{
    return frame->kind == PF_PAGE_ANON || frame->kind == PF_PAGE_ZERO;
}

static PfPotential *tell(const Memory *memory, bool with_sizes)
{
    PfPotential *potential = pf_potential_new(with_sizes);
    CU_ASSERT(pf_potential_begin(potential, PAGE, NULL));
    pf_potential_context(potential, "c");
    for (unsigned i = 0; i < FRAMES; i++) {
        for (unsigned c = i > 0 ? memory->context[i - 1] : 0; c < memory->context[i]; c++)
            pf_potential_context(potential, "c");
        CU_ASSERT(pf_potential_add(potential, &memory->frames[i], NULL, NULL));
    }
    return potential;
}

static uint64_t sum(const uint64_t counts[PF_PAGE_KINDS])
{
    uint64_t all = 0;
    for (unsigned kind = 0; kind < PF_PAGE_KINDS; kind++)
        all += counts[kind];
    return all;
}

/* By equations 4.6 to 4.9, and what Barker calls self and inter sharing. */
static void check_memory(const Memory *memory, const PfPotentialCount *count)
{
    uint64_t named = 0;
    uint64_t anonymous_contents = 0;
    uint64_t contents = 0;
    uint64_t within = 0;
    uint64_t mappings = 0;
    uint64_t zero = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        const PfPotentialFrame *frame = &memory->frames[i];
        bool first = true;
        bool first_anonymous = is_anonymous(frame);
        bool first_here = true;
        for (unsigned j = 0; j < i; j++) {
            if (!is_same(frame, &memory->frames[j]))
                continue;
            first = false;
            first_anonymous &= !is_anonymous(&memory->frames[j]);
            first_here &= memory->context[j] != memory->context[i];
        }
        named += !is_anonymous(frame);
        anonymous_contents += first_anonymous;
        contents += first;
        within += !first_here;
        mappings += frame->mappings;
        zero += frame->known == PF_KNOWN_BYTES && frame->bytes == memory->bytes[0];
    }
    CU_ASSERT_EQUAL(sum(count->frames), FRAMES);
    CU_ASSERT_EQUAL(sum(count->no_sharing), mappings);
    CU_ASSERT_EQUAL(sum(count->ksm), named + anonymous_contents); /* 4.6 */
    CU_ASSERT_EQUAL(sum(count->cbps), contents);                  /* 4.8 */
    CU_ASSERT_EQUAL(count->within[0] + count->within[1], within);
    CU_ASSERT_EQUAL(count->between[0] + count->between[1], FRAMES - contents - within);
    CU_ASSERT_EQUAL(count->zero_pages, zero);
    CU_ASSERT_EQUAL(count->within[1] + count->between[1], zero - (zero > 0));
}

/* How many of MEMORY's frames hold what FRAME holds, and of what kinds. */
static uint64_t copies_of(const Memory *memory, const PfPotentialFrame *frame, bool *ret_anonymous,
                          bool *ret_named, bool *ret_first)
{
    uint64_t copies = 0;
    *ret_anonymous = *ret_named = false;
    *ret_first = true;
    for (unsigned j = 0; j < FRAMES; j++) {
        const PfPotentialFrame *other = &memory->frames[j];
        if (!is_same(frame, other))
            continue;
        *ret_first &= other >= frame;
        *ret_anonymous |= is_anonymous(other);
        *ret_named |= !is_anonymous(other);
        copies++;
    }
    return copies;
}

static void check_contents(const Memory *memory, const PfPotentialCount *count)
{
    uint64_t by_copies[FRAMES + 1] = {0};
    PfContentTypes all = {0};
    PfContentTypes shared = {0};
    uint64_t most = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        bool anonymous;
        bool named;
        bool first;
        uint64_t copies = copies_of(memory, &memory->frames[i], &anonymous, &named, &first);
        if (!first)
            continue;
        by_copies[copies]++;
        PfContentTypes *types[] = {&all, copies > 1 ? &shared : NULL};
        for (unsigned t = 0; t < 2 && types[t] != NULL; t++) {
            types[t]->anonymous += !named;
            types[t]->named += !anonymous;
            types[t]->mixed += anonymous && named;
        }
        most = MAX(most, copies);
    }
    CU_ASSERT_EQUAL(memcmp(&count->contents, &all, sizeof all), 0);
    CU_ASSERT_EQUAL(memcmp(&count->contents_shared, &shared, sizeof shared), 0);
    guint rows = 0;
    for (unsigned copies = 1; copies <= FRAMES; copies++) {
        if (by_copies[copies] == 0)
            continue;
        const PfMultiplicity *row = &g_array_index(count->multiplicity, PfMultiplicity, rows++);
        CU_ASSERT_EQUAL(row->copies, copies);
        CU_ASSERT_EQUAL(row->contents, by_copies[copies]);
    }
    CU_ASSERT_EQUAL(rows, count->multiplicity->len);
    CU_ASSERT_EQUAL(pf_distinct_copies(g_ptr_array_index(count->most, 0)), most);
    for (guint i = 1; i < count->most->len; i++)
        CU_ASSERT(pf_distinct_copies(g_ptr_array_index(count->most, i - 1)) >=
                  pf_distinct_copies(g_ptr_array_index(count->most, i)));
}

static void agrees_with_comparing_all(void)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        g_autofree Memory *memory = g_new0(Memory, 1);
        make_memory(memory, seed);
        g_autoptr(PfPotential) potential = tell(memory, false);
        const PfPotentialCount *count = pf_potential_finish(potential, 4);
        CU_ASSERT_EQUAL(count->most->len, 4);
        check_memory(memory, count);
        check_contents(memory, count);
    }
}

/* Blocks of LENGTH bytes, back to back in each stretch of neighbours with bytes, cut by hand. */
static void check_size(const Memory *memory, const PfSizeCount *size, uint64_t length)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(
        (GHashFunc)g_bytes_hash, (GEqualFunc)g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    uint64_t blocks = 0;
    uint64_t bytes = 0;
    uint64_t distinct = 0;
    for (unsigned i = 0; i < FRAMES;) {
        g_autoptr(GByteArray) stretch = g_byte_array_new();
        unsigned from = i;
        do {
            if (memory->frames[i].known == PF_KNOWN_BYTES)
                g_byte_array_append(stretch, memory->frames[i].bytes, PAGE);
            i++;
        } while (i < FRAMES && memory->frames[i].known == PF_KNOWN_BYTES &&
                 memory->frames[i - 1].known == PF_KNOWN_BYTES &&
                 memory->context[i] == memory->context[from] &&
                 memory->frames[i].address == memory->frames[i - 1].address + PAGE);
        for (uint64_t at = 0; at < stretch->len; at += length) {
            uint64_t part = MIN(length, stretch->len - at);
            blocks++;
            bytes += part;
            if (g_hash_table_add(seen, g_bytes_new(stretch->data + at, part)))
                distinct += part;
        }
    }
    CU_ASSERT_EQUAL(size->block_bytes, length);
    CU_ASSERT_EQUAL(size->blocks, blocks);
    CU_ASSERT_EQUAL(size->distinct_blocks, g_hash_table_size(seen));
    CU_ASSERT_EQUAL(size->bytes, bytes);
    CU_ASSERT_EQUAL(size->distinct_bytes, distinct);
}

static void sizes_agree_with_cutting_by_hand(void)
{
    g_autofree Memory *memory = g_new0(Memory, 1);
    make_memory(memory, 77);
    g_autoptr(PfPotential) potential = tell(memory, true);
    pf_potential_finish(potential, 0);
    const PfSizes *sizes = pf_potential_sizes(potential);
    /* 0.4 of 64 bytes is 25, 1.0 is 64, 2.4 is 153: rounded down. */
    CU_ASSERT_EQUAL(sizes->scans[0].count.block_bytes, 25);
    CU_ASSERT_EQUAL(sizes->scans[PF_SIZES - 1].count.block_bytes, 153);
    for (unsigned i = 0; i < PF_SIZES; i++)
        check_size(memory, &sizes->scans[i].count, PAGE * (4 + i) / 10);
}

static void tell_run(PfPotential *potential, uint64_t address, const uint8_t *bytes, unsigned pages,
                     uint32_t page_bytes)
{
    for (unsigned i = 0; i < pages; i++) {
        PfPotentialFrame frame = {.address = address + (uint64_t)i * page_bytes,
                                  .mappings = 1,
                                  .kind = PF_PAGE_ANON,
                                  .bytes = bytes + (size_t)i * page_bytes};
        CU_ASSERT(pf_potential_add(potential, &frame, NULL, NULL));
    }
}

static void large_blocks_are_whole_and_aligned(void)
{
    enum { LARGE = 2 << 20, SMALL = 65536, IN_ONE = LARGE / SMALL };
    g_autofree uint8_t *bytes = g_malloc0((size_t)2 * LARGE);
    bytes[LARGE - 1] = 1;
    bytes[2 * LARGE - 1] = 1;
    g_autoptr(PfPotential) potential = pf_potential_new(true);
    CU_ASSERT(pf_potential_begin(potential, SMALL, NULL));
    pf_potential_context(potential, "a");
    tell_run(potential, 0, bytes, 2 * IN_ONE, SMALL);             /* two, which are equal */
    tell_run(potential, 6 * LARGE - SMALL, bytes, IN_ONE, SMALL); /* starts a page too soon */
    tell_run(potential, 8 * LARGE, bytes, IN_ONE - 1, SMALL);     /* a page is missing */
    pf_potential_context(potential, "b");
    tell_run(potential, 8 * LARGE + (uint64_t)(IN_ONE - 1) * SMALL, bytes, 1,
             SMALL);                                               /* another's */
    tell_run(potential, 10 * LARGE, bytes + SMALL, IN_ONE, SMALL); /* one that differs */
    pf_potential_finish(potential, 0);
    const PfSizeCount *large = &pf_potential_sizes(potential)->large.count;
    CU_ASSERT_EQUAL(large->blocks, 3);
    CU_ASSERT_EQUAL(large->distinct_blocks, 2);
    CU_ASSERT_EQUAL(large->bytes, 3 * (uint64_t)LARGE);
    CU_ASSERT_EQUAL(large->distinct_bytes, 2 * (uint64_t)LARGE);
}

static void excerpts_tell_where(void)
{
    uint8_t bytes[PAGE] = {0};
    memcpy(bytes + 35, "hello", 5); /* in the 16 bytes from 32 on */
    g_autoptr(PfPotential) potential = pf_potential_new(false);
    CU_ASSERT(pf_potential_begin(potential, PAGE, NULL));
    for (unsigned c = 0; c < 6; c++) {
        pf_potential_context(potential, c < 2 ? "a" : "b");
        tell_run(potential, 0x1000 * (c + 1), bytes, 1, PAGE);
        if (c == 1)
            tell_run(potential, 0x9000, bytes, 1, PAGE);
    }
    const PfPotentialCount *count = pf_potential_finish(potential, 9);
    CU_ASSERT_EQUAL(count->most->len, 1);
    const PfDistinctContent *content = g_ptr_array_index(count->most, 0);
    const PfCopiedContent *shared = pf_potential_shared(potential, content);
    CU_ASSERT_EQUAL(content->contexts, 6);
    CU_ASSERT_EQUAL(content->first_address, 0x1000);
    static const uint32_t copies[PF_SHARED_PLACES] = {1, 2, 1, 1};
    for (unsigned i = 0; i < PF_SHARED_PLACES; i++) {
        CU_ASSERT_EQUAL(shared->places[i].context, i);
        CU_ASSERT_EQUAL(shared->places[i].copies, copies[i]);
    }
    CU_ASSERT_EQUAL(shared->excerpt_offset, 32);
    CU_ASSERT_EQUAL(shared->excerpt_length, PF_EXCERPT_BYTES);
    CU_ASSERT_EQUAL(memcmp(shared->excerpt + 3, "hello", 6), 0);
    CU_ASSERT_STRING_EQUAL(g_array_index(count->contexts, PfPotentialContext, 1).name, "a-2");
    CU_ASSERT_STRING_EQUAL(g_array_index(count->contexts, PfPotentialContext, 5).name, "b-4");
}

/* COUNT contents, each TIMES: the bytes that are kept for them. */
static uint64_t bytes_kept(uint64_t contents, unsigned times)
{
    g_autoptr(PfPotential) potential = pf_potential_new(false);
    CU_ASSERT(pf_potential_begin(potential, 4096, NULL));
    for (unsigned t = 0; t < times; t++) {
        pf_potential_context(potential, "c");
        for (uint64_t i = 0; i < contents; i++) {
            PfPotentialFrame frame = {.address = i * 4096,
                                      .mappings = 1,
                                      .kind = PF_PAGE_ANON,
                                      .known = PF_KNOWN_IDENTITY,
                                      .number = i};
            CU_ASSERT(pf_potential_add(potential, &frame, NULL, NULL));
        }
    }
    return pf_potential_finish(potential, 0)->table_bytes;
}

static void memory_is_bounded_by_contents(void)
{
    enum { MANY = 100000 };
    /* 56 bytes, and 8 of an index that is at least three eighths full. */
    uint64_t once = bytes_kept(MANY, 1);
    CU_ASSERT(once <= (uint64_t)MANY * (56 + 22));
    /* A second copy takes 64 more; the copies after it take nothing. */
    uint64_t twice = bytes_kept(MANY, 2);
    CU_ASSERT(twice <= once + (uint64_t)MANY * 64);
    CU_ASSERT_EQUAL(bytes_kept(MANY, 9), twice);
}

static void page_sizes_must_agree(void)
{
    g_autoptr(PfPotential) potential = pf_potential_new(false);
    g_autoptr(GError) error = NULL;
    CU_ASSERT(pf_potential_begin(potential, 4096, NULL));
    CU_ASSERT_FALSE(pf_potential_begin(potential, 8192, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "8192 bytes, those of what was read before"));
}

static const PfCheck checks[] = {
    {"random frames are counted as by comparing all with all", agrees_with_comparing_all},
    {"blocks of other sizes are those cut by hand", sizes_agree_with_cutting_by_hand},
    {"blocks of 2 MiB are whole and aligned", large_blocks_are_whole_and_aligned},
    {"a shared content is told with its places and an excerpt", excerpts_tell_where},
    {"memory is bounded by the number of contents", memory_is_bounded_by_contents},
    {"inputs must have pages of one size", page_sizes_must_agree},
};

PF_CHECK_MAIN("potential-count", checks)
