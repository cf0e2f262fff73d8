#include "explain_text.h"

#include <inttypes.h>
#include <string.h>

#include "report.h"

/* Columns of a context's name in a sentence, and of what a page holds. */
enum { NAME_COLUMNS = 12, CONTENT_COLUMNS = 12 };

void pf_explain_name(GString *out, const PfExplainStyle *style, const char *name, size_t columns)
{
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    size_t length = (size_t)g_utf8_strlen(valid, -1);
    const char *cut = style->is_ascii ? ".." : "…";
    size_t cut_columns = style->is_ascii ? 2 : 1;
    size_t shown = length <= columns ? length : columns - cut_columns;
    const char *at = valid;
    for (size_t i = 0; i < shown; i++, at = g_utf8_find_next_char(at, NULL)) {
        gunichar c = g_utf8_get_char(at);
        bool is_plain = c < 0x80 || (!style->is_ascii && !g_unichar_iswide(c) &&
                                     !g_unichar_iszerowidth(c));
        g_string_append_unichar(out, is_plain && g_unichar_isprint(c) ? c : '?');
    }
    if (shown < length)
        g_string_append(out, cut);
}

void pf_explain_page(GString *out, const PfExplainStyle *style, const PfRun *run, PfPage page)
{
    pf_explain_name(out, style, pf_image_context(run->image, page.context)->name, NAME_COLUMNS);
    g_string_append_printf(out, ":0x%" PRIx64,
                           page.cpn.number << pf_image_page_shift(run->image));
}

void pf_explain_number(GString *out, uint64_t number)
{
    enum { GROUP = 3 };
    g_autofree char *digits = g_strdup_printf("%" PRIu64, number);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % GROUP == 0)
            g_string_append_c(out, ',');
        g_string_append_c(out, digits[i]);
    }
}

void pf_explain_count(GString *out, uint64_t number, const char *noun)
{
    pf_explain_number(out, number);
    g_string_append_printf(out, " %s%s", noun, number == 1 ? "" : "s");
}

static bool is_filled_with(const uint8_t *bytes, size_t length, uint8_t byte)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static void append_bytes(GString *out, const PfExplainStyle *style, const uint8_t *bytes,
                         size_t length)
{
    enum { HEX_BYTES = 4 };
    size_t text = 0;
    while (text < length && g_ascii_isprint((char)bytes[text]))
        text++;
    if (is_filled_with(bytes, length, UINT8_MAX)) {
        g_string_append(out, "ones");
    } else if (text > 0 && is_filled_with(bytes + text, length - text, 0)) {
        g_autofree char *copy = g_strndup((const char *)bytes, text);
        g_string_append_c(out, '"');
        pf_explain_name(out, style, copy, CONTENT_COLUMNS - 2);
        g_string_append_c(out, '"');
    } else {
        for (size_t i = 0; i < MIN(length, (size_t)HEX_BYTES); i++)
            g_string_append_printf(out, "%02x", bytes[i]);
        if (length > HEX_BYTES)
            g_string_append(out, style->is_ascii ? ".." : "…");
    }
}

static void append_content(GString *out, const PfExplainStyle *style, const PfRun *run,
                           PfContent content)
{
    PfContentStore *store = run->memory.frames.store;
    PfContentSpec spec = pf_content_spec(store, content);
    g_autofree uint8_t *scratch = g_malloc(pf_content_page_bytes(store));
    if (pf_content_equal(content, PF_CONTENT_OF_ZEROS) || spec.form == PF_CONTENT_ZERO)
        g_string_append(out, "zeros");
    else if (spec.form == PF_CONTENT_HASH)
        g_string_append_printf(out, "hash:%" PRIx64, spec.number & UINT32_MAX);
    else if (spec.form == PF_CONTENT_ID && spec.with == 0 && spec.number < UINT32_MAX)
        g_string_append_printf(out, "id:%" PRIu64, spec.number);
    else
        append_bytes(out, style, pf_content_bytes(store, content, scratch),
                     pf_content_page_bytes(store));
}

void pf_explain_frame_content(GString *out, const PfExplainStyle *style, PfRun *run, PfMpn frame)
{
    PfContent content;
    if (!pf_memory_frame_content(&run->memory, frame, &content)) {
        g_string_append(out, "unknown");
        return;
    }
    append_content(out, style, run, content);
    pf_content_unref(run->memory.frames.store, content);
}

void pf_explain_page_content(GString *out, const PfExplainStyle *style, PfRun *run, PfPage page)
{
    PfSlot slot;
    PfMpn frame;
    PfContent content;
    if (!pf_host_slot(run->host, page, &slot))
        return;
    bool is_present = pf_host_frame(run->host, page, &frame);
    if (is_present)
        pf_explain_frame_content(out, style, run, frame);
    if (is_present && pf_memory_verify_page(&run->memory, slot))
        return;
    if (is_present)
        g_string_append(out, " in place of ");
    if (!pf_image_content(run->image, &run->memory.reader, pf_image_object(run->image, slot), 0,
                          &content)) {
        g_string_append(out, "bytes that nobody knows");
        return;
    }
    append_content(out, style, run, content);
    pf_content_unref(run->memory.frames.store, content);
}

void pf_explain_wrap(GString *out, const char *first, size_t indent, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_string_append_printf(out, "%*s", (int)indent, first);
    size_t column = indent;
    for (char **word = words; *word != NULL; word++) {
        size_t width = pf_report_width(*word);
        bool is_begun = column > indent;
        if (is_begun && column + 1 + width > PF_EXPLAIN_COLUMNS) {
            g_string_append_printf(out, "\n%*s", (int)indent, "");
            column = indent;
            is_begun = false;
        }
        g_string_append_printf(out, "%s%s", is_begun ? " " : "", *word);
        column += width + is_begun;
    }
    g_string_append_c(out, '\n');
}
