/* esx: which candidates, how many a second, and what is known of them before they are entered. */
#include <math.h>

#include "esx_bloom.h"
#include "esx_fixture.h"

#define SECOND ((uint64_t)1000000000)

static PfHost *esx_with(const char *const *assignments)
{
    return esx_new(64, 64, "table", assignments);
}

/* Fills pages 0 .. PAGES - 1 of a new context with contents FIRST and up; returns its number. */
static uint32_t add_context(PfHost *host, uint64_t pages, uint64_t first)
{
    uint32_t context = mock_add_context(host);
    for (uint64_t i = 0; i < pages; i++)
        mock_fill(host, mock_page(context, i), first + i);
    return context;
}

static uint64_t scanned(const PfHost *host)
{
    return mock_counts(host)->scanned;
}

/* ---- Which, and how often ---- */

/* 32,768 pages at 50 a second: 1 - e^(-t * 50 / 32768) of them are met after t seconds; 95.39 %,
 * what the patent's snapshot tracks of the used pages, after 2,017 s. Each met page is a hint. */
static void random_candidates_cover_pages_as_the_exponential_says(void)
{
    enum { PAGES = 32768 };
    static const unsigned times[] = {100, 655, 2017};
    g_autoptr(PfHost) host = esx_new(PAGES + 1, 64, "table", NULL);
    add_context(host, PAGES, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        mock_run_until(host, times[i] * SECOND);
        CU_ASSERT_EQUAL(scanned(host), times[i] * 50);
        double share = 1.0 - exp(-(double)times[i] * 50 / PAGES);
        double found = (double)mock_stat(host, "esx.track") / PAGES;
        /* Five standard deviations of a binomial are less. */
        CU_ASSERT(fabs(found - share) < 5 * sqrt(share * (1 - share) / PAGES));
    }
    CU_ASSERT_DOUBLE_EQUAL(1.0 - exp(-2017.0 * 50 / PAGES), 78143.0 / 81919.0, 0.0001);
}

/* Two contexts of five and three pages: eight candidates each meet all pages. */
static void sequential_candidates_meet_each_page_in_turn(void)
{
    const char *const assignments[] = {"policy.candidates=\"sequential\"", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    add_context(host, 5, 1);
    add_context(host, 3, 10);
    esx_look(host, 9);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 5 + 3);
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 9);
    esx_look(host, 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 8);
}

static void idle_candidates_come_from_idle_contexts(void)
{
    const char *const assignments[] = {"policy.candidates=\"idle\"", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    uint32_t busy = add_context(host, 1, 1);
    uint32_t idle = add_context(host, 1, 2);
    mock_set_idle(host, idle, true);
    mock_run_until(host, 2 * SECOND);
    CU_ASSERT_EQUAL(mock_samples(host, busy), 0);
    CU_ASSERT_EQUAL(mock_samples(host, idle), 2 * 50);
}

/* 64 candidates of which none, then all but one, can be shared: 10 pages/s, and
 * 10 + 630 * 63 / 64 = 630.2. */
static void the_adaptive_rate_is_in_proportion_to_success(void)
{
    const char *const assignments[] = {"policy.candidates=\"adaptive\"", "policy.rate=64",
                                       "policy.rate_min=10", "policy.rate_max=640", NULL};
    g_autoptr(PfHost) host = esx_new(256, 64, "table", assignments);
    PfPage page = esx_add(host, 1);
    mock_run_until(host, SECOND - 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.rate"), 64);
    mock_run_until(host, SECOND);
    CU_ASSERT_EQUAL(scanned(host), 64);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.rate"), 10);
    mock_unmap(host, page);
    for (unsigned i = 0; i < 64; i++)
        esx_add(host, 7);
    esx_look(host, 64);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.shared"), 63);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.rate"), 10 + 630 * 63 / 64);
}

/* 1024 pages a second, but 3,600 s for all pages: 3,600 pages are one a second. 4 MB/s for each GHz
 * are 4,000,000 / 64 = 62,500 pages of the mock's size. */
static void vsphere_takes_an_hour_for_a_context(void)
{
    const char *const assignments[] = {"policy.preset=\"vsphere\"", NULL};
    g_autoptr(PfHost) host = esx_new(8192, 64, "table", assignments);
    uint32_t large = add_context(host, 3600, 1);
    uint32_t small = add_context(host, 360, 10000);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.rate"), 1024);
    mock_run_until(host, 100 * SECOND);
    CU_ASSERT(mock_samples(host, large) >= 99 && mock_samples(host, large) <= 100);
    CU_ASSERT(mock_samples(host, small) >= 9 && mock_samples(host, small) <= 10);
}

