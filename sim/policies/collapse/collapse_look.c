/* Looking pages up and collapsing them onto the primary one. */
#include "collapse_state.h"

#include <string.h>

static PfCollapsePage *page_at(const PfCollapse *self, uint32_t number)
{
    return pf_collapse_page(&self->pages, number);
}

/* A page of FRAME that others may be mapped to; 0 if there is none. */
static uint32_t keeper_of(PfCollapse *self, PfMpn frame)
{
    const PfCollapseFrame *record = pf_collapse_frame(&self->pages, frame);
    uint32_t number = record->pages > 0 ? record->first : 0;
    while (number != 0 && !pf_host_admits(self->host, page_at(self, number)->page))
        number = page_at(self, number)->next;
    return number;
}

static bool is_given(const PfCollapse *self, PfMpn frame)
{
    const PfCollapseFrame *record = pf_seg_array_at(&self->pages.frames, frame.number);
    for (uint32_t i = record->first; i != 0; i = page_at(self, i)->next) {
        PfPage page = page_at(self, i)->page;
        for (unsigned j = 0; j < self->given->len; j++) {
            const PfCollapseGiven *given = &g_array_index(self->given, PfCollapseGiven, j);
            if (pf_cpn_equal(given->cpn, page.cpn) &&
                g_str_equal(given->context, pf_host_context_name(self->host, page.context)))
                return true;
        }
    }
    return false;
}

/* How much speaks for FRAME to stay: the more, the better. */
static uint64_t claim_of(PfCollapse *self, PfMpn frame)
{
    const PfCollapseFrame *record = pf_collapse_frame(&self->pages, frame);
    switch ((PfCollapsePrimary)self->config.primary) {
    case PF_COLLAPSE_LOWEST:
        return 0;
    case PF_COLLAPSE_OLDEST:
        return UINT64_MAX - record->born;
    case PF_COLLAPSE_MOST_REFERENCED:
        return record->pages;
    case PF_COLLAPSE_GIVEN:
        return is_given(self, frame);
    }
    return 0;
}

/* Which of the two frames stays. */
static PfMpn primary_of(PfCollapse *self, PfMpn a, PfMpn b)
{
    uint64_t for_a = claim_of(self, a);
    uint64_t for_b = claim_of(self, b);
    if (for_a != for_b)
        return for_a > for_b ? a : b;
    return a.number < b.number ? a : b;
}

/* Page NUMBER now maps another frame, by a collapse. */
static void count_collapsed(PfCollapse *self, uint32_t number)
{
    self->stats.collapsed++;
    page_at(self, number)->merged_stores = self->stats.stores + 1;
    pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
    if (self->config.how_free == PF_COLLAPSE_FREE_GC)
        pf_collapse_rouse(self);
}

/* Maps all pages of FROM that may be onto TO. What the first that may says of their bytes. */
static PfMergeResult move_pages(PfCollapse *self, PfMpn from, PfMpn to)
{
    uint32_t keeper = keeper_of(self, to);
    PfMergeResult said = PF_NOT_ADMITTED;
    uint32_t next;
    for (uint32_t i = pf_collapse_frame(&self->pages, from)->first; keeper != 0 && i != 0;
         i = next) {
        PfPage page = page_at(self, i)->page;
        next = page_at(self, i)->next;
        PfMergeResult result = pf_host_merge(self->host, page, page_at(self, keeper)->page);
        if (result == PF_DIFFERS)
            return said == PF_MERGED ? said : PF_DIFFERS;
        if (result != PF_MERGED)
            continue;
        said = PF_MERGED;
        pf_collapse_pages_sync(&self->pages, page);
        count_collapsed(self, i);
    }
    return said;
}

PfMergeResult pf_collapse_join(PfCollapse *self, uint32_t number, PfMpn frame)
{
    PfMpn own = page_at(self, number)->frame;
    PfMpn primary = primary_of(self, own, frame);
    return move_pages(self, pf_mpn_equal(primary, own) ? frame : own, primary);
}

