#include "esx_fixture.h"

static void a_first_page_becomes_a_hint_and_stays_writable(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage page = esx_add(host, 7);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    CU_ASSERT(pf_host_flags(host, page) & PF_FLAG_WRITABLE);
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 1);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.used"), 1);
}

static void a_second_page_of_the_key_shares_both(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 0);
    /* First, second, and the first once more. */
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 3);
    CU_ASSERT_EQUAL(mock_used_frames(host), 1);
    CU_ASSERT_FALSE(pf_host_flags(host, first) & PF_FLAG_WRITABLE);
    CU_ASSERT_FALSE(pf_host_flags(host, second) & PF_FLAG_WRITABLE);
}

static void a_third_page_joins_without_hashing_another(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    for (unsigned i = 0; i < 3; i++)
        esx_add(host, 7);
    esx_look(host, 3);
    CU_ASSERT(esx_is(host, 0, 3, 0, 2));
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 3 + 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 1);
}

/* The first page changes between its own turn and the second's. */
static void a_stale_hint_is_removed_and_the_second_page_becomes_one(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 1);
    mock_fill(host, first, 8);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 0);
    CU_ASSERT(pf_host_flags(host, second) & PF_FLAG_WRITABLE);
    /* The first page's turn: 8 is new. */
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 2, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 1);
}

/* Its own hint, met with another key, is stale too and gives way. */
static void a_page_that_changed_replaces_its_own_hint(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage page = esx_add(host, 7);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 0);
    mock_fill(host, page, 8);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 1);
    PfPage other = esx_add(host, 8);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT(mock_holds(host, other, 8));
}

/* 300 contents under 256 keys: at least 44 pages meet a hint of their key and other bytes. */
static void an_8_bit_key_makes_false_matches_and_changes_no_byte(void)
{
    g_autoptr(PfHost) host = esx_new(512, 8, "table", NULL);
    for (uint64_t i = 0; i < 300; i++)
        esx_add(host, 1000 + i);
    esx_look(host, 300);
    uint64_t false_matches = mock_stat(host, "esx.false_matches");
    CU_ASSERT(false_matches >= 300 - 256);
    CU_ASSERT(esx_is(host, 300 - false_matches, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_used_frames(host), 300);
    for (uint32_t i = 0; i < 300; i++)
        CU_ASSERT(mock_holds(host, mock_page(i, 0), 1000 + i));
}

/* Two sharers, both write: one copy; the last takes the page back as it is. */
static void writes_take_sharers_away_one_by_one(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 2);
    mock_fill(host, second, 9);
    CU_ASSERT(esx_is(host, 0, 1, 1, 0));
    CU_ASSERT_EQUAL(mock_used_frames(host), 2);
    mock_fill(host, first, 9);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_used_frames(host), 2);
    esx_look(host, 2);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
}

static void a_frame_at_one_is_kept_for_a_later_match(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 2);
    mock_fill(host, second, 9);
    PfPage third = esx_add(host, 7);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 1);
    CU_ASSERT(mock_holds(host, third, 7));
}

/* Dropped, its last page is no longer tracked; met again, it is a candidate like any other. */
static void a_frame_at_one_is_dropped_where_told_so(void)
{
    const char *const assignments[] = {"policy.keep_frame_at_one=false", NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    PfPage first = esx_add(host, 7);
    PfPage second = esx_add(host, 7);
    esx_look(host, 2);
    mock_fill(host, second, 9);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    esx_add(host, 7);
    /* The third page: nothing is there to match. */
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 1, 0, 0, 0));
    /* The first page again: it matches the third. */
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 2);
    CU_ASSERT(mock_holds(host, first, 7));
}

static void with_marking_cow_the_first_page_is_protected_at_once(void)
{
    const char *const assignments[] = {"policy.marking=\"cow\"", NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    PfPage first = esx_add(host, 7);
    esx_add(host, 7);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 1, 1, 0));
    CU_ASSERT_FALSE(pf_host_flags(host, first) & PF_FLAG_WRITABLE);
    /* The second joins without hashing the first again. */
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, 2);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_matches"), 0);
}

/* The write costs a fault, which a hint would not. */
static void with_marking_cow_a_write_takes_a_lone_page_out(void)
{
    const char *const assignments[] = {"policy.marking=\"cow\"", NULL};
    g_autoptr(PfHost) host = esx_new(16, 64, "table", assignments);
    PfPage page = esx_add(host, 7);
    esx_look(host, 1);
    mock_fill(host, page, 8);
    CU_ASSERT(esx_is(host, 0, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_used_frames(host), 1);
    CU_ASSERT_EQUAL(mock_stat(host, "esx.hint_stale"), 0);
}

static void shared_and_pinned_pages_are_counted_and_passed_over(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    esx_add(host, 7);
    esx_add(host, 7);
    PfPage pinned = esx_add(host, 7);
    mock_pin(host, pinned, true);
    esx_look(host, 3);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
    uint64_t hashes = mock_counts(host)->hashes;
    esx_look(host, 3);
    CU_ASSERT_EQUAL(mock_counts(host)->hashes, hashes);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 6);
    mock_pin(host, pinned, false);
    esx_look(host, 3);
    CU_ASSERT(esx_is(host, 0, 3, 0, 2));
}

/* A pinned first page cannot be shared, so the second waits for another one. */
static void a_hint_whose_page_is_pinned_shares_nothing_meanwhile(void)
{
    g_autoptr(PfHost) host = esx_new(16, 64, "table", NULL);
    PfPage first = esx_add(host, 7);
    esx_add(host, 7);
    esx_look(host, 1);
    mock_pin(host, first, true);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 2, 0, 0, 0));
    mock_pin(host, first, false);
    esx_look(host, 1);
    CU_ASSERT(esx_is(host, 0, 2, 0, 1));
}

static const PfCheck checks[] = {
    {"a first page becomes a hint and stays writable",
     a_first_page_becomes_a_hint_and_stays_writable},
    {"a second page of the key shares both", a_second_page_of_the_key_shares_both},
    {"a third page joins without hashing another", a_third_page_joins_without_hashing_another},
    {"a stale hint is removed and the second page becomes one",
     a_stale_hint_is_removed_and_the_second_page_becomes_one},
    {"a page that changed replaces its own hint", a_page_that_changed_replaces_its_own_hint},
    {"an 8-bit key makes false matches and changes no byte",
     an_8_bit_key_makes_false_matches_and_changes_no_byte},
    {"writes take sharers away one by one", writes_take_sharers_away_one_by_one},
    {"a frame at one is kept for a later match", a_frame_at_one_is_kept_for_a_later_match},
    {"a frame at one is dropped where told so", a_frame_at_one_is_dropped_where_told_so},
    {"with marking cow the first page is protected at once",
     with_marking_cow_the_first_page_is_protected_at_once},
    {"with marking cow a write takes a lone page out",
     with_marking_cow_a_write_takes_a_lone_page_out},
    {"shared and pinned pages are counted and passed over",
     shared_and_pinned_pages_are_counted_and_passed_over},
    {"a hint whose page is pinned shares nothing meanwhile",
     a_hint_whose_page_is_pinned_shares_nothing_meanwhile},
};

PF_CHECK_MAIN("esx", checks)
