/* What ksm asks of a host, on the mock host: frames that are claimed, isolation and pins, frames
 * that were free in between. */
#include "check.h"

#include "mock_host.h"
#include "registry.h"

enum { FRAMES = 64, PAGE_BYTES = 64 };

typedef struct {
    PfHost *host;
    const PfPolicyOps *ops;
} Fixture;

/* ksm, without smart scan, that scans when it is told to. */
static Fixture set_up(void)
{
    static const char *const settings[] = {"policy.smart_scan=false", NULL};
    g_autoptr(PfRegistry) registry = pf_registry_new();
    Fixture fixture = {.host = mock_new(FRAMES, PAGE_BYTES, 64),
                       .ops = pf_registry_find_policy(registry, "ksm")};
    g_autoptr(GError) error = NULL;
    bool used = mock_use(fixture.host, fixture.ops, pf_registry_find_finder(registry, "brute"),
                         settings, &error);
    CU_ASSERT_TRUE_FATAL(used);
    return fixture;
}

static void tell(const Fixture *fixture, const PfContextEvent *event)
{
    fixture->ops->context_event(mock_policy(fixture->host), event);
}

/* A new context with CONTENT in each of PAGES pages, which ksm knows of. */
static uint32_t add_context(const Fixture *fixture, unsigned pages, uint64_t content)
{
    uint32_t context = mock_add_context(fixture->host);
    tell(fixture, &(PfContextEvent){.kind = PF_CONTEXT_CREATED, .context = context});
    for (unsigned i = 0; i < pages; i++)
        mock_fill(fixture->host, mock_page(context, i), content);
    tell(fixture, &(PfContextEvent){.kind = PF_CONTEXT_MAPPED, .context = context, .pages = pages});
    return context;
}

static void scan_pass(const Fixture *fixture)
{
    bool ended = fixture->ops->scan(mock_policy(fixture->host), UINT64_MAX);
    CU_ASSERT_TRUE(ended);
    fixture->ops->check(mock_policy(fixture->host));
}

static bool counts(const Fixture *fixture, uint64_t shared, uint64_t sharing, uint64_t unshared)
{
    return mock_stat(fixture->host, "ksm.pages_shared") == shared &&
           mock_stat(fixture->host, "ksm.pages_sharing") == sharing &&
           mock_stat(fixture->host, "ksm.pages_unshared") == unshared;
}

static void a_page_is_shared_when_it_stayed_for_a_pass(void)
{
    Fixture fixture = set_up();
    uint32_t context = add_context(&fixture, 3, 7);
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 0, 0, 0));
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 3);
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 1, 2, 0));
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 1);
    CU_ASSERT_EQUAL(mock_counts(fixture.host)->scanned, 6);
    /* The last one that maps a claimed frame gets a copy too. */
    PfMpn claimed;
    PfMpn copy;
    CU_ASSERT_TRUE(pf_host_frame(fixture.host, mock_page(context, 0), &claimed));
    for (unsigned i = 0; i < 3; i++)
        mock_fill(fixture.host, mock_page(context, i), 8);
    CU_ASSERT_TRUE(pf_host_frame(fixture.host, mock_page(context, 2), &copy));
    CU_ASSERT_FALSE(pf_mpn_equal(claimed, copy));
    CU_ASSERT_EQUAL(pf_host_frame_tag(fixture.host, claimed), 0);
    /* Nobody came across the stale node yet. */
    CU_ASSERT_TRUE(counts(&fixture, 1, 2, 0));
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 0, 0, 0));
    mock_free(fixture.host);
}

static void a_frame_that_was_free_is_another_frame(void)
{
    Fixture fixture = set_up();
    uint32_t context = add_context(&fixture, 2, 7);
    scan_pass(&fixture);
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 1, 1, 0));
    /* All frames of the machine are given out anew, the old one among them. */
    for (unsigned i = 0; i < 2; i++)
        mock_unmap(fixture.host, mock_page(context, i));
    uint32_t other = add_context(&fixture, FRAMES, 9);
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 0, 0, 0));
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 1, FRAMES - 1, 0));
    CU_ASSERT_TRUE(mock_holds(fixture.host, mock_page(other, FRAMES - 1), 9));
    mock_free(fixture.host);
}

static void a_pin_keeps_a_page_apart(void)
{
    Fixture fixture = set_up();
    uint32_t context = add_context(&fixture, 3, 7);
    mock_pin(fixture.host, mock_page(context, 1), true);
    scan_pass(&fixture);
    scan_pass(&fixture);
    /* 0 is in the tree; 1 finds it and cannot be protected; 2 shares with 0. */
    CU_ASSERT_TRUE(counts(&fixture, 1, 1, 0));
    mock_pin(fixture.host, mock_page(context, 1), false);
    scan_pass(&fixture);
    CU_ASSERT_TRUE(counts(&fixture, 1, 2, 0));
    mock_free(fixture.host);
}

/* A child maps what is claimed in vain: its page is an orphan, which nothing merges with. */
static void a_failed_merge_leaves_an_orphan_to_the_child(void)
{
    Fixture fixture = set_up();
    uint32_t parent = add_context(&fixture, 2, 7);
    uint32_t child = mock_add_context(fixture.host);
    mock_alias(fixture.host, mock_page(child, 0), mock_page(parent, 1));
    tell(&fixture, &(PfContextEvent){
                       .kind = PF_CONTEXT_FORKED, .context = child, .other = parent});
    mock_pin(fixture.host, mock_page(parent, 0), true);
    scan_pass(&fixture);
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 2);
    /* Page 1 of the parent is claimed, its partner is pinned: the parent gets a copy. */
    scan_pass(&fixture);
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 3);
    PfMpn orphan;
    CU_ASSERT_TRUE(pf_host_frame(fixture.host, mock_page(child, 0), &orphan));
    CU_ASSERT_EQUAL(pf_host_frame_tag(fixture.host, orphan), UINT32_MAX);
    for (unsigned i = 0; i < 3; i++)
        scan_pass(&fixture);
    CU_ASSERT_EQUAL(mock_stat(fixture.host, "ksm.pages_shared"), 0);
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 3);
    mock_free(fixture.host);
}

static void unmergeable_advice_gives_every_page_its_own_frame(void)
{
    Fixture fixture = set_up();
    uint32_t context = add_context(&fixture, 4, 7);
    scan_pass(&fixture);
    scan_pass(&fixture);
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 1);
    tell(&fixture, &(PfContextEvent){.kind = PF_CONTEXT_ADVISED,
                                     .context = context,
                                     .pages = 4,
                                     .number = PF_ADVISED_UNMERGEABLE});
    CU_ASSERT_EQUAL(mock_used_frames(fixture.host), 4);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_TRUE(mock_holds(fixture.host, mock_page(context, i), 7));
    mock_free(fixture.host);
}

static const PfCheck checks[] = {
    {"a page is shared when it stayed for a pass", a_page_is_shared_when_it_stayed_for_a_pass},
    {"a frame that was free in between is another frame", a_frame_that_was_free_is_another_frame},
    {"a pin keeps a page apart", a_pin_keeps_a_page_apart},
    {"a failed merge leaves an orphan to the child", a_failed_merge_leaves_an_orphan_to_the_child},
    {"unmergeable advice gives every page its own frame",
     unmergeable_advice_gives_every_page_its_own_frame},
};

PF_CHECK_MAIN("ksm_host", checks)
