#include "binary_rare.h"

#include <string.h>

#include "binary_layout.h"
#include "trace_block.h"
#include "trace_names.h"

/* A context has a name, a label and a user. */
enum { NUMBER_BYTES_MAX = 10, NUMBERS_MAX = 16, NAMES_MAX = 3 };

size_t pf_rare_bytes_max(const PfRecord *record)
{
    size_t bytes = NUMBERS_MAX * NUMBER_BYTES_MAX + NAMES_MAX * (size_t)PF_TRACE_NAME_BYTES_MAX;
    if (record->kind == PF_RECORD_WRITE && (record->flags & PF_RECORD_HAS_VALUE) != 0)
        bytes += record->count;
    return bytes;
}

static void fail(PfRareCoder *coder, const char *problem)
{
    if (coder->problem == NULL)
        coder->problem = problem;
}

static void code_byte(PfRareCoder *coder, uint8_t *byte)
{
    if (coder->is_writing)
        *coder->put++ = *byte;
    else if (coder->get < coder->end)
        *byte = *coder->get++;
    else
        fail(coder, "ends within a record");
}

static void write_number(PfRareCoder *coder, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *coder->put++ = (uint8_t)(number | 0x80);
    *coder->put++ = (uint8_t)number;
}

static uint64_t read_number(PfRareCoder *coder)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = 0;
        code_byte(coder, &byte);
        uint64_t bits = byte & 0x7f;
        if (bits << shift >> shift != bits)
            break;
        number |= bits << shift;
        if (byte < 0x80)
            return number;
    }
    fail(coder, "holds a number of more than 64 bits");
    return 0;
}

void pf_rare_code_number(PfRareCoder *coder, uint64_t *number)
{
    if (coder->is_writing)
        write_number(coder, *number);
    else
        *number = read_number(coder);
}

/* As a difference to BASE. */
static void code_difference(PfRareCoder *coder, uint64_t *number, uint64_t base)
{
    uint64_t difference = pf_zigzag(*number - base);
    pf_rare_code_number(coder, &difference);
    *number = base + pf_unzigzag(difference);
}

static void code_small(PfRareCoder *coder, uint32_t *small)
{
    uint64_t number = *small;
    pf_rare_code_number(coder, &number);
    if (number > UINT32_MAX)
        fail(coder, "holds a number of more than 32 bits");
    *small = (uint32_t)number;
}

static void write_string(PfRareCoder *coder, const char *string)
{
    if (string == NULL) {
        write_number(coder, 0);
        return;
    }
    uint32_t told = pf_strings_count(coder->strings);
    uint32_t number;
    if (pf_strings_intern(coder->strings, string, &number) == NULL) {
        fail(coder, "too many different names and labels");
        return;
    }
    write_number(coder, (uint64_t)number + 1);
    if (number < told)
        return;
    size_t length = strlen(string);
    write_number(coder, length);
    memcpy(coder->put, string, length);
    coder->put += length;
}

/* The text of a string that is told for the first time. */
static const char *read_new_string(PfRareCoder *coder)
{
    uint64_t length = read_number(coder);
    if (coder->problem != NULL || length > PF_TRACE_NAME_BYTES_MAX ||
        length > (size_t)(coder->end - coder->get) || memchr(coder->get, '\0', length) != NULL) {
        fail(coder, "holds a name that is too long or no text");
        return NULL;
    }
    char text[PF_TRACE_NAME_BYTES_MAX + 1];
    memcpy(text, coder->get, length);
    text[length] = '\0';
    coder->get += length;
    uint32_t told = pf_strings_count(coder->strings);
    const char *string = pf_strings_intern(coder->strings, text, NULL);
    if (string == NULL || pf_strings_count(coder->strings) == told)
        fail(coder, "tells a name twice, or too many names");
    return string;
}

static const char *read_string(PfRareCoder *coder)
{
    uint64_t number = read_number(coder);
    if (coder->problem != NULL || number == 0)
        return NULL;
    uint32_t told = pf_strings_count(coder->strings);
    if (number == (uint64_t)told + 1)
        return read_new_string(coder);
    if (number > told) {
        fail(coder, "uses a name that was not told");
        return NULL;
    }
    return pf_strings_get(coder->strings, (uint32_t)number - 1);
}

static void code_string(PfRareCoder *coder, const char **string)
{
    if (coder->is_writing)
        write_string(coder, *string);
    else
        *string = read_string(coder);
}

