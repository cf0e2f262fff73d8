/* Policy `collapse` on the host and the engine that the program has. */
#include "check.h"

#include "policy_runs.h"

#define COSTS "machine = { costs = { read_page = 1500; copy_page = 900; flush_local = 500; }; };"

static int64_t end_of(const PolicyPlay *play, const char *name)
{
    return policy_end(play, name).i;
}

typedef struct {
    const char *mark; /* NULL: the end */
    const char *name;
    int64_t value;
} Expected;

/* What TRACE comes to under `collapse`, on a machine with COSTS. */
static void play_and_expect(const char *costs, const char *trace, const Expected *expected,
                            size_t count)
{
    g_autoptr(PolicyPlay) play = policy_play("collapse", costs, "", trace);
    for (size_t i = 0; i < count; i++) {
        const Expected *row = &expected[i];
        int64_t value = row->mark != NULL ? policy_at(play, row->mark, row->name)
                                          : end_of(play, row->name);
        CU_ASSERT_EQUAL(value, row->value);
        if (value != row->value)
            printf("# %s at %s is %" G_GINT64_FORMAT "\n", row->name,
                   row->mark != NULL ? row->mark : "the end", value);
    }
}

/* b's store would make its page equal to a's: it is not made. No frame is copied, b's own frame is
 * free, and later b's stores are its own again. */
static void a_store_whose_result_exists_is_not_made(void)
{
    static const char trace[] =
        "context a process\ncontext b process\nmap a 0x0 1 anon\nmap b 0x0 1 anon\n"
        "write a 0x0 4 1\nwrite b 0x0 4 2\nmark \"two\"\nwrite b 0x0 4 1\nmark \"one\"\n"
        "write b 0x10 4 7\nmark \"split\"\n";
    static const Expected expected[] = {
        {"two", "memory.used_frames", 2},
        {"one", "memory.used_frames", 1},
        {"one", "collapse.redirected", 1},
        {"one", "policy.broken", 0},
        {"split", "memory.used_frames", 2},
        {"split", "policy.broken", 1},
        {NULL, "collapse.searches", 4}, /* one a store */
        {NULL, "collapse.stores", 4},
    };
    play_and_expect(COSTS, trace, expected, G_N_ELEMENTS(expected));
}

/* c forks from b: the frame of both stays when one of them goes over to a's. */
static void the_first_page_is_freed_only_if_nobody_else_points_to_it(void)
{
    static const char trace[] =
        "context a process\ncontext b process\nmap a 0x0 1 anon\nmap b 0x0 1 anon\n"
        "write a 0x0 4 1\nwrite b 0x0 4 2\nfork b c\nwrite b 0x0 4 1\nmark \"both\"\n"
        "write c 0x0 4 1\nmark \"one\"\n";
    static const Expected expected[] = {
        {"both", "memory.used_frames", 2},
        {"one", "memory.used_frames", 1},
        {NULL, "policy.broken", 0},
    };
    play_and_expect("", trace, expected, G_N_ELEMENTS(expected));
}

/* A page that was never touched is mapped without a frame of its own; so is a filled one. */
static void a_first_store_needs_no_frame_if_its_result_exists(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 4 anon\nfill a 0x0 1 \"one\"\nfill a 0x1000 1 \"one\"\n"
        "write a 0x2000 3 0x656e6f\nmark \"end\"\n"; /* "one", then zeros */
    static const Expected expected[] = {
        {NULL, "memory.used_frames", 1},
        {NULL, "memory.peak_frames", 1},
        {NULL, "collapse.redirected", 2},
    };
    play_and_expect("", trace, expected, G_N_ELEMENTS(expected));
}

static void a_store_that_changes_nothing_does_not_split_a_page(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 2 anon\nfill a 0x0 2 \"same\"\nwrite a 0x1000 1 0x73\n"
        "mark \"silent\"\nwrite a 0x1000 1 0x74\n";
    static const Expected expected[] = {
        {"silent", "memory.used_frames", 1},
        {"silent", "collapse.silent", 1},
        {NULL, "memory.used_frames", 2},
    };
    play_and_expect("", trace, expected, G_N_ELEMENTS(expected));
}

