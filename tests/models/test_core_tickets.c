/* A core keeps tickets until it can go no further without them, so that a DRAM controller has
 * several of its reads to choose from. */
#include "core.h"
#include "dram_fixture.h"

enum { HIT = 4, TICKETS = 16 };

typedef struct {
    PfPort port;
    uint64_t done[TICKETS];
    unsigned resolved[TICKETS];
    unsigned count;
} Mock;

static uint64_t resolve(PfPort *port, uint64_t ticket)
{
    Mock *mock = (Mock *)port;
    uint64_t index = ticket & ~PF_TICKET_BIT;
    mock->resolved[index]++;
    return mock->done[index];
}

static const PfPortOps ops = {.resolve = resolve};

/* Sends a miss that is done at DONE; its ticket's number is that of its sending. */
static uint64_t miss(PfCore *core, Mock *mock, uint64_t done, bool is_write)
{
    mock->done[mock->count] = done;
    return pf_core_issue(core, PF_TICKET_BIT | mock->count++, HIT, is_write, false);
}

static PfCore *core_of(Mock *mock, uint64_t window, uint64_t mshrs)
{
    PfCoreConfig config = {.cpi = 1.0, .window_instructions = window, .mshrs = mshrs};
    PfCore *core = pf_core_new(&config, 1, NULL, NULL);
    *mock = (Mock){.port = {&ops}};
    pf_core_set_port(core, &mock->port);
    return core;
}

static void window(void)
{
    Mock mock;
    g_autoptr(PfCore) core = core_of(&mock, 10, 4);
    CU_ASSERT_EQUAL(miss(core, &mock, 100, false), 0);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 10), 10);
    CU_ASSERT_EQUAL(mock.resolved[0], 0);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 1), 90 + 1);
    CU_ASSERT_EQUAL(mock.resolved[0], 1);
    /* A store's line fills no window. */
    CU_ASSERT_EQUAL(miss(core, &mock, 500, true), 0);
    CU_ASSERT_EQUAL(pf_core_instructions(core, 20), 20);
    CU_ASSERT_EQUAL(mock.resolved[1], 0);
    CU_ASSERT_EQUAL(pf_core_drain(core), 500 - 121);
    CU_ASSERT_EQUAL(mock.resolved[1], 1);
}

static void mshrs(void)
{
    Mock mock;
    g_autoptr(PfCore) core = core_of(&mock, 1000, 2);
    miss(core, &mock, 100, false);
    miss(core, &mock, 60, false);
    /* The oldest is waited for; the third, which took 70 from its sending, is done as much
     * later. */
    CU_ASSERT_EQUAL(miss(core, &mock, 70, false), 100);
    CU_ASSERT_EQUAL(mock.resolved[0], 1);
    CU_ASSERT_EQUAL(mock.resolved[1] + mock.resolved[2], 0);
    /* Now the second is the oldest, and done: no wait. */
    CU_ASSERT_EQUAL(miss(core, &mock, 300, false), 0);
    CU_ASSERT_EQUAL(mock.resolved[1], 1);
    CU_ASSERT_EQUAL(pf_core_drain(core), 200);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(mock.resolved[i], 1);
    pf_core_check(core);
}

static void dependence(void)
{
    Mock mock;
    g_autoptr(PfCore) core = core_of(&mock, 1000, 4);
    miss(core, &mock, 100, false);
    miss(core, &mock, 50, false);
    CU_ASSERT_EQUAL(pf_core_ready(core, false), 0);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 50);
    CU_ASSERT_EQUAL(mock.resolved[0], 0);
    CU_ASSERT_EQUAL(mock.resolved[1], 1);
    CU_ASSERT_EQUAL(pf_core_ready(core, true), 0);
    /* Forgotten ones are given back all the same. */
    pf_core_reset_state(core);
    CU_ASSERT_EQUAL(mock.resolved[0], 1);
    CU_ASSERT_EQUAL(mock.resolved[1], 1);
}

static void blocking(void)
{
    Mock mock;
    g_autoptr(PfCore) core = core_of(&mock, 1, 4);
    CU_ASSERT_EQUAL(miss(core, &mock, 100, false), 100);
    CU_ASSERT_EQUAL(mock.resolved[0], 1);
}

static uint64_t send_read(PfDram *dram, uint64_t address, uint64_t clock)
{
    PfRequest request = {.address = {address},
                         .now_cycles = clock * pf_dram_preset(dram)->tck_ps,
                         .size_bytes = 64,
                         .kind = PF_ACCESS_READ};
    uint64_t answer = pf_port_access(pf_dram_port(dram), &request);
    CU_ASSERT_TRUE(pf_answer_is_ticket(answer));
    return answer;
}

static uint64_t clocks_of(PfDram *dram, uint64_t answer)
{
    return pf_port_wait(pf_dram_port(dram), answer) / pf_dram_preset(dram)->tck_ps;
}

static void hit_passes_conflict(void)
{
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t other_row = dram_address(dram, 1, 0, 0, 0, 7, 0);
    dram_read(dram, 0, 0);
    uint64_t conflict = send_read(dram, other_row, 1000);
    uint64_t hit = send_read(dram, 64, 1000);
    /* The hit takes CL + burst = 21; PRE comes tRTP = 9 after its RD, then tRP, tRCD, 21. */
    CU_ASSERT_EQUAL(clocks_of(dram, conflict), 1000 + 9 + 17 + 17 + 21);
    CU_ASSERT_EQUAL(clocks_of(dram, hit), 1000 + 21);
    /* One after the other the conflict goes first: 55, and the row is opened again, not before
     * tRAS = 39 after its ACT at 17. */
    g_autoptr(PfDram) blocking = dram_of(dram_config(DDR4_2400));
    dram_read(blocking, 0, 0);
    CU_ASSERT_EQUAL(dram_read(blocking, other_row, 1000), 55);
    CU_ASSERT_EQUAL(dram_read(blocking, 64, 1000), 17 + 39 + 55);
    pf_dram_check(dram);
}

static void many_tickets(void)
{
    /* More than are there at first, asked for from the last to the first. */
    g_autoptr(PfDram) dram = dram_of(dram_config(DDR4_2400));
    uint64_t answers[200];
    for (unsigned i = 0; i < 200; i++)
        answers[i] = send_read(dram, i * 64, 1000 + i);
    uint64_t last = 0;
    for (unsigned i = 200; i-- > 0;) {
        uint64_t clock = clocks_of(dram, answers[i]);
        CU_ASSERT_TRUE(clock >= 1000 + i + 21);
        last = MAX(last, clock);
    }
    CU_ASSERT_EQUAL(pf_dram_stats(dram)->read_latency_clocks.count, 200);
    /* Not faster than a line each tCCD_S. */
    CU_ASSERT_TRUE(last >= 1000 + 17 + 199 * 4 + 21);
    pf_dram_check(dram);
}

static const PfCheck checks[] = {
    {"a ticket is kept until the window is full", window},
    {"where MSHRs are wanted the oldest ticket is resolved, no other", mshrs},
    {"a dependent read resolves the previous read's ticket", dependence},
    {"a blocking core resolves each at once", blocking},
    {"a row hit passes an older conflict of the same core", hit_passes_conflict},
    {"tickets are resolved in any order", many_tickets},
};

PF_CHECK_MAIN("core_tickets", checks)
