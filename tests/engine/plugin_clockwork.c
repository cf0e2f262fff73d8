/* A policy that shares nothing and counts what it is told and when: it wakes up at fixed times and
 * works for a fixed time. */
#include "policy.h"

typedef struct {
    uint64_t interval_ps;
    uint64_t work;
    uint64_t pass_pages;
} ClockworkConfig;

static const PfConfigField fields[] = {
    {.key = "interval",
     .type = PF_CONFIG_TIME,
     .offset = offsetof(ClockworkConfig, interval_ps),
     .standard = "1us",
     .description = "Time between two wake-ups; 0: none."},
    {.key = "work",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(ClockworkConfig, work),
     .standard = "0",
     .unit = "cycles",
     .description = "Cycles that it is busy at each."},
    {.key = "pass_pages",
     .type = PF_CONFIG_UINT,
     .offset = offsetof(ClockworkConfig, pass_pages),
     .standard = "10",
     .unit = "pages",
     .description = "Pages that are a pass."},
};

typedef struct {
    PfHost *host;
    ClockworkConfig config;
    uint64_t wakes;
    uint64_t disorder; /* time went back between two events */
    uint64_t early;    /* wake-ups before they were due */
    uint64_t last_cycles;
    uint64_t due_cycles;
    uint64_t scan_pages;
    uint64_t scan_passes; /* scans without limit */
    uint64_t writes;
    uint64_t mapped;
    uint64_t unmapped;
    uint64_t context_events;
    uint64_t controls;
    uint64_t expired;      /* pages that a filter let go */
    uint64_t expired_cycle; /* when the last of them was told */
    uint64_t why; /* verdict on each page that is written; PF_WHY_COUNT: none */
} Clockwork;

static void tick(Clockwork *self)
{
    uint64_t now = pf_host_now(self->host);
    self->disorder += now < self->last_cycles;
    self->last_cycles = now;
}

static uint64_t clockwork_wake(void *user, uint64_t now_cycles)
{
    Clockwork *self = user;
    tick(self);
    self->wakes++;
    self->early += now_cycles < self->due_cycles;
    /* For a policy whose cycles are stolen: of the core of the first context. */
    PfPage page;
    if (self->config.work > 0 && pf_host_cursor_next(self->host, (PfPage){0, {0}}, &page))
        pf_host_hash_page(self->host, page);
    pf_host_charge(self->host, PF_ACCOUNT_SCAN, self->config.work);
    self->due_cycles += pf_host_cycles(self->host, self->config.interval_ps);
    return self->due_cycles;
}

static bool clockwork_scan(void *user, uint64_t pages)
{
    Clockwork *self = user;
    tick(self);
    if (pages == UINT64_MAX)
        self->scan_passes++;
    else
        self->scan_pages += pages;
    if (pages < self->config.pass_pages)
        return false;
    pf_host_count_pass(self->host);
    return true;
}

static bool clockwork_control(void *user, const char *key, const char *value)
{
    Clockwork *self = user;
    tick(self);
    guint64 number;
    if (g_str_equal(key, "why") &&
        g_ascii_string_to_unsigned(value, 10, 0, PF_WHY_COUNT, &self->why, NULL))
        return true;
    if (!g_str_equal(key, "interval_ns") ||
        !g_ascii_string_to_unsigned(value, 10, 1, G_MAXUINT32, &number, NULL))
        return false;
    self->controls++;
    self->config.interval_ps = number * 1000;
    self->due_cycles =
        pf_host_now(self->host) + pf_host_cycles(self->host, self->config.interval_ps);
    pf_host_wake_at(self->host, self->due_cycles);
    return true;
}

static void clockwork_page_written(void *user, PfPage page, PfChange how)
{
    Clockwork *self = user;
    (void)how;
    self->writes++;
    if (self->why < PF_WHY_COUNT)
        pf_host_verdict(self->host, page, (PfWhy)self->why);
}

static void clockwork_page_expired(void *user, PfPage page)
{
    Clockwork *self = user;
    (void)page;
    tick(self);
    self->expired++;
    self->expired_cycle = pf_host_now(self->host);
}

static void clockwork_page_mapped(void *user, PfPage page)
{
    (void)page;
    ((Clockwork *)user)->mapped++;
}

static void clockwork_page_unmapped(void *user, PfPage page)
{
    (void)page;
    ((Clockwork *)user)->unmapped++;
}

static void clockwork_context_event(void *user, const PfContextEvent *event)
{
    (void)event;
    ((Clockwork *)user)->context_events++;
}

static void register_stats(Clockwork *self)
{
    PfStatsGroup *group = pf_host_stats(self->host);
    const struct {
        const char *name;
        const uint64_t *value;
    } counters[] = {
        {"wakes", &self->wakes},           {"disorder", &self->disorder},
        {"early", &self->early},           {"scan_pages", &self->scan_pages},
        {"scan_passes", &self->scan_passes}, {"writes", &self->writes},
        {"mapped", &self->mapped},         {"unmapped", &self->unmapped},
        {"context_events", &self->context_events}, {"controls", &self->controls},
        {"expired", &self->expired}, {"expired_cycle", &self->expired_cycle},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(counters); i++)
        pf_stats_counter(group, counters[i].name, "events", "What the policy was told.",
                         counters[i].value);
}

static void *clockwork_create(PfHost *host, const void *config, GError **error)
{
    (void)error;
    Clockwork *self = g_new0(Clockwork, 1);
    self->host = host;
    self->config = *(const ClockworkConfig *)config;
    self->why = PF_WHY_COUNT;
    register_stats(self);
    self->due_cycles = pf_host_now(host) + pf_host_cycles(host, self->config.interval_ps);
    if (self->config.interval_ps > 0)
        pf_host_wake_at(host, self->due_cycles);
    return self;
}

static void clockwork_free(void *user)
{
    g_free(user);
}

static const PfPolicyOps clockwork = {
    .name = "clockwork",
    .summary = "Wakes up at fixed times, shares nothing and counts.",
    .fields = fields,
    .field_count = G_N_ELEMENTS(fields),
    .config_bytes = sizeof(ClockworkConfig),
    .create = clockwork_create,
    .free = clockwork_free,
    .context_event = clockwork_context_event,
    .page_mapped = clockwork_page_mapped,
    .page_unmapped = clockwork_page_unmapped,
    .page_written = clockwork_page_written,
    .page_expired = clockwork_page_expired,
    .wake = clockwork_wake,
    .scan = clockwork_scan,
    .control = clockwork_control,
};

static const PfPolicyOps *const policies[] = {&clockwork, NULL};
const PfPlugin pf_plugin = {.abi = PF_POLICY_ABI, .policies = policies};
