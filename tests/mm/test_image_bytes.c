/* The bytes of each page as of each event of a range, against pages that are just written. Runs
 * need not go in step: each sees memory as its own place in the trace has it. */
#include "check.h"

#include <string.h>

#include "naive_memory.h"
#include "rng.h"
#include "world.h"

enum { PAGE = 16, PAGES = 6, CONTEXTS = 3, SEEDS = 60, RECORDS = 40 };

/* What each page holds after each step of a range. */
typedef struct {
    GPtrArray *contents; /* CONTEXTS * PAGES strings (NULL: untouched) for each step */
    GArray *distinct;    /* uint64_t by step */
    PfNaive *naive;
    unsigned seed;
    unsigned step;
    unsigned wrong;
} Watch;

static void remember(Watch *watch)
{
    for (unsigned c = 0; c < CONTEXTS; c++) {
        for (unsigned p = 0; p < PAGES; p++) {
            const PfNaiveFrame *frame = watch->naive->pages[c][p].frame;
            const GString *content = NULL;
            if (frame != NULL)
                content = frame->object != NULL ? frame->object->content : frame->content;
            g_ptr_array_add(watch->contents,
                            content != NULL
                                ? g_string_new_len(content->str, (gssize)content->len)
                                : NULL);
        }
    }
    uint64_t distinct = pf_naive_distinct(watch->naive);
    g_array_append_val(watch->distinct, distinct);
}

/* Whether the image says of a page what WANTED is; unknown bytes are only known to be unknown. */
static bool agrees(World *world, PfSlot slot, uint32_t position, const GString *wanted)
{
    PfContent content;
    uint8_t scratch[PAGE];
    if (!pf_image_content(world->image, &world->memory.reader, slot, position, &content))
        return wanted->str[0] == 'u';
    const uint8_t *bytes = pf_content_bytes(world->store, content, scratch);
    bool equal = bytes != NULL ? wanted->str[0] == 'b' && memcmp(bytes, wanted->str + 1, PAGE) == 0
                               : wanted->str[0] == 'h';
    pf_content_unref(world->store, content);
    return equal;
}

static void compare(World *world, void *user)
{
    Watch *watch = user;
    const GString *const *contents =
        (const GString *const *)watch->contents->pdata + (size_t)watch->step * CONTEXTS * PAGES;
    for (uint32_t c = 0; c < CONTEXTS; c++) {
        for (uint32_t p = 0; p < PAGES; p++) {
            const GString *wanted = contents[c * PAGES + p];
            PfSlot slot;
            if (wanted == NULL || !pf_image_slot(world->image, c, (PfCpn){p}, &slot))
                continue;
            if (agrees(world, slot, world->memory.position, wanted))
                continue;
            if (watch->wrong++ == 0)
                printf("# seed %u, step %u: context %u, page %u\n", watch->seed, watch->step, c, p);
        }
    }
    g_autofree PfHistogram *pages = g_new0(PfHistogram, 1);
    uint64_t distinct = pf_image_multiplicity(world->image, &world->memory.reader,
                                              world->memory.position, pages);
    bool whole = pages->count == distinct && pages->sum == world->memory.populated_pages;
    if ((distinct != g_array_index(watch->distinct, uint64_t, watch->step) || !whole) &&
        watch->wrong++ == 0)
        printf("# seed %u, step %u: %u distinct\n", watch->seed, watch->step, (unsigned)distinct);
    watch->step++;
}

/* ---- random stores ---- */

static void add_write(GString *lines, Watch *watch, PfRng *rng)
{
    unsigned context = (unsigned)pf_rng_below(rng, CONTEXTS);
    unsigned page = (unsigned)pf_rng_below(rng, PAGES);
    unsigned offset = (unsigned)pf_rng_below(rng, PAGE);
    unsigned length = 1 + (unsigned)pf_rng_below(rng, 8);
    if (page + 1 == PAGES)
        length = MIN(length, PAGE - offset);
    bool known = pf_rng_below(rng, 8) != 0;
    uint64_t value = pf_rng_next(rng) >> (64 - 8 * length);
    g_string_append_printf(lines, "write c%u 0x%x %u", context, page * PAGE + offset, length);
    if (known)
        g_string_append_printf(lines, " 0x%" G_GINT64_MODIFIER "x", value);
    g_string_append_c(lines, '\n');
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    unsigned first = MIN(length, PAGE - offset);
    pf_naive_write(watch->naive, context, page, offset, known ? bytes : NULL, first);
    if (first < length)
        pf_naive_write(watch->naive, context, page + 1, 0, known ? bytes + first : NULL,
                    length - first);
    remember(watch);
}

