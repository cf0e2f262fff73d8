#include "esx_rules.h"

#include <string.h>

#include "error.h"
#include "units.h"

typedef enum { DEVICE_OTHER, DEVICE_DISK, DEVICE_NET } Device;

/* A page matches a rule if it has one of the flags, or was written by such a device, or lies in the
 * range. */
typedef struct {
    unsigned flags;
    Device device; /* DEVICE_OTHER: none */
    PfCpn first;
    PfCpn last; /* before first: no range */
} Rule;

/* What a device wrote last of a page. */
typedef struct {
    PfPage page;
    Device device;
    uint64_t cycle;
    uint64_t count; /* of this page, that are in written_order */
} Write;

static guint hash_page(gconstpointer key)
{
    const PfPage *page = key;
    uint64_t mixed = (page->cpn.number + ((uint64_t)page->context << 40)) * 0x9e3779b97f4a7c15U;
    return (guint)(mixed >> 32);
}

static gboolean equal_pages(gconstpointer a, gconstpointer b)
{
    return pf_page_equal(*(const PfPage *)a, *(const PfPage *)b);
}

/* An address, decimal or as 0x..., of 64 bits at most. */
static bool read_address(const char *text, uint64_t *ret_address)
{
    bool is_hex = g_str_has_prefix(text, "0x");
    return g_ascii_string_to_unsigned(is_hex ? text + 2 : text, is_hex ? 16 : 10, 0, UINT64_MAX,
                                      ret_address, NULL);
}

/* "FIRST-LAST", addresses of bytes. */
static bool read_range(const char *text, uint32_t page_bytes, Rule *ret_rule)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    uint64_t first;
    uint64_t last;
    if (g_strv_length(ends) != 2 || !read_address(ends[0], &first) ||
        !read_address(ends[1], &last) || last < first)
        return false;
    *ret_rule = (Rule){.first = {first / page_bytes}, .last = {last / page_bytes}};
    return true;
}

static bool read_rule(const char *text, uint32_t page_bytes, Rule *ret_rule)
{
    static const struct {
        const char *name;
        Rule rule;
    } words[] = {
        {"executed", {.flags = PF_FLAG_EXECUTED, .first = {1}}},
        {"readonly", {.flags = PF_FLAG_READONLY, .first = {1}}},
        {"disk", {.device = DEVICE_DISK, .first = {1}}},
        {"net", {.device = DEVICE_NET, .first = {1}}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_equal(text, words[i].name)) {
            *ret_rule = words[i].rule;
            return true;
        }
    return g_str_has_prefix(text, "range:") &&
           read_range(text + strlen("range:"), page_bytes, ret_rule);
}

static bool read_rules(GArray *rules, PfHost *host, char *const *texts, GError **error)
{
    for (; texts != NULL && *texts != NULL; texts++) {
        Rule rule;
        if (!read_rule(*texts, pf_host_page_bytes(host), &rule)) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                        "esx: prefer and exclude take executed, readonly, disk, net and "
                        "range:FIRST-LAST, not '%s'",
                        *texts);
            return false;
        }
        g_array_append_val(rules, rule);
    }
    return true;
}

bool pf_esx_rules_init(PfEsxRules *rules, PfHost *host, const PfEsxConfig *config, GError **error)
{
    *rules = (PfEsxRules){.host = host,
                          .recent_cycles = pf_host_cycles(host, config->recent_ps),
                          .io_active_cycles = pf_host_cycles(host, config->io_active_ps)};
    rules->prefer = g_array_new(FALSE, FALSE, sizeof(Rule));
    rules->exclude = g_array_new(FALSE, FALSE, sizeof(Rule));
    rules->written = g_hash_table_new_full(hash_page, equal_pages, NULL, g_free);
    g_queue_init(&rules->written_order);
    pf_esx_queue_init(&rules->preferred, config->queue_pages);
    return read_rules(rules->prefer, host, config->prefer, error) &&
           read_rules(rules->exclude, host, config->exclude, error);
}

void pf_esx_rules_clear(PfEsxRules *rules)
{
    if (rules->host == NULL)
        return;
    g_array_free(rules->prefer, TRUE);
    g_array_free(rules->exclude, TRUE);
    g_queue_clear(&rules->written_order);
    g_hash_table_unref(rules->written);
    pf_esx_queue_clear(&rules->preferred);
}

