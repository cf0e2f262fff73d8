/* Reports: the exact bytes for the canned results of fake_canned.c. */
#include <math.h>
#include <string.h>

#include "check.h"
#include "report.h"

static PfSimulation *make_simulation(const char *assignment)
{
    PfConfig *config = pf_config_new(NULL);
    g_assert_true(pf_config_override(
        config, "policies=({ name = \"ksm\"; }, { name = \"esx\"; label = \"esx-slow\"; })", NULL));
    if (assignment != NULL)
        g_assert_true(pf_config_override(config, assignment, NULL));
    PfSimulationOptions options = {.threads = 1, .trace = "dir/canned.trace"};
    g_autoptr(GError) error = NULL;
    PfSimulation *simulation = pf_simulation_new(config, NULL, &options, &error);
    g_assert_no_error(error);
    g_assert_true(pf_simulation_run(simulation, NULL));
    pf_config_free(config);
    return simulation;
}

static void expect_text(const GString *text, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(text->str, expected);
    if (strcmp(text->str, expected) != 0)
        printf("# got:\n# %s\n", text->str);
}

static void report_values(void)
{
    static const struct {
        PfStatValue value;
        const char *text;
    } cases[] = {
        {{.kind = PF_STAT_NULL, .u = 7}, "null"},
        {{.kind = PF_STAT_UINT, .u = 0}, "0"},
        /* 2^53 + 1 is the first integer that no double holds; 2^64 - 1 the last of 64 bits. */
        {{.kind = PF_STAT_UINT, .u = 9007199254740993U}, "9007199254740993"},
        {{.kind = PF_STAT_UINT, .u = UINT64_MAX}, "18446744073709551615"},
        {{.kind = PF_STAT_INT, .i = INT64_MIN}, "-9223372036854775808"},
        {{.kind = PF_STAT_DOUBLE, .d = 0.1}, "0.1"},
        {{.kind = PF_STAT_DOUBLE, .d = 1.0}, "1.0"},
        {{.kind = PF_STAT_DOUBLE, .d = 1e300}, "1e+300"},
        /* 1/3 needs 16 digits to be read back, 0.1 + 0.2 needs 17. */
        {{.kind = PF_STAT_DOUBLE, .d = 1.0 / 3.0}, "0.3333333333333333"},
        {{.kind = PF_STAT_DOUBLE, .d = 0.1 + 0.2}, "0.30000000000000004"},
        {{.kind = PF_STAT_DOUBLE, .d = (double)NAN}, "null"},
        {{.kind = PF_STAT_DOUBLE, .d = (double)-INFINITY}, "null"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        pf_report_append_value(text, cases[i].value);
        expect_text(text, cases[i].text);
    }
}

static void report_fields(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_append_field(text, "plain");
    pf_report_append_field(text, ",");
    pf_report_append_field(text, "say \"x\"");
    pf_report_append_field(text, "a\nb");
    expect_text(text, "plain\",\"\"say \"\"x\"\"\"\"a\nb\"");
}

static void report_table(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_table(text, simulation, PF_REPORT_TABLE);
    /* 256 pages of 4 KiB are 1 MiB and 25.6 % of 1000; 65536 bytes are 0.0625 MiB. */
    expect_text(text,
                "canned.trace: 4 KiB pages, timing full, seed 1\n"
                "\n"
                "          populated  baseline   used  saved  saved  saved  metadata  net saved\n"
                "policy        pages     pages  pages  pages    MiB      %       MiB        MiB\n"
                "none           1024      1000   1000      0   0.00    0.0      0.00       0.00\n"
                "ksm            1024      1000    744    256   1.00   25.6      0.06       0.94\n"
                "esx-slow       1024      1000    872    128   0.50   12.8      0.12       0.38\n"
                "\n"
                "          contexts  policy  contexts'  sharings  sharings\n"
                "policy      cycles  cycles   slowdown      made    broken  remark\n"
                "none       5000000       0      1.000         0         0\n"
                "ksm        5200000  900000      1.040       300        44\n"
                "esx-slow   5100000  200000      1.020       140        12  not converged\n");
}

static void report_width(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_table(text, simulation, PF_REPORT_TABLE);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        CU_ASSERT(strlen(*line) <= 100);
}

static void report_dilation(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation("dilation=2.5");
    g_autoptr(GString) table = g_string_new(NULL);
    g_autoptr(GString) csv = g_string_new(NULL);
    pf_report_table(table, simulation, PF_REPORT_LATEX);
    pf_report_table(csv, simulation, PF_REPORT_CSV);
    CU_ASSERT(g_str_has_prefix(table->str,
                               "% canned.trace: 4 KiB pages, timing full, seed 1, dilation 2.5\n"));
    g_auto(GStrv) lines = g_strsplit(csv->str, "\n", -1);
    CU_ASSERT(g_str_has_suffix(lines[0], ",dilation"));
    CU_ASSERT(g_str_has_suffix(lines[1], ",2.5"));
}

static void report_comparison_csv(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_comparison(text, simulation, PF_REPORT_CSV);
    expect_text(text,
                "policy,populated_pages,baseline_pages,used_pages,saved_pages,saved_MiB,"
                "saved_percent,metadata_MiB,net_saved_MiB,app_cycles,policy_cycles,slowdown,"
                "sharings_made,sharings_broken,remark,dilation\n"
                "none,1024,1000,1000,0,0.0,0.0,0.0,0.0,5000000,0,1.0,0,0,,1.0\n"
                "ksm,1024,1000,744,256,1.0,25.6,0.0625,0.9375,5200000,900000,1.04,300,44,,1.0\n"
                "esx-slow,1024,1000,872,128,0.5,12.8,0.125,0.375,5100000,200000,1.02,140,12,"
                "not converged,1.0\n");
}

static void report_markdown(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation("policies=({ name = \"ksm\"; })");
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_comparison(text, simulation, PF_REPORT_MARKDOWN);
    expect_text(
        text, "**canned.trace: 4 KiB pages, timing full, seed 1**\n"
              "\n"
              "| policy | populated pages | baseline pages | used pages | saved pages | saved MiB "
              "| saved % | metadata MiB | net saved MiB | contexts cycles | policy cycles "
              "| contexts' slowdown | sharings made | sharings broken |\n"
              "| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
              "| ---: | ---: | ---: |\n"
              "| none | 1024 | 1000 | 1000 | 0 | 0.00 | 0.0 | 0.00 | 0.00 | 5000000 | 0 | 1.000 "
              "| 0 | 0 |\n"
              "| ksm | 1024 | 1000 | 744 | 256 | 1.00 | 25.6 | 0.06 | 0.94 | 5200000 | 900000 "
              "| 1.040 | 300 | 44 |\n");
}

static void report_latex(void)
{
    g_autoptr(PfSimulation) simulation =
        make_simulation("policies=({ name = \"ksm\"; label = \"50%_a&b\"; })");
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_comparison(text, simulation, PF_REPORT_LATEX);
    CU_ASSERT(strstr(text->str, "\\begin{tabular}{lrrrrrrrrrrrrr}\n\\toprule\n") != NULL);
    CU_ASSERT(strstr(text->str, "\n50\\%\\_a\\&b & 1024 & 1000 & 744 & 256 & 1.00 & 25.6 & 0.06 & "
                                "0.94 & 5200000 & 900000 & 1.040 & 300 & 44 \\\\\n\\bottomrule\n"
                                "\\end{tabular}\n") != NULL);
}

static void report_stats_csv(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_stats_csv(text, simulation);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    /* A heading, 22 statistics of three runs, and nothing behind the last line's end. */
    CU_ASSERT_EQUAL(g_strv_length(lines), 1 + 22 * 3 + 1);
    CU_ASSERT_STRING_EQUAL(lines[0], "policy,stat,unit,value");
    CU_ASSERT_STRING_EQUAL(lines[1], "none,memory.populated_pages,pages,1024");
    CU_ASSERT_STRING_EQUAL(lines[21], "none,big.number,events,9007199254740993");
    CU_ASSERT_STRING_EQUAL(lines[22], "none,dram.read_latency_mean_ns,ns,null");
    CU_ASSERT_STRING_EQUAL(lines[22 + 18], "ksm,slowdown,ratio,1.04");
    CU_ASSERT_STRING_EQUAL(lines[22 + 21], "ksm,big.number,events,18446744073709551615");
    CU_ASSERT_STRING_EQUAL(lines[45], "esx-slow,memory.populated_pages,pages,1024");
}

static void report_epochs_csv(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_epochs_csv(text, simulation);
    expect_text(text, "policy,cycle,memory.used_frames,memory.saved_pages\n"
                      "none,0,0,0\nnone,250000000,800,0\nnone,500000000,1000,0\n"
                      "ksm,0,0,0\nksm,260000000,700,100\nksm,520000000,744,256\n"
                      "esx-slow,0,0,null\nesx-slow,255000000,760,40\nesx-slow,510000000,872,128\n");
}

static void report_marks_csv(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_marks_csv(text, simulation);
    expect_text(text, "policy,mark,stat,value\n"
                      "none,\"after \"\"boot\"\", warm\",memory.saved_pages,0\n"
                      "ksm,\"after \"\"boot\"\", warm\",memory.saved_pages,100\n"
                      "esx-slow,\"after \"\"boot\"\", warm\",memory.saved_pages,40\n");
}

static void report_json(void)
{
    g_autoptr(PfSimulation) simulation = make_simulation("policies=({ name = \"none\"; })");
    g_autoptr(GString) text = g_string_new(NULL);
    pf_report_comparison(text, simulation, PF_REPORT_JSON);
    expect_text(text, "{\n"
                      "  \"schema\": 1,\n"
                      "  \"complete\": true,\n"
                      "  \"trace\": {\n"
                      "    \"name\": \"canned.trace\",\n"
                      "    \"digest\": \"00112233445566778899aabbccddeeff\",\n"
                      "    \"page_bytes\": 4096,\n"
                      "    \"records\": 4321,\n"
                      "    \"access_grain\": true,\n"
                      "    \"damaged\": false\n"
                      "  },\n"
                      "  \"machine\": {\n"
                      "    \"clock_hz\": 1000000000,\n"
                      "    \"seed\": 1,\n"
                      "    \"timing\": \"full\",\n"
                      "    \"dilation\": 1.0\n"
                      "  },\n"
                      "  \"runs\": [\n"
                      "    {\n"
                      "      \"policy\": \"none\",\n"
                      "      \"kind\": \"none\",\n"
                      "      \"scope\": \"all\",\n"
                      "      \"remark\": \"\",\n"
                      "      \"stats\": {\n"
                      "        \"memory.populated_pages\": 1024,\n"
                      "        \"memory.baseline_frames\": 1000,\n"
                      "        \"memory.used_frames\": 1000,\n"
                      "        \"memory.saved_pages\": 0,\n"
                      "        \"memory.metadata_bytes\": 0,\n"
                      "        \"memory.net_saved_bytes\": 0,\n"
                      "        \"cycles.total\": 5000000,\n"
                      "        \"cycles.app\": 5000000,\n"
                      "        \"cycles.policy\": 0,\n"
                      "        \"cycles.account.compute\": 3000000,\n"
                      "        \"cycles.account.memory\": 1500000,\n"
                      "        \"cycles.account.walk\": 400000,\n"
                      "        \"cycles.account.fault\": 100000,\n"
                      "        \"cycles.account.break\": 0,\n"
                      "        \"cycles.account.scan\": 0,\n"
                      "        \"cycles.account.compare\": 0,\n"
                      "        \"cycles.account.merge\": 0,\n"
                      "        \"slowdown\": 1.0,\n"
                      "        \"policy.shared\": 0,\n"
                      "        \"policy.broken\": 0,\n"
                      "        \"big.number\": 9007199254740993,\n"
                      "        \"dram.read_latency_mean_ns\": null\n"
                      "      },\n"
                      "      \"marks\": [\n"
                      "        {\n"
                      "          \"label\": \"after \\\"boot\\\", warm\",\n"
                      "          \"cycle\": 250000000,\n"
                      "          \"stats\": {\n"
                      "            \"memory.saved_pages\": 0\n"
                      "          }\n"
                      "        }\n"
                      "      ]\n"
                      "    }\n"
                      "  ]\n"
                      "}\n");
}

static const PfCheck checks[] = {
    {"values are written exactly, and null where they are undefined or not finite", report_values},
    {"a CSV field is quoted where RFC 4180 asks for it", report_fields},
    {"the table shows pages, MiB, percent, cycles and remarks of the canned runs", report_table},
    {"no line of the table is wider than 100 columns", report_width},
    {"a dilation is in the title of a table and in each row of a CSV", report_dilation},
    {"the comparison as CSV has exact values", report_comparison_csv},
    {"the comparison as Markdown leaves out a column of remarks that is empty", report_markdown},
    {"the comparison as LaTeX escapes what LaTeX would read", report_latex},
    {"stats.csv has a row for each statistic and policy", report_stats_csv},
    {"epochs.csv has a row for each epoch, null where a value is not known", report_epochs_csv},
    {"marks.csv quotes labels", report_marks_csv},
    {"stats.json has schema, trace, machine, runs and marks", report_json},
};

PF_CHECK_MAIN("report", checks)
