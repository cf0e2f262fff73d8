/* esx: pages that come, go and move; counts beyond 16 bits; classes; time. */
#include "esx_fixture.h"

#define SECOND ((uint64_t)1000000000)

static void unmapping_takes_hints_and_sharers_out(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage lone = esx_add(host, 5);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 3);
    CU_ASSERT(esx_is(host, 1, 2, 0, 1));
    mock_unmap(host, lone);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    mock_unmap(host, first);
    CU_ASSERT(esx_is(host, 0, 1, 1, 0));
    mock_unmap(host, second);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_used_frames(host), 0);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 0);
}

/* 70 pages over two chunks of the index move up by 3 and down by 2, over themselves. */
static void what_is_known_of_pages_moves_with_them(void)
{
    g_autoptr(PfHost) host = esx_new(256, 64, "table", NULL);
    uint32_t context = mock_add_context(host);
    for (uint64_t i = 0; i < 70; i++)
        mock_fill(host, mock_page(context, i), i < 2 ? 7 : 100 + i);
    while (mock_stat(host, "esx.track") < 70)
        esx_look(host, 1);
    CU_ASSERT(esx_is(host, 68, 2, 0, 1));
    mock_move(host, context, 0, 3, 70);
    CU_ASSERT(esx_is(host, 68, 2, 0, 1));
    mock_move(host, context, 3, 1, 70);
    CU_ASSERT(esx_is(host, 68, 2, 0, 1));
    /* Each is found at its new place: pages 0, 1 and 10 are 1, 2 and 11 now. */
    mock_unmap(host, mock_page(context, 11));
    CU_ASSERT(esx_is(host, 67, 2, 0, 1));
    mock_fill(host, mock_page(context, 2), 8);
    CU_ASSERT(esx_is(host, 67, 1, 1, 0));
    mock_fill(host, mock_page(context, 1), 8);
    CU_ASSERT(esx_is(host, 67, 0, 0, 0));
}

static void a_fork_of_a_shared_page_is_counted(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 2);
    PfPage child = mock_page(mock_add_context(host), 0);
    mock_alias(host, child, first);
    CU_ASSERT(esx_is(host, 0, 3, 0, 2));
    mock_fill(host, child, 8);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT(mock_holds(host, second, 7));
}

/* Parent and child map one frame by fork alone; that is no sharing of the policy's. */
static void a_fork_of_an_unshared_page_is_not_counted(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage parent = esx_add(host, 7);
    PfPage child = mock_page(mock_add_context(host), 0);
    mock_alias(host, child, parent);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    /* A third page shares with the hint's page; the child, seen again, is found there. */
    esx_add(host, 7);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 0, 3, 0, 2));
    CU_ASSERT_EQUAL(mock_used_frames(host), 1);
}

/* Parent and child map one frame and are hints both, for the parent was pinned when the child's
 * turn came. While the child is pinned, the parent's becomes a shared frame, and what matches the
 * child's later must join it. Finders find the child's, which was filed last, first. */
static void two_hints_of_one_frame_become_one_shared_frame(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage parent = esx_add(host, 7);
    PfPage child = mock_page(mock_add_context(host), 0);
    mock_alias(host, child, parent);
    esx_look(host, 1);
    mock_pin(host, parent, true);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 2, 0, 0, 0));
    mock_pin(host, parent, false);
    mock_pin(host, child, true);
    esx_add(host, 7);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 1, 2, 0, 1));
    mock_pin(host, child, false);
    esx_add(host, 7);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 4, 0, 3));
    CU_ASSERT_EQUAL(mock_used_frames(host), 1);
    mock_unmap(host, parent);
    CU_ASSERT(esx_is(host, 0, 3, 0, 2));
}

/* Pages 1, 3, 5 of one class and 2, 4 of another, all equal: two frames, three freed. */
static void each_class_has_a_copy_of_its_own(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    for (unsigned i = 1; i <= 5; i++)
        mock_label(host, esx_add(host, 7), i % 2);
    esx_look(host, 5);
    CU_ASSERT(esx_is(host, 0, 5, 0, 3));
    CU_ASSERT_EQUAL(mock_used_frames(host), 2);
}

static uint64_t metadata_bytes(const PfHost *host)
{
    return esx_ops()->metadata_bytes(mock_policy(host));
}

/* A 16-bit count ends at 65,535: the 65,536th sharer makes an entry, which goes when two leave of
 * 65,537. */
static void the_overflow_table_holds_counts_beyond_16_bits(void)
{
    enum { SHARERS = 65537 };
    g_autoptr(PfHost) host = esx_new(SHARERS + 1, 64, "table", NULL);
    for (unsigned i = 0; i < SHARERS; i++)
        esx_add(host, 0);
    esx_look(host, SHARERS - 2);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.cow"), 65535);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.overflow_entries"), 0);
    CU_ASSERT_EQUAL(metadata_bytes(host), 0);
    esx_look(host, 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.overflow_entries"), 1);
    CU_ASSERT_EQUAL(metadata_bytes(host), 6);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, SHARERS, 0, SHARERS - 1));
    CU_ASSERT_EQUAL(mock_used_frames(host), 1);
    mock_fill(host, mock_page(0, 0), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.overflow_entries"), 1);
    mock_fill(host, mock_page(1, 0), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.overflow_entries"), 0);
    CU_ASSERT_EQUAL(metadata_bytes(host), 0);
    CU_ASSERT(esx_is(host, 0, 65535, 0, 65534));
}

/* Four frames, three pinned first pages: a fourth entry fits, a fifth page could not be entered. */
static void a_full_table_takes_no_further_frame(void)
{
    g_autoptr(PfHost) host = esx_new(4, 64, "table", NULL);
    PfPage first = esx_add(host, 1);
    for (uint64_t i = 2; i <= 4; i++)
        esx_add(host, i);
    esx_look(host, 4);
    CU_ASSERT(esx_is(host, 4, 0, 0, 0));
    PfPage child = mock_page(mock_add_context(host), 0);
    mock_alias(host, child, first);
    mock_pin(host, first, true);
    /* The child's only match is pinned: it would be entered, were there room. */
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 4, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 5);
}

