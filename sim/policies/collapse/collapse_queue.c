/* When pages are looked up and duplicates collapsed: two lists, and what starts work on them. */
#include "collapse_state.h"

static void unlink_line(PfCollapse *self, uint32_t number)
{
    PfCollapsePage *page = pf_collapse_page(&self->pages, number);
    PfCollapseLine *line = &self->lines[page->list];
    if (page->list_previous != 0)
        pf_collapse_page(&self->pages, page->list_previous)->list_next = page->list_next;
    else
        line->first = page->list_next;
    if (page->list_next != 0)
        pf_collapse_page(&self->pages, page->list_next)->list_previous = page->list_previous;
    else
        line->last = page->list_previous;
    line->count--;
}

void pf_collapse_list(PfCollapse *self, uint32_t number, PfCollapseList list)
{
    PfCollapsePage *page = pf_collapse_page(&self->pages, number);
    if (page->list != PF_COLLAPSE_KNOWN)
        unlink_line(self, number);
    page->list = (uint8_t)list;
    if (list == PF_COLLAPSE_KNOWN)
        return;
    PfCollapseLine *line = &self->lines[list];
    page->list_next = 0;
    page->list_previous = line->last;
    if (line->last != 0)
        pf_collapse_page(&self->pages, line->last)->list_next = number;
    else
        line->first = number;
    line->last = number;
    line->count++;
}

/* A page in a list of the queue takes its number and a link, and a time where it is to settle; a
 * frame of the collector's its number. */
enum { QUEUED_BYTES = 8, TIME_BYTES = 8, UNFREED_BYTES = 4 };

/* Whether pages are looked up after they were left alone for a while. */
static bool settles(const PfCollapse *self)
{
    return self->config.when == PF_COLLAPSE_SETTLED ||
           (self->config.when == PF_COLLAPSE_IMMEDIATE &&
            self->config.grain == PF_COLLAPSE_BURST);
}

uint64_t pf_collapse_queue_bytes(const PfCollapse *self)
{
    uint64_t waiting = self->lines[PF_COLLAPSE_WAITING].count;
    uint64_t duplicates = self->lines[PF_COLLAPSE_DUPLICATE].count;
    uint64_t waiting_bytes = settles(self) ? QUEUED_BYTES + TIME_BYTES : QUEUED_BYTES;
    return waiting * waiting_bytes + duplicates * QUEUED_BYTES +
           pf_host_unfreed(self->host) * UNFREED_BYTES;
}

/* Whether what waits waits for nothing but the next wake-up. */
static bool is_prompt(const PfCollapse *self)
{
    return self->config.when == PF_COLLAPSE_IMMEDIATE ||
           self->config.when == PF_COLLAPSE_WRITE_BACK;
}

/* From when on the policy has something to do, if nothing changes. */
static uint64_t next_work(const PfCollapse *self, uint64_t now)
{
    uint64_t next = pf_host_unfreed(self->host) > 0 ? self->next_gc_cycles : PF_HOST_NEVER;
    uint32_t first = self->lines[PF_COLLAPSE_WAITING].first;
    if (first != 0 && settles(self))
        next = MIN(next, MAX(now, pf_collapse_page(&self->pages, first)->due_cycles));
    else if (first != 0 && is_prompt(self))
        next = now;
    else if (first != 0)
        next = MIN(next, now + self->sleep_cycles);
    if (self->lines[PF_COLLAPSE_DUPLICATE].first != 0)
        next = MIN(next, now + self->sleep_cycles);
    return next;
}

void pf_collapse_rouse(PfCollapse *self)
{
    uint64_t now = pf_host_now(self->host);
    if (self->next_gc_cycles <= now)
        self->next_gc_cycles = (now / self->gc_cycles + 1) * self->gc_cycles;
    pf_host_wake_at(self->host, next_work(self, now));
}

bool pf_collapse_await_lines(PfCollapse *self, uint32_t number)
{
    const PfCollapsePage *page = pf_collapse_page(&self->pages, number);
    if (!pf_collapse_follows_lines(self))
        return false;
    if (page->list == PF_COLLAPSE_DIRTY)
        return true;
    if (!pf_host_is_dirty(self->host, page->page))
        return false;
    pf_collapse_list(self, number, PF_COLLAPSE_DIRTY);
    return true;
}

void pf_collapse_wait(PfCollapse *self, uint32_t number)
{
    if (pf_collapse_await_lines(self, number))
        return;
    bool was_empty = self->lines[PF_COLLAPSE_WAITING].first == 0;
    uint64_t now = pf_host_now(self->host);
    pf_collapse_page(&self->pages, number)->due_cycles =
        settles(self) ? now + self->settle_cycles : now;
    pf_collapse_list(self, number, PF_COLLAPSE_WAITING);
    if (was_empty)
        pf_collapse_rouse(self);
}

