#include "cam_fixture.h"
#include "check.h"

/* Latency 4, a new one each cycle. */
static void a_pipelined_port_begins_one_search_a_cycle(void)
{
    PfCamConfig config = sixteen();
    g_autoptr(PfCam) cam = cam_of(&config);
    const PfCamStats *stats = pf_cam_stats(cam);
    CU_ASSERT_EQUAL(search_at(cam, 1, 100), 104);
    CU_ASSERT_EQUAL(search_at(cam, 2, 100), 105);
    CU_ASSERT_EQUAL(stats->port_conflicts, 1);
    CU_ASSERT_EQUAL(stats->conflict_cycles, 1);
    CU_ASSERT_EQUAL(search_at(cam, 3, 102), 106);
    CU_ASSERT_EQUAL(stats->port_conflicts, 1);
    /* A core behind does not wait for one ahead, nor is that held up by it. */
    CU_ASSERT_EQUAL(search_at(cam, 4, 50), 54);
    CU_ASSERT_EQUAL(search_at(cam, 5, 102), 107);
    CU_ASSERT_EQUAL(stats->port_conflicts, 2);
    pf_cam_reset_state(cam);
    CU_ASSERT_EQUAL(search_at(cam, 6, 102), 106);
}

static void another_port_is_held_until_the_answer(void)
{
    PfCamConfig config = sixteen();
    config.pipelined = false;
    g_autoptr(PfCam) cam = cam_of(&config);
    CU_ASSERT_EQUAL(search_at(cam, 1, 100), 104);
    CU_ASSERT_EQUAL(search_at(cam, 2, 101), 108);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->conflict_cycles, 3);
    /* An insertion takes 3, a deletion 2. */
    PfCamItem item = {.key = key_of(9), .frame = PF_CAM_NO_FRAME};
    PfCamItem other;
    uint64_t done;
    pf_cam_insert(cam, &item, 108, &other, &done);
    CU_ASSERT_EQUAL(done, 111);
    pf_cam_delete(cam, &item.key, 0, 109, &other, &done);
    CU_ASSERT_EQUAL(done, 113);
}

static void two_ports_serve_two_at_a_time(void)
{
    PfCamConfig config = sixteen();
    config.ports = 2;
    config.pipelined = false;
    g_autoptr(PfCam) cam = cam_of(&config);
    CU_ASSERT_EQUAL(search_at(cam, 1, 100), 104);
    CU_ASSERT_EQUAL(search_at(cam, 2, 100), 104);
    CU_ASSERT_EQUAL(search_at(cam, 3, 100), 108);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->port_conflicts, 1);
}

/* Of 64 searches at one time each bank serves its own, one after the other: the busiest of four
 * serves at least 16. */
static void banks_work_at_the_same_time(void)
{
    PfCamConfig config = sixteen();
    config.banks = 4;
    config.pipelined = false;
    g_autoptr(PfCam) cam = cam_of(&config);
    uint64_t last = 0;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t done = search_at(cam, i, 0);
        last = MAX(last, done);
    }
    CU_ASSERT(last >= 16 * 4);
    CU_ASSERT(last < 64 * 4);
    CU_ASSERT_EQUAL(last % 4, 0);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->port_conflicts, 64 - 4);
}

/* Each copy has ports of its own; all of them are busy with an insertion, for 3 cycles, and with a
 * deletion, for 2. */
static void copies_work_at_the_same_time_and_are_all_updated(void)
{
    PfCamConfig config = sixteen();
    config.pipelined = false;
    g_autoptr(PfCam) cam = cam_of(&config);
    g_autoptr(PfCam) copy = cam_of(&config);
    pf_cam_count_into(copy, cam);
    CU_ASSERT_EQUAL(search_at(cam, 1, 100), 104);
    pf_cam_work_at(cam, copy);
    CU_ASSERT_EQUAL(search_at(cam, 2, 100), 104);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->port_conflicts, 0);
    /* At the copy, and again at the first. */
    PfCamItem item = {.key = key_of(9), .frame = PF_CAM_NO_FRAME};
    PfCamItem other;
    uint64_t done;
    pf_cam_insert(cam, &item, 200, &other, &done);
    pf_cam_repeat(cam, cam);
    CU_ASSERT_EQUAL(done, 203);
    pf_cam_work_at(cam, cam);
    CU_ASSERT_EQUAL(search_at(cam, 9, 200), 207);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->matches, 1);
    /* At the first, and again at the copy. */
    pf_cam_delete(cam, &item.key, 0, 300, &other, &done);
    pf_cam_repeat(cam, copy);
    pf_cam_work_at(cam, copy);
    CU_ASSERT_EQUAL(search_at(cam, 9, 300), 306);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->matches, 1);
    /* Four searches, two insertions, two deletions, which are a search and a write. */
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->energy_fJ, 6 * 500000 + 4 * 250000);
    CU_ASSERT_EQUAL(pf_cam_stats(cam)->occupancy, 0);
    pf_cam_check(cam);
}

static const PfCheck checks[] = {
    {"a pipelined port begins one search a cycle", a_pipelined_port_begins_one_search_a_cycle},
    {"another port is held until the answer", another_port_is_held_until_the_answer},
    {"two ports serve two at a time", two_ports_serve_two_at_a_time},
    {"banks work at the same time", banks_work_at_the_same_time},
    {"copies work at the same time and are all updated",
     copies_work_at_the_same_time_and_are_all_updated},
};

PF_CHECK_MAIN("cam time", checks)
