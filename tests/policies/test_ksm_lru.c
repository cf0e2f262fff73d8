/* Policy `ksm` with lru_batch: new pages cannot be merged while they wait in their core's batch.
 * The running kernel is not asked here: its batches are drained at once for comparisons. */
#include "check.h"

#include "ksm_runs.h"

#define NO_SMART "pacing = \"trace\"; smart_scan = false; "
#define BATCHED  NO_SMART "lru_batch = 31; "

/* In the second pass page 1 is made anew with the bytes that it had, between the visits of page 0
 * and of itself. MORE pages, not mergeable, are made after it. */
static int64_t sharing_of_a_new_page(const char *settings, unsigned more, const char *label)
{
    g_autofree char *trace =
        g_strdup_printf("context a process\nmap a 0x10000 2 anon mergeable\n"
                        "map a 0x100000 64 anon\nfill a 0x10000 2 id:1\nscan pass 1\nscan 1\n"
                        "advise a 0x11000 1 dontneed\nfill a 0x11000 1 id:1\n"
                        "fill a 0x100000 %u id:9 step=1\nscan 1\nmark \"at once\"\n"
                        "scan pass 2\nmark \"next pass\"\n",
                        more);
    g_autoptr(KsmPlay) play = ksm_play("", settings, trace);
    return ksm_at(play, label, "ksm.pages_sharing");
}

static void new_pages_wait_in_their_batch(void)
{
    CU_ASSERT_EQUAL(sharing_of_a_new_page(NO_SMART, 1, "at once"), 1);
    CU_ASSERT_EQUAL(sharing_of_a_new_page(BATCHED, 1, "at once"), 0);
    CU_ASSERT_EQUAL(sharing_of_a_new_page(BATCHED, 1, "next pass"), 1);
    /* The page is the first of a batch of 31. */
    CU_ASSERT_EQUAL(sharing_of_a_new_page(BATCHED, 29, "at once"), 0);
    CU_ASSERT_EQUAL(sharing_of_a_new_page(BATCHED, 30, "at once"), 1);
}

/* A core that takes a frame over, which it shared with a child that is gone, first hands over all
 * that it holds. */
static void taking_a_frame_over_empties_the_batch(void)
{
    static const char trace[] =
        "context a process\nmap a 0x10000 2 anon mergeable\nmap a 0x100000 1 anon\n"
        "fill a 0x10000 2 id:1\nscan pass 1\nscan 1\nfill a 0x100000 1 id:7\n"
        "advise a 0x11000 1 dontneed\nfill a 0x11000 1 id:1\n%s"
        "scan 1\nmark \"end\"\n";
    g_autofree char *plain = g_strdup_printf(trace, "");
    g_autofree char *taken = g_strdup_printf(trace, "fork a b\nexit b\ntouch a 0x100000 1\n");
    g_autoptr(KsmPlay) waits = ksm_play("", BATCHED, plain);
    CU_ASSERT_EQUAL(ksm_at(waits, "end", "ksm.pages_sharing"), 0);
    g_autoptr(KsmPlay) merges = ksm_play("", BATCHED, taken);
    CU_ASSERT_EQUAL(ksm_at(merges, "end", "ksm.pages_sharing"), 1);
}

/* As above, but the frame is shared with CHILDREN that live, so that the store copies it. */
static int64_t sharing_after_a_copy(unsigned children)
{
    g_autoptr(GString) trace = g_string_new(
        "context a process\nmap a 0x10000 2 anon mergeable\nmap a 0x100000 1 anon\n"
        "fill a 0x10000 2 id:1\nscan pass 1\nscan 1\nfill a 0x100000 1 id:7\n"
        "advise a 0x11000 1 dontneed\nfill a 0x11000 1 id:1\n");
    for (unsigned i = 0; i < children; i++)
        g_string_append_printf(trace, "fork a b%u\nadvise b%u 0x10000 2 dontneed\n", i, i);
    g_string_append(trace, "touch a 0x100000 1\nscan 1\nmark \"end\"\n");
    g_autoptr(KsmPlay) play = ksm_play("", BATCHED, trace->str);
    return ksm_at(play, "end", "ksm.pages_sharing");
}

/* With one child the frame has three references: two mappings and that of the batch. With a second
 * child the core sees at once that it cannot have the frame. */
static void a_try_to_take_over_empties_it_too(void)
{
    CU_ASSERT_EQUAL(sharing_after_a_copy(1), 1);
    CU_ASSERT_EQUAL(sharing_after_a_copy(2), 0);
}

/* Thirty pages of another core, or of this one, are made after the page. */
static void each_core_has_its_own_batch(void)
{
    static const char trace[] =
        "context a process core=0\ncontext b process core=%u\n"
        "map a 0x10000 2 anon mergeable\nmap b 0x100000 64 anon\nfill a 0x10000 2 id:1\n"
        "scan pass 1\nscan 1\nadvise a 0x11000 1 dontneed\nfill a 0x11000 1 id:1\n"
        "fill b 0x100000 30 id:9 step=1\nscan 1\nmark \"end\"\n";
    for (unsigned core = 0; core < 2; core++) {
        g_autofree char *text = g_strdup_printf(trace, core);
        g_autoptr(KsmPlay) play = ksm_play("", BATCHED, text);
        CU_ASSERT_EQUAL(ksm_at(play, "end", "ksm.pages_sharing"), core == 0);
    }
}

static const PfCheck checks[] = {
    {"new pages wait in their batch", new_pages_wait_in_their_batch},
    {"taking a frame over empties the batch", taking_a_frame_over_empties_the_batch},
    {"a try to take it over empties it, too", a_try_to_take_over_empties_it_too},
    {"each core has its own batch", each_core_has_its_own_batch},
};

PF_CHECK_MAIN("ksm_lru", checks)