/* Whether at least the share of `idle_share` of the living contexts waits. */
static bool is_idle(const PfCollapse *self)
{
    uint64_t living = 0;
    uint64_t idle = 0;
    for (uint32_t i = 0; i < pf_host_context_count(self->host); i++) {
        bool lives = pf_host_context_pages(self->host, i) > 0;
        living += lives;
        idle += lives && pf_host_is_idle(self->host, i);
    }
    return (double)idle >= self->config.idle_share * (double)living;
}

static bool is_low(const PfCollapse *self)
{
    double capacity = (double)pf_host_frame_capacity(self->host);
    return (double)pf_host_free_frames(self->host) < self->config.pressure_free * capacity;
}

/* Whether pages that wait may be looked up now. */
static bool may_look(const PfCollapse *self)
{
    switch ((PfCollapseWhen)self->config.when) {
    case PF_COLLAPSE_IMMEDIATE:
    case PF_COLLAPSE_SETTLED:
    case PF_COLLAPSE_WRITE_BACK:
        return true;
    case PF_COLLAPSE_IDLE:
        return is_idle(self);
    case PF_COLLAPSE_PRESSURE:
        return is_low(self);
    }
    return false;
}

static bool may_collapse(const PfCollapse *self)
{
    switch ((PfCollapseThen)self->config.then) {
    case PF_COLLAPSE_THEN_AT_ONCE:
        return true;
    case PF_COLLAPSE_THEN_IDLE:
        return is_idle(self);
    case PF_COLLAPSE_THEN_PRESSURE:
        return is_low(self);
    }
    return false;
}

/* Looks up to PAGES of those up that wait, each once, and that are due by NOW. */
static void look_at(PfCollapse *self, uint64_t pages, uint64_t now)
{
    uint64_t left = MIN(pages, self->lines[PF_COLLAPSE_WAITING].count);
    for (; left > 0; left--) {
        uint32_t number = self->lines[PF_COLLAPSE_WAITING].first;
        if (number == 0 || pf_collapse_page(&self->pages, number)->due_cycles > now)
            return;
        pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
        pf_collapse_look(self, number, self->config.then == PF_COLLAPSE_THEN_AT_ONCE);
    }
}

static void collapse_all(PfCollapse *self)
{
    uint64_t left = self->lines[PF_COLLAPSE_DUPLICATE].count;
    for (; left > 0 && self->lines[PF_COLLAPSE_DUPLICATE].first != 0; left--) {
        uint32_t number = self->lines[PF_COLLAPSE_DUPLICATE].first;
        pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
        pf_collapse_duplicate(self, number);
    }
}

static void collect(PfCollapse *self)
{
    self->stats.collections++;
    pf_host_collect(self->host);
}

uint64_t pf_collapse_wake(PfCollapse *self, uint64_t now_cycles)
{
    if (pf_host_unfreed(self->host) > 0 && now_cycles >= self->next_gc_cycles)
        collect(self);
    bool was_empty = self->lines[PF_COLLAPSE_WAITING].first == 0;
    if (!was_empty && may_look(self))
        look_at(self, settles(self) || is_prompt(self) ? UINT64_MAX
                                                       : self->config.sweep.pages_to_scan,
                now_cycles);
    if (!was_empty && self->lines[PF_COLLAPSE_WAITING].first == 0)
        pf_host_count_pass(self->host);
    if (self->lines[PF_COLLAPSE_DUPLICATE].first != 0 && may_collapse(self))
        collapse_all(self);
    return next_work(self, MAX(now_cycles, pf_host_now(self->host)));
}

bool pf_collapse_drain(PfCollapse *self, uint64_t pages)
{
    look_at(self, pages, UINT64_MAX);
    if (may_collapse(self))
        collapse_all(self);
    if (self->lines[PF_COLLAPSE_WAITING].first != 0)
        return false;
    if (pf_host_unfreed(self->host) > 0)
        collect(self);
    pf_host_count_pass(self->host);
    return true;
}

void pf_collapse_free_frames(PfCollapse *self)
{
    if (pf_host_unfreed(self->host) > 0)
        collect(self);
    uint64_t left = self->lines[PF_COLLAPSE_WAITING].count;
    bool defers = self->config.when == PF_COLLAPSE_PRESSURE ||
                  self->config.then == PF_COLLAPSE_THEN_PRESSURE;
    if (!defers)
        return;
    for (; left > 0 && pf_host_free_frames(self->host) == 0; left--)
        look_at(self, 1, UINT64_MAX);
    if (pf_host_free_frames(self->host) == 0)
        collapse_all(self);
    if (pf_host_unfreed(self->host) > 0)
        collect(self);
}
