#include "trace_rules.h"

#include <inttypes.h>
#include <string.h>

#include "trace_names.h"
#include "units.h"

PfTraceRules *pf_trace_rules_new(uint32_t page_bytes)
{
    g_assert(pf_is_power_of_two(page_bytes));
    PfTraceRules *rules = g_new0(PfTraceRules, 1);
    rules->page_bytes = page_bytes;
    rules->page_shift = pf_log2(page_bytes);
    rules->contexts = g_array_new(FALSE, FALSE, sizeof(PfTraceContext));
    rules->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    return rules;
}

void pf_trace_rules_free(PfTraceRules *rules)
{
    if (rules == NULL)
        return;
    g_array_unref(rules->contexts);
    g_hash_table_unref(rules->numbers);
    g_free(rules);
}

const PfTraceContext *pf_trace_rules_context(const PfTraceRules *rules, uint32_t number)
{
    if (number >= rules->contexts->len)
        return NULL;
    return &g_array_index(rules->contexts, PfTraceContext, number);
}

bool pf_trace_rules_find(const PfTraceRules *rules, const char *name, uint32_t *ret_number)
{
    gpointer value = g_hash_table_lookup(rules->numbers, name);
    if (value == NULL)
        return false;
    *ret_number = GPOINTER_TO_UINT(value) - 1;
    return true;
}

void pf_trace_rules_inherit(const PfTraceRules *rules, uint32_t parent, PfTraceDetail *detail)
{
    const PfTraceContext *context = pf_trace_rules_context(rules, parent);
    if (context == NULL)
        return;
    detail->context_kind = context->kind;
    detail->number = context->memory_bytes;
    detail->text = context->label;
    detail->user = context->user;
    detail->node = context->node;
    detail->core = -1;
}

static char *check_text(const char *what, const char *text, bool may_be_empty)
{
    if (text == NULL || (text[0] == '\0' && !may_be_empty))
        return g_strdup_printf("an empty %s; give it a name", what);
    size_t length = strnlen(text, PF_TRACE_NAME_BYTES_MAX + 1);
    if (length > PF_TRACE_NAME_BYTES_MAX)
        return g_strdup_printf("a %s of more than %u bytes; shorten it", what,
                               PF_TRACE_NAME_BYTES_MAX);
    if (!g_utf8_validate(text, (gssize)length, NULL))
        return g_strdup_printf("a %s that is not UTF-8; write it in UTF-8", what);
    return NULL;
}

static char *check_alive(const PfTraceRules *rules, uint32_t number)
{
    const PfTraceContext *context = pf_trace_rules_context(rules, number);
    if (context == NULL)
        return g_strdup_printf("context number %" PRIu32 " is not known; "
                               "make it by a context event first",
                               number);
    if (context->has_exited)
        return g_strdup_printf("context %s has exited; remove what comes after its exit",
                               context->name);
    return NULL;
}

static char *check_pages_at(const PfTraceRules *rules, uint64_t address, uint64_t pages)
{
    uint64_t offset = address & (rules->page_bytes - 1);
    if (offset != 0)
        return g_strdup_printf("address 0x%" PRIx64 " is no multiple of the page size %" PRIu32
                               "; the page begins at 0x%" PRIx64,
                               address, rules->page_bytes, address - offset);
    if (pages == 0)
        return g_strdup("0 pages; name at least one");
    if (pages > PF_TRACE_RECORD_PAGES_MAX)
        return g_strdup_printf("%" PRIu64 " pages; at most %" PRIu64 " go into one event", pages,
                               PF_TRACE_RECORD_PAGES_MAX);
    /* The last page's first byte: the space may end at 2^64 exactly. */
    PfUint128 last = (PfUint128)address + (((PfUint128)pages - 1) << rules->page_shift);
    if (last > UINT64_MAX)
        return g_strdup_printf("%" PRIu64 " pages at 0x%" PRIx64 " reach beyond the end of the "
                               "address space; use fewer",
                               pages, address);
    return NULL;
}

