/* Checks a text before libconfig 1.5 parses it.
 *
 * The library silently corrupts integers outside 32 bits without L (8589934592 reads as 0), leaks
 * on syntax errors, drops \x00, keeps unknown escapes as they are, reads 010 as 10, and takes
 * `size = 4K = 1` as two settings. Here its grammar is checked in full, a little stricter, so that
 * it only ever sees text that it reads right. */
#include <math.h>
#include <string.h>

#include "config_tree.h"
#include "error.h"

typedef enum {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_EQUALS,
    TOKEN_STRING,
    TOKEN_SCALAR, /* number or boolean */
    TOKEN_SEPARATOR,
    TOKEN_OPEN,
    TOKEN_CLOSE,
} Token;

/* What may come next in the innermost container. */
typedef enum {
    EXPECT_NAME,        /* group: a setting, or its end */
    EXPECT_EQUALS,      /* group: = after a name */
    EXPECT_VALUE,       /* a value, nothing else */
    EXPECT_FIRST_VALUE, /* list or array just opened: a value, or its end */
    EXPECT_AFTER,       /* behind a value */
} Expect;

typedef struct {
    const PfConfigText *text;
    const char *at;
    const char *start; /* of the current token */
    unsigned line;     /* index of the line */
    Token last;
    Expect expect;
    unsigned depth;
    char open[PF_CONFIG_NESTING_MAX + 1]; /* '{', '(' or '['; open[0] is the top level's '{' */
    unsigned group_keys[PF_CONFIG_NESTING_MAX + 1];
    unsigned keys;
    unsigned values;
    unsigned pieces;       /* of the string that is being put together */
    GString *bad_integers; /* all of them, one line each */
} Lexer;

static bool is_name_byte(char c)
{
    return g_ascii_isalnum(c) || c == '*' || c == '_' || c == '-';
}

/* The text of the current token, shortened for a message. */
static char *token_text(const Lexer *lexer)
{
    if (lexer->start == lexer->at)
        return g_strdup("the end");
    size_t length = (size_t)(lexer->at - lexer->start);
    g_autofree char *text = g_strndup(lexer->start, MIN(length, 40));
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_strdelimit(valid, "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0e\x0f\x1b\x7f\n\r\t", '?');
    return g_strdup_printf("%s%s", valid, length > 40 ? "..." : "");
}

/* "BEFORE TOKEN AFTER". */
static bool fail(Lexer *lexer, GError **error, const char *before, const char *after)
{
    g_autofree char *token = token_text(lexer);
    pf_config_text_error(lexer->text, lexer->line, error, "%s%s%s", before, token, after);
    return false;
}

static void skip_blanks(Lexer *lexer)
{
    for (;;) {
        const char *p = lexer->at;
        if (*p == '\n') {
            lexer->line++;
            lexer->at++;
        } else if (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\f') {
            lexer->at++;
        } else if (*p == '#' || (*p == '/' && p[1] == '/')) {
            lexer->at = strchr(p, '\n');
        } else if (*p == '/' && p[1] == '*') {
            for (p += 2; *p != '*' || p[1] != '/'; p++)
                lexer->line += *p == '\n';
            lexer->at = p + 2;
        } else {
            return;
        }
    }
}

static bool lex_string(Lexer *lexer, GError **error)
{
    const char *p = lexer->at + 1;
    for (; *p != '"'; p++) {
        lexer->line += *p == '\n';
        if (*p != '\\')
            continue;
        p++;
        lexer->at = p + 1;
        lexer->start = p - 1;
        if (*p == 'x' || *p == 'X') {
            if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]))
                return fail(lexer, error, "", " needs two hexadecimal digits");
            if (p[1] >= '8' || (p[1] == '0' && p[2] == '0'))
                return fail(lexer, error, "", "01 to \\x7f can be in a string, nothing else");
            p += 2;
        } else if (*p == '\0' || strchr("nrtf\\\"", *p) == NULL) {
            return fail(lexer, error, "", " is no escape; a backslash is written \\\\");
        }
    }
    lexer->at = p + 1;
    return true;
}

/* Whether the number from START to END is an integer; RET_LONG: with L, RET_HEX: hexadecimal. */
static bool is_integer(const char *start, const char *end, bool *ret_long, bool *ret_hex)
{
    const char *p = start;
    *ret_hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    if (*ret_hex) {
        p += 2;
        start = p;
        while (p < end && g_ascii_isxdigit(*p))
            p++;
    } else {
        p += *p == '+' || *p == '-';
        start = p;
        while (p < end && g_ascii_isdigit(*p))
            p++;
    }
    const char *digits_end = p;
    for (unsigned i = 0; i < 2 && p < end && *p == 'L'; i++)
        p++;
    *ret_long = p > digits_end;
    return digits_end > start && p == end;
}

static bool is_float(const char *p, const char *end)
{
    p += *p == '+' || *p == '-';
    unsigned digits = 0;
    bool marked = false;
    for (; p < end && (g_ascii_isdigit(*p) || (*p == '.' && !marked)); p++) {
        marked |= *p == '.';
        digits += *p != '.';
    }
    if (digits == 0)
        return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        const char *exponent = p;
        while (p < end && g_ascii_isdigit(*p))
            p++;
        marked = p > exponent;
    }
    return marked && p == end;
}

