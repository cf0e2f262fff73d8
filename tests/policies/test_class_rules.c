/* What each class rule costs and buys: statistics of a policy, compared with the same policy
 * without that rule. */
#include "check.h"

#include "policy_runs.h"

static PfStatValue of_rule(const PolicyPlay *play, const char *rule, const char *name)
{
    g_autofree char *full = g_strdup_printf("class.%s.%s", rule, name);
    return policy_end(play, full);
}

/* Eight pages of one content: two of each label and user, in all combinations. With both rules
 * there are four classes and frames, with one of them two. So each rule alone costs two pages; both
 * cost three. A third rule, which divides nothing, costs nothing. */
static void each_rule_costs_what_it_divides_by_itself(void)
{
    g_autoptr(GString) trace = g_string_new(NULL);
    for (unsigned i = 0; i < 4; i++)
        g_string_append_printf(trace, "context c%u process label=%s user=%s\nmap c%u 0x0 2 anon\n"
                               "fill c%u 0x0 2 id:1\n", i, i % 2 == 0 ? "low" : "high",
                               i / 2 == 0 ? "ann" : "bob", i, i);
    g_string_append(trace, "scan pass 2\n");
    static const char *const policies[] = {"brute", "collapse"};
    for (size_t i = 0; i < G_N_ELEMENTS(policies); i++) {
        g_autoptr(PolicyPlay) play =
            policy_play(policies[i], "",
                        "pacing = \"trace\"; classes = (\"user\", \"label\", \"kind\"); ",
                        trace->str);
        CU_ASSERT_EQUAL(policy_end(play, "memory.used_frames").i, 4);
        CU_ASSERT_EQUAL(policy_end(play, "class.forgone_pages").i, 3);
        static const char *const rules[] = {"label", "user", "kind"};
        for (size_t j = 0; j < G_N_ELEMENTS(rules); j++) {
            CU_ASSERT_EQUAL(of_rule(play, rules[j], "forgone_pages").i, j < 2 ? 2 : 0);
            CU_ASSERT_EQUAL(of_rule(play, rules[j], "cost_pages").i, j < 2 ? 2 : 0);
            /* Nothing was accessed at access grain. */
            CU_ASSERT_EQUAL(of_rule(play, rules[j], "remote_avoided").kind, PF_STAT_NULL);
        }
        CU_ASSERT_EQUAL(of_rule(play, "node", "forgone_pages").kind, PF_STAT_NULL);
        CU_ASSERT_EQUAL(of_rule(play, "color", "cost_pages").kind, PF_STAT_NULL);
    }
}

/* Three runs besides `none`: both rules, and each left out; or one. */
static void a_policy_runs_without_each_of_its_rules_unless_told_not_to(void)
{
    static const char trace[] = "context a process\nmap a 0x0 2 anon\nfill a 0x0 2 id:1\n";
    static const struct {
        const char *policy;
        const char *settings;
        size_t runs;
    } rows[] = {
        {"brute", "", 1},
        {"brute", "classes = (\"color\", \"node\"); ", 3},
        {"brute", "classes = (\"color\", \"node\"); class_runs = false; ", 1},
        {"oracle", "classes = (\"color\", \"node\"); ", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PolicyPlay) play = policy_play(rows[i].policy, "", rows[i].settings, trace);
        CU_ASSERT_EQUAL(policy_run_count(play), rows[i].runs + 1);
        if (rows[i].runs != 3)
            continue;
        CU_ASSERT_STRING_EQUAL(pf_run_label(policy_run_at(play, 0)), "brute");
        CU_ASSERT_STRING_EQUAL(pf_run_label(policy_run_at(play, 1)), "brute without color");
        CU_ASSERT_STRING_EQUAL(pf_run_label(policy_run_at(play, 2)), "brute without node");
        CU_ASSERT_STRING_EQUAL(pf_run_label(policy_run_at(play, 3)), "none");
    }
}

/* b, on node 1, reads the 64 lines of its page. Without the rule that is a's frame on node 0. */
static void the_rule_of_nodes_spares_remote_lines(void)
{
    g_autoptr(GString) trace = g_string_new(
        "context a process core=0\nmap a 0x0 1 anon\nfill a 0x0 1 id:1\n"
        "context b process core=1\nmap b 0x0 1 anon\nfill b 0x0 1 id:1\nscan pass 1\n"
        "grain access\n");
    for (unsigned line = 0; line < 64; line++)
        g_string_append_printf(trace, "read b 0x%x 8\n", line * 64);
    g_autoptr(PolicyPlay) play =
        policy_play("brute", "machine = { cores = 2; numa = { nodes = 2; }; };",
                    "pacing = \"trace\"; classes = \"node\"; ", trace->str);
    CU_ASSERT_EQUAL(of_rule(play, "node", "remote_avoided").i, 64);
    CU_ASSERT_EQUAL(of_rule(play, "node", "cost_pages").i, 1);
    CU_ASSERT_EQUAL(of_rule(play, "node", "misses_avoided").i, 0);
    CU_ASSERT_EQUAL(of_rule(play, "node", "conflicts_avoided").kind, PF_STAT_NULL);
}

