/* Collapse on write: Overton, US 9,069,477 B1, "Reuse of dynamically allocated memory".
 *
 * A pointer table says which pages (the patent's pointers) map which frame. Copy-on-write splits a
 * frame that several pages map when one of them is written; when a write makes a page equal to one
 * that exists, the pages of the duplicate are mapped to the primary one, and its frame goes.
 *
 * With `when = "immediate"` the result of a store is looked up before it is made: on a match there
 * is no store and no copy, the page is mapped to where the result is already. Otherwise pages that
 * were written wait in a queue, and are hashed once however often they were written meanwhile,
 * when they have settled, while contexts wait, when memory runs short, or when caches have written
 * them back. What was found may be collapsed later still. docs/collapse.md goes through the
 * claims. */
#include <errno.h>
#include <string.h>

#include "collapse_state.h"
#include "error.h"
#include "policy.h"

static uint64_t collapse_wake(void *user, uint64_t now_cycles)
{
    return pf_collapse_wake(user, now_cycles);
}

static bool collapse_scan(void *user, uint64_t pages)
{
    return pf_collapse_drain(user, pages);
}

static void collapse_memory_low(void *user)
{
    pf_collapse_free_frames(user);
}

/* ---- What happens to pages ---- */

static void collapse_page_mapped(void *user, PfPage page)
{
    PfCollapse *self = user;
    uint32_t number = pf_collapse_pages_sync(&self->pages, page);
    PfMpn frame = pf_collapse_page(&self->pages, number)->frame;
    bool is_new = pf_collapse_frame(&self->pages, frame)->pages == 1;
    unsigned flags = pf_host_flags(self->host, page);
    /* Whatever else is new is so by a store, which will be told of. */
    if (is_new && (flags & (PF_FLAG_FILE | PF_FLAG_ZERO)) != 0)
        pf_collapse_wait(self, number);
}

/* A page has left FRAME; if it was the one through which that was to be looked up, another is. */
static void pass_on(PfCollapse *self, PfMpn mpn)
{
    const PfCollapseFrame *frame = pf_collapse_frame(&self->pages, mpn);
    bool is_known = frame->is_filed && !frame->is_stale;
    if (frame->pages > 0 && !is_known &&
        pf_collapse_page(&self->pages, frame->first)->list == PF_COLLAPSE_KNOWN)
        pf_collapse_wait(self, frame->first);
}

/* What is known of the page's bytes goes with it, unless other pages keep it where it was. */
static void collapse_page_moved(void *user, PfPage page)
{
    PfCollapse *self = user;
    uint32_t number = pf_collapse_pages_find(&self->pages, page);
    if (number == 0)
        return;
    PfMpn from = pf_collapse_page(&self->pages, number)->frame;
    const PfCollapseFrame left = *pf_collapse_frame(&self->pages, from);
    pf_collapse_pages_sync(&self->pages, page);
    pass_on(self, from);
    if (left.pages == 1 && left.is_filed && !left.is_stale)
        pf_collapse_pages_file(&self->pages, number, left.key);
    else
        pass_on(self, pf_collapse_page(&self->pages, number)->frame);
}

static void collapse_page_unmapped(void *user, PfPage page)
{
    PfCollapse *self = user;
    uint32_t number = pf_collapse_pages_find(&self->pages, page);
    if (number == 0)
        return;
    PfMpn frame = pf_collapse_page(&self->pages, number)->frame;
    pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
    pf_collapse_pages_remove(&self->pages, number);
    pass_on(self, frame);
}

static void collapse_store_faulted(void *user, const PfStoreFault *fault)
{
    PfCollapse *self = user;
    uint32_t number = pf_collapse_pages_find(&self->pages, fault->page);
    if (number == 0)
        return;
    const PfCollapsePage *page = pf_collapse_page(&self->pages, number);
    PfMpn frame = page->frame;
    uint64_t merged = page->merged_stores;
    if (fault->kind == PF_STORE_COPIED && merged != 0 &&
        self->stats.stores + 1 - merged <= self->config.transient_stores)
        self->stats.transient++;
    pf_collapse_pages_sync(&self->pages, fault->page);
    if (!pf_mpn_equal(page->frame, frame))
        pass_on(self, frame);
}

static void collapse_write_intended(void *user, PfPage page)
{
    pf_collapse_intend(user, page);
}

static void collapse_init_requested(void *user, PfPage page, const uint8_t *pattern)
{
    pf_collapse_provide(user, page, pattern);
}

