/* Writing the text form. What is written reads back to the same records. */
#include <inttypes.h>

#include "trace_names.h"
#include "trace_sink.h"

typedef struct {
    GString *line;
} Sink;

/* A multiple of a unit, as a name says it; the largest unit that divides it is taken. */
typedef struct {
    uint64_t factor;
    const char *name;
} Unit;

static const Unit size_units[] = {
    {(uint64_t)1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, ""}};
static const Unit time_units[] = {
    {1000000000000, "s"}, {1000000000, "ms"}, {1000000, "us"}, {1000, "ns"}, {1, "ps"}};
static const Unit rate_units[] = {{1000000000, "GHz"}, {1000000, "MHz"}, {1000, "kHz"}, {1, "Hz"}};

static void put_quantity(GString *line, uint64_t quantity, const Unit *units)
{
    const Unit *unit = units;
    while (unit->factor > 1 && (quantity == 0 || quantity % unit->factor != 0))
        unit++;
    g_string_append_printf(line, "%" PRIu64 "%s", quantity / unit->factor, unit->name);
}

/* A string in quotes. NUL and what is no text becomes \xNN. */
static void put_quoted(GString *line, const char *text, size_t length)
{
    g_string_append_c(line, '"');
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (byte == '"' || byte == '\\')
            g_string_append_printf(line, "\\%c", byte);
        else if (byte == '\n')
            g_string_append(line, "\\n");
        else if (byte == '\t')
            g_string_append(line, "\\t");
        else if (byte < ' ' || byte == 0x7f)
            g_string_append_printf(line, "\\x%02x", byte);
        else
            g_string_append_c(line, (char)byte);
    }
    g_string_append_c(line, '"');
}

/* A word, in quotes only where it needs them. */
static void put_word(GString *line, const char *text)
{
    bool is_plain = text[0] != '\0';
    for (const char *c = text; *c != '\0'; c++)
        is_plain =
            is_plain && (uint8_t)*c > ' ' && *c != '"' && *c != '#' && *c != '\\' && *c != 0x7f;
    if (is_plain)
        g_string_append(line, text);
    else
        put_quoted(line, text, strlen(text));
}

static void put_hex(GString *line, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    g_string_append(line, "hex:");
    for (size_t i = 0; i < length; i++) {
        g_string_append_c(line, digits[bytes[i] >> 4]);
        g_string_append_c(line, digits[bytes[i] & 15]);
    }
}