/* Makes one frame of that of page NUMBER and FOUND, which is filed under KEY. */
static PfMergeResult collapse(PfCollapse *self, uint32_t number, PfMpn found, uint64_t key)
{
    PfMpn own = page_at(self, number)->frame;
    PfMergeResult result = pf_collapse_join(self, number, found);
    if (result != PF_MERGED)
        return result;
    bool was_found = pf_mpn_equal(page_at(self, number)->frame, found);
    pf_collapse_pages_unfile(&self->pages, was_found ? own : found);
    if (!was_found)
        pf_collapse_pages_file(&self->pages, number, key);
    return result;
}

/* The next frame but OWN that is filed under KEY and was not written since. */
static bool find_frame(PfCollapse *self, uint64_t key, PfPage page, PfMpn own, uint64_t *cursor,
                       PfMpn *ret_frame)
{
    uint64_t value;
    while (pf_host_find(self->host, key, page, cursor, &value)) {
        *ret_frame = (PfMpn){(uint32_t)value};
        if (pf_mpn_equal(*ret_frame, own))
            continue;
        if (!pf_collapse_frame(&self->pages, *ret_frame)->is_stale)
            return true;
        self->stats.stale++;
    }
    return false;
}

/* Page NUMBER is equal to no other by key, or not to be collapsed with it: the next one may be. */
static void file_page(PfCollapse *self, uint32_t number, uint64_t key)
{
    bool is_filed = pf_collapse_pages_file(&self->pages, number, key);
    pf_host_verdict(self->host, page_at(self, number)->page,
                    is_filed ? PF_WHY_UNIQUE : PF_WHY_LIMIT);
}

void pf_collapse_put_off(PfCollapse *self, uint32_t number, PfMpn frame)
{
    page_at(self, number)->target = frame;
    pf_collapse_list(self, number, PF_COLLAPSE_DUPLICATE);
    pf_host_verdict(self->host, page_at(self, number)->page, PF_WHY_LIMIT);
    pf_collapse_rouse(self);
}

static void look_up(PfCollapse *self, uint32_t number, bool at_once)
{
    PfPage page = page_at(self, number)->page;
    uint64_t key = pf_host_hash_page(self->host, page);
    PfMpn own = page_at(self, number)->frame;
    const PfCollapseFrame *record = pf_collapse_frame(&self->pages, own);
    if (record->is_filed && record->key != key)
        pf_collapse_pages_unfile(&self->pages, own);
    self->stats.searches++;
    uint64_t cursor = 0;
    PfMpn found;
    while (find_frame(self, key, page, own, &cursor, &found)) {
        if (!at_once) {
            pf_collapse_put_off(self, number, found);
            return;
        }
        PfMergeResult result = collapse(self, number, found, key);
        if (result == PF_MERGED)
            return;
        self->stats.false_matches += result == PF_DIFFERS;
    }
    file_page(self, number, key);
}

void pf_collapse_look(PfCollapse *self, uint32_t number, bool at_once)
{
    PfPage page = page_at(self, number)->page;
    number = pf_collapse_pages_sync(&self->pages, page);
    page_at(self, number)->is_skipped = false;
    pf_host_count_scanned(self->host);
    if (!pf_host_admits(self->host, page)) {
        pf_host_verdict(self->host, page, PF_WHY_VOLATILE);
        return;
    }
    if (self->config.probe_pages > 0 && pf_collapse_group_look(self, number, at_once))
        return;
    look_up(self, number, at_once);
    if (self->config.probe_pages > 0)
        pf_collapse_group_probed(self, number);
}

