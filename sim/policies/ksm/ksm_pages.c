#include "ksm_pages.h"

#include "ksm_items.h"
#include "ksm_lru.h"
#include "ksm_stable.h"

/* Whether the page with FLAGS is there and anonymous, the zero page apart. */
static bool is_anonymous(unsigned flags)
{
    unsigned wanted = PF_FLAG_PRESENT | PF_FLAG_ANON;
    return (flags & (wanted | PF_FLAG_ZERO)) == wanted;
}

bool pf_ksm_page_frame(const PfKsm *ksm, PfPage page, PfMpn *ret_frame)
{
    unsigned flags = pf_host_look(ksm->host, page, ret_frame);
    return is_anonymous(flags) && (flags & PF_FLAG_IN_SCOPE) != 0;
}

uint32_t pf_ksm_tree_of(const PfKsm *ksm, PfMpn frame)
{
    if (ksm->config.merge_across_nodes)
        return 0;
    unsigned node = pf_host_node(ksm->host, frame);
    g_assert(node < PF_KSM_TREES);
    return node;
}

/* Takes write access from PAGE. Fails for a frame that is claimed already, and if somebody besides
 * the pages that map FRAME has a reference to it. */
static bool write_protect(PfKsm *ksm, PfPage page, PfMpn frame)
{
    if (pf_ksm_node_of(ksm, frame) != 0)
        return false;
    bool is_open = (pf_host_flags(ksm->host, page) & PF_FLAG_OPEN) != 0;
    if (is_open && pf_ksm_lru_holds(ksm, frame))
        return false;
    return pf_host_isolate(ksm->host, page);
}

bool pf_ksm_merge(PfKsm *ksm, PfPage page, PfMpn frame, PfMpn target)
{
    bool is_merged = write_protect(ksm, page, frame) &&
                     pf_host_merge_frame(ksm->host, page, target) == PF_MERGED;
    if (!is_merged)
        pf_host_verdict(ksm->host, page, PF_WHY_PINNED);
    return is_merged;
}

bool pf_ksm_merge_zero(PfKsm *ksm, PfPage page, PfMpn frame)
{
    return write_protect(ksm, page, frame) && pf_host_map_zero(ksm->host, page) == PF_MERGED;
}

/* PARTNER's page moves to FRAME, that of PAGE. */
static bool merge_pages(PfKsm *ksm, PfPage page, PfMpn frame, const PfKsmPartner *partner)
{
    if (!write_protect(ksm, page, frame))
        return false;
    pf_host_claim(ksm->host, page, PF_KSM_ORPHAN);
    if (!pf_ksm_merge(ksm, partner->page, partner->frame, frame)) {
        /* Other contexts that map the frame by a fork keep it: an orphan. */
        pf_host_unshare(ksm->host, page);
        return false;
    }
    return true;
}

bool pf_ksm_merge_two(PfKsm *ksm, uint32_t item_index, PfMpn frame, const PfKsmPartner *partner)
{
    PfPage page = pf_ksm_item_page(pf_ksm_item(ksm, item_index));
    bool is_done = merge_pages(ksm, page, frame, partner);
    pf_host_verdict(ksm->host, page, is_done ? PF_WHY_UNIQUE : PF_WHY_PINNED);
    if (!is_done)
        return false;
    pf_ksm_item_leave(ksm, partner->item);
    PfKsmProbe probe = {.page = page,
                        .frame = frame,
                        .checksum = pf_ksm_item(ksm, item_index)->checksum,
                        .tree = pf_ksm_tree_of(ksm, frame)};
    uint32_t node = pf_ksm_stable_insert(ksm, &probe);
    pf_ksm_stable_append(ksm, node, partner->item);
    pf_ksm_stable_append(ksm, node, item_index);
    return true;
}

/* Whether the policy has merged PAGE: onto a frame that it has claimed, or onto the zero page. */
static bool is_merged(const PfKsm *ksm, PfPage page)
{
    PfMpn frame;
    unsigned flags = pf_host_look(ksm->host, page, &frame);
    if ((flags & PF_FLAG_PRESENT) == 0)
        return false;
    if ((flags & PF_FLAG_ZERO) != 0)
        return (flags & PF_FLAG_MERGED) != 0;
    return pf_ksm_node_of(ksm, frame) != 0;
}

void pf_ksm_unmerge(PfKsm *ksm, uint32_t context, PfCpn first, PfCpn end)
{
    unsigned core = pf_ksm_slot(ksm, context + 1)->core;
    PfPage page = {context, first};
    while (pf_host_cursor_next(ksm->host, page, &page) && page.context == context &&
           page.cpn.number < end.number) {
        if (is_merged(ksm, page) && pf_host_unshare(ksm->host, page))
            pf_ksm_lru_add(ksm, page, core);
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
}