static unsigned uses_of(const GArray *rules)
{
    unsigned flags = 0;
    for (guint i = 0; i < rules->len; i++)
        flags |= g_array_index(rules, Rule, i).flags;
    return ((flags & PF_FLAG_READONLY) != 0 ? PF_USES_READONLY : 0U) |
           ((flags & PF_FLAG_EXECUTED) != 0 ? PF_USES_EXECUTED : 0U);
}

unsigned pf_esx_rules_uses(const PfEsxRules *rules)
{
    return uses_of(rules->prefer) | uses_of(rules->exclude);
}

static const Write *find_write(const PfEsxRules *rules, PfPage page, uint64_t within_cycles)
{
    const Write *write = g_hash_table_lookup(rules->written, &page);
    uint64_t now = pf_host_now(rules->host);
    return write != NULL && now < write->cycle + within_cycles ? write : NULL;
}

static bool matches(const PfEsxRules *rules, const GArray *list, PfPage page)
{
    if (list->len == 0)
        return false;
    unsigned flags = pf_host_flags(rules->host, page);
    const Write *write = find_write(rules, page, rules->recent_cycles);
    for (guint i = 0; i < list->len; i++) {
        const Rule *rule = &g_array_index(list, Rule, i);
        if ((flags & rule->flags) != 0 ||
            (write != NULL && write->device != DEVICE_OTHER && write->device == rule->device) ||
            (page.cpn.number >= rule->first.number && page.cpn.number <= rule->last.number))
            return true;
    }
    return false;
}

/* Forgets the oldest write, unless its page was written again since. */
static void forget_oldest(PfEsxRules *rules)
{
    Write *oldest = g_queue_pop_head(&rules->written_order);
    if (--oldest->count == 0)
        g_hash_table_remove(rules->written, &oldest->page);
}

void pf_esx_rules_written(PfEsxRules *rules, PfPage page, const char *device)
{
    if (rules->prefer->len == 0 && rules->exclude->len == 0 && rules->io_active_cycles == 0)
        return; /* nobody will ask */
    Write *write = g_hash_table_lookup(rules->written, &page);
    if (write == NULL) {
        write = g_new0(Write, 1);
        write->page = page;
        g_hash_table_insert(rules->written, &write->page, write);
    }
    write->device = g_str_has_prefix(device, "disk")  ? DEVICE_DISK
                    : g_str_has_prefix(device, "net") ? DEVICE_NET
                                                      : DEVICE_OTHER;
    write->cycle = pf_host_now(rules->host);
    write->count++;
    g_queue_push_tail(&rules->written_order, write);
    if (rules->written_order.length > rules->preferred.limit)
        forget_oldest(rules);
    pf_esx_rules_consider(rules, page);
}

void pf_esx_rules_consider(PfEsxRules *rules, PfPage page)
{
    if (!matches(rules, rules->prefer, page))
        return;
    const Write *write = find_write(rules, page, rules->io_active_cycles);
    uint64_t due_cycles = write != NULL ? write->cycle + rules->io_active_cycles : 0;
    const PfEsxEntry entry = {.page = page, .due_cycles = due_cycles};
    PfEsxEntry dropped;
    if (!pf_esx_queue_push(&rules->preferred, entry) &&
        pf_esx_queue_pop(&rules->preferred, UINT64_MAX, &dropped))
        pf_esx_queue_push(&rules->preferred, entry);
}

void pf_esx_rules_consider_range(PfEsxRules *rules, uint32_t context, PfCpn first, uint64_t pages)
{
    if (rules->prefer->len == 0)
        return;
    PfPage page = {context, first};
    while (pf_host_cursor_next(rules->host, page, &page) && page.context == context &&
           page.cpn.number - first.number < pages) {
        pf_esx_rules_consider(rules, page);
        page.cpn = pf_cpn_plus(page.cpn, 1);
    }
}

bool pf_esx_rules_is_busy(const PfEsxRules *rules, PfPage page)
{
    return rules->io_active_cycles > 0 && find_write(rules, page, rules->io_active_cycles) != NULL;
}

bool pf_esx_rules_excludes(const PfEsxRules *rules, PfPage page)
{
    return matches(rules, rules->exclude, page);
}