static void add_pages(GString *lines, Watch *watch, PfRng *rng)
{
    static const char *const kinds[] = {"fill", "state", "touch", "init"};
    static const char *const specs[] = {"zero", "id:1", "id:2", "hash:0x1"};
    const char *kind = kinds[pf_rng_below(rng, G_N_ELEMENTS(kinds))];
    unsigned spec = (unsigned)pf_rng_below(rng, G_N_ELEMENTS(specs));
    unsigned context = (unsigned)pf_rng_below(rng, CONTEXTS);
    unsigned first = (unsigned)pf_rng_below(rng, PAGES);
    unsigned count = 1 + (unsigned)pf_rng_below(rng, PAGES - first);
    bool touch = g_str_equal(kind, "touch");
    g_string_append_printf(lines, "%s c%u 0x%x %u %s\n", kind, context, first * PAGE, count,
                           touch ? "" : specs[spec]);
    PfContentSpec content = {.form = spec == 3 ? PF_CONTENT_HASH : PF_CONTENT_ID,
                             .number = spec == 3 ? 1 : spec};
    GString *wanted = pf_naive_content(watch->naive, &content);
    for (unsigned i = 0; i < count; i++) {
        if (touch)
            pf_naive_touch(watch->naive, context, first + i);
        else
            pf_naive_fill(watch->naive, context, first + i, wanted, g_str_equal(kind, "state"));
        remember(watch);
    }
    g_string_free(wanted, TRUE);
    remember(watch); /* once more for the record as a whole */
}

static void map_contexts(World *world, PfNaive *naive)
{
    static const PfBacking backings[] = {PF_BACKING_ANON, PF_BACKING_FILE, PF_BACKING_SHMEM};
    GString *lines = g_string_new(NULL);
    for (unsigned c = 0; c < CONTEXTS; c++) {
        pf_naive_add_context(naive);
        g_string_append_printf(lines, "context c%u process\n", c);
        for (unsigned p = 0; p < PAGES; p++) {
            /* Two pages of each kind; the files are the same in all contexts. */
            PfNaivePage how = {.backing = backings[p / 2], .file_page = p};
            pf_naive_map(naive, c, p, &how);
        }
        g_string_append_printf(lines, "map c%u 0x0 2 anon\nmap c%u 0x%x 2 file=f:%u\n", c, c,
                               2 * PAGE, 2 * PAGE);
        g_string_append_printf(lines, "map c%u 0x%x 2 shmem=f:%u\n", c, 4 * PAGE, 4 * PAGE);
    }
    world_play(world, lines->str);
    g_string_free(lines, TRUE);
}

static void free_content(gpointer content)
{
    if (content != NULL)
        g_string_free(content, TRUE);
}

static unsigned try_seed(unsigned seed)
{
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    Watch watch = {.seed = seed, .naive = pf_naive_new(PAGE)};
    PfRng rng = {.state = seed};
    pf_image_distinct(world->image, &world->memory.reader, 0); /* counts from here on */
    map_contexts(world, watch.naive);
    for (unsigned block = 0; block < 3; block++) {
        GString *lines = g_string_new(NULL);
        watch.step = 0;
        watch.contents = g_ptr_array_new_with_free_func(free_content);
        watch.distinct = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        for (unsigned i = 0; i < RECORDS; i++) {
            if (pf_rng_below(&rng, 3) == 0)
                add_pages(lines, &watch, &rng);
            else
                add_write(lines, &watch, &rng);
        }
        CU_ASSERT_TRUE(world_play_watched(world, lines->str, compare, &watch));
        CU_ASSERT_EQUAL(watch.step, watch.distinct->len);
        g_string_free(lines, TRUE);
        g_ptr_array_unref(watch.contents);
        g_array_unref(watch.distinct);
    }
    pf_naive_free(watch.naive);
    world_free(world);
    return watch.wrong;
}

static void test_positions(void)
{
    unsigned wrong = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++)
        wrong += try_seed(seed);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- pages that nobody writes for a while need no buffers ---- */

static void test_settle(void)
{
    enum { MANY = 20000 };
    World *world = world_new(PAGE, 0, PF_SCOPE_ALL);
    world->unchecked = true;
    g_autofree char *map = g_strdup_printf("context a process\nmap a 0x0 %u anon\n", MANY);
    world_play(world, map);
    GString *lines = g_string_new(NULL);
    for (unsigned first = 0; first < MANY; first += 5000) {
        g_string_truncate(lines, 0);
        for (unsigned i = first; i < first + 5000; i++)
            g_string_append_printf(lines, "write a 0x%x 2 0x%x\n", i * PAGE, i % 300);
        g_string_printf(world->text, "pagefold-trace 1\npage %u\n%s", PAGE, map);
        world->played = 2;
        world_play(world, lines->str);
        world_check(world);
    }
    world_play(world, "read a 0x0 1\n");
    /* All are written, and read (by the checks): 300 contents, no buffers. */
    CU_ASSERT_EQUAL(pf_content_store_count(world->store), 300);
    CU_ASSERT_TRUE(world_holds(world, 0, 7, "\x07"));
    CU_ASSERT_TRUE(world_holds(world, 0, 19999, "\xc7")); /* 19999 mod 300 = 199 */
    g_string_free(lines, TRUE);
    world_free(world);
}

static const PfCheck checks[] = {
    {"each page holds at each event what was stored before it", test_positions},
    {"pages that were read are kept once for equal bytes", test_settle},
};

PF_CHECK_MAIN("image bytes", checks)
