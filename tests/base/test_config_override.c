#include "sample_config.h"

static const char text[] =
    "machine = { channels = 4; share = 0.5; };\n"
    "roi = (\"a\", \"b\");\n"
    "policies = ( { name = \"none\"; }, { name = \"esx\"; size = 1; },\n"
    "  { name = \"esx\"; label = \"fast\"; size = 2; }, { name = \"twin\"; },\n"
    "  { name = \"twin\"; } );\n";

/* A configuration with ASSIGNMENT, which must be accepted. */
static PfConfig *with(const char *assignment)
{
    PfConfig *config = load_sample(text);
    g_autoptr(GError) error = NULL;
    bool done = pf_config_override(config, assignment, &error);
    if (!done)
        printf("# %s\n", error->message);
    CU_ASSERT_TRUE(done);
    return config;
}

static Sample bound(PfConfig *config, const char *path)
{
    Sample sample;
    bind_sample(pf_config_section(config, path), &sample);
    return sample;
}

static void test_values(void)
{
    g_autoptr(PfConfig) integer = with("machine.channels=8");
    CU_ASSERT_EQUAL(bound(integer, "machine").channels, 8);
    g_autoptr(PfConfig) quantity = with("machine.clock=800MHz");
    CU_ASSERT_EQUAL(bound(quantity, "machine").clock_hz, 800000000);
    g_autoptr(PfConfig) quoted = with("machine.clock=\"800MHz\"");
    CU_ASSERT_EQUAL(bound(quoted, "machine").clock_hz, 800000000);
    g_autoptr(PfConfig) word = with("machine.mode=open");
    CU_ASSERT_EQUAL(bound(word, "machine").mode, 0);
    g_autoptr(PfConfig) list = with("machine.filters=(\"x\", \"y\")");
    CU_ASSERT_STRING_EQUAL(bound(list, "machine").filters[1], "y");
    g_autoptr(PfConfig) spaced = with(" machine.share = 0.25 ");
    CU_ASSERT_EQUAL(bound(spaced, "machine").share, 0.25);
    g_autoptr(PfConfig) path = with("machine.name=../a=b; c.pft");
    CU_ASSERT_STRING_EQUAL(bound(path, "machine").name, "../a=b; c.pft");
    g_autoptr(PfConfig) empty = with("machine.name=");
    CU_ASSERT_STRING_EQUAL(bound(empty, "machine").name, "");
}

static void test_not_one_value_is_text(void)
{
    static const char *const texts[] = {
        "1; channels = 64", "1 b = 2", "@include \"x\"", "1;", "{", "\"x", "/* x", "4K", "1e999"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *assignment = g_strconcat("machine.name=", texts[i], NULL);
        g_autoptr(PfConfig) config = with(assignment);
        Sample sample = bound(config, "machine");
        CU_ASSERT_STRING_EQUAL(sample.name, texts[i]);
        CU_ASSERT_EQUAL(sample.channels, 4);
    }
}

static void test_groups_merge(void)
{
    g_autoptr(PfConfig) config = with("machine={ channels = 16; size = 5; }");
    Sample sample = bound(config, "machine");
    CU_ASSERT_EQUAL(sample.channels, 16);
    CU_ASSERT_EQUAL(sample.size_bytes, 5);
    CU_ASSERT_EQUAL(sample.share, 0.5);
}

static void test_absent_groups_are_made(void)
{
    g_autoptr(PfConfig) config = with("a.b.c.channels=8");
    CU_ASSERT_EQUAL(bound(config, "a.b.c").channels, 8);
    CU_ASSERT_STRING_EQUAL(pf_config_origin(pf_config_section(config, "a.b.c"), "channels"), "-s");
}

static void test_list_elements(void)
{
    static const struct {
        const char *assignment;
        size_t index;
    } cases[] = {
        {"policies.none.size=77", 0}, {"policies.esx.size=77", 1000}, /* two have that name */
        {"policies.fast.size=77", 2}, {"policies.[1].size=77", 1},    {"policies.[4].size=77", 4},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PfConfig) config = load_sample(text);
        bool done = pf_config_override(config, cases[i].assignment, NULL);
        CU_ASSERT_EQUAL(done, cases[i].index < 1000);
        for (size_t j = 0; j < 5; j++) {
            Sample sample;
            bind_sample(pf_config_list_section(pf_config_section(config, ""), "policies", j),
                        &sample);
            CU_ASSERT_EQUAL(sample.size_bytes == 77, j == cases[i].index);
        }
    }
    g_autoptr(PfConfig) config = with("roi.[1]=c");
    static const PfConfigField fields[] = {{.key = "roi", .type = PF_CONFIG_STRINGS}};
    char **roi;
    pf_config_bind(pf_config_section(config, ""), fields, 1, &roi);
    CU_ASSERT_STRING_EQUAL(roi[0], "a");
    CU_ASSERT_STRING_EQUAL(roi[1], "c");
}