static void collapse_page_written(void *user, PfPage page, PfChange how)
{
    pf_collapse_written(user, page, how);
}

/* The page's write flag has expired. */
static void collapse_page_expired(void *user, PfPage page)
{
    PfCollapse *self = user;
    if (pf_collapse_pages_find(&self->pages, page) == 0)
        return;
    uint32_t number = pf_collapse_pages_sync(&self->pages, page);
    if (self->config.when == PF_COLLAPSE_IDLE || self->config.when == PF_COLLAPSE_PRESSURE) {
        pf_collapse_wait(self, number);
        return;
    }
    if (pf_collapse_await_lines(self, number))
        return;
    pf_collapse_list(self, number, PF_COLLAPSE_KNOWN);
    pf_collapse_look(self, number, self->config.then == PF_COLLAPSE_THEN_AT_ONCE);
}

static void collapse_line_written_back(void *user, PfMpn frame)
{
    pf_collapse_line_left(user, frame);
}

/* Pages of the event's range that were left out before may be shared now. */
static void reconsider(PfCollapse *self, const PfContextEvent *event)
{
    PfPage page = {event->context, event->first};
    uint64_t end = event->first.number + event->pages;
    while (pf_host_cursor_next(self->host, page, &page) && page.context == event->context &&
           page.cpn.number < end) {
        uint32_t number = pf_collapse_pages_sync(&self->pages, page);
        PfMpn frame = pf_collapse_page(&self->pages, number)->frame;
        pass_on(self, frame);
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
}

static void collapse_context_event(void *user, const PfContextEvent *event)
{
    PfCollapse *self = user;
    if (event->kind == PF_CONTEXT_REMAPPED)
        pf_collapse_pages_move(&self->pages, event);
    else if (event->kind == PF_CONTEXT_ADVISED || event->kind == PF_CONTEXT_ATTRIBUTE)
        reconsider(self, event);
}

/* ---- Birth and death ---- */

/* The bytes of a page that TEXT describes; NULL with an error if it does not. */
static uint8_t *parse_pattern(const char *text, size_t page_bytes, GError **error)
{
    g_autofree uint8_t *bytes = g_malloc0(page_bytes);
    const char *digits = g_str_has_prefix(text, "hex:") ? text + strlen("hex:") : "";
    size_t length = strlen(digits) / 2;
    bool is_hex = length > 0 && length <= page_bytes && strlen(digits) % 2 == 0 &&
                  strspn(digits, "0123456789abcdefABCDEF") == strlen(digits);
    if (is_hex) {
        for (size_t i = 0; i < page_bytes; i++) {
            const char *pair = digits + 2 * (i % length);
            int value = g_ascii_xdigit_value(pair[0]) * 16 + g_ascii_xdigit_value(pair[1]);
            bytes[i] = (uint8_t)value;
        }
    } else if (g_str_equal(text, "ones")) {
        memset(bytes, UINT8_MAX, page_bytes);
    } else if (!g_str_equal(text, "zero")) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "policy 'collapse': pattern '%s' is neither zero nor ones nor hex: and a whole "
                    "number of bytes, a page of %zu at most",
                    text, page_bytes);
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

static bool add_patterns(PfCollapse *self, GError **error)
{
    char *const *texts = self->config.patterns;
    for (unsigned i = 0; texts != NULL && texts[i] != NULL; i++) {
        PfCollapsePattern pattern = {
            .bytes = parse_pattern(texts[i], pf_host_page_bytes(self->host), error)};
        if (pattern.bytes == NULL)
            return false;
        pattern.holders = g_array_new(FALSE, FALSE, sizeof(PfCollapseHolder));
        g_array_append_val(self->patterns, pattern);
    }
    return true;
}

static bool add_given(PfCollapse *self, GError **error)
{
    char *const *texts = self->config.given;
    bool is_named = self->config.primary == PF_COLLAPSE_GIVEN;
    if (is_named != (texts != NULL && texts[0] != NULL)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "policy 'collapse': %s",
                    is_named ? "primary: given says nothing without pages in `given`"
                             : "given: pages mean nothing without primary = \"given\"");
        return false;
    }
    for (unsigned i = 0; texts != NULL && texts[i] != NULL; i++) {
        const char *colon = strrchr(texts[i], ':');
        char *end = NULL;
        errno = 0;
        guint64 address = colon != NULL ? g_ascii_strtoull(colon + 1, &end, 0) : 0;
        if (colon == NULL || colon == texts[i] || !g_ascii_isdigit(colon[1]) || *end != '\0' ||
            errno != 0) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                        "policy 'collapse': given: '%s' is no page; write CONTEXT:0xADDRESS",
                        texts[i]);
            return false;
        }
        PfCollapseGiven given = {g_strndup(texts[i], (gsize)(colon - texts[i])),
                                 {address / pf_host_page_bytes(self->host)}};
        g_array_append_val(self->given, given);
    }
    return true;
}