static void the_preset_yields_to_what_is_given(void)
{
    const char *const assignments[] = {"policy.preset=\"vsphere\"", "policy.scan_time=0",
                                       "policy.scan_per_ghz=\"640B/s\"", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    add_context(host, 4, 1);
    mock_run_until(host, 10 * SECOND);
    /* 640 bytes a second for the 1 GHz of the mock: 10 pages. */
    CU_ASSERT_EQUAL(scanned(host), 10 * 10);
}

/* 64 frames of which 0.25, so 16, are to be free: 48 pages are none too many, 49 are. */
static void under_pressure_only_means_when_frames_are_few(void)
{
    const char *const assignments[] = {"policy.when=\"pressure\"", "policy.pressure_free=0.25",
                                       NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    uint32_t context = add_context(host, 48, 1);
    mock_run_until(host, SECOND);
    esx_look(host, 10);
    CU_ASSERT_EQUAL(scanned(host), 0);
    mock_fill(host, mock_page(context, 48), 100);
    mock_run_until(host, 2 * SECOND);
    CU_ASSERT_EQUAL(scanned(host), 50);
}

static void a_synchronous_request_blocks_its_own_context_only(void)
{
    const char *const assignments[] = {"policy.requests=\"synchronous\"", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    uint32_t context = add_context(host, 1, 1);
    uint32_t other = mock_add_context(host);
    mock_run_until(host, SECOND);
    CU_ASSERT_EQUAL(mock_blocked_until(host, context), SECOND);
    CU_ASSERT_EQUAL(mock_blocked_until(host, other), 0);
}

/* ---- What is known of pages ---- */

static void tell_attribute(PfHost *host, PfPage first, uint64_t pages)
{
    PfContextEvent event = {.kind = PF_CONTEXT_ATTRIBUTE,
                            .context = first.context,
                            .first = first.cpn,
                            .pages = pages};
    esx_ops()->context_event(mock_policy(host), &event);
}

/* Among 40 pages, the one of each kind is the next candidate; a page of the mock has 64 bytes, so
 * page 30 has addresses 0x780 to 0x7bf. */
static void preferred_pages_are_looked_at_first(void)
{
    static const char *const kinds[] = {"executed", "readonly", "disk", "net", "range:0x780-0x7bf"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *prefer = g_strdup_printf("policy.prefer=(\"%s\")", kinds[i]);
        const char *const assignments[] = {prefer, NULL};
        g_autoptr(PfHost) host = esx_with(assignments);
        uint32_t context = add_context(host, 40, 1);
        PfPage page = mock_page(context, 30);
        mock_set_flags(host, page, i == 0 ? PF_FLAG_EXECUTED : i == 1 ? PF_FLAG_READONLY : 0);
        if (i < 2)
            tell_attribute(host, mock_page(context, 0), 40);
        else if (i < 4)
            esx_ops()->dma_done(mock_policy(host), page, i == 2 ? "disk:7" : "net:0", 1);
        uint64_t before = mock_samples(host, context);
        esx_look(host, 1);
        CU_ASSERT_EQUAL(mock_samples(host, context), before);
        CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 1);
        mock_unmap(host, page);
        CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 0);
        esx_look(host, 1);
        CU_ASSERT_EQUAL(mock_samples(host, context), before + 1);
    }
}

/* A queue of two: of three pages the oldest is dropped. */
static void the_queue_of_preferred_pages_drops_the_oldest(void)
{
    const char *const assignments[] = {"policy.prefer=(\"disk\")", "policy.queue=2", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    uint32_t context = add_context(host, 3, 1);
    for (uint64_t i = 0; i < 3; i++)
        esx_ops()->dma_done(mock_policy(host), mock_page(context, i), "disk:7", i);
    esx_look(host, 2);
    CU_ASSERT_EQUAL(mock_samples(host, context), 0);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 2);
    mock_unmap(host, mock_page(context, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 2);
}

/* The disk is at its page for 1 ms; until then the queue gives nothing. */
static void a_preferred_page_waits_for_its_device(void)
{
    const char *const assignments[] = {"policy.prefer=(\"disk\")", "policy.io_active=\"1ms\"",
                                       "policy.rate=0", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    uint32_t context = add_context(host, 2, 1);
    esx_ops()->dma_done(mock_policy(host), mock_page(context, 1), "disk:7", 1);
    mock_run_until(host, SECOND / 1000 - 1);
    esx_look(host, 1);
    CU_ASSERT_EQUAL(mock_samples(host, context), 1);
    mock_run_until(host, SECOND / 1000);
    esx_look(host, 1);
    CU_ASSERT_EQUAL(mock_samples(host, context), 1);
    mock_unmap(host, mock_page(context, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), 1);
}

/* 10 s after a disk wrote it, a page counts as such no more. */
static void excluded_pages_are_never_entered(void)
{
    const char *const assignments[] = {"policy.exclude=(\"disk\",\"executed\")", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    PfPage disk = esx_add(host, 7);
    PfPage code = esx_add(host, 7);
    esx_ops()->dma_done(mock_policy(host), disk, "disk:7", 1);
    mock_set_flags(host, code, PF_FLAG_EXECUTED);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.excluded"), 2);
    CU_ASSERT_EQUAL(mock_counts(host)->verdicts[PF_WHY_KIND], 2);
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 0);
    mock_set_flags(host, code, 0);
    mock_run_until(host, 10 * SECOND - 1);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    /* A hint's page may come to be excluded later. */
    mock_set_flags(host, code, PF_FLAG_EXECUTED);
    mock_run_until(host, 10 * SECOND + SECOND / 50);
    CU_ASSERT(esx_is(host, 2, 0, 0, 0));
    mock_set_flags(host, code, 0);
    mock_run_until(host, 10 * SECOND + 2 * SECOND / 50);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
}

/* A page that is written every second never enters the table; its twin that is not, does. */
static void pages_that_change_never_come_of_age(void)
{
    const char *const assignments[] = {"policy.age=\"3s\"", NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    PfPage hot = esx_add(host, 7);
    PfPage cold = esx_add(host, 7);
    for (uint64_t second = 1; second <= 20; second++) {
        mock_run_until(host, second * SECOND);
        CU_ASSERT_EQUAL(mock_stat(host, "esx.hint"), second >= 4);
        mock_fill(host, hot, second % 2 == 0 ? 7 : 100 + second);
    }
    CU_ASSERT(mock_stat(host, "esx.aged_changed") > 0);
    CU_ASSERT(mock_counts(host)->verdicts[PF_WHY_VOLATILE] > 0);
    mock_unmap(host, cold);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.track"), 0);
}

/* The key of content 7 is taken from a run without; with it known, the page is entered at once and
 * marked. */
static void known_contents_are_marked_at_once(void)
{
    g_autoptr(PfHost) plain = esx_with(NULL);
    uint64_t key = pf_host_hash_page(plain, esx_add(plain, 7));
    g_autofree char *known =
        g_strdup_printf("policy.known_good=(\"0x%" G_GINT64_MODIFIER "x\")", key);
    const char *const assignments[] = {"policy.age=\"3s\"", "policy.salting=\"context\"", known,
                                       NULL};
    g_autoptr(PfHost) host = esx_with(assignments);
    esx_add(host, 7);
    esx_add(host, 8);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 0, 1, 1, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.known_hits"), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.known_false"), 0);
}

/* n keys in m bits, k each: (1 - e^(-kn/m))^k of 100,000 others, within 20 %. */
static void the_bloom_filter_errs_as_often_as_its_formula_says(void)
{
    static const struct {
        unsigned keys;
        unsigned bits;
        unsigned hashes;
    } rows[] = {{1000, 8192, 4}, {1000, 4096, 2}, {500, 8192, 8}, {1, 64, 1}};
    enum { OTHERS = 100000 };
    PfRng rng = pf_rng_derive(1, "bloom");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        PfEsxBloom bloom;
        pf_esx_bloom_init(&bloom, rows[i].bits, rows[i].hashes);
        CU_ASSERT_EQUAL(pf_esx_bloom_bytes(&bloom), 0);
        CU_ASSERT_FALSE(pf_esx_bloom_has(&bloom, 1));
        for (unsigned key = 0; key < rows[i].keys; key++) {
            uint64_t added = pf_rng_next(&rng);
            pf_esx_bloom_add(&bloom, added);
            CU_ASSERT_TRUE(pf_esx_bloom_has(&bloom, added));
        }
        CU_ASSERT_EQUAL(bloom.false_hits, 0);
        for (unsigned other = 0; other < OTHERS; other++)
            (void)pf_esx_bloom_has(&bloom, pf_rng_next(&rng));
        double fill = -(double)rows[i].hashes * rows[i].keys / rows[i].bits;
        double rate = pow(1.0 - exp(fill), rows[i].hashes);
        double found = (double)bloom.false_hits / OTHERS;
        CU_ASSERT(found > 0.8 * rate && found < 1.2 * rate);
        CU_ASSERT_EQUAL(pf_esx_bloom_bytes(&bloom), rows[i].bits / 8);
        pf_esx_bloom_clear(&bloom);
    }
}

/* Three contexts of two equal pages each, the first two with one label: by context each saves one
 * page, by label the four of one save three and the other two one, without salt five. */
static void pages_are_shared_under_one_salt_only(void)
{
    static const struct {
        const char *salting;
        uint64_t shared;
    } rows[] = {{"none", 5}, {"context", 3}, {"label", 3 + 1}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *salting = g_strdup_printf("policy.salting=\"%s\"", rows[i].salting);
        const char *const assignments[] = {salting, "policy.candidates=\"sequential\"", NULL};
        g_autoptr(PfHost) host = esx_with(assignments);
        for (uint32_t context = 0; context < 3; context++) {
            mock_add_context(host);
            mock_set_label(host, context, context < 2 ? "secret" : NULL);
            mock_fill(host, mock_page(context, 0), 7);
            mock_fill(host, mock_page(context, 1), 7);
        }
        esx_look(host, 12);
        CU_ASSERT(esx_is(host, 0, 6, 0, rows[i].shared));
        CU_ASSERT_EQUAL(mock_used_frames(host), 6 - rows[i].shared);
    }
}

/* Two bits of hash: of 16 contents and two salts many keys are equal; no frame has two salts. */
static void no_frame_has_pages_of_two_salts(void)
{
    const char *const assignments[] = {"policy.salting=\"context\"", NULL};
    g_autoptr(PfHost) host = esx_new(64, 2, "table", assignments);
    add_context(host, 16, 1);
    add_context(host, 16, 1);
    esx_look(host, 1000);
    for (uint64_t i = 0; i < 16; i++)
        for (uint64_t j = 0; j < 16; j++) {
            PfMpn a;
            PfMpn b;
            pf_host_frame(host, mock_page(0, i), &a);
            pf_host_frame(host, mock_page(1, j), &b);
            CU_ASSERT_FALSE(pf_mpn_equal(a, b));
        }
}

static void what_is_no_rule_and_no_key_is_refused(void)
{
    static const char *const wrong[] = {
        "policy.prefer=(\"quick\")",         "policy.exclude=(\"range:0x10\")",
        "policy.exclude=(\"range:9-8\")",    "policy.prefer=(\"range:0x10-0x20x\")",
        "policy.known_good=(\"12\")",        "policy.known_good=(\"0x1g\")",
        "policy.exclude=(\"range:-9--8\")",  "policy.known_good=(\"0x1ffffffffffffffff\")",
    };
    g_autoptr(PfRegistry) registry = pf_registry_new();
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        const char *const assignments[] = {wrong[i], NULL};
        g_autoptr(PfHost) host = mock_new(16, 64, 64);
        g_autoptr(GError) error = NULL;
        const PfFinderOps *finder = pf_registry_find_finder(registry, "table");
        CU_ASSERT(!mock_use(host, esx_ops(), finder, assignments, &error) && error != NULL);
    }
}

