#include <math.h>
#include <string.h>

#include "cam_card.h"
#include "cam_fixture.h"
#include "check.h"
#include "error.h"

static PfCamConfig by_card(uint64_t entries)
{
    PfCamConfig config = sixteen();
    config.entries = entries;
    config.latency_cycles = config.cycle_cycles = PF_CONFIG_AUTO;
    config.insert_cycles = config.delete_cycles = PF_CONFIG_AUTO;
    config.search_nJ = config.write_nJ = config.leakage_mW = config.area_mm2 = NAN;
    return config;
}

/* 64 Ki at 22 nm: 1.30 ns and 0.094 ns, 1.63 nJ and 0.021 nJ, 420 mW, 1.36 mm2. */
static void the_card_gives_what_is_not_given(void)
{
    PfCamConfig config = by_card(65536);
    PfCamFigures figures;
    CU_ASSERT_TRUE(pf_cam_figures(&config, 2600000000, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.latency_cycles, 4); /* 3.38, rounded up */
    CU_ASSERT_EQUAL(figures.cycle_cycles, 1);
    CU_ASSERT_EQUAL(figures.insert_cycles, 4);
    CU_ASSERT_EQUAL(figures.search_fJ, 1630000);
    CU_ASSERT_EQUAL(figures.write_fJ, 21000);
    CU_ASSERT_EQUAL(figures.leakage_W, 420 * 1e-3);
    CU_ASSERT_EQUAL(figures.area_mm2, 1.36);
    CU_ASSERT_EQUAL(figures.entry_bits, 64 + 32);
    CU_ASSERT_FALSE(figures.is_extrapolated);
    /* Twice the key takes twice of all but time; a page of 4 KiB is 512 keys. */
    config.key_bits = 128;
    CU_ASSERT_TRUE(pf_cam_figures(&config, 2600000000, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.search_fJ, 2 * 1630000);
    CU_ASSERT_EQUAL(figures.latency_cycles, 4);
    config.stores = PF_CAM_STORES_PAGE;
    CU_ASSERT_TRUE(pf_cam_figures(&config, 2600000000, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.search_fJ, (uint64_t)512 * 1630000);
    CU_ASSERT_EQUAL(figures.area_mm2, 512 * 1.36);
    CU_ASSERT_EQUAL(figures.entry_bits, 32768 + 32);
    /* What is given counts. */
    config.search_nJ = 3;
    config.latency_cycles = 9;
    CU_ASSERT_TRUE(pf_cam_figures(&config, 2600000000, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.search_fJ, 3000000);
    CU_ASSERT_EQUAL(figures.latency_cycles, 9);
}

/* A search goes to one of four banks of 16 Ki: 0.410 nJ; all four leak. */
static void a_bank_is_a_cam_of_its_size(void)
{
    PfCamConfig config = by_card(65536);
    config.banks = 4;
    PfCamFigures figures;
    CU_ASSERT_TRUE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.search_fJ, 410000);
    CU_ASSERT_EQUAL(figures.area_mm2, 0.335 * 4);
    CU_ASSERT_EQUAL(figures.leakage_W, 105.0 * 4 * 1e-3);
}

/* 64 Ki entries of RAM: 0.013 nJ an entry, of which a set of eight reads eight. */
static void sets_are_read_from_ram(void)
{
    PfCamConfig config = by_card(65536);
    config.ways = 8;
    PfCamFigures figures;
    CU_ASSERT_TRUE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.search_fJ, 8 * 13000);
    CU_ASSERT_EQUAL(figures.area_mm2, 0.41);
    config.preset = PF_CAM_CARD_45NM;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, &error));
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
}

