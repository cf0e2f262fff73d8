/* The resolved configuration as text. */
#include <locale.h>

#include "sample_config.h"

/* Binds what the dump tests use, in an order that is not the file's. */
static char *dump_of(PfConfig *config, Sample *machine, Sample *policy, bool with_origin,
                     const char *const *except)
{
    PfConfigSection *root = pf_config_section(config, "");
    bind_sample(pf_config_section(config, "machine"), machine);
    if (pf_config_list_length(root, "policies") > 0)
        bind_sample(pf_config_list_section(root, "policies", 0), policy);
    check_finished(config);
    return pf_config_dump(config, with_origin, except);
}

static const char machine_text[] =
    "policies = ( { name = \"q\\\"b\\\\ \\n\\x01\xc3\xa4\"; share = 0.10000000000000001; } );\n"
    "machine = { size = 65536; name = \"x\"; channels = 4; delay = \"0.35ns\"; flag = true;\n"
    "rate = \"1GiB/s\"; share = 2.6666666666666665e-3; values = (\"a\", 8589934592L); };\n";

static void test_dump_round_trip(void)
{
    g_autoptr(PfConfig) config = load_sample(machine_text);
    Sample machine;
    Sample policy;
    g_autofree char *dump = dump_of(config, &machine, &policy, false, NULL);
    CU_ASSERT_STRING_EQUAL(dump, "machine = {\n"
                                 "    flag = true;\n"
                                 "    channels = 4;\n"
                                 "    size = \"64KiB\";\n"
                                 "    delay = \"350ps\";\n"
                                 "    clock = \"2.6GHz\";\n"
                                 "    rate = \"1073741.824kB/s\";\n"
                                 "    share = 0.0026666666666666666;\n"
                                 "    name = \"x\";\n"
                                 "    mode = \"closed\";\n"
                                 "    filters = (\"flagged\", \"scope\");\n"
                                 "    values = (\"a\", 8589934592L);\n"
                                 "};\n"
                                 "policies = (\n"
                                 "    {\n"
                                 "        flag = true;\n"
                                 "        channels = 2;\n"
                                 "        size = \"32KiB\";\n"
                                 "        delay = \"13.75ns\";\n"
                                 "        clock = \"2.6GHz\";\n"
                                 "        share = 0.1;\n"
                                 "        name = \"q\\\"b\\\\ \\n\\x01\xc3\xa4\";\n"
                                 "        mode = \"closed\";\n"
                                 "        filters = (\"flagged\", \"scope\");\n"
                                 "    }\n"
                                 ");\n");
    g_autoptr(PfConfig) again = load_sample(dump);
    Sample machine_again;
    Sample policy_again;
    g_autofree char *twice = dump_of(again, &machine_again, &policy_again, false, NULL);
    CU_ASSERT_STRING_EQUAL(twice, dump);
    CU_ASSERT_EQUAL(machine_again.share, 2.6666666666666665e-3);
    CU_ASSERT_EQUAL(machine_again.rate, (uint64_t)1 << 30);
    CU_ASSERT_EQUAL(machine_again.delay_ps, 350);
    CU_ASSERT_STRING_EQUAL(policy_again.name, "q\"b\\ \n\x01\xc3\xa4");
}

static void test_dump_of_hard_values(void)
{
    static const double doubles[] = {
        0.1, 1.0 / 3, 5e-324, 2.2250738585072014e-308, 0.5, 0.99999999999999989, 1e-300};
    for (unsigned i = 0; i < G_N_ELEMENTS(doubles); i++) {
        g_autoptr(PfConfig) config = pf_config_new(NULL);
        char text[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_dtostr(text, sizeof(text), doubles[i]);
        pf_config_set(pf_config_section(config, "m"), "share", PF_CONFIG_DOUBLE, text, "test");
        Sample sample;
        bind_sample(pf_config_section(config, "m"), &sample);
        g_autofree char *dump = pf_config_dump(config, false, NULL);
        g_autoptr(PfConfig) again = load_sample(dump);
        bind_sample(pf_config_section(again, "m"), &sample);
        CU_ASSERT_EQUAL(sample.share, doubles[i]);
    }
    /* A size beyond the signed integers of configuration syntax goes out as a string. */
    g_autoptr(PfConfig) config = load_sample("size = \"18446744073709551614\";");
    Sample sample;
    bind_sample(pf_config_section(config, ""), &sample);
    g_autofree char *dump = pf_config_dump(config, false, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "size = \"18446744073709551614\";"));
}

static void test_dump_is_canonical(void)
{
    g_autoptr(PfConfig) one = load_sample("machine = { size = \"1MiB\"; share = 1;\n"
                                          "delay = \"13750ps\"; };");
    g_autoptr(PfConfig) other = load_sample("machine : { delay = \"0.01375us\", share = 1.0, "
                                            "size = 0x100000 }");
    Sample sample;
    g_autofree char *one_dump = dump_of(one, &sample, NULL, false, NULL);
    g_autofree char *other_dump = dump_of(other, &sample, NULL, false, NULL);
    CU_ASSERT_STRING_EQUAL(one_dump, other_dump);
}

static void test_dump_with_origin_and_exceptions(void)
{
    static const char *const except[] = {"machine.size", "policies.[0].filters", "policies.x.share",
                                         NULL};
    g_autoptr(PfConfig) config = load_sample("policies = ( { name = \"x\"; } );\n"
                                             "machine = { channels = 4; };");
    CU_ASSERT_TRUE(pf_config_override(config, "machine.mode=open", NULL));
    Sample sample;
    g_autofree char *dump = dump_of(config, &sample, &sample, true, except);
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "    channels = 4;  # t.cfg:2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "    mode = \"open\";  # -s\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "    clock = \"2.6GHz\";  # default\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "        size = \"32KiB\";"));
    CU_ASSERT_PTR_NULL(strstr(dump, "\n    size"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "\n    filters"));
    CU_ASSERT_PTR_NULL(strstr(dump, "        filters"));
    CU_ASSERT_PTR_NULL(strstr(dump, "        share"));
    g_autoptr(PfConfig) again = load_sample(dump);
    CU_ASSERT_TRUE(pf_config_is_set(pf_config_section(again, "machine"), "mode"));
}

static void test_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    bool found = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(names) && !found; i++)
        found = setlocale(LC_ALL, names[i]) != NULL;
    if (!found) {
        pf_check_skip("no locale with a decimal comma is installed");
        return;
    }
    g_autoptr(PfConfig) config = load_sample("machine = { share = 0.75; delay = \"0.5ns\"; };");
    Sample sample;
    g_autofree char *dump = dump_of(config, &sample, NULL, false, NULL);
    setlocale(LC_ALL, "C");
    CU_ASSERT_EQUAL(sample.share, 0.75);
    CU_ASSERT_EQUAL(sample.delay_ps, 500);
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "share = 0.75;"));
}

static const PfCheck checks[] = {
    {"a dump reads back to the same values and the same dump", test_dump_round_trip},
    {"doubles and large sizes survive a dump", test_dump_of_hard_values},
    {"two spellings of one configuration have one dump", test_dump_is_canonical},
    {"a dump can tell origins and leave keys out", test_dump_with_origin_and_exceptions},
    {"a locale with a decimal comma changes nothing", test_comma_locale},
};

PF_CHECK_MAIN("config_dump", checks)
