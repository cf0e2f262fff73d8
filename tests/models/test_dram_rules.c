/* Every command that a controller issues, under all kinds of load, against the table of rules. */
#include "dram_feed.h"
#include "dram_fixture.h"
#include "dram_rules.h"
#include "rng.h"

enum { REQUESTS = 800 };

typedef struct {
    const char *name;
    uint64_t lines;     /* footprint */
    unsigned writes;    /* percent */
    unsigned in_order;  /* percent that follow the line before */
    unsigned apart;     /* clocks, at most, between requests; 0: as fast as can be */
    unsigned outstanding;
} Load;

static const Load loads[] = {
    {"random", 1 << 24, 30, 0, 0, 0},      {"stream", 1 << 20, 25, 97, 0, 0},
    {"few lines", 64, 50, 0, 0, 0},        {"seldom", 1 << 22, 30, 50, 300, 0},
    {"one at a time", 1 << 22, 10, 50, 0, 1}, {"eight", 1 << 22, 30, 50, 0, 8},
};

static void play(PfDram *dram, const Load *load, PfRng *rng)
{
    g_autoptr(PfDramFeed) feed = pf_dram_feed_new(dram, load->outstanding);
    uint64_t line = 0;
    uint64_t clock = 0;
    for (unsigned i = 0; i < REQUESTS; i++) {
        line = pf_rng_below(rng, 100) < load->in_order ? line + 1 : pf_rng_below(rng, load->lines);
        clock += load->apart > 0 ? pf_rng_below(rng, load->apart) : 0;
        uint64_t address = line * pf_dram_preset(dram)->transaction_bytes;
        pf_dram_feed_send(feed, (PfMaddr){address}, pf_rng_below(rng, 100) < load->writes, clock);
        if (i % 100 == 0)
            pf_dram_check(dram);
    }
    pf_dram_feed_finish(feed);
    pf_dram_check(dram);
}

static PfDramConfig draw_config(int preset, PfRng *rng)
{
    static const char *const mappings[] = {"RoBaRaCoCh", "ChRaBaRoCo", "MOP4CLXOR", "rochrababgco"};
    PfDramConfig config = pf_dram_config_standard();
    config.preset = preset;
    config.channels = (uint64_t)1 << pf_rng_below(rng, 2);
    config.ranks = (uint64_t)1 << pf_rng_below(rng, 3);
    config.mapping = mappings[pf_rng_below(rng, G_N_ELEMENTS(mappings))];
    config.scheduler = pf_rng_below(rng, 4) == 0 ? PF_DRAM_FCFS : PF_DRAM_FRFCFS;
    config.cap = pf_rng_below(rng, 3) * 4;
    config.page_policy = (int)pf_rng_below(rng, 4);
    bool by_bank = pf_dram_presets[preset].refi_bank > 0;
    config.refresh = by_bank ? (int)pf_rng_below(rng, 3) : 2 * (int)pf_rng_below(rng, 2);
    config.read_queue = 1 + pf_rng_below(rng, 40);
    config.write_queue = 1 + pf_rng_below(rng, 40);
    return config;
}

static void all_loads(void)
{
    printf("# seed 7\n");
    PfRng rng = pf_rng_derive(7, "rules");
    uint64_t seen[PF_DRAM_COMMANDS] = {0};
    for (unsigned i = 0; i < 4 * pf_dram_preset_count; i++) {
        PfDramConfig config = draw_config((int)(i % pf_dram_preset_count), &rng);
        const Load *load = &loads[pf_rng_below(&rng, G_N_ELEMENTS(loads))];
        g_autoptr(PfDram) dram = dram_of(config);
        g_autoptr(GArray) commands = g_array_new(FALSE, FALSE, sizeof(PfDramCommand));
        pf_dram_observe(dram, dram_rules_note, commands);
        play(dram, load, &rng);
        const PfDramStats *stats = pf_dram_stats(dram);
        CU_ASSERT_EQUAL(stats->reads + stats->writes, REQUESTS);
        CU_ASSERT_EQUAL(stats->read_latency_clocks.count + stats->write_latency_clocks.count,
                        REQUESTS);
        unsigned broken = dram_rules_broken(commands, pf_dram_preset(dram), true);
        CU_ASSERT_EQUAL(broken, 0);
        if (broken > 0)
            printf("# %s, %s, case %u\n", pf_dram_preset(dram)->name, load->name, i);
        for (guint j = 0; j < commands->len; j++)
            seen[g_array_index(commands, PfDramCommand, j).kind]++;
    }
    for (unsigned kind = 0; kind < PF_DRAM_COMMANDS; kind++)
        CU_ASSERT_TRUE(seen[kind] > 100);
}

