/* Binding and its errors. */
#include "sample_config.h"

static void test_defaults(void)
{
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    Sample sample;
    bind_sample(pf_config_section(config, "machine.dram"), &sample);
    check_finished(config);
    CU_ASSERT_TRUE(sample.flag);
    CU_ASSERT_EQUAL(sample.channels, 2);
    CU_ASSERT_EQUAL(sample.size_bytes, 32768);
    CU_ASSERT_EQUAL(sample.delay_ps, 13750);
    CU_ASSERT_EQUAL(sample.clock_hz, 2600000000U);
    CU_ASSERT_EQUAL(sample.rate, 0);
    CU_ASSERT_EQUAL(sample.share, 0.1);
    CU_ASSERT_PTR_NULL(sample.name);
    CU_ASSERT_EQUAL(sample.mode, 1);
    CU_ASSERT_STRING_EQUAL(sample.filters[0], "flagged");
    CU_ASSERT_STRING_EQUAL(sample.filters[1], "scope");
    CU_ASSERT_PTR_NULL(sample.filters[2]);
    CU_ASSERT_PTR_NULL(sample.values);
}

static void test_values(void)
{
    g_autoptr(PfConfig) config = load_sample(
        "flag = FALSE; channels = 0x10; size = 8589934592L; delay = \"1us\"; clock = \"1kHz\";\n"
        "rate = \"20GB/s\"; share = 1; name = \"a\" \"b\"; mode = \"adaptive\"; filters = "
        "\"one\";\n"
        "values = (1, \"x\", 0.5, (2, 3), true);");
    Sample sample;
    bind_sample(pf_config_section(config, ""), &sample);
    check_finished(config);
    CU_ASSERT_FALSE(sample.flag);
    CU_ASSERT_EQUAL(sample.channels, 16);
    CU_ASSERT_EQUAL(sample.size_bytes, (uint64_t)8 << 30);
    CU_ASSERT_EQUAL(sample.delay_ps, 1000000);
    CU_ASSERT_EQUAL(sample.clock_hz, 1000);
    CU_ASSERT_EQUAL(sample.rate, 20000000000U);
    CU_ASSERT_EQUAL(sample.share, 1.0);
    CU_ASSERT_STRING_EQUAL(sample.name, "ab");
    CU_ASSERT_EQUAL(sample.mode, 2);
    CU_ASSERT_STRING_EQUAL(sample.filters[0], "one");
    CU_ASSERT_PTR_NULL(sample.filters[1]);
    static const char *const values[] = {"1", "\"x\"", "0.5", "(2, 3)", "true"};
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        CU_ASSERT_STRING_EQUAL(sample.values[i], values[i]);
    CU_ASSERT_PTR_NULL(sample.values[5]);
}

static void test_automatic(void)
{
    g_autoptr(PfConfig) config =
        load_sample("size = \"auto\"; share = \"auto\"; delay = \"auto\";");
    Sample sample;
    bind_sample(pf_config_section(config, ""), &sample);
    CU_ASSERT_EQUAL(sample.size_bytes, PF_CONFIG_AUTO);
    CU_ASSERT_TRUE(isnan(sample.share));
    CU_ASSERT_EQUAL(sample.delay_ps, 13750);
    check_unfinished(config, "t.cfg:1: delay: \"auto\" does not begin with a number");
}