/* 100 stores to one page and one to another, which are equal then. Deferred, each page is hashed
 * once: two reads of 1500 cycles, and on the way there is no work at all. */
static void deferred_look_ups_hash_a_page_once_and_cost_stores_nothing(void)
{
    g_autoptr(GString) trace = g_string_new("context a process\nmap a 0x0 2 anon\n"
                                            "write a 0x1000 4 99\n");
    for (unsigned i = 0; i < 100; i++)
        g_string_append_printf(trace, "write a 0x0 4 %u\n", i);
    g_string_append(trace, "mark \"written\"\nidle a 100ms\ntime 200ms\nscan pass 1\n");
    static const char *const ways[] = {
        "when = \"idle\"; ",
        "when = \"settled\"; settle = \"1ms\"; ",
        "look_up = \"settle\"; settle = \"1ms\"; ",
        "when = \"pressure\"; pressure_free = 1.0; pacing = \"trace\"; ",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(PolicyPlay) play = policy_play("collapse", COSTS, ways[i], trace->str);
        bool is_idle_at_marks = i == 0;
        if (!is_idle_at_marks) {
            CU_ASSERT_EQUAL(policy_at(play, "written", "collapse.searches"), 0);
            CU_ASSERT_EQUAL(policy_at(play, "written", "memory.used_frames"), 2);
        }
        CU_ASSERT_EQUAL(end_of(play, "collapse.searches"), 2);
        CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 1);
        CU_ASSERT(end_of(play, "cycles.account.hash") >= 2 * 1500);
        CU_ASSERT(end_of(play, "cycles.account.hash") < 3 * 1500);
    }
}

/* What the host hashes for two pages that become equal, one of them by STORES stores. */
static uint64_t host_hashes(const char *settings, unsigned stores)
{
    g_autoptr(GString) trace = g_string_new("pagefold-trace 1\ngrain page\ncontext a process\n"
                                            "map a 0x0 2 anon\nwrite a 0x1000 4 99\n");
    for (unsigned i = 100 - stores; i < 100; i++)
        g_string_append_printf(trace, "write a 0x0 4 %u\n", i);
    g_string_append(trace, "idle a 100ms\ntime 200ms\nscan pass 1\n");
    g_autoptr(PolicyPlay) play = policy_play_unchecked("collapse", "", settings, trace->str);
    CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 1);
    return policy_host_hashes(play);
}

/* The host, too, hashes a page once however often it was written between two look-ups: as often for
 * a hundred stores as for one, which is for the look-ups and the comparison of two pages. */
static void the_host_hashes_a_page_once_for_a_hundred_stores(void)
{
    static const char *const ways[] = {
        "when = \"idle\"; ",
        "when = \"settled\"; settle = \"1ms\"; ",
        "look_up = \"settle\"; settle = \"1ms\"; ",
        "when = \"pressure\"; pressure_free = 1.0; pacing = \"trace\"; ",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        uint64_t once = host_hashes(ways[i], 1);
        CU_ASSERT(once < 10);
        CU_ASSERT_EQUAL(host_hashes(ways[i], 100), once);
    }
}

/* A page written again before its time is over starts anew: looked up at 190 us, not at 100. The
 * stores themselves take less than 9 us. */
static void a_settled_page_is_one_that_was_left_alone_for_the_whole_time(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 2 anon\nwrite a 0x0 4 1\nwrite a 0x1000 4 2\n"
        "time 90us\nwrite a 0x1000 4 1\ntime 110us\nmark \"first\"\ntime 189us\nmark \"before\"\n"
        "time 200us\nmark \"after\"\n";
    g_autoptr(PolicyPlay) play =
        policy_play("collapse", "", "when = \"settled\"; settle = \"100us\"; ", trace);
    CU_ASSERT_EQUAL(policy_at(play, "first", "collapse.searches"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "before", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "after", "collapse.searches"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "after", "memory.used_frames"), 1);
}

/* Two of three frames are in use: with a mark of half of them there is pressure when less than 1.5
 * are free, which one is. */
