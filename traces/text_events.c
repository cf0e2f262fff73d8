/* The events of the text form, a parser each. */
#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "text_reader.h"
#include "trace_block.h"
#include "trace_names.h"

static bool parse_nothing(PfTextReader *reader, PfRecord *record)
{
    (void)reader;
    (void)record;
    return true;
}

static bool take_small(PfTextReader *reader, const char *key, const char *text, int32_t *ret_number)
{
    uint64_t number;
    if (!pf_text_number(reader, key, text, &number))
        return false;
    if (number > INT32_MAX)
        return pf_text_complain(reader, "%s %" PRIu64 " is too large; count from 0", key, number);
    *ret_number = (int32_t)number;
    return true;
}

static bool parse_context(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    record->context = reader->trace->rules->contexts->len;
    detail->node = -1;
    detail->core = -1;
    int kind = 0;
    if (!pf_text_take_string(reader, "name", &detail->name) ||
        !pf_text_take_choice(reader, "kind", pf_context_kind_names, &kind))
        return false;
    detail->context_kind = (PfContextKind)kind;
    while (pf_text_peek(reader) != NULL) {
        const char *text;
        bool is_fine = false;
        if ((text = pf_text_take_option(reader, "memory")) != NULL)
            is_fine = pf_text_size(reader, "memory", text, &detail->number);
        else if ((text = pf_text_take_option(reader, "node")) != NULL)
            is_fine = take_small(reader, "node", text, &detail->node);
        else if ((text = pf_text_take_option(reader, "core")) != NULL)
            is_fine = take_small(reader, "core", text, &detail->core);
        else if ((text = pf_text_take_option(reader, "label")) != NULL)
            is_fine = pf_text_string(reader, text, &detail->text);
        else if ((text = pf_text_take_option(reader, "user")) != NULL)
            is_fine = pf_text_string(reader, text, &detail->user);
        else
            return pf_text_take_end(reader);
        if (!is_fine)
            return false;
    }
    return true;
}

/* ADDRESS and a count of WHAT, after the context. */
static bool take_range(PfTextReader *reader, PfRecord *record, const char *what)
{
    return pf_text_take_number(reader, "address", &record->address) &&
           pf_text_take_number(reader, what, &record->count);
}

/* anon, or NAME:OFFSET of a file. A name may hold colons: the last one separates. */
static bool parse_backing(PfTextReader *reader, PfTraceDetail *detail)
{
    if (pf_text_take_flag(reader, "anon"))
        return true;
    detail->backing = PF_BACKING_FILE;
    const char *text = pf_text_take_option(reader, "file");
    if (text == NULL) {
        detail->backing = PF_BACKING_SHMEM;
        text = pf_text_take_option(reader, "shmem");
    }
    if (text == NULL)
        return pf_text_complain(reader, "what backs the pages is missing; write anon, "
                                        "file=NAME:OFFSET or shmem=NAME:OFFSET");
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return pf_text_complain(reader, "the offset in the file is missing; write NAME:OFFSET");
    g_autofree char *name = g_strndup(text, (size_t)(colon - text));
    return pf_text_string(reader, name, &detail->name) &&
           pf_text_size(reader, "offset", colon + 1, &detail->number);
}

static bool parse_map(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    if (!take_range(reader, record, "number of pages") || !parse_backing(reader, detail))
        return false;
    while (pf_text_peek(reader) != NULL) {
        const char *text;
        if (pf_text_take_flag(reader, "rw"))
            detail->protection = PF_PROTECTION_RW;
        else if (pf_text_take_flag(reader, "ro"))
            detail->protection = PF_PROTECTION_RO;
        else if (pf_text_take_flag(reader, "rx"))
            detail->protection = PF_PROTECTION_RX;
        else if (pf_text_take_flag(reader, "mergeable"))
            detail->mergeable = true;
        else if ((text = pf_text_take_option(reader, "huge")) != NULL) {
            if (!pf_text_size(reader, "huge", text, &detail->huge_bytes))
                return false;
        } else if ((text = pf_text_take_option(reader, "group")) != NULL) {
            if (!pf_text_number(reader, "group", text, &detail->group))
                return false;
        } else
            return pf_text_take_end(reader);
    }
    return true;
}