static void test_edges_of_ranges(void)
{
    static const struct {
        const char *text;
        const char *message; /* NULL: accepted */
    } cases[] = {
        {"channels = 1;", NULL},
        {"channels = 64;", NULL},
        {"channels = 0;", "t.cfg:1: channels: 0 is below the minimum, 1 channels"},
        {"channels = 128;", "t.cfg:1: channels: 128 is above the maximum, 64 channels"},
        {"channels = 63;", "t.cfg:1: channels: 63 is not a power of two"},
        {"channels = -1;", "t.cfg:1: channels: -1 is negative"},
        {"delay = \"1us\";", NULL},
        {"delay = \"1000.001ns\";", "t.cfg:1: delay: 1000.001ns is above the maximum, 1us"},
        {"share = 1.0;", NULL},
        {"share = 0;", NULL},
        {"share = 1.0000000000000002;",
         "t.cfg:1: share: 1.0000000000000002 is above the maximum, 1"},
        {"share = -0.5;", "t.cfg:1: share: -0.5 is below the minimum, 0"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PfConfig) config = load_sample(cases[i].text);
        Sample sample;
        bind_sample(pf_config_section(config, ""), &sample);
        if (cases[i].message == NULL)
            check_finished(config);
        else
            check_unfinished(config, cases[i].message);
    }
}

static void test_wrong_types_all_at_once(void)
{
    g_autoptr(PfConfig) config = load_sample("flag = 1;\n"
                                             "channels = \"4\";\n"
                                             "size = 1.5;\n"
                                             "delay = 20;\n"
                                             "clock = \"fast\";\n"
                                             "rate = true;\n"
                                             "share = \"half\";\n"
                                             "name = 7;\n"
                                             "mode = \"closd\";\n"
                                             "filters = (\"a\", 1);\n"
                                             "values = { a = 1; };\n"
                                             "channel = 4;\n");
    Sample sample;
    bind_sample(pf_config_section(config, ""), &sample);
    check_unfinished(
        config,
        "t.cfg:1: flag: expected true or false, got the integer 1\n"
        "t.cfg:2: channels: expected an integer, got the string \"4\"\n"
        "t.cfg:3: size: expected a size (4096 or \"4KiB\") or \"auto\", got the number 1.5\n"
        "t.cfg:4: delay: the integer 20 lacks a unit; write \"20ms\" or the like\n"
        "t.cfg:5: clock: \"fast\" does not begin with a number\n"
        "t.cfg:6: rate: expected a rate with its unit (\"20GB/s\"), got true\n"
        "t.cfg:7: share: expected a number or \"auto\", got the string \"half\"\n"
        "t.cfg:8: name: expected a string in quotes, got the integer 7\n"
        "t.cfg:9: mode: the string \"closd\" is none of open, closed, adaptive; did you mean "
        "closed?\n"
        "t.cfg:10: filters: expected strings (\"a\", \"b\"), got the integer 1\n"
        "t.cfg:11: values: expected a list (1, 2), got a group { ... }\n"
        "t.cfg:12: channel: unknown key; did you mean channels?");
    /* The defaults stand in for what was wrong. */
    CU_ASSERT_TRUE(sample.flag);
    CU_ASSERT_EQUAL(sample.channels, 2);
    CU_ASSERT_EQUAL(sample.mode, 1);
    CU_ASSERT_STRING_EQUAL(sample.filters[0], "flagged");
}

static void test_hints(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"dram = { chanels = 4; };",
         "t.cfg:1: dram.chanels: unknown key; did you mean machine.dram.channels?"},
        {"machine = { dram = { chnanels = 4; }; };",
         "t.cfg:1: machine.dram.chnanels: unknown key; did you mean machine.dram.channels?"},
        {"machine = { drma = { channels = 4; }; };",
         "t.cfg:1: machine.drma.channels: unknown key; did you mean machine.dram.channels?"},
        {"machine = { drma = { }; };",
         "t.cfg:1: machine.drma: unknown key; did you mean machine.dram?"},
        {"channels = 4;", "t.cfg:1: channels: unknown key; did you mean machine.dram.channels?"},
        {"machine = { mod = \"open\"; };",
         "t.cfg:1: machine.mod: unknown key; did you mean machine.dram.mode?"},
        {"colour = 4;", "t.cfg:1: colour: unknown key; `pagefold config explain` lists the keys"},
        {"m = 4;", "t.cfg:1: m: unknown key; `pagefold config explain` lists the keys"},
        {"policies = ( { name = \"esx\"; mode = \"open\"; sise = 1; } );",
         "t.cfg:1: policies.esx.sise: unknown key; did you mean policies.esx.size?"},
        {"policies = ( { sise = 1; } );",
         "t.cfg:1: policies.[0].sise: unknown key; did you mean policies.[0].size?"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PfConfig) config = load_sample(cases[i].text);
        Sample sample;
        bind_sample(pf_config_section(config, "machine.dram"), &sample);
        PfConfigSection *root = pf_config_section(config, "");
        for (size_t j = 0; j < pf_config_list_length(root, "policies"); j++)
            bind_sample(pf_config_list_section(root, "policies", j), &sample);
        check_unfinished(config, cases[i].message);
    }
}