static void pressure_is_a_share_of_the_frames_that_is_not_free(void)
{
    static const char trace[] = "context a process\nmap a 0x0 3 anon\nfill a 0x0 2 id:1\n"
                                "time 100ms\nmark \"two\"\n";
    static const struct {
        const char *free;
        int64_t frames;
    } rows[] = {{"0.34", 1}, {"0.33", 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *settings =
            g_strdup_printf("when = \"pressure\"; pressure_free = %s; ", rows[i].free);
        g_autoptr(PolicyPlay) play =
            policy_play("collapse", "machine = { memory = \"12KiB\"; };", settings, trace);
        CU_ASSERT_EQUAL(policy_at(play, "two", "memory.used_frames"), rows[i].frames);
    }
}

/* Four pages of one content in three frames: the third page takes the last one, for the fourth
 * frames are made free. Without the policy memory runs out. */
static void no_free_frame_is_pressure_enough(void)
{
    static const char trace[] = "context a process\nmap a 0x0 4 anon\nfill a 0x0 4 id:1\n";
    static const char top[] = "machine = { memory = \"12KiB\"; };";
    g_autoptr(PolicyPlay) fits =
        policy_play("collapse", top, "when = \"pressure\"; pressure_free = 0.0; ", trace);
    CU_ASSERT_TRUE(policy_fitted(fits));
    g_autoptr(PolicyPlay) fails = policy_play("collapse", top, "when = \"idle\"; ", trace);
    CU_ASSERT_FALSE(policy_fitted(fails));
}

/* b's page is found equal at once and collapsed when b waits. */
static void the_collapse_may_be_put_off_by_itself(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 2 anon\nwrite a 0x0 4 1\nwrite a 0x1000 4 1\n"
        "run a 100\nmark \"found\"\nidle a 100ms\ntime 100ms\nmark \"end\"\n";
    g_autoptr(PolicyPlay) play = policy_play("collapse", "", "collapse_when = \"idle\"; ", trace);
    CU_ASSERT_EQUAL(policy_at(play, "found", "collapse.searches"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "found", "collapse.duplicates"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "found", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "end", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "end", "collapse.searches"), 2);
}

/* The duplicate's frame is in use until the collector comes at 10 ms. */
static void a_collector_frees_frames_later(void)
{
    static const char trace[] =
        "context a process\nmap a 0x0 2 anon\nwrite a 0x0 4 1\nwrite a 0x1000 4 2\n"
        "write a 0x1000 4 1\ntime 9ms\nmark \"before\"\ntime 11ms\nmark \"after\"\n";
    g_autoptr(PolicyPlay) play =
        policy_play("collapse", "", "free = \"gc\"; gc_interval = \"10ms\"; ", trace);
    CU_ASSERT_EQUAL(policy_at(play, "before", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "before", "collapse.unfreed"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "after", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "after", "collapse.unfreed"), 0);
    CU_ASSERT_EQUAL(end_of(play, "collapse.collections"), 1);
}

/* Page 1 collapses by the third store. With none between, its copy is made by the first store after
 * that; with three between by the fourth. */
static void a_collapse_that_is_soon_undone_is_transient(void)
{
    static const struct {
        const char *between;
        int64_t transient;
    } rows[] = {{"", 1}, {"fill a 0x2000 1 id:5\nfill a 0x2000 1 id:6\n", 1},
                {"fill a 0x2000 1 id:5\nfill a 0x2000 1 id:6\nfill a 0x2000 1 id:7\n", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace = g_strconcat(
            "context a process\nmap a 0x0 3 anon\nwrite a 0x0 4 1\nwrite a 0x1000 4 2\n"
            "write a 0x1000 4 1\n", rows[i].between, "write a 0x1000 4 3\n", NULL);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", "transient_stores = 3; ", trace);
        CU_ASSERT_EQUAL(end_of(play, "collapse.transient"), rows[i].transient);
        CU_ASSERT_EQUAL(end_of(play, "policy.broken"), 1);
    }
}

/* Ten pages asked for with zeros, ten with 0xde 0xad over and over, and one like no pattern. */
static void pages_asked_for_share_the_page_of_their_pattern(void)
{
    g_autoptr(GString) debug = g_string_new("hex:");
    for (unsigned i = 0; i < 2048; i++)
        g_string_append(debug, "dead");
    g_autofree char *trace = g_strdup_printf(
        "context a process\nmap a 0x0 32 anon\ninit a 0x0 10 zero\ninit a 0x10000 10 %s\n"
        "init a 0x1f000 1 \"dead\"\nmark \"asked\"\nwrite a 0x11000 1 0\n", debug->str);
    g_autoptr(PolicyPlay) play = policy_play(
        "collapse", "", "when = \"settled\"; settle = \"1s\"; "
        "patterns = (\"zero\", \"ones\", \"hex:dead\"); ", trace);
    CU_ASSERT_EQUAL(policy_at(play, "asked", "memory.used_frames"), 3);
    CU_ASSERT_EQUAL(policy_at(play, "asked", "collapse.requested"), 20);
    CU_ASSERT_EQUAL(policy_at(play, "asked", "collapse.provided"), 18);
    CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 4);
}

/* Keys of one bit: pages of different contents meet, are compared and stay apart. */
static void equal_keys_of_different_pages_share_nothing(void)
{
    static const char trace[] = "context a process\nmap a 0x0 8 anon\nfill a 0x0 8 id:1 step=1\n";
    static const char *const ways[] = {"hash_bits = 1; ",
                                       "hash_bits = 1; when = \"settled\"; settle = \"1ns\"; "};
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", ways[i], trace);
        CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), 8);
        CU_ASSERT(end_of(play, "collapse.false_matches") >= 8 - 2);
    }
}