static bool parse_state(PfTextReader *reader, PfRecord *record)
{
    if (!take_range(reader, record, "number of pages") ||
        !pf_text_take_content(reader, &record->content))
        return false;
    const char *step = pf_text_take_option(reader, "step");
    return step == NULL || pf_text_number(reader, "step", step, &record->value);
}

static bool parse_init(PfTextReader *reader, PfRecord *record)
{
    return take_range(reader, record, "number of pages") &&
           pf_text_take_content(reader, &record->content);
}

static bool parse_alias(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    return take_range(reader, record, "number of pages") &&
           pf_text_take_context(reader, &detail->other_context) &&
           pf_text_take_number(reader, "source address", &detail->other_address);
}

static bool parse_run(PfTextReader *reader, PfRecord *record)
{
    return pf_text_take_number(reader, "number of instructions", &record->count);
}

/* va=ADDRESS, behind everything else. */
static bool take_virtual(PfTextReader *reader, PfRecord *record)
{
    const char *text = pf_text_take_option(reader, "va");
    if (text == NULL)
        return true;
    record->flags |= PF_RECORD_HAS_VIRTUAL;
    return pf_text_number(reader, "va", text, &record->virtual_address);
}

static bool parse_read(PfTextReader *reader, PfRecord *record)
{
    if (!take_range(reader, record, "number of bytes"))
        return false;
    if (pf_text_take_flag(reader, "dep"))
        record->flags |= PF_RECORD_DEPENDENT;
    return take_virtual(reader, record);
}

static bool parse_fetch(PfTextReader *reader, PfRecord *record)
{
    return take_range(reader, record, "number of bytes") && take_virtual(reader, record);
}

static bool parse_touch(PfTextReader *reader, PfRecord *record)
{
    return take_range(reader, record, "number of pages") && take_virtual(reader, record);
}

/* LENGTH bytes as the value of RECORD, which writes as many. */
static bool set_value(PfTextReader *reader, PfRecord *record, const void *bytes, size_t length)
{
    if (length != record->count)
        return pf_text_complain(reader,
                                "a value of %zu bytes in a write of %" PRIu64 "; make them equal",
                                length, record->count);
    if (length > sizeof(record->value)) {
        uint8_t *copy = pf_record_block_alloc(reader->block, length);
        memcpy(copy, bytes, length);
        record->bytes = copy;
        return true;
    }
    uint64_t value = 0;
    memcpy(&value, bytes, length);
    record->value = GUINT64_FROM_LE(value);
    return true;
}

static bool take_value(PfTextReader *reader, PfRecord *record)
{
    const PfWord *word = pf_text_take_bytes(reader, "value");
    if (word->is_quoted)
        return set_value(reader, record, word->text, word->length);
    if (g_str_has_prefix(word->text, "hex:")) {
        size_t digit_count = word->length - strlen("hex:");
        const uint8_t *bytes = pf_text_hex(reader, word->text + strlen("hex:"), digit_count);
        return bytes != NULL && set_value(reader, record, bytes, digit_count / 2);
    }
    if (record->count > sizeof(record->value))
        return pf_text_complain(
            reader, "a number has at most 8 bytes, the write %" PRIu64 "; write hex: and the bytes",
            record->count);
    return pf_text_number(reader, "value", word->text, &record->value);
}