/* Groups are a matter of scans, where a page's neighbours are at hand. */
static bool check_groups(const PfCollapse *self, GError **error)
{
    if (self->config.probe_pages == 0 || !pf_collapse_is_immediate(self))
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "policy 'collapse': probe_pages: groups are not for look-ups of each store; set "
                "when or look_up");
    return false;
}

static void collapse_free(void *user)
{
    PfCollapse *self = user;
    if (self == NULL)
        return;
    for (unsigned i = 0; i < self->patterns->len; i++) {
        g_free(g_array_index(self->patterns, PfCollapsePattern, i).bytes);
        g_array_unref(g_array_index(self->patterns, PfCollapsePattern, i).holders);
    }
    for (unsigned i = 0; i < self->given->len; i++)
        g_free(g_array_index(self->given, PfCollapseGiven, i).context);
    g_array_unref(self->patterns);
    g_array_unref(self->given);
    g_array_unref(self->groups);
    pf_collapse_pages_clear(&self->pages);
    g_free(self);
}

static void *collapse_create(PfHost *host, const void *config, GError **error)
{
    PfCollapse *self = g_new0(PfCollapse, 1);
    self->host = host;
    self->config = *(const PfCollapseConfig *)config;
    self->patterns = g_array_new(FALSE, FALSE, sizeof(PfCollapsePattern));
    self->given = g_array_new(FALSE, FALSE, sizeof(PfCollapseGiven));
    self->groups = g_array_new(FALSE, FALSE, sizeof(PfCollapseGroup));
    self->settle_cycles = pf_host_cycles(host, self->config.settle_ps);
    self->sleep_cycles = pf_host_cycles(host, self->config.sweep.sleep_ps);
    self->gc_cycles = pf_host_cycles(host, self->config.gc_interval_ps);
    pf_collapse_pages_init(&self->pages, host);
    if (!add_patterns(self, error) || !add_given(self, error) ||
        !pf_collapse_set_identical(self, error) || !check_groups(self, error) ||
        (pf_collapse_follows_lines(self) && !pf_host_watch_write_backs(host, error))) {
        collapse_free(self);
        return NULL;
    }
    if (self->config.how_free == PF_COLLAPSE_FREE_GC)
        pf_host_defer_frees(host);
    pf_collapse_register(self);
    return self;
}

static uint64_t collapse_metadata_bytes(const void *user)
{
    const PfCollapse *self = user;
    bool has_ages = self->config.primary == PF_COLLAPSE_OLDEST;
    return pf_collapse_pages_bytes(&self->pages, has_ages) + pf_collapse_queue_bytes(self);
}

/* What groups miss takes a look at all pages. */
static void collapse_observe(void *user)
{
    PfCollapse *self = user;
    if (self->config.probe_pages > 0)
        self->group_missed = pf_collapse_group_missed(self);
}

static void collapse_check(void *user)
{
    const PfCollapse *self = user;
    pf_collapse_pages_check(&self->pages);
}

const PfPolicyOps pf_policy_collapse = {
    .name = "collapse",
    .default_finder = "table",
    .summary = "Collapses a page when a write makes it equal to another (US 9,069,477 B1).",
    .fields = pf_collapse_fields,
    .field_count = PF_COLLAPSE_FIELDS,
    .config_bytes = sizeof(PfCollapseConfig),
    .create = collapse_create,
    .free = collapse_free,
    .context_event = collapse_context_event,
    .page_mapped = collapse_page_mapped,
    .page_moved = collapse_page_moved,
    .page_unmapped = collapse_page_unmapped,
    .write_intended = collapse_write_intended,
    .init_requested = collapse_init_requested,
    .page_written = collapse_page_written,
    .page_expired = collapse_page_expired,
    .line_written_back = collapse_line_written_back,
    .store_faulted = collapse_store_faulted,
    .memory_low = collapse_memory_low,
    .wake = collapse_wake,
    .scan = collapse_scan,
    .metadata_bytes = collapse_metadata_bytes,
    .observe = collapse_observe,
    .check = collapse_check,
};