/* Two pages of four bytes each, over and over: 0010 and 0011 with a byte for a digit agree in three
 * of four, which at a threshold of 75 % is enough. In the last example they differ in their last
 * bit, or in nothing but their last byte. The bits that change are those that differ. */
static void lossy_ways_change_bytes_and_say_so(void)
{
    static const struct {
        const char *rule;
        const char *a;
        const char *b;
        int64_t frames;
        int64_t bits;
    } rows[] = {
        {"identical = \"threshold\"; threshold = 0.75; ", "0x00ff0000", "0xffff0000", 1, 8 * 8},
        {"identical = \"threshold\"; threshold = 0.76; ", "0x00ff0000", "0xffff0000", 2, 0},
        {"identical = \"exact\"; ", "0x00ff0000", "0xffff0000", 2, 0},
        {"identical = \"masked\"; ignored_bits = (\"31\", \"63\", \"95-255\"); ", "0x00000000",
         "0x01000000", 1, 8},
        {"identical = \"masked\"; ignored_bits = (\"30\", \"62\", \"95-255\"); ", "0x00000000",
         "0x01000000", 2, 0},
        {"identical = \"range\"; used_offset = 0; used_bytes = 3; ", "0x00000000", "0xff000000", 1,
         8 * 8},
        {"identical = \"range\"; used_offset = 0; used_bytes = 4; ", "0x00000000", "0xff000000", 2,
         0},
    };
    static const char *const whens[] = {"immediate", "settled"};
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        size_t row = i / 2;
        g_autoptr(GString) trace = g_string_new(
            "pagefold-trace 1\npage 32\ngrain page\ncontext a process\nmap a 0x0 2 anon\n");
        for (unsigned page = 0; page < 2; page++) {
            g_string_append_printf(trace, "fill a 0x%x 1 hex:", 32 * page);
            uint64_t word = g_ascii_strtoull(page == 0 ? rows[row].a : rows[row].b, NULL, 0);
            for (unsigned byte = 0; byte < 32; byte++)
                g_string_append_printf(trace, "%02x", (unsigned)(word >> 8 * (byte % 4)) & 255);
            g_string_append_c(trace, '\n');
        }
        g_string_append(trace, "time 1ms\nmark \"shared\"\nwrite a 0x20 1 5\nmark \"end\"\n");
        g_autofree char *settings = g_strdup_printf("when = \"%s\"; settle = \"1ns\"; %s",
                                                    whens[i % 2], rows[row].rule);
        g_autoptr(PolicyPlay) play = policy_play_text("collapse", "", settings, trace->str);
        CU_ASSERT_EQUAL(policy_at(play, "shared", "memory.used_frames"), rows[row].frames);
        CU_ASSERT_EQUAL(policy_at(play, "shared", "policy.lossy_shared"), 2 - rows[row].frames);
        CU_ASSERT_EQUAL(policy_at(play, "shared", "policy.lossy_bits"), rows[row].bits);
        CU_ASSERT_EQUAL(policy_differences(play) > 0, rows[row].bits > 0);
    }
}