/* Whether bytes are better read as text than as digits. */
static bool is_text(const uint8_t *bytes, size_t length)
{
    enum { TEXT_BYTES_MAX = 64 };
    if (length == 0 || length > TEXT_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((bytes[i] < ' ' || bytes[i] >= 0x7f) && bytes[i] != '\n' && bytes[i] != '\t')
            return false;
    return true;
}

static void put_bytes(GString *line, const uint8_t *bytes, size_t length)
{
    if (is_text(bytes, length))
        put_quoted(line, (const char *)bytes, length);
    else
        put_hex(line, bytes, length);
}

static void put_content(GString *line, const PfContentSpec *spec)
{
    g_string_append_c(line, ' ');
    switch (spec->form) {
    case PF_CONTENT_ZERO:
        g_string_append(line, "zero");
        return;
    case PF_CONTENT_ONES:
        g_string_append(line, "ones");
        return;
    case PF_CONTENT_HASH:
        g_string_append_printf(line, "hash:0x%" PRIx64, spec->number);
        return;
    case PF_CONTENT_ID:
        g_string_append_printf(line, "id:%" PRIu64, spec->number);
        if (spec->with != 0)
            g_string_append_printf(line, "^%" PRIu32 "=0x%02x", spec->at, spec->with);
        return;
    case PF_CONTENT_BYTES:
        put_bytes(line, spec->bytes, spec->length);
        return;
    }
    g_assert_not_reached();
}

static void put_context_detail(GString *line, const PfTraceDetail *detail)
{
    g_string_append_printf(line, " %s", pf_context_kind_names[detail->context_kind]);
    if (detail->number != 0) {
        g_string_append(line, " memory=");
        put_quantity(line, detail->number, size_units);
    }
    if (detail->node >= 0)
        g_string_append_printf(line, " node=%" PRId32, detail->node);
    if (detail->text != NULL) {
        g_string_append(line, " label=");
        put_word(line, detail->text);
    }
    if (detail->user != NULL) {
        g_string_append(line, " user=");
        put_word(line, detail->user);
    }
    if (detail->core >= 0)
        g_string_append_printf(line, " core=%" PRId32, detail->core);
}

static void put_map_detail(GString *line, const PfTraceDetail *detail)
{
    if (detail->backing == PF_BACKING_ANON) {
        g_string_append(line, " anon");
    } else {
        g_string_append(line, detail->backing == PF_BACKING_FILE ? " file=" : " shmem=");
        put_word(line, detail->name);
        g_string_append_printf(line, ":%" PRIu64, detail->number);
    }
    if (detail->protection != PF_PROTECTION_RW)
        g_string_append_printf(line, " %s", pf_protection_names[detail->protection]);
    if (detail->mergeable)
        g_string_append(line, " mergeable");
    if (detail->huge_bytes != 0) {
        g_string_append(line, " huge=");
        put_quantity(line, detail->huge_bytes, size_units);
    }
    if (detail->group != 0)
        g_string_append_printf(line, " group=%" PRIu64, detail->group);
}

/* What comes after the event's name, its context, address and count, and before the content. */
static void put_detail(GString *line, const PfTraceWriter *writer, const PfRecord *record)
{
    const PfTraceDetail *detail = record->detail;
    const PfTraceContext *other;
    g_assert(pf_record_has_detail(record->kind));
    if (record->kind == PF_RECORD_MAP) {
        put_map_detail(line, detail);
        return;
    }
    g_string_append_c(line, ' ');
    if (record->kind == PF_RECORD_ALIAS) {
        other = pf_trace_rules_context(writer->rules, detail->other_context);
        put_word(line, other->name);
        g_string_append_printf(line, " 0x%" PRIx64, detail->other_address);
    } else if (record->kind == PF_RECORD_REMAP) {
        g_string_append_printf(line, "0x%" PRIx64, detail->other_address);
    } else if (record->kind == PF_RECORD_DMA) {
        put_word(line, detail->name);
        g_string_append_printf(line, ":%" PRIu64, detail->number);
    } else if (record->kind == PF_RECORD_CONTROL) {
        put_word(line, detail->name);
        g_string_append_c(line, ' ');
        put_word(line, detail->text);
    } else if (record->kind == PF_RECORD_CONTEXT || record->kind == PF_RECORD_FORK) {
        put_word(line, detail->name);
        if (record->kind == PF_RECORD_CONTEXT)
            put_context_detail(line, detail);
    } else {
        put_quoted(line, detail->name, strlen(detail->name));
    }
}

/* What events without address and detail count. */
static void put_count(GString *line, const PfRecord *record)
{
    g_string_append_c(line, ' ');
    if (record->kind == PF_RECORD_IDLE || record->kind == PF_RECORD_TIME)
        put_quantity(line, record->count, time_units);
    else if (record->kind == PF_RECORD_GRAIN)
        g_string_append(line, pf_grain_names[record->count]);
    else if ((record->flags & PF_RECORD_SCAN_PASSES) != 0)
        g_string_append_printf(line, "pass %" PRIu64, record->count);
    else
        g_string_append_printf(line, "%" PRIu64, record->count);
}

static void put_access_end(GString *line, const PfRecord *record)
{
    if ((record->flags & PF_RECORD_DEPENDENT) != 0 && record->kind == PF_RECORD_READ)
        g_string_append(line, " dep");
    if ((record->flags & PF_RECORD_HAS_VALUE) != 0 && record->kind == PF_RECORD_WRITE) {
        g_string_append_c(line, ' ');
        if (record->count > sizeof(record->value))
            put_bytes(line, record->bytes, record->count);
        else
            g_string_append_printf(line, "0x%" PRIx64, record->value);
    }
    if ((record->flags & PF_RECORD_MODIFIES) != 0)
        g_string_append(line, " modify");
    if ((record->flags & PF_RECORD_HAS_VIRTUAL) != 0)
        g_string_append_printf(line, " va=0x%" PRIx64, record->virtual_address);
}

static void flush_line(PfTraceWriter *writer, Sink *sink)
{
    g_string_append_c(sink->line, '\n');
    pf_output_write(writer->output, sink->line->str, sink->line->len);
    g_string_truncate(sink->line, 0);
}

static void add_record(PfTraceWriter *writer, const PfRecord *record)
{
    Sink *sink = writer->form;
    GString *line = sink->line;
    const PfRecordTraits *traits = pf_record_traits(record->kind);
    g_string_append(line, traits->name);
    if (traits->has_context) {
        g_string_append_c(line, ' ');
        put_word(line, pf_trace_rules_context(writer->rules, record->context)->name);
    }
    if (traits->has_pages || traits->is_access)
        g_string_append_printf(line, " 0x%" PRIx64 " %" PRIu64, record->address, record->count);
    else if (!traits->has_detail && record->kind != PF_RECORD_EXIT)
        put_count(line, record);
    if (traits->has_detail)
        put_detail(line, writer, record);
    if (record->kind == PF_RECORD_ADVISE)
        g_string_append_printf(line, " %s", pf_advice_names[record->choice]);
    if (record->kind == PF_RECORD_ATTR)
        g_string_append_printf(line, " %s", pf_attribute_names[record->choice]);
    if (traits->has_content) {
        PfContentSpec spec = pf_content_pool_get(writer->contents, record->content);
        put_content(line, &spec);
    }
    if (traits->has_step && record->value != 0)
        g_string_append_printf(line, " step=%" PRIu64, record->value);
    put_access_end(line, record);
    flush_line(writer, sink);
}

/* In pieces that a person can look at; cut between characters. */
static void put_description(PfTraceWriter *writer, Sink *sink)
{
    enum { PIECE_BYTES = 1000 };
    const char *text = writer->description;
    size_t left = strlen(text);
    while (left > 0) {
        size_t piece = MIN(left, (size_t)PIECE_BYTES);
        while (piece < left && ((uint8_t)text[piece] & 0xc0) == 0x80)
            piece--;
        g_string_append(sink->line, "description ");
        put_quoted(sink->line, text, piece);
        flush_line(writer, sink);
        text += piece;
        left -= piece;
    }
}

static void *open_sink(PfTraceWriter *writer)
{
    Sink *sink = g_new0(Sink, 1);
    sink->line = g_string_new("pagefold-trace 1");
    flush_line(writer, sink);
    g_string_append(sink->line, "page ");
    put_quantity(sink->line, writer->header.page_bytes, size_units);
    flush_line(writer, sink);
    if (writer->header.clock_hz != 0) {
        g_string_append(sink->line, "clock ");
        put_quantity(sink->line, writer->header.clock_hz, rate_units);
        flush_line(writer, sink);
    }
    if (strcmp(writer->description, "{}") != 0)
        put_description(writer, sink);
    return sink;
}

static void add_content(PfTraceWriter *writer, const PfContentSpec *spec)
{
    /* The pool keeps it until a record uses it. */
    (void)writer;
    (void)spec;
}

static void finish_sink(PfTraceWriter *writer)
{
    (void)writer;
}

static void close_sink(PfTraceWriter *writer)
{
    Sink *sink = writer->form;
    g_string_free(sink->line, TRUE);
    g_free(sink);
}

const PfTraceSink pf_trace_sink_text = {
    .keeps_contents = true,
    .open = open_sink,
    .content = add_content,
    .add = add_record,
    .finish = finish_sink,
    .close = close_sink,
};