static bool parse_write(PfTextReader *reader, PfRecord *record)
{
    if (!take_range(reader, record, "number of bytes"))
        return false;
    const PfWord *word = pf_text_peek(reader);
    if (word != NULL && (word->is_quoted || (!g_str_has_prefix(word->text, "va=") &&
                                             !g_str_equal(word->text, "modify")))) {
        record->flags |= PF_RECORD_HAS_VALUE;
        if (!take_value(reader, record))
            return false;
    }
    if (pf_text_take_flag(reader, "modify"))
        record->flags |= PF_RECORD_MODIFIES;
    return take_virtual(reader, record);
}

static bool parse_fork(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    detail->other_context = reader->trace->rules->contexts->len;
    pf_trace_rules_inherit(reader->trace->rules, record->context, detail);
    return pf_text_take_string(reader, "child's name", &detail->name);
}

static bool parse_unmap(PfTextReader *reader, PfRecord *record)
{
    return take_range(reader, record, "number of pages");
}

static bool parse_remap(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    return take_range(reader, record, "number of pages") &&
           pf_text_take_number(reader, "target address", &detail->other_address);
}

static bool take_record_choice(PfTextReader *reader, PfRecord *record, const char *what,
                               const char *const *names)
{
    int choice = 0;
    if (!take_range(reader, record, "number of pages") ||
        !pf_text_take_choice(reader, what, names, &choice))
        return false;
    record->choice = (uint8_t)choice;
    return true;
}

static bool parse_advise(PfTextReader *reader, PfRecord *record)
{
    return take_record_choice(reader, record, "advice", pf_advice_names);
}

static bool parse_attr(PfTextReader *reader, PfRecord *record)
{
    return take_record_choice(reader, record, "attribute", pf_attribute_names);
}

static bool parse_dma(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    if (!take_range(reader, record, "number of pages"))
        return false;
    const PfWord *word = pf_text_take_word(reader, "device and block");
    if (word == NULL)
        return false;
    const char *colon = strrchr(word->text, ':');
    if (colon == NULL)
        return pf_text_complain(reader, "the device's block is missing; write DEVICE:BLOCK");
    g_autofree char *name = g_strndup(word->text, (size_t)(colon - word->text));
    return pf_text_string(reader, name, &detail->name) &&
           pf_text_number(reader, "block", colon + 1, &detail->number) &&
           pf_text_take_content(reader, &record->content);
}

static bool parse_time(PfTextReader *reader, PfRecord *record)
{
    const PfWord *word = pf_text_take_word(reader, "time");
    g_autoptr(GError) error = NULL;
    if (word == NULL)
        return false;
    if (pf_parse_quantity(word->text, PF_CONFIG_TIME, &record->count, &error))
        return true;
    return pf_text_complain(reader, "time: %s", error->message);
}

static bool parse_scan(PfTextReader *reader, PfRecord *record)
{
    if (pf_text_take_flag(reader, "pass"))
        record->flags |= PF_RECORD_SCAN_PASSES;
    bool counts_passes = (record->flags & PF_RECORD_SCAN_PASSES) != 0;
    return pf_text_take_number(reader, counts_passes ? "number of passes" : "number of pages",
                               &record->count);
}

static bool parse_control(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    return pf_text_take_string(reader, "key", &detail->name) &&
           pf_text_take_string(reader, "value", &detail->text);
}

static bool parse_label(PfTextReader *reader, PfRecord *record)
{
    PfTraceDetail *detail = pf_record_block_detail(reader->block);
    record->detail = detail;
    return pf_text_take_string(reader, "label", &detail->name);
}

static bool parse_grain(PfTextReader *reader, PfRecord *record)
{
    int grain = 0;
    if (!pf_text_take_choice(reader, "grain", pf_grain_names, &grain))
        return false;
    record->count = (uint64_t)grain;
    return true;
}