static void test_many_errors_are_cut(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 60; i++)
        g_string_append_printf(text, "unknown%u = 1;\n", i);
    g_autoptr(PfConfig) config = load_sample(text->str);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_config_finish(config, &error));
    g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
    CU_ASSERT_EQUAL(g_strv_length(lines), 51);
    CU_ASSERT_STRING_EQUAL(lines[50], "... and 10 more errors");
}

static void test_wrong_structure(void)
{
    g_autoptr(PfConfig) config = load_sample("machine = 5;\npolicies = ( 1, { }, \"x\" );\n"
                                             "caches = { a = 1; };");
    Sample sample;
    PfConfigSection *root = pf_config_section(config, "");
    bind_sample(pf_config_section(config, "machine.dram"), &sample);
    CU_ASSERT_EQUAL(sample.channels, 2);
    CU_ASSERT_EQUAL(pf_config_list_length(root, "policies"), 1);
    CU_ASSERT_PTR_NOT_NULL(pf_config_list_section(root, "policies", 0));
    CU_ASSERT_EQUAL(pf_config_list_length(root, "caches"), 0);
    CU_ASSERT_EQUAL(pf_config_list_length(root, "absent"), 0);
    check_unfinished(config,
                     "t.cfg:1: machine: expected a group { ... }, got the integer 5\n"
                     "t.cfg:2: policies.[0]: expected a group { ... }, got the integer 1\n"
                     "t.cfg:2: policies.[2]: expected a group { ... }, got the string \"x\"\n"
                     "t.cfg:3: caches: expected a list of groups ( { ... }, { ... } ), got a group "
                     "{ ... }");
}

static void test_complaints(void)
{
    g_autoptr(PfConfig) config = load_sample("\nmachine = { channels = 2; };");
    PfConfigSection *machine = pf_config_section(config, "machine");
    Sample sample;
    bind_sample(machine, &sample);
    pf_config_complain(machine, "channels", "more than %d ranks", 1);
    pf_config_complain(machine, "channels", "more than %d ranks", 1);
    pf_config_complain(machine, "flag", "not with channels");
    pf_config_complain(machine, NULL, "too small");
    check_unfinished(config, "t.cfg:2: machine.channels: more than 1 ranks\n"
                             "t.cfg:2: machine.flag: not with channels\n"
                             "t.cfg:2: machine: too small");
}

