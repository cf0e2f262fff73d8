/* Words of the text form as values. */
#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "text_reader.h"
#include "trace_names.h"

bool pf_text_complain(PfTextReader *reader, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_free(reader->problem);
    reader->problem = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return false;
}

char *pf_text_shortened(const char *text)
{
    enum { SHOWN_BYTES_MAX = 40 };
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)strnlen(text, SHOWN_BYTES_MAX));
    g_autofree char *escaped = g_strescape(valid, NULL);
    return g_strdup_printf("%s%s", escaped, strlen(text) > SHOWN_BYTES_MAX ? "..." : "");
}

const PfWord *pf_text_peek(const PfTextReader *reader)
{
    if (reader->next_word >= reader->words.count)
        return NULL;
    return &reader->words.words[reader->next_word];
}

bool pf_text_take_end(PfTextReader *reader)
{
    const PfWord *word = pf_text_peek(reader);
    if (word == NULL)
        return true;
    g_autofree char *shown = pf_text_shortened(word->text);
    return pf_text_complain(reader, "'%s' does not belong here; the line is: %s", shown,
                            reader->usage);
}

const PfWord *pf_text_take_bytes(PfTextReader *reader, const char *what)
{
    const PfWord *word = pf_text_peek(reader);
    if (word == NULL) {
        pf_text_complain(reader, "the %s is missing; the line is: %s", what, reader->usage);
        return NULL;
    }
    reader->next_word++;
    return word;
}

const PfWord *pf_text_take_word(PfTextReader *reader, const char *what)
{
    const PfWord *word = pf_text_take_bytes(reader, what);
    if (word == NULL || strlen(word->text) == word->length)
        return word;
    pf_text_complain(reader, "a NUL byte in the %s; remove it", what);
    return NULL;
}

/* Decimal or 0x; -1 no number, 0 too large, 1 fine. */
static int parse_number(const char *text, uint64_t *ret_number)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return -1;
    uint64_t number = 0;
    bool is_large = false;
    for (; *text != '\0'; text++) {
        int digit = g_ascii_xdigit_value(*text);
        if (digit < 0 || (unsigned)digit >= base)
            return -1;
        is_large = is_large || number > (UINT64_MAX - (unsigned)digit) / base;
        number = number * base + (unsigned)digit;
    }
    *ret_number = number;
    return is_large ? 0 : 1;
}

bool pf_text_number(PfTextReader *reader, const char *what, const char *text, uint64_t *ret_number)
{
    int outcome = parse_number(text, ret_number);
    if (outcome > 0)
        return true;
    g_autofree char *shown = pf_text_shortened(text);
    if (outcome == 0)
        return pf_text_complain(reader, "%s '%s' does not fit into 64 bits; use a smaller one",
                                what, shown);
    return pf_text_complain(reader,
                            "%s '%s' is no number; write digits, or 0x and hexadecimal "
                            "digits",
                            what, shown);
}

bool pf_text_take_number(PfTextReader *reader, const char *what, uint64_t *ret_number)
{
    const PfWord *word = pf_text_take_word(reader, what);
    return word != NULL && pf_text_number(reader, what, word->text, ret_number);
}

bool pf_text_size(PfTextReader *reader, const char *what, const char *text, uint64_t *ret_bytes)
{
    if (parse_number(text, ret_bytes) > 0)
        return true;
    g_autoptr(GError) error = NULL;
    if (pf_parse_quantity(text, PF_CONFIG_SIZE, ret_bytes, &error))
        return true;
    return pf_text_complain(reader, "%s: %s", what, error->message);
}

bool pf_text_take_choice(PfTextReader *reader, const char *what, const char *const *names,
                         int *ret_choice)
{
    const PfWord *word = pf_text_take_word(reader, what);
    if (word == NULL)
        return false;
    *ret_choice = pf_name_find(names, word->text);
    if (*ret_choice >= 0)
        return true;
    g_autofree char *shown = pf_text_shortened(word->text);
    const char *nearest = pf_name_nearest(names, word->text);
    if (nearest != NULL)
        return pf_text_complain(reader, "unknown %s '%s'; did you mean %s?", what, shown, nearest);
    g_autofree char *all = g_strjoinv(" | ", (char **)(uintptr_t)names);
    return pf_text_complain(reader, "unknown %s '%s'; it is one of %s", what, shown, all);
}

/* The nearest name of a context, among the first few thousand. */
static const char *nearest_context(const PfTextReader *reader, const char *name)
{
    enum { COMPARED_MAX = 4096 };
    const GArray *contexts = reader->trace->rules->contexts;
    guint count = MIN(contexts->len, COMPARED_MAX);
    g_autofree const char **names = g_new0(const char *, count + 1);
    for (guint i = 0; i < count; i++)
        names[i] = g_array_index(contexts, PfTraceContext, i).name;
    return pf_name_nearest(names, name);
}

bool pf_text_take_context(PfTextReader *reader, uint32_t *ret_context)
{
    const PfWord *word = pf_text_take_word(reader, "context");
    if (word == NULL)
        return false;
    if (pf_trace_rules_find(reader->trace->rules, word->text, ret_context))
        return true;
    g_autofree char *shown = pf_text_shortened(word->text);
    const char *nearest = nearest_context(reader, word->text);
    if (nearest == NULL)
        return pf_text_complain(reader, "unknown context '%s'; make it first: context %s vm", shown,
                                shown);
    return pf_text_complain(reader, "unknown context '%s'; did you mean %s?", shown, nearest);
}

bool pf_text_string(PfTextReader *reader, const char *text, const char **ret_string)
{
    *ret_string = pf_strings_intern(reader->trace->strings, text, NULL);
    if (*ret_string == NULL)
        return pf_text_complain(reader, "too many different names and labels; use fewer");
    return true;
}

bool pf_text_take_string(PfTextReader *reader, const char *what, const char **ret_string)
{
    const PfWord *word = pf_text_take_word(reader, what);
    return word != NULL && pf_text_string(reader, word->text, ret_string);
}

const char *pf_text_take_option(PfTextReader *reader, const char *key)
{
    const PfWord *word = pf_text_peek(reader);
    size_t length = strlen(key);
    if (word == NULL || word->is_quoted || strncmp(word->text, key, length) != 0 ||
        word->text[length] != '=')
        return NULL;
    reader->next_word++;
    return word->text + length + 1;
}

bool pf_text_take_flag(PfTextReader *reader, const char *word)
{
    const PfWord *next = pf_text_peek(reader);
    if (next == NULL || next->is_quoted || strcmp(next->text, word) != 0)
        return false;
    reader->next_word++;
    return true;
}

uint8_t *pf_text_hex(PfTextReader *reader, const char *digits, size_t digit_count)
{
    if (digit_count % 2 != 0) {
        pf_text_complain(reader, "hex: has an odd number of digits; write two for each byte");
        return NULL;
    }
    uint8_t *bytes = pf_record_block_alloc(reader->block, digit_count / 2);
    for (size_t i = 0; i < digit_count / 2; i++) {
        int high = g_ascii_xdigit_value(digits[2 * i]);
        int low = g_ascii_xdigit_value(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            g_autofree char *shown = pf_text_shortened(digits + 2 * i);
            pf_text_complain(reader, "hex: goes on with '%s'; only 0-9 and a-f may follow", shown);
            return NULL;
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return bytes;
}