/* Two groups of ten pages. With equal first pages all are compared, one probe and nine others, and
 * one that differs is not shared. With different first pages nine are skipped, all of which would
 * have been shared. With two probes of which one is equal, eight are. */
static void the_first_pages_of_a_group_decide(void)
{
    static const struct {
        const char *probes;
        const char *other; /* what the second group's pages differ in */
        int64_t compares;
        int64_t skipped;
        int64_t frames;
        int64_t missed;
    } rows[] = {
        {"1", "", 10, 0, 10, 0},
        {"1", "fill a 0x105000 1 id:99\n", 10, 0, 11, 0},
        {"1", "fill a 0x100000 1 id:99\n", 1, 9, 20, 9},
        {"2", "", 10, 0, 10, 0},
        {"2", "fill a 0x101000 1 id:99\n", 2, 8, 19, 8},
        {"0", "fill a 0x100000 1 id:99\n", 0, 0, 11, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *trace = g_strconcat(
            "context a process\nmap a 0x0 10 anon group=1\nmap a 0x100000 10 anon group=2\n"
            "fill a 0x0 10 id:1 step=1\nfill a 0x100000 10 id:1 step=1\n", rows[i].other,
            "scan pass 2\n", NULL);
        g_autofree char *settings = g_strdup_printf(
            "when = \"idle\"; pacing = \"trace\"; probe_pages = %s; ", rows[i].probes);
        g_autoptr(PolicyPlay) play = policy_play("collapse", "", settings, trace);
        CU_ASSERT_EQUAL(end_of(play, "collapse.group_compares"), rows[i].compares);
        CU_ASSERT_EQUAL(end_of(play, "collapse.group_skipped"), rows[i].skipped);
        CU_ASSERT_EQUAL(end_of(play, "memory.used_frames"), rows[i].frames);
        CU_ASSERT_EQUAL(end_of(play, "collapse.group_missed"), rows[i].missed);
    }
}

static const PfCheck checks[] = {
    {"a store whose result exists is not made", a_store_whose_result_exists_is_not_made},
    {"the first page is freed only if nobody else points to it",
     the_first_page_is_freed_only_if_nobody_else_points_to_it},
    {"a first store needs no frame if its result exists",
     a_first_store_needs_no_frame_if_its_result_exists},
    {"a store that changes nothing does not split a page",
     a_store_that_changes_nothing_does_not_split_a_page},
    {"deferred look-ups hash a page once and cost stores nothing",
     deferred_look_ups_hash_a_page_once_and_cost_stores_nothing},
    {"the host hashes a page once for a hundred stores",
     the_host_hashes_a_page_once_for_a_hundred_stores},
    {"a settled page is one that was left alone for the whole time",
     a_settled_page_is_one_that_was_left_alone_for_the_whole_time},
    {"pressure is a share of the frames that is not free",
     pressure_is_a_share_of_the_frames_that_is_not_free},
    {"no free frame is pressure enough", no_free_frame_is_pressure_enough},
    {"the collapse may be put off by itself", the_collapse_may_be_put_off_by_itself},
    {"a collector frees frames later", a_collector_frees_frames_later},
    {"a collapse that is soon undone is transient", a_collapse_that_is_soon_undone_is_transient},
    {"pages asked for share the page of their pattern",
     pages_asked_for_share_the_page_of_their_pattern},
    {"equal keys of different pages share nothing", equal_keys_of_different_pages_share_nothing},
    {"lossy ways change bytes, and say so", lossy_ways_change_bytes_and_say_so},
    {"the first pages of a group decide", the_first_pages_of_a_group_decide},
};

int main(void)
{
    return pf_check_main("collapse", checks, G_N_ELEMENTS(checks));
}
