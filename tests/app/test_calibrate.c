/* A cost card made of measurements: the arithmetic of its rows, and the command. */
#include <glib/gstdio.h>
#include <string.h>

#include "card.h"
#include "check.h"
#include "cost_card.h"
#include "spawn.h"

/* Binds the card TEXT as a preset would be. */
static PfCosts bind_card(const char *text)
{
    PfCosts costs = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "card", NULL, &error);
    g_assert_no_error(error);
    PfConfigSection *rows = pf_config_section(config, "machine.costs");
    for (unsigned i = 0; i < PF_COSTS_FIELDS; i++)
        CU_ASSERT_TRUE(pf_config_is_set(rows, pf_costs_fields[i].key));
    pf_cost_card_bind(rows, &costs);
    CU_ASSERT_TRUE(pf_config_finish(config, &error));
    return costs;
}

static PfCosts standard_card(void)
{
    PfCosts costs;
    g_autoptr(PfConfig) config = pf_config_new(NULL);
    pf_cost_card_bind(pf_config_section(config, "machine.costs"), &costs);
    return costs;
}

static void test_rows(void)
{
    static const int never = 0;
    PfSamples samples;
    pf_samples_init(&samples, &never);
    /* The median counts: of 700, 1000 and 9000 nanoseconds, 1000. */
    pf_samples_add(&samples, PF_MEASURE_REUSE, 9000, 1);
    pf_samples_add(&samples, PF_MEASURE_REUSE, 7000, 10);
    pf_samples_add(&samples, PF_MEASURE_REUSE, 1000, 1);
    pf_samples_add(&samples, PF_MEASURE_NEAR_LINE, 50, 1);
    pf_samples_add(&samples, PF_MEASURE_NEAR_LINE, 10, 1);
    pf_samples_add(&samples, PF_MEASURE_FIRST_TOUCH, 2000, 1);
    pf_samples_add(&samples, PF_MEASURE_FILL_PAGE, 500, 1);
    pf_samples_add(&samples, PF_MEASURE_ZERO_READ, 900, 1);
    pf_samples_add(&samples, PF_MEASURE_KSM_FIRST, 1500, 1);
    pf_samples_add(&samples, PF_MEASURE_HASH_COLD, 700, 1);
    pf_samples_add(&samples, PF_MEASURE_HASH_HOT, 100, 1);
    pf_samples_add(&samples, PF_MEASURE_XXH64_HOT, 400, 1);
    g_autofree char *text = pf_card_format(&samples, "a host", NULL);
    PfCosts costs = bind_card(text);
    PfCosts standard = standard_card();
    /* At 2.6 cycles a nanosecond. */
    CU_ASSERT_EQUAL(costs.trap_cycles, 2600);
    CU_ASSERT_EQUAL(costs.near_line_cycles, 26); /* the least counts here */
    CU_ASSERT_EQUAL(costs.fill_page_cycles, 1300);
    CU_ASSERT_EQUAL(costs.allocate_cycles, 1300);             /* 2000 - 1000 - 500 ns */
    CU_ASSERT_EQUAL(costs.map_zero_cycles, 0);                /* 900 - 1000: noise */
    CU_ASSERT_EQUAL(costs.read_page_cycles, 1560);            /* 700 - 100 */
    CU_ASSERT_EQUAL(costs.visit_cycles, 1300);                /* 1500 - (700 - 100) - 400 */
    CU_ASSERT_EQUAL(costs.line_cycles, standard.line_cycles); /* not measured */
    CU_ASSERT_EQUAL(costs.map_file_cycles, standard.map_file_cycles);
    pf_samples_clear(&samples);
}

static void test_obstacle(void)
{
    static const int never = 0;
    PfSamples samples;
    pf_samples_init(&samples, &never);
    double ns;
    CU_ASSERT_FALSE(pf_samples_quartile(&samples, PF_MEASURE_REUSE, 2, &ns));
    g_autofree char *text = pf_card_format(&samples, "a host", "not root");
    PfCosts costs = bind_card(text);
    PfCosts standard = standard_card();
    CU_ASSERT_EQUAL(memcmp(&costs, &standard, sizeof costs), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "# ksmd was not measured: not root."));
    pf_samples_clear(&samples);
}

static void test_command(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-calibrate-XXXXXX", NULL);
    g_autofree char *card = g_build_filename(folder, "mine.cfg", NULL);
    g_autofree char *user = g_build_filename(folder, "user.cfg", NULL);
    g_file_set_contents(user, "machine = { costs = { preset = \"mine.cfg\"; }; };", -1, NULL);
    g_auto(Spawned) calibrated = spawn(folder, "calibrate", "--no-ksm", "-o", card);
    CU_ASSERT_EQUAL(calibrated.status, 0);
    CU_ASSERT_STRING_EQUAL(calibrated.out, "");
    g_auto(Spawned) checked = spawn(folder, "config", "check", user);
    CU_ASSERT_EQUAL(checked.status, 0);
    g_autofree char *text = NULL;
    CU_ASSERT_TRUE(g_file_get_contents(card, &text, NULL, NULL));
    PfCosts costs = bind_card(text);
    /* What holds on any host: a copy takes longer than a line, a fault longer than a lock. */
    CU_ASSERT_TRUE(costs.copy_page_cycles > costs.near_line_cycles);
    CU_ASSERT_TRUE(costs.trap_cycles > costs.lock_cycles);
    g_auto(Spawned) nowhere = spawn(folder, "calibrate", "--no-ksm", "-o", "no/mine.cfg");
    CU_ASSERT_EQUAL(nowhere.status, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(nowhere.err, "no/mine.cfg"));
    CU_ASSERT_PTR_NULL(strstr(nowhere.err, "measuring"));
    g_unlink(card);
    g_unlink(user);
    g_rmdir(folder);
}

static const PfCheck checks[] = {
    {"a row is what its recipe makes of medians, and the standard card's without them", test_rows},
    {"without any measurement the card is the standard one, and says why", test_obstacle},
    {"the command writes a card that a configuration can name", test_command},
};

PF_CHECK_MAIN("calibrate", checks)