/* RATE rounds of three candidates a second: the last round of 1000 s is due at its very end. */
static void check_rate(uint64_t rate)
{
    g_autofree char *assignment = g_strdup_printf("policy.rate=%" G_GUINT64_FORMAT, rate);
    const char *const assignments[] = {assignment, NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    for (uint64_t i = 0; i < 3; i++)
        esx_add(host, i);
    mock_run_until(host, 1000 * SECOND - 1);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 3 * (1000 * rate - CLAMP(rate / 100, 1, 8)));
    mock_run_until(host, 1000 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 3 * 1000 * rate);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(mock_samples(host, i), 1000 * rate);
    /* Rounds come in bunches of at most 10 ms. */
    CU_ASSERT_EQUAL(mock_counts(host)->wakes, 1000 * rate / CLAMP(rate / 100, 1, 8));
    CU_ASSERT_EQUAL(mock_counts(host)->passes, 1000 * rate);
}

static void the_rate_is_exact_in_the_long_run(void)
{
    check_rate(50);
    check_rate(7);
    check_rate(1000);
}

/* 3 * 50 are asked for, 100 allowed: contexts take turns. */
static void the_rate_over_all_contexts_is_kept_and_shared_evenly(void)
{
    const char *const assignments[] = {"policy.rate_total=100", NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    for (uint64_t i = 0; i < 3; i++)
        esx_add(host, i);
    mock_run_until(host, 1000 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 100 * 1000);
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(mock_samples(host, i), i == 0 ? 33334 : 33333);
}

/* What one context leaves of 100 is not saved up for when there are three. */
static void what_the_limit_allows_is_not_saved_up(void)
{
    const char *const assignments[] = {"policy.rate_total=100", NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    esx_add(host, 1);
    mock_run_until(host, 10 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 10 * 50);
    esx_add(host, 2);
    esx_add(host, 3);
    mock_run_until(host, 20 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 10 * 50 + 10 * 100);
}

static void control_changes_rates_from_then_on(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    esx_add(host, 1);
    mock_run_until(host, SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 50);
    CU_ASSERT(esx_ops()->control(mock_policy(host), "rate", "0"));
    mock_run_until(host, 2 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 50);
    CU_ASSERT(esx_ops()->control(mock_policy(host), "rate", "200"));
    mock_run_until(host, 3 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 50 + 200);
    CU_ASSERT(esx_ops()->control(mock_policy(host), "rate_total", "10"));
    mock_run_until(host, 4 * SECOND);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 50 + 200 + 10);
    CU_ASSERT_FALSE(esx_ops()->control(mock_policy(host), "rate", "-1"));
    CU_ASSERT_FALSE(esx_ops()->control(mock_policy(host), "rate", "1000000001"));
    CU_ASSERT_FALSE(esx_ops()->control(mock_policy(host), "rate", "fast"));
    CU_ASSERT_FALSE(esx_ops()->control(mock_policy(host), "marking", "cow"));
}

/* Four pages: a pass is four candidates. */
static void a_scan_without_limit_ends_with_the_pass(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    CU_ASSERT(esx_look(host, UINT64_MAX));
    CU_ASSERT_EQUAL(mock_counts(host)->passes, 0);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 0);
    for (uint64_t i = 0; i < 4; i++)
        esx_add(host, i);
    CU_ASSERT_FALSE(esx_look(host, 3));
    CU_ASSERT(esx_look(host, UINT64_MAX));
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 4);
    CU_ASSERT(esx_look(host, UINT64_MAX));
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 8);
    CU_ASSERT(esx_look(host, 5));
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 13);
    CU_ASSERT_EQUAL(mock_counts(host)->passes, 3);
}

static const PfCheck checks[] = {
    {"unmapping takes hints and sharers out", unmapping_takes_hints_and_sharers_out},
    {"what is known of pages moves with them", what_is_known_of_pages_moves_with_them},
    {"a fork of a shared page is counted", a_fork_of_a_shared_page_is_counted},
    {"a fork of an unshared page is not counted", a_fork_of_an_unshared_page_is_not_counted},
    {"two hints of one frame become one shared frame",
     two_hints_of_one_frame_become_one_shared_frame},
    {"each class has a copy of its own", each_class_has_a_copy_of_its_own},
    {"the overflow table holds counts beyond 16 bits",
     the_overflow_table_holds_counts_beyond_16_bits},
    {"a full table takes no further frame", a_full_table_takes_no_further_frame},
    {"the rate is exact in the long run", the_rate_is_exact_in_the_long_run},
    {"the rate over all contexts is kept and shared evenly",
     the_rate_over_all_contexts_is_kept_and_shared_evenly},
    {"what the limit allows is not saved up", what_the_limit_allows_is_not_saved_up},
    {"control changes rates from then on", control_changes_rates_from_then_on},
    {"a scan without limit ends with the pass", a_scan_without_limit_ends_with_the_pass},
};

PF_CHECK_MAIN("esx_pages", checks)