/* Others read a 24th of what the buses of DRAM can move: less than any policy can serve. */
static void load_by_others(PfDram *dram)
{
    const PfDramPreset *timing = pf_dram_preset(dram);
    uint64_t bytes = (uint64_t)timing->transaction_bytes * pf_dram_channels(dram);
    uint64_t period_ps = (uint64_t)24 * timing->burst * timing->tck_ps;
    CU_ASSERT_TRUE(pf_dram_set_load(dram, bytes * PF_PS_PER_SECOND / period_ps, 0.5, NULL));
}

static void through_the_port(void)
{
    /* Cores whose clocks differ, so that requests come out of order; ranks that fall asleep, or a
     * load by others. */
    printf("# seed 8\n");
    PfRng rng = pf_rng_derive(8, "port");
    for (unsigned i = 0; i < pf_dram_preset_count; i++) {
        PfDramConfig config = draw_config((int)i, &rng);
        config.power_down = 1 + (int)pf_rng_below(&rng, 2);
        g_autoptr(PfDram) dram = dram_of(config);
        if (i % 2 == 1)
            load_by_others(dram);
        g_autoptr(GArray) commands = g_array_new(FALSE, FALSE, sizeof(PfDramCommand));
        pf_dram_observe(dram, dram_rules_note, commands);
        uint64_t clock = 1000;
        for (unsigned j = 0; j < REQUESTS; j++) {
            clock += pf_rng_below(&rng, 20);
            if (pf_rng_below(&rng, 10) == 0)
                pf_dram_sleep(dram, (unsigned)pf_rng_below(&rng, pf_dram_channels(dram)),
                              (unsigned)pf_rng_below(&rng, config.ranks),
                              clock * pf_dram_preset(dram)->tck_ps);
            PfRequest request = {.address = {pf_rng_below(&rng, 1 << 20) * 64},
                                 .now_cycles = (clock - pf_rng_below(&rng, 200)) *
                                               pf_dram_preset(dram)->tck_ps,
                                 .size_bytes = 64,
                                 .core = (uint16_t)pf_rng_below(&rng, 3),
                                 .kind = pf_rng_below(&rng, 3) == 0 ? PF_ACCESS_WRITE
                                                                    : PF_ACCESS_READ};
            uint64_t done = dram_wait(dram, &request);
            CU_ASSERT_TRUE(done >= request.now_cycles);
        }
        pf_dram_check(dram);
        CU_ASSERT_EQUAL(dram_rules_broken(commands, pf_dram_preset(dram), true), 0);
    }
}

static void tight(void)
{
    /* The table is not blind: of a saturated stream's commands nearly each breaks a rule if it
     * comes one clock earlier, so the controller issues them no later than it must. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    g_autoptr(GArray) commands = g_array_new(FALSE, FALSE, sizeof(PfDramCommand));
    pf_dram_observe(dram, dram_rules_note, commands);
    PfRng rng = pf_rng_derive(9, "tight");
    play(dram, &loads[0], &rng);
    unsigned noticed = 0;
    guint last = commands->len / 2 + 200;
    g_autoptr(GArray) part = g_array_new(FALSE, FALSE, sizeof(PfDramCommand));
    g_array_append_vals(part, &g_array_index(commands, PfDramCommand, 0), last);
    g_autoptr(GArray) unmoved = g_array_copy(part);
    CU_ASSERT_EQUAL(dram_rules_broken(unmoved, pf_dram_preset(dram), true), 0);
    for (guint i = commands->len / 2; i < last; i++) {
        g_autoptr(GArray) moved = g_array_copy(part);
        g_array_index(moved, PfDramCommand, i).clock--;
        noticed += dram_rules_broken(moved, pf_dram_preset(dram), false) > 0;
    }
    CU_ASSERT_TRUE(noticed > 150);
    printf("# %u of 200\n", noticed);
}

static const PfCheck checks[] = {
    {"no command of any load on any device breaks a rule", all_loads},
    {"nor do those for cores whose clocks are apart, ranks that sleep and a load by others",
     through_the_port},
    {"a command that comes a clock earlier breaks one", tight},
};

PF_CHECK_MAIN("dram_rules", checks)