/* A last cache of two pages, direct-mapped: two colours. Frames are given out in order from 1, of
 * colours 1, 0, 1, 0. Pages 0 and 2 of a are equal, of colour 1; so are 1 and 3 but for the colour.
 *
 *     page   0  1  2  3
 *     frame  1  2  3  4
 *     bytes  x  y  y  z
 *
 * Page 2 goes over to frame 2 unless colours are classes. Then pages 2 and 3, read in turn, are in
 * frames 2 and 4, of one colour: each of the 64 lines that are read, every other one, is lost each
 * time, though all would fit twice; so all misses but the first of each line are conflicts:
 * 64 x (5 - 1). With the rule no line of a page is in the way of another. */
static void the_rule_of_colours_spares_conflicts(void)
{
    g_autoptr(GString) trace = g_string_new(
        "context a process core=0\nmap a 0x0 4 anon\nfill a 0x0 1 id:1\nfill a 0x1000 2 id:2\n"
        "fill a 0x3000 1 id:3\nscan pass 1\ngrain access\n");
    for (unsigned round = 0; round < 5; round++)
        for (unsigned line = 0; line < 64; line++)
            g_string_append_printf(trace, "read a 0x%x 8\n", 0x2000 + line * 128);
    static const char top[] =
        "machine = { cores = 1; caches = ( { name = \"l1\"; size = \"64B\"; ways = 1; "
        "latency = 1; }, { name = \"l2\"; size = \"8KiB\"; ways = 1; latency = 10; "
        "shared = true; } ); };";
    g_autoptr(PolicyPlay) play = policy_play(
        "brute", top, "pacing = \"trace\"; place = \"controller\"; classes = \"color\"; ",
        trace->str);
    CU_ASSERT_EQUAL(of_rule(play, "color", "cost_pages").i, 1);
    /* A line of the page tables may be in the way of one of these, once. */
    int64_t walks = policy_end(play, "class.conflict_misses").i;
    CU_ASSERT(walks <= 1);
    CU_ASSERT_EQUAL(of_rule(play, "color", "conflicts_avoided").i, 64 * (5 - 1) - walks);
    CU_ASSERT_EQUAL(of_rule(play, "color", "misses_avoided").i, 64 * (5 - 1) - walks);
}

/* A request for a pattern is served by one frame for each class, in whatever order they ask. */
static void a_pattern_has_one_frame_in_each_class(void)
{
    static const char trace[] =
        "context a process label=low\nmap a 0x0 4 anon\n"
        "context b process label=high\nmap b 0x0 4 anon\n"
        "init a 0x0 1 ones\ninit b 0x0 1 ones\ninit a 0x1000 1 ones\ninit b 0x1000 1 ones\n"
        "init a 0x2000 2 ones\ninit b 0x2000 2 ones\nmark \"asked\"\n";
    static const char settings[] = "patterns = \"ones\"; when = \"settled\"; settle = \"1s\"; ";
    g_autofree char *apart = g_strconcat(settings, "classes = \"label\"; ", NULL);
    g_autoptr(PolicyPlay) together = policy_play("collapse", "", settings, trace);
    g_autoptr(PolicyPlay) play = policy_play("collapse", "", apart, trace);
    CU_ASSERT_EQUAL(policy_at(together, "asked", "memory.used_frames"), 1);
    CU_ASSERT_EQUAL(policy_at(play, "asked", "memory.used_frames"), 2);
    CU_ASSERT_EQUAL(policy_at(play, "asked", "collapse.provided"), 8 - 2);
}

static const PfCheck checks[] = {
    {"each rule costs what it divides by itself", each_rule_costs_what_it_divides_by_itself},
    {"a policy runs without each of its rules unless told not to",
     a_policy_runs_without_each_of_its_rules_unless_told_not_to},
    {"the rule of nodes spares remote lines", the_rule_of_nodes_spares_remote_lines},
    {"the rule of colours spares conflicts", the_rule_of_colours_spares_conflicts},
    {"a pattern has one frame in each class", a_pattern_has_one_frame_in_each_class},
};

PF_CHECK_MAIN("class-rules", checks)
