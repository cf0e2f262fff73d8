/* The pointer chase: latency of dependent loads on the preset zen4, against a virtual machine on an
 * AMD EPYC of that generation (docs/validation.md, "The pointer chase").
 *
 * Measured are medians of two series, on a machine that others used, too; good to 30 %. A row is
 * fitted if a parameter was chosen for it. The measuring machine had a part of the third level of
 * cache, and a way to its memory that the preset does not know: rows beyond the second level of
 * cache are simulated with 4 MiB, as the second series mostly hit in 2 MiB and did not in 8, and
 * with so much more to memory that the row of 64 MiB comes out. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "play.h"
#include "rng.h"

#define CLOCK_GHZ 3.7

enum { PAGE_BYTES = 4096, LINE_BYTES = 64, PAGE_LINES = PAGE_BYTES / LINE_BYTES };

/* What stands in the preset for the third level, and what the measuring machine had. */
#define THIRD_LEVEL "size = \"32MiB\"; ways = 16; line = 64; latency = 36; shared = true; }"
#define SHARE                                                                                      \
    "size = \"4MiB\"; ways = 16; line = 64; latency = 36; shared = true; },\n"                     \
    "{ name = \"way\"; size = \"4KiB\"; ways = 64; latency = 300; shared = true; }"

/* The preset NAME, with statistics from the mark "warm" on. */
static char *configuration_of(const char *name)
{
    g_autofree char *preset = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strconcat(PRESETS "/", name, ".cfg", NULL);
    g_file_get_contents(path, &preset, NULL, &error);
    g_assert_no_error(error);
    return g_strconcat(preset, "warmup = \"mark:warm\";", NULL);
}

/* The machine that was measured. */
static char *configuration_measured(void)
{
    g_autofree char *preset = configuration_of("zen4");
    char *third = strstr(preset, THIRD_LEVEL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    *third = '\0';
    return g_strconcat(preset, SHARE, third + strlen(THIRD_LEVEL), NULL);
}

/* A virtual machine of PAGES pages; loads follow. */
static GString *begin_trace(uint64_t pages)
{
    GString *trace = g_string_new("pagefold-trace 1\ncontext guest vm\n");
    g_string_append_printf(trace,
                           "map guest 0x0 %" G_GUINT64_FORMAT " anon\n"
                           "state guest 0x0 %" G_GUINT64_FORMAT " id:1 step=1\n", pages, pages);
    return trace;
}

static void add_load(GString *trace, uint64_t address)
{
    g_string_append_printf(trace, "read guest 0x%" G_GINT64_MODIFIER "x 8 dep\n", address);
}

/* The addresses of each line of BYTES, or of one line of each page, spread over the sets of the
 * first level of cache, in a random order. */
static GArray *chase(uint64_t bytes, bool by_pages, PfRng *rng)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    uint64_t line = 0;
    for (uint64_t i = 0; i < bytes / (by_pages ? PAGE_BYTES : LINE_BYTES); i++) {
        /* 64 pages in a row take each line of a page once, from a random one on. */
        line = i % PAGE_LINES == 0 ? pf_rng_below(rng, PAGE_LINES) : (line + 1) % PAGE_LINES;
        uint64_t address = by_pages ? i * PAGE_BYTES + line * LINE_BYTES : i * LINE_BYTES;
        g_array_append_val(addresses, address);
    }
    for (guint i = addresses->len; i > 1; i--) {
        uint64_t *last = &g_array_index(addresses, uint64_t, i - 1);
        uint64_t *other = &g_array_index(addresses, uint64_t, pf_rng_below(rng, i));
        uint64_t kept = *last;
        *last = *other;
        *other = kept;
    }
    return addresses;
}

/* What came of a chase, a load. */
typedef struct {
    double ns;
    double walk_ns; /* of a walk */
    double walks;
} Loads;

static Loads play_trace(const GString *trace, const char *config, double loads)
{
    static const PfSimulationOptions quick = {.threads = 1};
    g_autoptr(Played) played = play_configured(trace->str, trace->len, config, &quick);
    g_assert_no_error(played->error);
    return (Loads){.ns = played_stat(played, "none", "cycles.app") / loads / CLOCK_GHZ,
                   .walk_ns = played_stat(played, "none", "walk.cycles_mean") / CLOCK_GHZ,
                   .walks = played_stat(played, "none", "walk.walks") / loads};
}

/* Each address of a chase in turn, twice to warm up and once to measure. */
static Loads chase_on(const char *preset, uint64_t bytes, bool by_pages)
{
    g_autofree char *config = configuration_of(preset);
    PfRng rng = pf_rng_derive(bytes, "chase");
    g_autoptr(GArray) addresses = chase(bytes, by_pages, &rng);
    GString *trace = begin_trace(bytes / PAGE_BYTES);
    for (unsigned round = 0; round < 3; round++) {
        if (round == 2)
            g_string_append(trace, "mark \"warm\"\n");
        for (guint i = 0; i < addresses->len; i++)
            add_load(trace, g_array_index(addresses, uint64_t, i));
    }
    Loads loads = play_trace(trace, config, addresses->len);
    g_string_free(trace, TRUE);
    return loads;
}