static char *check_access(const PfTraceRules *rules, const PfRecord *record)
{
    if (!pf_trace_access_fits(record->address, record->count, rules->page_bytes)) {
        if (record->count == 0)
            return g_strdup("0 bytes; access at least one");
        if (record->count > rules->page_bytes)
            return g_strdup_printf("%" PRIu64 " bytes; one access is at most a page, %" PRIu32
                                   " bytes: split it",
                                   record->count, rules->page_bytes);
        return g_strdup_printf("%" PRIu64 " bytes at 0x%" PRIx64 " reach beyond the end of the "
                               "address space; use fewer",
                               record->count, record->address);
    }
    if ((record->flags & PF_RECORD_HAS_VALUE) == 0)
        return NULL;
    if (record->count > PF_TRACE_WRITE_BYTES_MAX)
        return g_strdup_printf("a value of %" PRIu64 " bytes; one write carries at most %u: use "
                               "fill, or several writes",
                               record->count, PF_TRACE_WRITE_BYTES_MAX);
    if (record->count < sizeof(uint64_t) && record->value >> (8 * record->count) != 0)
        return g_strdup_printf("value 0x%" PRIx64 " does not fit into %" PRIu64 " bytes; write "
                               "more bytes or a smaller value",
                               record->value, record->count);
    return NULL;
}

/* A name for a new context, whose number must be the next. */
static char *check_new_context(const PfTraceRules *rules, const char *name, uint32_t number)
{
    char *problem = check_text("context name", name, false);
    if (problem != NULL)
        return problem;
    uint32_t other;
    if (pf_trace_rules_find(rules, name, &other))
        return g_strdup_printf("context %s exists already, and names are not used twice; choose "
                               "another",
                               name);
    if (rules->contexts->len >= PF_TRACE_CONTEXTS_MAX)
        return g_strdup_printf("more than %u contexts; use fewer", PF_TRACE_CONTEXTS_MAX);
    if (number != rules->contexts->len)
        return g_strdup_printf("context number %" PRIu32 " instead of %u; number contexts in "
                               "order of appearance",
                               number, rules->contexts->len);
    return NULL;
}

static void add_context(PfTraceRules *rules, const PfTraceDetail *detail)
{
    PfTraceContext context = {.name = detail->name,
                              .label = detail->text,
                              .user = detail->user,
                              .memory_bytes = detail->number,
                              .node = detail->node,
                              .kind = detail->context_kind};
    g_array_append_val(rules->contexts, context);
    g_hash_table_insert(rules->numbers, (gpointer)(uintptr_t)detail->name,
                        GUINT_TO_POINTER(rules->contexts->len));
}

static char *apply_context(PfTraceRules *rules, const PfRecord *record)
{
    const PfTraceDetail *detail = record->detail;
    char *problem = check_new_context(rules, detail->name, record->context);
    if (problem == NULL && detail->text != NULL)
        problem = check_text("label", detail->text, false);
    if (problem == NULL && detail->user != NULL)
        problem = check_text("user", detail->user, false);
    if (problem != NULL)
        return problem;
    if ((unsigned)detail->context_kind > PF_CONTEXT_VM)
        return g_strdup("an unknown kind of context; it is vm or process");
    if (detail->node < -1 || detail->core < -1)
        return g_strdup("a negative node or core; count them from 0");
    add_context(rules, detail);
    return NULL;
}

static char *apply_fork(PfTraceRules *rules, const PfRecord *record)
{
    char *problem = check_new_context(rules, record->detail->name, record->detail->other_context);
    if (problem != NULL)
        return problem;
    PfTraceDetail child = *record->detail;
    pf_trace_rules_inherit(rules, record->context, &child);
    add_context(rules, &child);
    return NULL;
}