/* Collects an error if libconfig would corrupt the integer of the current token. */
static void check_integer(Lexer *lexer, bool is_long, bool is_hex)
{
    bool negative = *lexer->start == '-';
    const char *digits = lexer->start + (is_hex ? 2 : 0);
    digits += !is_hex && (*digits == '-' || *digits == '+');
    guint64 magnitude;
    g_autofree char *number = g_strndup(digits, strspn(digits, "0123456789abcdefABCDEF"));
    bool fits =
        g_ascii_string_to_unsigned(number, is_hex ? 16 : 10, 0, G_MAXUINT64, &magnitude, NULL);
    g_autofree char *token = token_text(lexer);
    g_autofree char *mend = NULL;
    if (!is_hex && digits[0] == '0' && number[1] != '\0')
        mend =
            g_strdup_printf("%s could mean an octal number; write it without leading zeros", token);
    else if (!fits || magnitude > (guint64)INT64_MAX + negative)
        mend = g_strdup_printf("integer %s does not fit in 64 bits; write it as a string with a "
                               "unit (\"8GiB\") if it is a quantity",
                               token);
    else if (!is_long && magnitude > (guint64)INT32_MAX + negative)
        mend = g_strdup_printf("integer %s does not fit in 32 bits; write %sL%s", token, token,
                               negative || is_hex ? "" : " or a string with a unit (\"8GiB\")");
    if (mend == NULL)
        return;
    g_autoptr(GError) error = NULL;
    pf_config_text_error(lexer->text, lexer->line, &error, "%s", mend);
    if (lexer->bad_integers->len > 0)
        g_string_append_c(lexer->bad_integers, '\n');
    if (lexer->bad_integers->len < 80 * PF_CONFIG_ERRORS_SHOWN_MAX)
        g_string_append(lexer->bad_integers, error->message);
}

static bool lex_number(Lexer *lexer, GError **error)
{
    while (is_name_byte(*lexer->at) || *lexer->at == '+' || *lexer->at == '.')
        lexer->at++;
    bool is_long;
    bool is_hex;
    if (is_integer(lexer->start, lexer->at, &is_long, &is_hex))
        check_integer(lexer, is_long, is_hex);
    else if (!is_float(lexer->start, lexer->at))
        return fail(lexer, error, "",
                    " is no number; a quantity with a unit needs quotes (\"8GiB\")");
    else if (!isfinite(g_ascii_strtod(lexer->start, NULL)))
        return fail(lexer, error, "", " is larger than any double");
    return true;
}

static bool lex_name(Lexer *lexer, Token *ret_token, GError **error)
{
    while (is_name_byte(*lexer->at))
        lexer->at++;
    size_t length = (size_t)(lexer->at - lexer->start);
    if (length > PF_CONFIG_NAME_BYTES_MAX)
        return fail(lexer, error, "the name ", " is longer than 64 bytes");
    bool is_boolean = (length == 4 && g_ascii_strncasecmp(lexer->start, "true", 4) == 0) ||
                      (length == 5 && g_ascii_strncasecmp(lexer->start, "false", 5) == 0);
    *ret_token = is_boolean ? TOKEN_SCALAR : TOKEN_NAME;
    return true;
}

static bool fail_at_strange(Lexer *lexer, GError **error)
{
    while ((*lexer->at & 0xc0) == 0x80)
        lexer->at++;
    return fail(lexer, error, "strange character ", " here; text needs quotes");
}

static bool lex_token(Lexer *lexer, Token *ret_token, GError **error)
{
    skip_blanks(lexer);
    lexer->start = lexer->at;
    char c = *lexer->at;
    *ret_token = TOKEN_END;
    if (c == '\0')
        return true;
    if (g_ascii_isalpha(c) || c == '*')
        return lex_name(lexer, ret_token, error);
    if (g_ascii_isdigit(c) || c == '+' || c == '-' || c == '.') {
        *ret_token = TOKEN_SCALAR;
        return lex_number(lexer, error);
    }
    if (c == '"') {
        *ret_token = TOKEN_STRING;
        return lex_string(lexer, error);
    }
    lexer->at++;
    if (c == '=' || c == ':')
        *ret_token = TOKEN_EQUALS;
    else if (c == ';' || c == ',')
        *ret_token = TOKEN_SEPARATOR;
    else if (c == '{' || c == '(' || c == '[')
        *ret_token = TOKEN_OPEN;
    else if (c == '}' || c == ')' || c == ']')
        *ret_token = TOKEN_CLOSE;
    else if (c == '@')
        return fail(lexer, error, "", " is out of place; @include must come first on its line");
    else
        return fail_at_strange(lexer, error);
    return true;
}

static bool in_group(const Lexer *lexer)
{
    return lexer->open[lexer->depth] == '{';
}