static void outside_of_the_card_it_must_be_allowed(void)
{
    PfCamConfig config = by_card(1048576);
    PfCamFigures figures;
    CU_ASSERT_TRUE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    config.entries = 1048577;
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, &error));
    CU_ASSERT_TRUE(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    config.allow_extrapolation = true;
    CU_ASSERT_TRUE(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_TRUE(figures.is_extrapolated);
    /* The card is one of keys. */
    PfCamConfig page = by_card(65536);
    page.stores = PF_CAM_STORES_PAGE;
    CU_ASSERT_TRUE(pf_cam_figures(&page, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_TRUE(figures.is_extrapolated);
    /* All by hand: no card is needed. */
    PfCamConfig hand = sixteen();
    CU_ASSERT_TRUE(pf_cam_figures(&hand, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_FALSE(figures.is_extrapolated);
}

static void entries_must_fit_into_banks_and_sets(void)
{
    static const struct {
        uint64_t banks;
        uint64_t ways;
        bool fits;
    } cases[] = {{4, 4, true},   {4, 5, false}, {3, 0, false}, {16, 0, true},
                 {32, 0, false}, {1, 16, true}, {2, 16, false}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        PfCamConfig config = sixteen();
        config.banks = cases[i].banks;
        config.ways = cases[i].ways;
        PfCamFigures figures;
        g_autoptr(GError) error = NULL;
        CU_ASSERT_EQUAL(pf_cam_figures(&config, CLOCK_HZ, PAGE_BYTES, &figures, &error),
                        cases[i].fits);
        CU_ASSERT_EQUAL(error == NULL, cases[i].fits);
    }
}

/* Whether `machine = { TEXT };` is accepted; what it binds to. */
static bool bind(const char *text, PfCamConfig *ret_config, GError **error)
{
    g_autofree char *whole = g_strdup_printf("machine = {\n%s };", text);
    g_autoptr(PfConfig) config = pf_config_load_text(whole, strlen(whole), "t.cfg", NULL, NULL);
    pf_cam_bind(pf_config_section(config, "machine"), ret_config);
    return pf_config_finish(config, error);
}

static bool is_bound(const char *text, PfCamConfig *ret_config)
{
    return bind(text, ret_config, NULL);
}

/* 100 entries are no whole number of 3 banks; the card begins at 64 entries in a bank. */
static void what_cannot_be_built_is_told_with_its_place(void)
{
    static const char *const rows[][2] = {
        {"cam = { entries = 100; banks = 3; };", "t.cfg:2: machine.cam.entries: 100 entries"},
        {"cam = { banks = 3; };", "t.cfg:2: machine.cam.entries: 65536 entries"},
        {"cam = { entries = 64; ways = 128; };", "t.cfg:2: machine.cam.entries: 64 entries"},
        {"cam = { entries = 63; };", "t.cfg:2: machine.cam.entries: 63 entries"},
        {"cam = { entries = 128; banks = 4; };", "t.cfg:2: machine.cam.entries: 32 entries"},
        {"cam = { ways = 4; preset = \"45nm\"; };", "t.cfg:2: machine.cam.preset: there is no"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        PfCamConfig config = {.entries = 0};
        g_autoptr(GError) error = NULL;
        CU_ASSERT_FALSE_FATAL(bind(rows[i][0], &config, &error));
        CU_ASSERT(g_str_has_prefix(error->message, rows[i][1]));
    }
}

static void a_cam_is_ideal_or_a_group_within_bounds(void)
{
    static const struct {
        const char *text;
        bool is_good;
    } rows[] = {
        {"", true},
        {"cam = \"ideal\";", true},
        {"cam = \"perfect\";", false},
        {"cam = 5;", false},
        {"cam = { entries = 15; };", false},
        {"cam = { entries = 16; allow_extrapolation = true; };", true},
        {"cam = { entries = 16777216; allow_extrapolation = true; };", true},
        {"cam = { entries = 16777217; };", false},
        {"cam = { key_bits = 7; };", false},
        {"cam = { key_bits = 8; };", true},
        {"cam = { key_bits = 128; };", true},
        {"cam = { key_bits = 129; };", false},
        {"cam = { replacement = \"refuse\"; priority = \"lowest\"; scope = \"node\"; };", true},
        {"cam = { replacement = \"plru\"; };", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        PfCamConfig config = {.entries = 0};
        CU_ASSERT_EQUAL(is_bound(rows[i].text, &config), rows[i].is_good);
    }
    PfCamConfig config = {.entries = 0};
    CU_ASSERT_TRUE(is_bound("cam = \"ideal\";", &config));
    CU_ASSERT_TRUE(config.is_ideal);
    PfCamConfig standard = {.entries = 0};
    CU_ASSERT_TRUE(is_bound("", &standard));
    CU_ASSERT_FALSE(standard.is_ideal);
    CU_ASSERT_EQUAL(standard.priority, PF_CAM_LOWEST);
    CU_ASSERT_EQUAL(config.priority, PF_CAM_NEWEST);
    CU_ASSERT_EQUAL(standard.entries, 65536);
    /* What is not given is the card's: 64 Ki entries at 22 nm. */
    PfCamFigures figures;
    CU_ASSERT_TRUE(pf_cam_figures(&standard, CLOCK_HZ, PAGE_BYTES, &figures, NULL));
    CU_ASSERT_EQUAL(figures.area_mm2, 1.36);
    CU_ASSERT_EQUAL(figures.search_fJ, 1630000);
}

static const PfCheck checks[] = {
    {"what cannot be built is told with its place", what_cannot_be_built_is_told_with_its_place},
    {"a CAM is ideal or a group within bounds", a_cam_is_ideal_or_a_group_within_bounds},
    {"the card gives what is not given", the_card_gives_what_is_not_given},
    {"a bank is a CAM of its size", a_bank_is_a_cam_of_its_size},
    {"sets are read from RAM", sets_are_read_from_ram},
    {"outside of the card it must be allowed", outside_of_the_card_it_must_be_allowed},
    {"entries must fit into banks and sets", entries_must_fit_into_banks_and_sets},
};

PF_CHECK_MAIN("cam figures", checks)