static void code_written_bytes(PfRareCoder *coder, PfRecord *record)
{
    if (record->count <= sizeof(record->value)) {
        pf_rare_code_number(coder, &record->value);
        return;
    }
    if (coder->is_writing) {
        memcpy(coder->put, record->bytes, record->count);
        coder->put += record->count;
        return;
    }
    if (record->count > PF_TRACE_WRITE_BYTES_MAX ||
        record->count > (size_t)(coder->end - coder->get)) {
        fail(coder, "ends within the bytes of a write");
        record->count = 0;
        return;
    }
    uint8_t *bytes = pf_record_block_alloc(coder->block, record->count);
    memcpy(bytes, coder->get, record->count);
    coder->get += record->count;
    record->bytes = bytes;
}

static void code_page(PfRareCoder *coder, uint64_t *address, uint64_t base)
{
    unsigned shift = coder->rules->page_shift;
    uint64_t page = *address >> shift;
    code_difference(coder, &page, base);
    *address = page << shift;
    if (*address >> shift != page)
        fail(coder, "holds a page beyond the end of the address space");
}

static void code_access(PfRareCoder *coder, PfRecord *record, PfContextState *context)
{
    PfBase base = record->kind == PF_RECORD_READ    ? PF_BASE_READ
                  : record->kind == PF_RECORD_WRITE ? PF_BASE_WRITE
                                                    : PF_BASE_FETCH;
    code_difference(coder, &record->address, context->address[base]);
    context->address[base] = record->address;
    pf_rare_code_number(coder, &record->count);
    if ((record->flags & PF_RECORD_HAS_VALUE) != 0)
        code_written_bytes(coder, record);
}

/* Beside the kind of a context: its user is told. */
enum { HAS_USER = 1 << 7 };

static void code_context_detail(PfRareCoder *coder, PfTraceDetail *detail)
{
    unsigned user_bit = detail->user != NULL ? HAS_USER : 0;
    uint8_t kind = (uint8_t)((unsigned)detail->context_kind | user_bit);
    uint32_t node = (uint32_t)detail->node + 1;
    uint32_t core = (uint32_t)detail->core + 1;
    code_byte(coder, &kind);
    code_string(coder, &detail->name);
    code_string(coder, &detail->text);
    if ((kind & HAS_USER) != 0)
        code_string(coder, &detail->user);
    pf_rare_code_number(coder, &detail->number);
    code_small(coder, &node);
    code_small(coder, &core);
    detail->context_kind = (PfContextKind)(kind & ~(unsigned)HAS_USER);
    if (node > (uint32_t)INT32_MAX + 1 || core > (uint32_t)INT32_MAX + 1)
        fail(coder, "holds a node or core beyond all bounds");
    detail->node = (int32_t)(node - 1);
    detail->core = (int32_t)(core - 1);
}

enum { BACKING_MASK = 3, PROTECTION_SHIFT = 2, MERGEABLE_SHIFT = 4, MAP_BITS = 5 };

static void code_map_detail(PfRareCoder *coder, PfTraceDetail *detail)
{
    uint8_t bits =
        (uint8_t)((unsigned)detail->backing | (unsigned)detail->protection << PROTECTION_SHIFT |
                  (unsigned)detail->mergeable << MERGEABLE_SHIFT);
    code_byte(coder, &bits);
    if (bits >> MAP_BITS != 0)
        fail(coder, "holds a map of an unknown sort");
    detail->backing = (PfBacking)(bits & BACKING_MASK);
    detail->protection = (PfProtection)(bits >> PROTECTION_SHIFT & 3);
    detail->mergeable = (bits >> MERGEABLE_SHIFT & 1) != 0;
    pf_rare_code_number(coder, &detail->huge_bytes);
    pf_rare_code_number(coder, &detail->group);
    if (detail->backing == PF_BACKING_ANON)
        return;
    code_string(coder, &detail->name);
    pf_rare_code_number(coder, &detail->number);
}

