/* Cost cards: presets by name and by path, rows that override them, mistakes. */
#include <glib/gstdio.h>
#include <string.h>

#include "check.h"
#include "cost_card.h"

/* Binds `machine.costs` of TEXT; the message of what is wrong, NULL if nothing is. Free with
 * g_free. */
static char *bind_text(const char *text, PfCosts *costs)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load_text(text, strlen(text), "text", NULL, &error);
    g_assert_no_error(error);
    pf_cost_card_bind(pf_config_section(config, "machine.costs"), costs);
    return pf_config_finish(config, &error) ? NULL : g_strdup(error->message);
}

static void expect_error(const char *text, const char *part)
{
    PfCosts costs;
    g_autofree char *message = bind_text(text, &costs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    if (strstr(message, part) == NULL)
        printf("# %s\n", message);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, part));
}

static void test_presets(void)
{
    PfCosts standard;
    PfCosts measured;
    PfCosts published;
    CU_ASSERT_PTR_NULL(bind_text("", &standard));
    CU_ASSERT_PTR_NULL(bind_text("machine = { costs = { preset = \"zen4-vm\"; }; };", &measured));
    CU_ASSERT_PTR_NULL(
        bind_text("machine = { costs = { preset = \"bare-metal\"; }; };", &published));
    CU_ASSERT_EQUAL(memcmp(&standard, &measured, sizeof standard), 0);
    /* An interrupt through a hypervisor costs ten microseconds, else one or two. */
    CU_ASSERT_TRUE(measured.flush_remote_cycles > 4 * published.flush_remote_cycles);
    g_auto(GStrv) names = pf_cost_card_names();
    CU_ASSERT_EQUAL(g_strv_length(names), 2);
}

static void test_override(void)
{
    PfCosts costs;
    PfCosts published;
    CU_ASSERT_PTR_NULL(
        bind_text("machine = { costs = { preset = \"bare-metal\"; }; };", &published));
    CU_ASSERT_PTR_NULL(
        bind_text("machine = { costs = { preset = \"bare-metal\"; trap = 7; }; };", &costs));
    CU_ASSERT_EQUAL(costs.trap_cycles, 7);
    costs.trap_cycles = published.trap_cycles;
    CU_ASSERT_EQUAL(memcmp(&costs, &published, sizeof costs), 0);
}

static void test_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("pagefold-card-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *card = g_build_filename(folder, "mine.cfg", NULL);
    g_autofree char *user = g_build_filename(folder, "user.cfg", NULL);
    g_file_set_contents(card, "extends = \"bare-metal\"; machine = { costs = { trap = 11; }; };",
                        -1, NULL);
    g_file_set_contents(user, "machine = { costs = { preset = \"mine.cfg\"; }; };", -1, NULL);
    /* The path is meant from the file that names it. */
    g_autoptr(PfConfig) config = pf_config_load(user, NULL, &error);
    g_assert_no_error(error);
    PfCosts costs;
    pf_cost_card_bind(pf_config_section(config, "machine.costs"), &costs);
    CU_ASSERT_TRUE(pf_config_finish(config, NULL));
    CU_ASSERT_EQUAL(costs.trap_cycles, 11);
    CU_ASSERT_EQUAL(costs.line_cycles, 317); /* of bare-metal */
    /* What a run keeps of it has all rows, and does not need the card. */
    g_autofree char *resolved = pf_config_dump(config, false, NULL);
    g_unlink(card);
    g_unlink(user);
    g_rmdir(folder);
    PfCosts again;
    g_autofree char *message = bind_text(resolved, &again);
    CU_ASSERT_PTR_NULL(message);
    CU_ASSERT_EQUAL(memcmp(&again, &costs, sizeof costs), 0);
}

static void test_mistakes(void)
{
    expect_error("machine = { costs = { preset = \"zen5\"; }; };", "zen5");
    expect_error("machine = { costs = { preset = \"zen4-vm\"; trab = 7; }; };", "did you mean");
    expect_error("machine = { costs = { trap = -1; }; };", "negative");
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int file = g_file_open_tmp("pagefold-card-XXXXXX.cfg", &path, &error);
    g_assert_no_error(error);
    g_close(file, NULL);
    g_file_set_contents(path, "machine = { costs = { trap = 1; }; };", -1, NULL);
    g_autofree char *text = g_strdup_printf("machine = { costs = { preset = \"%s\"; }; };", path);
    expect_error(text, "has no row");
    g_file_set_contents(path, "extends = \"zen4-vm\"; machine = { cores = 2; };", -1, NULL);
    expect_error(text, "machine.cores");
    g_unlink(path);
}

static const PfCheck checks[] = {
    {"the standard card is zen4-vm, and another one is chosen by its name", test_presets},
    {"a row that is given goes before the card's", test_override},
    {"a card may be a file, and a resolved configuration does without it", test_file},
    {"a card that is not there, lacks a row or has a key too many is an error", test_mistakes},
};

PF_CHECK_MAIN("cost_card", checks)