static const PfTextEvent events[] = {
    {"context", PF_RECORD_CONTEXT, parse_context,
     "context NAME vm|process [memory=SIZE] [node=N] [core=N] [label=LABEL] "
     "[user=NAME]"},
    {"map", PF_RECORD_MAP, parse_map,
     "map CONTEXT ADDRESS PAGES anon|file=NAME:OFFSET|shmem=NAME:OFFSET [ro|rw|rx] [mergeable] "
     "[huge=SIZE] [group=N]"},
    {"state", PF_RECORD_STATE, parse_state, "state CONTEXT ADDRESS PAGES CONTENT [step=K]"},
    {"fill", PF_RECORD_FILL, parse_state, "fill CONTEXT ADDRESS PAGES CONTENT [step=K]"},
    {"alias", PF_RECORD_ALIAS, parse_alias, "alias CONTEXT ADDRESS PAGES SOURCE SOURCE-ADDRESS"},
    {"run", PF_RECORD_RUN, parse_run, "run CONTEXT INSTRUCTIONS"},
    {"read", PF_RECORD_READ, parse_read, "read CONTEXT ADDRESS BYTES [dep] [va=ADDRESS]"},
    {"write", PF_RECORD_WRITE, parse_write, "write CONTEXT ADDRESS BYTES [VALUE] [va=ADDRESS]"},
    {"touch", PF_RECORD_TOUCH, parse_touch, "touch CONTEXT ADDRESS PAGES [va=ADDRESS]"},
    {"fetch", PF_RECORD_FETCH, parse_fetch, "fetch CONTEXT ADDRESS BYTES [va=ADDRESS]"},
    {"init", PF_RECORD_INIT, parse_init, "init CONTEXT ADDRESS PAGES CONTENT"},
    {"fork", PF_RECORD_FORK, parse_fork, "fork CONTEXT CHILD"},
    {"unmap", PF_RECORD_UNMAP, parse_unmap, "unmap CONTEXT ADDRESS PAGES"},
    {"remap", PF_RECORD_REMAP, parse_remap, "remap CONTEXT ADDRESS PAGES TARGET-ADDRESS"},
    {"advise", PF_RECORD_ADVISE, parse_advise, "advise CONTEXT ADDRESS PAGES ADVICE"},
    {"attr", PF_RECORD_ATTR, parse_attr, "attr CONTEXT ADDRESS PAGES ATTRIBUTE"},
    {"dma", PF_RECORD_DMA, parse_dma, "dma CONTEXT ADDRESS PAGES DEVICE:BLOCK CONTENT"},
    {"idle", PF_RECORD_IDLE, parse_time, "idle CONTEXT TIME"},
    {"time", PF_RECORD_TIME, parse_time, "time TIME"},
    {"scan", PF_RECORD_SCAN, parse_scan, "scan PAGES, or scan pass PASSES"},
    {"control", PF_RECORD_CONTROL, parse_control, "control KEY VALUE"},
    {"begin", PF_RECORD_BEGIN, parse_label, "begin CONTEXT \"LABEL\""},
    {"end", PF_RECORD_END, parse_label, "end CONTEXT \"LABEL\""},
    {"mark", PF_RECORD_MARK, parse_label, "mark \"LABEL\""},
    {"exit", PF_RECORD_EXIT, parse_nothing, "exit CONTEXT"},
    {"grain", PF_RECORD_GRAIN, parse_grain, "grain access|page"},
};

static_assert(G_N_ELEMENTS(events) == PF_RECORD_KINDS, "one parser each");

const PfTextEvent *pf_text_event(PfTextReader *reader, const char *name)
{
    const char *names[G_N_ELEMENTS(events) + 1] = {NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        if (strcmp(events[i].name, name) == 0)
            return &events[i];
        names[i] = events[i].name;
    }
    g_autofree char *shown = pf_text_shortened(name);
    const char *nearest = pf_name_nearest(names, name);
    if (nearest != NULL)
        pf_text_complain(reader, "unknown event '%s'; did you mean %s?", shown, nearest);
    else
        pf_text_complain(reader, "unknown event '%s'; docs/trace-format.md lists all events",
                         shown);
    return NULL;
}