void pf_collapse_duplicate(PfCollapse *self, uint32_t number)
{
    PfPage page = page_at(self, number)->page;
    PfMpn target = page_at(self, number)->target;
    const PfCollapseFrame *record = pf_collapse_frame(&self->pages, target);
    number = pf_collapse_pages_sync(&self->pages, page);
    PfMpn own = page_at(self, number)->frame;
    if (pf_mpn_equal(own, target))
        return;
    /* It may have been written since it was found. */
    if (!record->is_filed || record->is_stale ||
        collapse(self, number, target, record->key) != PF_MERGED)
        pf_collapse_look(self, number, true);
    else if (self->config.probe_pages > 0)
        pf_collapse_group_probed(self, number);
}

/* ---- Stores that are looked up before they are made ---- */

/* Keeps in mind, until the store to PAGE is told of as made, what came of its look-up. */
static void remember(PfCollapse *self, PfPage page, PfCollapseIntentKind kind, uint64_t number)
{
    g_assert(self->intent_count < G_N_ELEMENTS(self->intents));
    self->intents[self->intent_count++] = (PfCollapseIntent){page, kind, number};
}

/* Sets RET_INTENT if PAGE was told of. */
static void take_intent(PfCollapse *self, PfPage page, PfCollapseIntent *ret_intent)
{
    for (unsigned i = 0; i < self->intent_count; i++) {
        if (!pf_page_equal(self->intents[i].page, page))
            continue;
        *ret_intent = self->intents[i];
        self->intents[i] = self->intents[--self->intent_count];
        return;
    }
}

/* PAGE has been mapped to what a store would have made of it. */
static void redirected(PfCollapse *self, PfPage page, PfMergeResult result)
{
    uint32_t number = pf_collapse_pages_sync(&self->pages, page);
    if (result == PF_MERGED)
        count_collapsed(self, number);
    self->stats.silent += result == PF_SAME;
    self->stats.redirected += result == PF_MERGED;
    pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
}

/* Maps PAGE onto FRAME in place of the store in hand. */
static PfMergeResult redirect(PfCollapse *self, PfMpn frame)
{
    uint32_t keeper = keeper_of(self, frame);
    return keeper == 0 ? PF_NOT_ADMITTED
                       : pf_host_redirect(self->host, page_at(self, keeper)->page);
}

void pf_collapse_intend(PfCollapse *self, PfPage page)
{
    self->stats.stores++;
    if (!pf_collapse_is_immediate(self) || self->config.then != PF_COLLAPSE_THEN_AT_ONCE ||
        !pf_host_admits_store(self->host))
        return;
    uint32_t number = pf_collapse_pages_find(&self->pages, page);
    const PfMpn none = {UINT32_MAX};
    PfMpn own = number == 0 ? none : page_at(self, number)->frame;
    uint64_t key;
    if (!pf_host_hash_result(self->host, &key))
        return;
    self->stats.searches++;
    /* A store that changes nothing leaves a page that is shared as it is. */
    bool is_shared = number != 0 && pf_collapse_frame(&self->pages, own)->pages > 1;
    uint64_t cursor = 0;
    PfMpn found;
    while (find_frame(self, key, page, is_shared ? none : own, &cursor, &found)) {
        PfMergeResult result = redirect(self, found);
        if (result == PF_MERGED || result == PF_SAME) {
            redirected(self, page, result);
            return;
        }
        self->stats.false_matches += result == PF_DIFFERS;
    }
    remember(self, page, PF_COLLAPSE_LOOKED_UP, key);
}

/* ---- Pages that are asked for with a pattern ---- */

static PfCollapsePattern *pattern_at(const PfCollapse *self, uint64_t index)
{
    return &g_array_index(self->patterns, PfCollapsePattern, index);
}

/* The holder of PATTERN for pages of PAGE's class; NULL if there never was one. */
static PfCollapseHolder *holder_of(const PfCollapse *self, const PfCollapsePattern *pattern,
                                   PfPage page)
{
    uint32_t class = pf_host_class(self->host, page);
    for (unsigned i = 0; i < pattern->holders->len; i++) {
        PfCollapseHolder *holder = &g_array_index(pattern->holders, PfCollapseHolder, i);
        if (holder->class == class)
            return holder;
    }
    return NULL;
}