static void code_detail(PfRareCoder *coder, PfRecord *record, PfTraceDetail *detail)
{
    switch ((PfRecordKind)record->kind) {
    case PF_RECORD_CONTEXT:
        code_context_detail(coder, detail);
        return;
    case PF_RECORD_MAP:
        code_map_detail(coder, detail);
        return;
    case PF_RECORD_ALIAS:
        code_small(coder, &detail->other_context);
        code_page(coder, &detail->other_address, coder->state->other_page);
        coder->state->other_page =
            (detail->other_address >> coder->rules->page_shift) + record->count;
        return;
    case PF_RECORD_REMAP:
        code_page(coder, &detail->other_address, record->address >> coder->rules->page_shift);
        return;
    case PF_RECORD_DMA:
        code_string(coder, &detail->name);
        pf_rare_code_number(coder, &detail->number);
        return;
    case PF_RECORD_CONTROL:
        code_string(coder, &detail->name);
        code_string(coder, &detail->text);
        return;
    case PF_RECORD_FORK:
    case PF_RECORD_BEGIN:
    case PF_RECORD_END:
    case PF_RECORD_MARK:
        code_string(coder, &detail->name);
        return;
    case PF_RECORD_STATE:
    case PF_RECORD_FILL:
    case PF_RECORD_RUN:
    case PF_RECORD_READ:
    case PF_RECORD_WRITE:
    case PF_RECORD_TOUCH:
    case PF_RECORD_FETCH:
    case PF_RECORD_INIT:
    case PF_RECORD_UNMAP:
    case PF_RECORD_ADVISE:
    case PF_RECORD_ATTR:
    case PF_RECORD_IDLE:
    case PF_RECORD_TIME:
    case PF_RECORD_SCAN:
    case PF_RECORD_EXIT:
    case PF_RECORD_GRAIN:
    case PF_RECORD_KINDS:
        break;
    }
    g_assert_not_reached();
}

/* Where the record is, and how much. */
static void code_range(PfRareCoder *coder, PfRecord *record, PfContextState *context)
{
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    if (traits->is_access) {
        code_access(coder, record, context);
    } else if (traits->has_pages) {
        code_page(coder, &record->address, context->page);
        pf_rare_code_number(coder, &record->count);
        context->page = (record->address >> coder->rules->page_shift) + record->count;
    } else if (record->kind == PF_RECORD_TIME) {
        code_difference(coder, &record->count, coder->state->time);
        coder->state->time = record->count;
    } else if (!traits->has_detail && record->kind != PF_RECORD_EXIT) {
        pf_rare_code_number(coder, &record->count);
    }
    if ((record->flags & PF_RECORD_HAS_VIRTUAL) != 0)
        code_difference(coder, &record->virtual_address, record->address);
}

static void code_content(PfRareCoder *coder, PfRecord *record)
{
    uint64_t content = record->content;
    code_difference(coder, &content, coder->state->content);
    if (content >= PF_TRACE_NO_CONTENT)
        fail(coder, "holds the number of a content that cannot be");
    record->content = (uint32_t)content;
    coder->state->content = content + 1;
}

/* Of the kinds that belong to a context: which. NULL where there is none such. */
static PfContextState *code_context(PfRareCoder *coder, PfRecord *record)
{
    code_small(coder, &record->context);
    if (pf_trace_rules_context(coder->rules, record->context) == NULL)
        fail(coder, "holds a context that was not made");
    return coder->problem == NULL ? pf_binary_state_context(coder->state, record->context) : NULL;
}

/* What a record being read has by its place alone. */
static PfTraceDetail *begin_detail(PfRareCoder *coder, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(coder->block);
    record->detail = detail;
    if (record->kind == PF_RECORD_CONTEXT)
        record->context = coder->rules->contexts->len;
    if (record->kind != PF_RECORD_FORK)
        return detail;
    detail->other_context = coder->rules->contexts->len;
    pf_trace_rules_inherit(coder->rules, record->context, detail);
    return detail;
}

void pf_rare_code(PfRareCoder *coder, PfRecord *record)
{
    code_byte(coder, &record->kind);
    if (record->kind >= PF_RECORD_KINDS) {
        fail(coder, "holds a record of an unknown kind");
        return;
    }
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    PfContextState none = {.frame = 0};
    PfContextState *context = traits->has_context ? code_context(coder, record) : &none;
    if (context == NULL)
        return;
    if (traits->flags != 0)
        code_byte(coder, &record->flags);
    if ((record->flags & ~traits->flags) != 0) {
        fail(coder, "holds a flag that does not belong to its record");
        return;
    }
    code_range(coder, record, context);
    if (record->kind == PF_RECORD_ADVISE || record->kind == PF_RECORD_ATTR)
        code_byte(coder, &record->choice);
    if (traits->has_content)
        code_content(coder, record);
    if (traits->has_step)
        pf_rare_code_number(coder, &record->value);
    if (!traits->has_detail)
        return;
    PfTraceDetail copy;
    PfTraceDetail *detail = &copy;
    if (coder->is_writing)
        copy = *record->detail;
    else
        detail = begin_detail(coder, record);
    code_detail(coder, record, detail);
}