static const PfCheck checks[] = {
    {"random candidates cover pages as the exponential says",
     random_candidates_cover_pages_as_the_exponential_says},
    {"sequential candidates meet each page in turn", sequential_candidates_meet_each_page_in_turn},
    {"idle candidates come from idle contexts", idle_candidates_come_from_idle_contexts},
    {"the adaptive rate is in proportion to success",
     the_adaptive_rate_is_in_proportion_to_success},
    {"vsphere takes an hour for a context", vsphere_takes_an_hour_for_a_context},
    {"the preset yields to what is given", the_preset_yields_to_what_is_given},
    {"under pressure only means when frames are few",
     under_pressure_only_means_when_frames_are_few},
    {"a synchronous request blocks its own context only",
     a_synchronous_request_blocks_its_own_context_only},
    {"preferred pages are looked at first", preferred_pages_are_looked_at_first},
    {"the queue of preferred pages drops the oldest",
     the_queue_of_preferred_pages_drops_the_oldest},
    {"a preferred page waits for its device", a_preferred_page_waits_for_its_device},
    {"excluded pages are never entered", excluded_pages_are_never_entered},
    {"pages that change never come of age", pages_that_change_never_come_of_age},
    {"known contents are marked at once", known_contents_are_marked_at_once},
    {"the Bloom filter errs as often as its formula says",
     the_bloom_filter_errs_as_often_as_its_formula_says},
    {"pages are shared under one salt only", pages_are_shared_under_one_salt_only},
    {"no frame has pages of two salts", no_frame_has_pages_of_two_salts},
    {"what is no rule and no key is refused", what_is_no_rule_and_no_key_is_refused},
};

PF_CHECK_MAIN("esx_choice", checks)