/* Whether the frame of HOLDER is in use still, and no other has taken its number. */
static bool has_frame(PfCollapse *self, const PfCollapseHolder *holder)
{
    const PfCollapseFrame *frame =
        holder != NULL ? pf_collapse_frame(&self->pages, holder->frame) : NULL;
    return frame != NULL && frame->pages > 0 && frame->born == holder->born;
}

void pf_collapse_provide(PfCollapse *self, PfPage page, const uint8_t *bytes)
{
    unsigned index = 0;
    while (index < self->patterns->len &&
           memcmp(pattern_at(self, index)->bytes, bytes, pf_host_page_bytes(self->host)) != 0)
        index++;
    if (index == self->patterns->len) {
        pf_collapse_intend(self, page);
        return;
    }
    const PfCollapseHolder *holder = holder_of(self, pattern_at(self, index), page);
    self->stats.stores++;
    self->stats.requested++;
    PfMergeResult result = PF_DIFFERS;
    if (has_frame(self, holder) && pf_host_admits_store(self->host))
        result = redirect(self, holder->frame);
    if (result != PF_MERGED && result != PF_SAME) {
        remember(self, page, PF_COLLAPSE_PATTERN, index);
        return;
    }
    self->stats.provided++;
    redirected(self, page, result);
}

/* Page NUMBER was made for a pattern: those who ask next share it. */
static void keep_pattern(PfCollapse *self, uint32_t number, uint64_t index)
{
    PfCollapsePattern *pattern = pattern_at(self, index);
    PfPage page = page_at(self, number)->page;
    PfMpn frame = page_at(self, number)->frame;
    PfCollapseHolder kept = {pf_host_class(self->host, page), frame,
                             pf_collapse_frame(&self->pages, frame)->born};
    PfCollapseHolder *holder = holder_of(self, pattern, page);
    if (holder != NULL)
        *holder = kept;
    else
        g_array_append_val(pattern->holders, kept);
}

void pf_collapse_written(PfCollapse *self, PfPage page, PfChange how)
{
    PfCollapseIntent intent = {.kind = PF_COLLAPSE_NOT_INTENDED};
    bool is_store = how == PF_CHANGE_STORE || how == PF_CHANGE_FILL || how == PF_CHANGE_INIT;
    if (is_store)
        take_intent(self, page, &intent);
    uint32_t number = pf_collapse_pages_sync(&self->pages, page);
    page_at(self, number)->merged_stores = 0;
    pf_collapse_frame(&self->pages, page_at(self, number)->frame)->is_stale = true;
    /* A store leaves a line dirty; other changes may even have found the page another frame. */
    if (!is_store || page_at(self, number)->list != PF_COLLAPSE_DIRTY)
        pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
    if (intent.kind == PF_COLLAPSE_PATTERN)
        keep_pattern(self, number, intent.number);
    if (intent.kind == PF_COLLAPSE_LOOKED_UP)
        file_page(self, number, intent.number);
    else if (pf_collapse_is_immediate(self))
        pf_collapse_look(self, number, self->config.then == PF_COLLAPSE_THEN_AT_ONCE);
    else
        pf_collapse_wait(self, number);
}

/* ---- Lines that are written back ---- */

void pf_collapse_line_left(PfCollapse *self, PfMpn mpn)
{
    const PfCollapseFrame *frame = pf_collapse_frame(&self->pages, mpn);
    if (frame->pages == 0)
        return;
    self->stats.lines++;
    uint32_t number = frame->first;
    while (number != 0 && page_at(self, number)->list != PF_COLLAPSE_DIRTY)
        number = page_at(self, number)->next;
    bool is_each = self->config.when == PF_COLLAPSE_IMMEDIATE;
    if (!is_each && (number == 0 || pf_host_is_dirty(self->host, page_at(self, number)->page)))
        return;
    if (number == 0)
        number = frame->first;
    pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
    pf_collapse_look(self, number, self->config.then == PF_COLLAPSE_THEN_AT_ONCE);
}