static void test_refusals(void)
{
    static const struct {
        const char *assignment;
        const char *message;
    } cases[] = {
        {"machine", "-s: machine: write KEY=VALUE"},
        {"=1", "-s: : write KEY=VALUE"},
        {"a..b=1", "-s: a..b: is no key; write names with dots between, KEY=VALUE"},
        {"4=1", "-s: 4: is no key; write names with dots between, KEY=VALUE"},
        {"extends=x.cfg", "-s: extends: only a file can extend another one"},
        {"machine.channels.x=1", "-s: machine.channels.x: channels is a value, not a group"},
        {"policies.ksm.size=1",
         "-s: policies.ksm.size: the list has no element ksm; it has none, [1], fast, [3], [4]"},
        {"policies.twin.size=1", "-s: policies.twin.size: several elements are called twin; give "
                                 "them a label, or write [0], [1] ..."},
        {"policies.[5].size=1", "-s: policies.[5].size: the list has no element [5]; it has none, "
                                "[1], fast, [3], [4]"},
        {"policies.[x].size=1", "-s: policies.[x].size: the list has no element [x]; it has none, "
                                "[1], fast, [3], [4]"},
        {"absent.[0].size=1", "-s: absent.[0].size: there is no such list"},
        {"absent.[0]=1", "-s: absent.[0]: there is no such list"},
        {"machine.size=8589934592",
         "-s: machine.size: integer 8589934592 does not fit in 32 bits; write 8589934592L or a "
         "string with a unit (\"8GiB\")"},
        {"machine.name=\xff", "-s: machine.name: the value is no UTF-8 text, or too long"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PfConfig) config = load_sample(text);
        g_autoptr(GError) error = NULL;
        CU_ASSERT_FALSE(pf_config_override(config, cases[i].assignment, &error));
        check_message(error, cases[i].message);
    }
}

static void test_wrong_values_show_later(void)
{
    g_autoptr(PfConfig) config = with("machine.chanels=4");
    CU_ASSERT_TRUE(pf_config_override(config, "machine.mode=4", NULL));
    CU_ASSERT_TRUE(pf_config_override(config, "machine.channels=4K", NULL));
    PfConfigSection *root = pf_config_section(config, "");
    for (size_t i = 0; i < pf_config_list_length(root, "policies"); i++) {
        Sample policy;
        bind_sample(pf_config_list_section(root, "policies", i), &policy);
    }
    static const PfConfigField fields[] = {{.key = "roi", .type = PF_CONFIG_STRINGS}};
    static const PfConfigField label[] = {{.key = "label", .type = PF_CONFIG_STRING}};
    char **roi;
    const char *fast;
    pf_config_bind(root, fields, 1, &roi);
    pf_config_bind(pf_config_section(config, "policies.fast"), label, 1, &fast);
    CU_ASSERT_STRING_EQUAL(fast, "fast");
    bound(config, "machine");
    check_unfinished(config,
                     "-s: machine.channels: expected an integer, got the string \"4K\"\n"
                     "-s: machine.mode: expected one of open, closed, adaptive, in quotes, got the "
                     "integer 4\n"
                     "-s: machine.chanels: unknown key; did you mean machine.channels?");
}

static const PfCheck checks[] = {
    {"values are configuration syntax, or else text", test_values},
    {"what is not exactly one value is text and sets nothing else", test_not_one_value_is_text},
    {"a group merges into the group that is there", test_groups_merge},
    {"groups on the way are made", test_absent_groups_are_made},
    {"an element of a list is named by label, name or number", test_list_elements},
    {"what cannot be set is refused with its reason", test_refusals},
    {"a wrong value or key of an override is reported with the others",
     test_wrong_values_show_later},
};

PF_CHECK_MAIN("config_override", checks)
