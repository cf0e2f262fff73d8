#include "esx_scan.h"

#include "units.h"

enum { BUNCH_ROUNDS_MAX = 8, WINDOW_PAGES = 64, COST_CYCLES_GUESS = 1 << 17 };

#define MILLION   ((uint64_t)1000000)
#define GIGAHERTZ ((uint64_t)1000000000)

typedef struct {
    PfCpn cursor;    /* sequential: where to go on */
    uint64_t credit; /* scan_time: pages times rounds that it was not looked at */
} Context;

static Context *context_at(const PfEsxScan *self, uint32_t context)
{
    if (context >= self->contexts->len)
        g_array_set_size(self->contexts, context + 1);
    return &g_array_index(self->contexts, Context, context);
}

uint64_t pf_esx_scan_present(const PfEsxScan *self)
{
    uint64_t pages = 0;
    uint32_t contexts = pf_host_context_count(self->host);
    for (uint32_t i = 0; i < contexts; i++)
        pages += pf_host_context_pages(self->host, i);
    return pages;
}

/* ---- Looking at one page ---- */

/* Rates follow success, the share of candidates that could be shared ("Initiation of Sharing
 * Attempts"). */
static void adapt(PfEsxScan *self)
{
    if (self->config->candidates != PF_ESX_ADAPTIVE || ++self->window_pages < WINDOW_PAGES)
        return;
    uint64_t shares = self->sharing->stats.shares - self->window_shares;
    uint64_t low = MIN(self->config->rate_min, self->config->rate_max);
    PfUint128 span = self->config->rate_max - low;
    uint64_t rate = low + (uint64_t)(span * shares / WINDOW_PAGES);
    self->window_pages = 0;
    self->window_shares = self->sharing->stats.shares;
    if (rate != self->pacer.rate)
        pf_esx_pacer_start(&self->pacer, pf_host_now(self->host), rate, self->rate_total);
}

static void look(PfEsxScan *self, PfPage page, const PfEsxEntry *aged)
{
    uint64_t before = pf_host_spent(self->host);
    pf_esx_sharing_consider(self->sharing, page, aged);
    if (self->config->requests == PF_ESX_SYNCHRONOUS)
        pf_host_block(self->host, page.context, pf_host_now(self->host));
    self->cost_cycles = MAX(self->cost_cycles, pf_host_spent(self->host) - before);
    adapt(self);
}

static bool choose(PfEsxScan *self, uint32_t context, PfPage *ret_page)
{
    if (self->config->candidates != PF_ESX_SEQUENTIAL)
        return pf_host_sample(self->host, context, ret_page);
    Context *known = context_at(self, context);
    if (!pf_host_next_page(self->host, (PfPage){context, known->cursor}, ret_page))
        return false;
    known->cursor = pf_cpn_plus(ret_page->cpn, 1);
    return true;
}

/* Looks at a page: one that is old enough now, one that a filter let go, one that is preferred, or
 * one of CONTEXT. A pass ends with as many candidates as there are pages, PRESENT. True if it
 * did. */
static bool step(PfEsxScan *self, uint32_t context, uint64_t present)
{
    uint64_t now = pf_host_now(self->host);
    PfEsxEntry entry;
    if (pf_esx_queue_pop(&self->sharing->aging, now, &entry))
        look(self, entry.page, &entry);
    else if (pf_host_next_expired(self->host, &entry.page))
        look(self, entry.page, NULL);
    else if (pf_esx_queue_pop(&self->rules->preferred, now, &entry))
        look(self, entry.page, NULL);
    else if (choose(self, context, &entry.page))
        look(self, entry.page, NULL);
    if (++self->pass_pages < present)
        return false;
    self->pass_pages = 0;
    pf_host_count_pass(self->host);
    return true;
}

/* ---- Turns ---- */

/* Whether CONTEXT, of PAGES, is due in this round: one of RATE rounds a second, where its pages are
 * to take scan_time at least. */
static bool is_due(const PfEsxScan *self, uint32_t context, uint64_t pages)
{
    if (self->config->candidates == PF_ESX_IDLE && !pf_host_is_idle(self->host, context))
        return false;
    if (self->config->scan_time_ps == 0)
        return true;
    PfUint128 rounds =
        (PfUint128)self->pacer.rate * self->config->scan_time_ps / PF_PS_PER_SECOND;
    Context *known = context_at(self, context);
    known->credit += pages;
    if (known->credit < rounds)
        return false;
    known->credit = (uint64_t)MIN(known->credit - rounds, rounds);
    return true;
}

/* The next context in turn that has pages (and is due, if IS_TIMED), of the LEFT ones that have not
 * had theirs; false if there is none. */
static bool take_turn(PfEsxScan *self, bool is_timed, uint32_t *left, uint32_t *ret_context)
{
    uint32_t contexts = pf_host_context_count(self->host);
    while (*left > 0) {
        uint32_t context = self->next_context % contexts;
        uint64_t pages = pf_host_context_pages(self->host, context);
        (*left)--;
        self->next_context = context + 1;
        if (pages == 0 || (is_timed && !is_due(self, context, pages)))
            continue;
        *ret_context = context;
        return true;
    }
    return false;
}

