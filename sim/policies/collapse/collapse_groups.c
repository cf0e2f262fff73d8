/* Allocation groups: the first pages decide whether the others are worth a look. */
#include "collapse_state.h"

static PfCollapseGroup *group_at(const PfCollapse *self, unsigned index)
{
    return &g_array_index(self->groups, PfCollapseGroup, index);
}

/* The group that PAGE was allocated in; made at its first use. NULL if there is none. */
static PfCollapseGroup *group_of(PfCollapse *self, PfPage page)
{
    PfCollapseGroup group = {.matched = 0};
    if (!pf_host_group(self->host, page, &group.first, &group.pages))
        return NULL;
    for (unsigned i = 0; i < self->groups->len; i++)
        if (pf_page_equal(group_at(self, i)->first, group.first)) {
            group_at(self, i)->pages = group.pages;
            return group_at(self, i);
        }
    g_array_append_val(self->groups, group);
    return group_at(self, self->groups->len - 1);
}

static uint64_t place_in(const PfCollapseGroup *group, PfPage page)
{
    return page.cpn.number - group->first.cpn.number;
}

/* The page at PLACE of the group that GROUP was found equal to; 0 if that is no longer so long. */
static uint32_t page_of_partner(const PfCollapse *self, const PfCollapseGroup *group,
                                uint64_t place)
{
    PfPage page = {group->partner.context, pf_cpn_plus(group->partner.cpn, place)};
    PfPage first;
    uint64_t pages;
    bool is_of_group = pf_host_group(self->host, page, &first, &pages) &&
                       pf_page_equal(first, group->partner);
    return is_of_group ? pf_collapse_pages_find(&self->pages, page) : 0;
}

bool pf_collapse_group_look(PfCollapse *self, uint32_t number, bool at_once)
{
    PfCollapsePage *page = pf_collapse_page(&self->pages, number);
    const PfCollapseGroup *group = group_of(self, page->page);
    if (group == NULL)
        return false;
    uint64_t place = place_in(group, page->page);
    if (place < self->config.probe_pages) {
        self->stats.group_compares += self->groups->len > 1;
        return false;
    }
    if (group->matched < MIN(self->config.probe_pages, group->pages)) {
        self->stats.skipped += self->groups->len > 1;
        page->is_skipped = true;
        pf_host_verdict(self->host, page->page, PF_WHY_LIMIT);
        return true;
    }
    uint32_t other = page_of_partner(self, group, place);
    pf_host_verdict(self->host, page->page, PF_WHY_UNIQUE);
    if (other == 0)
        return true;
    self->stats.group_compares++;
    PfMpn frame = pf_collapse_page(&self->pages, other)->frame;
    if (pf_mpn_equal(frame, page->frame))
        return true;
    if (at_once)
        pf_collapse_join(self, number, frame);
    else
        pf_collapse_put_off(self, number, frame);
    return true;
}

/* The first page of a group other than GROUP that has a page at PLACE in the frame of NUMBER. */
static bool find_partner(const PfCollapse *self, const PfCollapseGroup *group, uint64_t place,
                         uint32_t number, PfPage *ret_first)
{
    PfMpn frame = pf_collapse_page(&self->pages, number)->frame;
    const PfCollapseFrame *record = pf_seg_array_at(&self->pages.frames, frame.number);
    uint64_t pages;
    for (uint32_t i = record->first; i != 0; i = pf_collapse_page(&self->pages, i)->next) {
        PfPage page = pf_collapse_page(&self->pages, i)->page;
        if (pf_host_group(self->host, page, ret_first, &pages) &&
            !pf_page_equal(*ret_first, group->first) &&
            page.cpn.number - ret_first->cpn.number == place &&
            (place == 0 || pf_page_equal(*ret_first, group->partner)))
            return true;
    }
    return false;
}

void pf_collapse_group_probed(PfCollapse *self, uint32_t number)
{
    PfPage page = pf_collapse_page(&self->pages, number)->page;
    PfCollapseGroup *group = group_of(self, page);
    PfPage partner;
    if (group == NULL)
        return;
    uint64_t place = place_in(group, page);
    if (place > group->matched)
        return; /* the ones before it differ already */
    group->matched = place;
    if (!find_partner(self, group, place, number, &partner))
        return;
    group->partner = partner;
    group->matched = place + 1;
    if (group->matched < self->config.probe_pages)
        return;
    for (uint64_t i = group->matched; i < group->pages; i++) {
        PfPage other = {page.context, pf_cpn_plus(group->first.cpn, i)};
        uint32_t found = pf_collapse_pages_find(&self->pages, other);
        if (found != 0 && pf_collapse_page(&self->pages, found)->is_skipped)
            pf_collapse_wait(self, found);
    }
}

uint64_t pf_collapse_group_missed(const PfCollapse *self)
{
    PfTable kept; /* content: whether the first frame that holds it was skipped */
    uint64_t missed = 0;
    pf_table_init(&kept);
    for (uint64_t i = 0; i < self->pages.frames.count; i++) {
        const PfCollapseFrame *frame = pf_seg_array_at(&self->pages.frames, (uint32_t)i);
        if (frame->pages == 0)
            continue;
        const PfCollapsePage *page = pf_collapse_page(&self->pages, frame->first);
        PfTicket ticket = pf_host_remember(self->host, page->page);
        uint64_t was_skipped;
        if (ticket.content == PF_TICKET_UNKNOWN)
            continue;
        if (!pf_table_find(&kept, ticket.content, &was_skipped))
            pf_table_insert(&kept, ticket.content, page->is_skipped);
        else
            missed += was_skipped != 0 || page->is_skipped;
        pf_host_forget(self->host, ticket);
    }
    pf_table_clear(&kept);
    return missed;
}