static void test_program_sets(void)
{
    g_autoptr(PfConfig) config = load_sample("policies = ( { name = \"none\"; } );");
    PfConfigSection *root = pf_config_section(config, "");
    PfConfigSection *esx = pf_config_list_append(root, "policies");
    pf_config_set(esx, "name", PF_CONFIG_STRING, "esx", "--policy");
    pf_config_set(esx, "channels", PF_CONFIG_UINT, "8", "--policy");
    pf_config_set(esx, "filters", PF_CONFIG_STRINGS, "a,b", "--policy");
    pf_config_set(esx, "share", PF_CONFIG_DOUBLE, "0.75", "--policy");
    pf_config_set(esx, "flag", PF_CONFIG_BOOL, "false", "--policy");
    pf_config_set(esx, "delay", PF_CONFIG_TIME, "3 parsecs", "--policy");
    CU_ASSERT_EQUAL(pf_config_list_length(root, "policies"), 2);
    CU_ASSERT_PTR_EQUAL(pf_config_list_section(root, "policies", 1), esx);
    Sample sample;
    bind_sample(pf_config_list_section(root, "policies", 0), &sample);
    bind_sample(esx, &sample);
    CU_ASSERT_STRING_EQUAL(sample.name, "esx");
    CU_ASSERT_EQUAL(sample.channels, 8);
    CU_ASSERT_STRING_EQUAL(sample.filters[1], "b");
    CU_ASSERT_EQUAL(sample.share, 0.75);
    CU_ASSERT_FALSE(sample.flag);
    CU_ASSERT_TRUE(pf_config_is_set(esx, "channels"));
    CU_ASSERT_FALSE(pf_config_is_set(esx, "clock"));
    CU_ASSERT_FALSE(pf_config_is_set(esx, "nothing"));
    CU_ASSERT_STRING_EQUAL(pf_config_origin(esx, "channels"), "--policy");
    CU_ASSERT_STRING_EQUAL(pf_config_origin(esx, "clock"), "default");
    check_unfinished(config, "--policy: policies.esx.delay: \"3 parsecs\": a time has one of the "
                             "units ps, ns, us, ms, s, min");
}

static void test_binding_twice(void)
{
    g_autoptr(PfConfig) config = load_sample("m = { channels = 3; };");
    Sample first;
    Sample second;
    bind_sample(pf_config_section(config, "m"), &first);
    bind_sample(pf_config_section(config, "m"), &second);
    CU_ASSERT_EQUAL(first.channels, second.channels);
    CU_ASSERT_EQUAL(first.size_bytes, second.size_bytes);
    CU_ASSERT_PTR_EQUAL(pf_config_section(config, "m"),
                        pf_config_subsection(pf_config_section(config, ""), "m"));
    check_unfinished(config, "t.cfg:1: m.channels: 3 is not a power of two");
}

static void count_field(const char *path, const PfConfigField *field, void *user)
{
    GString *seen = user;
    if (strcmp(field->key, "flag") == 0 || strcmp(field->key, "values") == 0)
        g_string_append_printf(seen, "%s/%s ", path, field->key);
}

static void test_visit_fields(void)
{
    g_autoptr(PfConfig) config =
        load_sample("policies = ( { name = \"a b\"; }, { name = \"ksm\"; } );");
    PfConfigSection *root = pf_config_section(config, "");
    Sample sample;
    bind_sample(pf_config_list_section(root, "policies", 1), &sample);
    bind_sample(pf_config_list_section(root, "policies", 0), &sample);
    bind_sample(pf_config_section(config, "m.dram"), &sample);
    bind_sample(pf_config_section(config, "m.dram"), &sample);
    g_autoptr(GString) seen = g_string_new(NULL);
    pf_config_visit_fields(config, count_field, seen);
    CU_ASSERT_STRING_EQUAL(seen->str, "policies.ksm/flag policies.ksm/values policies.[0]/flag "
                                      "policies.[0]/values m.dram/flag m.dram/values ");
}

static const PfCheck checks[] = {
    {"an absent section binds its defaults", test_defaults},
    {"a value of every type is converted to base units", test_values},
    {"\"auto\" is taken where a field is automatic, and only there", test_automatic},
    {"ranges hold at the edge and not one beyond", test_edges_of_ranges},
    {"every wrong type is reported, all at once, and the default stored",
     test_wrong_types_all_at_once},
    {"an unknown key proposes the nearest known one, of the same section first", test_hints},
    {"no more than fifty errors are listed", test_many_errors_are_cut},
    {"values in place of groups and lists are errors, and binding goes on", test_wrong_structure},
    {"a module's own complaint names place and key, once", test_complaints},
    {"what the program sets binds like a file's values", test_program_sets},
    {"binding a section twice gives the same values and errors once", test_binding_twice},
    {"fields are visited once a table, by readable paths", test_visit_fields},
};

PF_CHECK_MAIN("config", checks)
