#include "fake_canned.h"

#include "simulation.h"

const PfStatInfo fake_infos[FAKE_STATS] = {
    {"memory.populated_pages", "pages", "pages that have been given bytes"},
    {"memory.baseline_frames", "pages", "frames that none uses"},
    {"memory.used_frames", "pages", "frames in use"},
    {"memory.saved_pages", "pages", "baseline less used"},
    {"memory.metadata_bytes", "bytes", "metadata of the policy"},
    {"memory.net_saved_bytes", "bytes", "saved less metadata"},
    {"cycles.total", "cycles", "all cycles"},
    {"cycles.app", "cycles", "of the contexts"},
    {"cycles.policy", "cycles", "of the policy"},
    {"cycles.account.compute", "cycles", "instructions"},
    {"cycles.account.memory", "cycles", "waiting for memory"},
    {"cycles.account.walk", "cycles", "page walks"},
    {"cycles.account.fault", "cycles", "first touches"},
    {"cycles.account.break", "cycles", "breaking sharings"},
    {"cycles.account.scan", "cycles", "looking for pages"},
    {"cycles.account.compare", "cycles", "comparing bytes"},
    {"cycles.account.merge", "cycles", "sharing"},
    {"slowdown", "ratio", "contexts' cycles over those under none"},
    {"policy.shared", "events", "sharings made"},
    {"policy.broken", "events", "sharings broken"},
    {"big.number", "events", "beyond what a double holds"},
    {"dram.read_latency_mean_ns", "ns", "undefined here"},
};

#define U(number)                                                                                  \
    {                                                                                              \
        .kind = PF_STAT_UINT, .u = (number)                                                        \
    }
#define I(number)                                                                                  \
    {                                                                                              \
        .kind = PF_STAT_INT, .i = (number)                                                         \
    }
#define D(number)                                                                                  \
    {                                                                                              \
        .kind = PF_STAT_DOUBLE, .d = (number)                                                      \
    }
#define N                                                                                          \
    {                                                                                              \
        .kind = PF_STAT_NULL, .u = 0                                                               \
    }

/* Pages of 4096 bytes: 256 pages are a MiB. Totals are the sums of their accounts. */
const FakeRun fake_canned[FAKE_RUNS] = {
    {.policy = "none",
     .scope = "all",
     .remark = "",
     .values =
         {U(1024),    U(1000), U(1000),    I(0),       U(0),      I(0),      U(5000000),
          U(5000000), U(0),    U(3000000), U(1500000), U(400000), U(100000), U(0),
          U(0),       U(0),    U(0),       D(1.0),     U(0),      U(0),      U(9007199254740993U),
          N},
     .epoch_cycles = {0, 250000000, 500000000},
     .epochs = {{U(0), I(0)}, {U(800), I(0)}, {U(1000), I(0)}}},
    {.policy = "ksm",
     .scope = "all",
     .remark = "",
     .values = {U(1024),    U(1000),    U(744),
                I(256),     U(65536),   I(983040),
                U(6100000), U(5200000), U(900000),
                U(3000000), U(1550000), U(410000),
                U(110000),  U(130000),  U(500000),
                U(300000),  U(100000),  D(1.04),
                U(300),     U(44),      U(18446744073709551615U),
                N},
     .epoch_cycles = {0, 260000000, 520000000},
     .epochs = {{U(0), I(0)}, {U(700), I(100)}, {U(744), I(256)}}},
    {.policy = "esx",
     .scope = "all",
     .remark = "not converged",
     .values = {U(1024),    U(1000),    U(872),    I(128),     U(131072),  I(393216),
                U(5300000), U(5100000), U(200000), U(3000000), U(1520000), U(405000),
                U(105000),  U(70000),   U(150000), U(30000),   U(20000),   D(1.02),
                U(140),     U(12),      U(7),      N},
     .epoch_cycles = {0, 255000000, 510000000},
     .epochs = {{U(0), N}, {U(760), I(40)}, {U(872), I(128)}}},
};

/* Nothing is told of contexts. */
void pf_run_contexts_visit(const PfRun *run, PfStatVisitor visit, void *user)
{
    (void)run;
    (void)visit;
    (void)user;
}

/* Each run has made a sharing and lost it. */
bool pf_run_events_visit(const PfRun *run, PfRunEventVisitor visit, void *user, GError **error)
{
    static const PfRunEvent events[] = {
        {.cycle = 100, .page = {7}, .partner_page = {8}, .frame = {3}, .context = 0,
         .partner_context = 1, .kind = PF_RUN_EVENT_SHARE, .has_partner = true},
        {.cycle = 350, .lifetime_cycles = 250, .page = {7}, .frame = {3},
         .kind = PF_RUN_EVENT_BREAK},
        {.cycle = 360, .lifetime_cycles = 1, .page = {UINT64_MAX}, .kind = PF_RUN_EVENT_END},
    };
    (void)run;
    (void)error;
    for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
        visit(&events[i], user);
    return true;
}

const char *pf_simulation_context_name(const PfSimulation *simulation, uint32_t context)
{
    (void)simulation;
    return context == 0 ? "web, \"old\"" : "db";
}

size_t pf_run_top_shared(const PfRun *run, PfSharedContent *contents, size_t count)
{
    (void)run;
    (void)contents;
    (void)count;
    return 0;
}

void pf_run_shared_split(const PfRun *run, uint64_t *ret_inside, uint64_t *ret_across)
{
    (void)run;
    *ret_inside = 0;
    *ret_across = 0;
}

const char *pf_simulation_mode(const PfSimulation *simulation)
{
    (void)simulation;
    return "machine";
}