static bool take_open(Lexer *lexer, GError **error)
{
    if (lexer->open[lexer->depth] == '[')
        return fail(lexer, error,
                    "an array [ ] holds numbers, booleans or strings of one type, not ",
                    "; write a list ( )");
    if (lexer->depth == PF_CONFIG_NESTING_MAX)
        return fail(lexer, error, "", " nests more than 64 deep");
    lexer->depth++;
    lexer->open[lexer->depth] = *lexer->start;
    lexer->group_keys[lexer->depth] = 0;
    lexer->expect = in_group(lexer) ? EXPECT_NAME : EXPECT_FIRST_VALUE;
    return true;
}

static bool take_close(Lexer *lexer, GError **error)
{
    char open = lexer->open[lexer->depth];
    char close = open == '{' ? '}' : open == '(' ? ')' : ']';
    if (lexer->depth == 0 || *lexer->start != close)
        return fail(lexer, error, "", " closes nothing that is open here");
    lexer->depth--;
    lexer->expect = EXPECT_AFTER;
    return true;
}

static bool take_name(Lexer *lexer, GError **error)
{
    lexer->expect = EXPECT_EQUALS;
    if (++lexer->keys > PF_CONFIG_KEYS_MAX)
        return fail(lexer, error, "", ": more than 32768 settings");
    if (++lexer->group_keys[lexer->depth] > PF_CONFIG_GROUP_KEYS_MAX)
        return fail(lexer, error, "", ": more than 1024 settings in one group");
    return true;
}

static bool take_value(Lexer *lexer, Token token, GError **error)
{
    if (++lexer->values > PF_CONFIG_VALUES_MAX)
        return fail(lexer, error, "", ": more than 262144 values");
    lexer->pieces = 1;
    lexer->expect = EXPECT_AFTER;
    return token != TOKEN_OPEN || take_open(lexer, error);
}

static bool take_after(Lexer *lexer, Token token, GError **error)
{
    if (token == TOKEN_STRING && lexer->last == TOKEN_STRING) {
        if (++lexer->pieces > PF_CONFIG_STRING_PIECES_MAX)
            return fail(lexer, error, "", ": more than 1024 pieces of one string");
        return true;
    }
    if (token == TOKEN_CLOSE)
        return take_close(lexer, error);
    if (token == TOKEN_SEPARATOR && (in_group(lexer) || *lexer->start == ',')) {
        lexer->expect = in_group(lexer) ? EXPECT_NAME : EXPECT_VALUE;
        return true;
    }
    if (token == TOKEN_NAME && in_group(lexer))
        return take_name(lexer, error);
    return fail(lexer, error,
                in_group(lexer) ? "expected ; before " : "expected , or the closing bracket, got ",
                "");
}

/* One token in the state that the tokens before it left. */
static bool take(Lexer *lexer, Token token, GError **error)
{
    bool is_value = token == TOKEN_STRING || token == TOKEN_SCALAR || token == TOKEN_OPEN;
    switch (lexer->expect) {
    case EXPECT_NAME:
        if (token == TOKEN_NAME)
            return take_name(lexer, error);
        if (token == TOKEN_CLOSE)
            return take_close(lexer, error);
        return fail(lexer, error, "expected a name, got ", "");
    case EXPECT_EQUALS:
        lexer->expect = EXPECT_VALUE;
        return token == TOKEN_EQUALS || fail(lexer, error, "expected = behind a name, got ", "");
    case EXPECT_VALUE:
        return is_value ? take_value(lexer, token, error)
                        : fail(lexer, error, "expected a value, got ", "; text needs quotes");
    case EXPECT_FIRST_VALUE:
        if (token == TOKEN_CLOSE)
            return take_close(lexer, error);
        return is_value ? take_value(lexer, token, error)
                        : fail(lexer, error, "expected a value, got ", "; text needs quotes");
    case EXPECT_AFTER:
        return take_after(lexer, token, error);
    }
    g_assert_not_reached();
}

bool pf_config_check_text(PfConfigText *text, GError **error)
{
    g_autoptr(GString) bad_integers = g_string_new(NULL);
    Lexer lexer = {.text = text,
                   .at = text->text->str,
                   .last = TOKEN_END,
                   .open = {'{'},
                   .expect = EXPECT_NAME,
                   .bad_integers = bad_integers};
    for (;;) {
        Token token;
        if (!lex_token(&lexer, &token, error))
            return false;
        if (token == TOKEN_END)
            break;
        if (!take(&lexer, token, error))
            return false;
        lexer.last = token;
    }
    if (lexer.depth > 0) {
        char open[] = {lexer.open[lexer.depth], '\0'};
        pf_config_text_error(text, lexer.line, error, "the text ends inside %s", open);
        return false;
    }
    if (lexer.expect != EXPECT_NAME && lexer.expect != EXPECT_AFTER)
        return fail(&lexer, error, "expected a value, got ", "");
    text->integers_refused = bad_integers->len > 0;
    if (text->integers_refused) {
        g_set_error_literal(error, PF_ERROR, PF_ERROR_CONFIG, bad_integers->str);
        return false;
    }
    return true;
}