static bool has_pressure(const PfEsxScan *self)
{
    double frames = (double)pf_host_frame_capacity(self->host);
    return self->config->when == PF_ESX_ALWAYS ||
           (double)pf_host_free_frames(self->host) < self->config->free_share * frames;
}

/* Each context has one candidate, up to ALLOWED. */
static void play_round(PfEsxScan *self, uint64_t allowed, uint64_t present)
{
    uint32_t left = pf_host_context_count(self->host);
    uint32_t context;
    for (; allowed > 0 && has_pressure(self) && take_turn(self, true, &left, &context); allowed--)
        step(self, context, present);
}

/* ---- Time ---- */

/* A candidate is looked at when what the policy has cost, and the most that a candidate has cost so
 * far, is not more than its share of the time until now. In integers, as all time is. */
static uint64_t wake_by_share(PfEsxScan *self, uint64_t now_cycles)
{
    uint64_t share = (uint64_t)(self->config->cpu_fraction * (double)MILLION + 0.5);
    if (share == 0)
        return PF_HOST_NEVER;
    PfUint128 cost = (PfUint128)(pf_host_spent(self->host) + self->cost_cycles) * MILLION;
    bool is_idle = false;
    if (cost <= (PfUint128)now_cycles * share) {
        uint32_t left = pf_host_context_count(self->host);
        uint32_t context;
        is_idle = !has_pressure(self) || !take_turn(self, true, &left, &context);
        if (!is_idle)
            step(self, context, pf_esx_scan_present(self));
        cost = (PfUint128)(pf_host_spent(self->host) + self->cost_cycles) * MILLION;
    }
    uint64_t next = (uint64_t)((cost + share - 1) / share);
    /* Without anything to look at, time goes on as if there had been. */
    return is_idle ? MAX(next, now_cycles + self->cost_cycles) : next;
}

uint64_t pf_esx_scan_wake(PfEsxScan *self, uint64_t now_cycles)
{
    if (self->config->candidates == PF_ESX_CPU_FRACTION)
        return wake_by_share(self, now_cycles);
    uint64_t present = pf_esx_scan_present(self);
    for (uint64_t due = pf_esx_pacer_due(&self->pacer, now_cycles); due > 0; due--) {
        play_round(self, pf_esx_pacer_take(&self->pacer), present);
        if (self->pacer.rounds == 0)
            break; /* at another rate now */
    }
    return pf_esx_pacer_next(&self->pacer, MAX(now_cycles, pf_host_now(self->host)));
}

/* With nothing to look at a pass is over before it begins, and is not counted. */
bool pf_esx_scan_pages(PfEsxScan *self, uint64_t pages)
{
    uint64_t present = pf_esx_scan_present(self);
    bool ended = present == 0;
    for (uint64_t i = 0; i < pages && present > 0 && has_pressure(self); i++) {
        uint32_t left = pf_host_context_count(self->host);
        uint32_t context;
        if (!take_turn(self, false, &left, &context))
            break;
        ended |= step(self, context, present);
        if (ended && pages == UINT64_MAX)
            break;
    }
    return ended;
}

/* ---- Birth and death ---- */

/* The lower one of two limits, of which 0 is none. */
static uint64_t lower_limit(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return MAX(a, b);
    return MIN(a, b);
}

void pf_esx_scan_set_rates(PfEsxScan *self, uint64_t rate, uint64_t rate_total)
{
    PfUint128 bytes = (PfUint128)self->config->scan_bytes_per_ghz *
                      pf_host_machine_hz(self->host) / GIGAHERTZ;
    uint64_t pages = (uint64_t)(bytes / pf_host_page_bytes(self->host));
    bool is_limited = self->config->scan_bytes_per_ghz != 0;
    self->rate_total = lower_limit(rate_total, is_limited ? MAX(1, pages) : 0);
    uint64_t now = pf_host_now(self->host);
    pf_esx_pacer_start(&self->pacer, now, rate, self->rate_total);
    bool by_share = self->config->candidates == PF_ESX_CPU_FRACTION;
    pf_host_wake_at(self->host, by_share ? now : pf_esx_pacer_next(&self->pacer, now));
}

void pf_esx_scan_init(PfEsxScan *self, PfHost *host, const PfEsxConfig *config, PfEsxRules *rules,
                      PfEsxSharing *sharing)
{
    *self = (PfEsxScan){.host = host, .config = config, .rules = rules, .sharing = sharing};
    self->contexts = g_array_new(FALSE, TRUE, sizeof(Context));
    /* More than a candidate costs: it is hashed, compared, merged, and translations are dropped. */
    self->cost_cycles = COST_CYCLES_GUESS;
    self->pacer.kilosecond_cycles = MAX(1, pf_host_cycles(host, 1000 * PF_PS_PER_SECOND));
    /* Who waits for an answer shall not wait for those of others, idle time is taken when it comes,
     * and a rate that changes is that of the next round. */
    bool is_strict =
        config->requests == PF_ESX_SYNCHRONOUS || config->candidates >= PF_ESX_IDLE;
    self->pacer.bunch_max = is_strict ? 1 : BUNCH_ROUNDS_MAX;
    pf_esx_scan_set_rates(self, config->rate, config->rate_total);
}

void pf_esx_scan_clear(PfEsxScan *self)
{
    if (self->contexts != NULL)
        g_array_free(self->contexts, TRUE);
}