static Loads chase_all(uint64_t bytes, bool by_pages)
{
    return chase_on("zen4", bytes, by_pages);
}

/* Random lines of BYTES, which caches have no part of that counts. */
static Loads chase_some(uint64_t bytes)
{
    enum { WARM = 200000, MEASURED = 100000 };
    PfRng rng = pf_rng_derive(bytes, "chase");
    GString *trace = begin_trace(bytes / PAGE_BYTES);
    for (unsigned i = 0; i < WARM + MEASURED; i++) {
        if (i == WARM)
            g_string_append(trace, "mark \"warm\"\n");
        add_load(trace, pf_rng_below(&rng, bytes / LINE_BYTES) * LINE_BYTES);
    }
    g_autofree char *config = configuration_measured();
    Loads loads = play_trace(trace, config, MEASURED);
    g_string_free(trace, TRUE);
    return loads;
}

/* Whether NS is less than SHARE away from what was measured. */
static void expect(const char *what, double ns, double low_ns, double high_ns, double share,
                   bool is_fitted)
{
    double off = ns < low_ns ? ns / low_ns - 1 : ns > high_ns ? ns / high_ns - 1 : 0;
    printf("# %s: %.2f ns, measured %g to %g, %+.0f %%%s\n", what, ns, low_ns, high_ns, off * 100,
           is_fitted ? ", fitted" : "");
    CU_ASSERT_TRUE(fabs(off) < share);
}

static void test_caches(void)
{
    expect("16 KiB", chase_all(16 << 10, false).ns, 1.22, 1.46, 0.2, false);
    expect("256 KiB", chase_all(256 << 10, false).ns, 3.85, 4.99, 0.2, false);
    expect("2 MiB", chase_all(2 << 20, false).ns, 14.6, 14.6, 0.2, false);
}

static double page_chase_ns(uint64_t pages)
{
    return chase_all(pages * PAGE_BYTES, true).ns;
}

static void test_steps(void)
{
    /* One page more than the first level holds costs 7 cycles; the second level holds 3072. */
    double first = page_chase_ns(72);
    CU_ASSERT_DOUBLE_EQUAL(first * CLOCK_GHZ, 4, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(page_chase_ns(73) * CLOCK_GHZ, 4 + 7, 1e-6);
    CU_ASSERT_EQUAL(chase_all((uint64_t)3072 * PAGE_BYTES, true).walks, 0);
    CU_ASSERT_TRUE(chase_all((uint64_t)3073 * PAGE_BYTES, true).walks > 0);
    expect("72 pages", first, 1.1, 1.1, 0.2, false);
    expect("step at 72 pages", page_chase_ns(96) - first, 1.9, 1.9, 0.2, false);
}

static void test_walks(void)
{
    expect("512 pages", page_chase_ns(512), 3.05, 3.05, 0.2, false);
    double second = page_chase_ns(2048);
    expect("2048 pages", second, 6.3, 6.3, 0.2, false);
    expect("step at 3072 pages, to 4096", page_chase_ns(4096) - second, 20, 20, 0.2, true);
    expect("8192 pages", page_chase_ns(8192), 26, 28, 0.2, false);
    expect("16384 pages", page_chase_ns(16384), 40, 40, 0.2, false);
}

static void test_memory(void)
{
    expect("64 MiB", chase_some((uint64_t)64 << 20).ns, 153, 184, 0.1, true);
    Loads loads = chase_some((uint64_t)1 << 30);
    expect("1 GiB", loads.ns, 386, 435, 0.3, false);
    expect("walk in 1 GiB", loads.walk_ns, 150, 220, 0.05, false);
}

static void test_presets(void)
{
    static const struct {
        const char *name;
        unsigned second_pages;
    } presets[] = {{"skylake-sp", 1536}, {"zen2", 2048}};
    for (unsigned i = 0; i < G_N_ELEMENTS(presets); i++) {
        const char *name = presets[i].name;
        uint64_t second = presets[i].second_pages;
        CU_ASSERT_EQUAL(chase_on(name, second * PAGE_BYTES, true).walks, 0);
        CU_ASSERT_TRUE(chase_on(name, (second + 1) * PAGE_BYTES, true).walks > 0);
        /* 64 entries: the 65th page drives out all of its set in turn. */
        double first = chase_on(name, 64 * PAGE_BYTES, true).ns;
        double missing = chase_on(name, 65 * PAGE_BYTES, true).ns;
        CU_ASSERT_TRUE(first < missing);
        CU_ASSERT_DOUBLE_EQUAL(first * CLOCK_GHZ, 4, 1e-6);
    }
}

static const PfCheck checks[] = {
    {"loads from each level of cache take what they take there", test_caches},
    {"steps are at 72 and 3072 pages", test_steps},
    {"a second-level hit, and a walk in caches, cost what they cost there", test_walks},
    {"so does a walk in memory", test_memory},
    {"the steps of other presets are where their TLBs end", test_presets},
};

PF_CHECK_MAIN("ladder", checks)