static char *check_map(const PfTraceRules *rules, const PfTraceDetail *detail)
{
    if ((unsigned)detail->backing > PF_BACKING_SHMEM ||
        (unsigned)detail->protection > PF_PROTECTION_RX)
        return g_strdup("an unknown backing or protection; take anon, file= or shmem=, and ro, rw "
                        "or rx");
    if (detail->huge_bytes != 0 &&
        (!pf_is_power_of_two(detail->huge_bytes) || detail->huge_bytes <= rules->page_bytes))
        return g_strdup_printf("huge=%" PRIu64 " is no power of two above the page size %" PRIu32
                               "; say huge=2MiB, for example",
                               detail->huge_bytes, rules->page_bytes);
    if (detail->backing == PF_BACKING_ANON)
        return NULL;
    if ((detail->number & (rules->page_bytes - 1)) != 0)
        return g_strdup_printf("file offset %" PRIu64 " is no multiple of the page size %" PRIu32
                               "; round it down",
                               detail->number, rules->page_bytes);
    return check_text("file name", detail->name, false);
}

static char *apply_kind(PfTraceRules *rules, const PfRecord *record)
{
    const PfTraceDetail *detail = pf_record_has_detail(record->kind) ? record->detail : NULL;
    char *problem = NULL;
    switch ((PfRecordKind)record->kind) {
    case PF_RECORD_CONTEXT:
        return apply_context(rules, record);
    case PF_RECORD_FORK:
        return apply_fork(rules, record);
    case PF_RECORD_EXIT:
        g_array_index(rules->contexts, PfTraceContext, record->context).has_exited = true;
        return NULL;
    case PF_RECORD_MAP:
        return check_map(rules, detail);
    case PF_RECORD_ALIAS:
        problem = check_alive(rules, detail->other_context);
        return problem != NULL ? problem
                               : check_pages_at(rules, detail->other_address, record->count);
    case PF_RECORD_REMAP:
        return check_pages_at(rules, detail->other_address, record->count);
    case PF_RECORD_ADVISE:
        return record->choice < PF_ADVICE_COUNT ? NULL : g_strdup("an unknown advice");
    case PF_RECORD_ATTR:
        return record->choice < PF_ATTRIBUTE_COUNT ? NULL : g_strdup("an unknown attribute");
    case PF_RECORD_DMA:
        return check_text("device", detail->name, false);
    case PF_RECORD_CONTROL:
        problem = check_text("key", detail->name, false);
        return problem != NULL ? problem : check_text("value", detail->text, true);
    case PF_RECORD_BEGIN:
    case PF_RECORD_END:
    case PF_RECORD_MARK:
        return check_text("label", detail->name, true);
    case PF_RECORD_GRAIN:
        return record->count <= PF_GRAIN_PAGE ? NULL
                                              : g_strdup("an unknown grain; it is access or page");
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_RUN:
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_TOUCH:
    case PF_RECORD_FETCH:
    case PF_RECORD_INIT:
    case PF_RECORD_UNMAP:
    case PF_RECORD_IDLE:
    case PF_RECORD_TIME:
    case PF_RECORD_SCAN:
    case PF_RECORD_KINDS:
        return NULL;
    }
    return NULL;
}

char *pf_trace_rules_apply(PfTraceRules *rules, const PfRecord *record)
{
    if (record->kind >= PF_RECORD_KINDS)
        return g_strdup("an unknown kind of record");
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    char *problem = NULL;
    if (traits->has_context)
        problem = check_alive(rules, record->context);
    if (problem == NULL && (record->flags & ~traits->flags) != 0)
        problem = g_strdup("a flag that does not belong to it");
    if (problem == NULL && traits->has_pages)
        problem = check_pages_at(rules, record->address, record->count);
    if (problem == NULL && traits->is_access)
        problem = check_access(rules, record);
    if (problem == NULL && traits->has_content && record->content >= rules->content_count)
        problem = g_strdup("a content that was not given; give it first");
    if (problem == NULL)
        problem = apply_kind(rules, record);
    if (problem == NULL)
        return NULL;
    char *message = g_strdup_printf("%s: %s", traits->name, problem);
    g_free(problem);
    /* Names may hold line ends; a message is one line. */
    return g_strdelimit(message, "\n\r", ' ');
}
