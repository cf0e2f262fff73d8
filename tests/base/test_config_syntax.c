/* Text: integers that libconfig 1.5 would corrupt, syntax errors, limits. */
#include "sample_config.h"

/* TEXT does not load, for the reason EXPECTED. */
static void check_refused(const char *text, size_t length, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load_text(text, length, "t.cfg", NULL, &error);
    CU_ASSERT_PTR_NULL(config);
    check_message(error, expected);
}

static void check_accepted(const char *text)
{
    g_autoptr(PfConfig) config = load_sample(text);
    CU_ASSERT_PTR_NOT_NULL(config);
}

#define TAIL32 " does not fit in 32 bits; write "
#define UNIT   " or a string with a unit (\"8GiB\")"
#define TAIL64                                                                                     \
    " does not fit in 64 bits; write it as a string with a unit (\"8GiB\") if it is a quantity"

static void test_corrupting_integers(void)
{
    static const struct {
        const char *value;
        const char *message; /* NULL: accepted */
    } cases[] = {
        {"2147483647", NULL},
        {"2147483648", "2147483648" TAIL32 "2147483648L" UNIT},
        {"-2147483648", NULL},
        {"-2147483649", "-2147483649" TAIL32 "-2147483649L"},
        {"2147483648L", NULL},
        {"8589934592LL", NULL},
        {"0x7fffffff", NULL},
        {"0x80000000", "0x80000000" TAIL32 "0x80000000L"},
        {"0xFFFFFFFFL", NULL},
        {"9223372036854775807L", NULL},
        {"9223372036854775808L", "9223372036854775808L" TAIL64},
        {"-9223372036854775808L", NULL},
        {"-9223372036854775809L", "-9223372036854775809L" TAIL64},
        {"0x7FFFFFFFFFFFFFFFL", NULL},
        {"0x8000000000000000L", "0x8000000000000000L" TAIL64},
        {"99999999999999999999", "99999999999999999999" TAIL64},
        {"0", NULL},
        {"+3", NULL},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("a = (%s);", cases[i].value);
        g_autofree char *message = g_strdup_printf("t.cfg:1: integer %s", cases[i].message);
        if (cases[i].message == NULL)
            check_accepted(text);
        else
            check_refused(text, strlen(text), message);
    }
    const char *octal = "a = 010;";
    check_refused(octal, strlen(octal),
                  "t.cfg:1: 010 could mean an octal number; write it without leading zeros");
}

static void test_all_integers_at_once(void)
{
    const char *text = "/* 99999999999\n */ a = 1; # 99999999999\nb = \"99999999999\";\n"
                       "c = 99999999999; // x\nd9999999999 = { e = [1, 0xFFFFFFFF]; };";
    check_refused(text, strlen(text),
                  "t.cfg:4: integer 99999999999" TAIL32 "99999999999L" UNIT "\n"
                  "t.cfg:5: integer 0xFFFFFFFF" TAIL32 "0xFFFFFFFFL");
}

static void test_syntax(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a = ;", "t.cfg:1: expected a value, got ;; text needs quotes"},
        {"a = b;", "t.cfg:1: expected a value, got b; text needs quotes"},
        {"\n\na 1;", "t.cfg:3: expected = behind a name, got 1"},
        {"a = 1 2;", "t.cfg:1: expected ; before 2"},
        {"1 = 2;", "t.cfg:1: expected a name, got 1"},
        {"a = 1;;", "t.cfg:1: expected a name, got ;"},
        {"a =", "t.cfg:1: expected a value, got the end"},
        {"a = 4K;", "t.cfg:1: 4K is no number; a quantity with a unit needs quotes (\"8GiB\")"},
        {"a = 4K = 1;", "t.cfg:1: 4K is no number; a quantity with a unit needs quotes (\"8GiB\")"},
        {"a = .;", "t.cfg:1: . is no number; a quantity with a unit needs quotes (\"8GiB\")"},
        {"a = 1e999;", "t.cfg:1: 1e999 is larger than any double"},
        {"a = { b = 1;", "t.cfg:1: the text ends inside {"},
        {"a = (1, 2};", "t.cfg:1: } closes nothing that is open here"},
        {"}", "t.cfg:1: } closes nothing that is open here"},
        {"a = (1, 2,);", "t.cfg:1: expected a value, got ); text needs quotes"},
        {"a = (1; 2);", "t.cfg:1: expected , or the closing bracket, got ;"},
        {"a = [1, (2)];", "t.cfg:1: an array [ ] holds numbers, booleans or strings of one type, "
                          "not (; write a list ( )"},
        {"a = [1, 2.0];", "t.cfg:1: mismatched element type in array"},
        {"a = 1;\na = 2;", "t.cfg:2: duplicate setting name"},
        {"a \"x\" = 1;", "t.cfg:1: expected = behind a name, got \"x\""},
        {"a = \"x;\n", "t.cfg:1: this string never ends; it lacks a closing quote"},
        {"\na = 1; /* x\n", "t.cfg:2: this comment never ends; it lacks */"},
        {"a = \"\\q\";", "t.cfg:1: \\q is no escape; a backslash is written \\\\"},
        {"a = \"\\x4\";", "t.cfg:1: \\x needs two hexadecimal digits"},
        {"a = \"\\x00\";", "t.cfg:1: \\x01 to \\x7f can be in a string, nothing else"},
        {"a = \"\\x80\";", "t.cfg:1: \\x01 to \\x7f can be in a string, nothing else"},
        {"\n# \xe4\n", "t.cfg:2: this is no UTF-8 text"},
        {"a = $;", "t.cfg:1: strange character $ here; text needs quotes"},
        {"\xc3\xa4 = 1;", "t.cfg:1: strange character \xc3\xa4 here; text needs quotes"},
        {"a = 1; @include \"x\"",
         "t.cfg:1: @ is out of place; @include must come first on its line"},
        {"@include \"x\"", "t.cfg:1: only files can have @include"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
    check_refused("a = 1;\0", 7, "t.cfg: holds a NUL byte; this is no text file");
}

static void test_odd_but_right(void)
{
    g_autoptr(PfConfig) config = load_sample(
        "\xef\xbb\xbf# a comment without end of line in the last line\r\n"
        "channels : 4, size = 0x10 /* x */ share=.5 name = \"/* no */ # no \\\" @include \\\\\"\n"
        "filters=[\"a\"\n\"b\"] mode = \"open\" // end");
    Sample sample;
    bind_sample(pf_config_section(config, ""), &sample);
    check_finished(config);
    CU_ASSERT_EQUAL(sample.channels, 4);
    CU_ASSERT_EQUAL(sample.size_bytes, 16);
    CU_ASSERT_EQUAL(sample.share, 0.5);
    CU_ASSERT_STRING_EQUAL(sample.name, "/* no */ # no \" @include \\");
    CU_ASSERT_STRING_EQUAL(sample.filters[0], "ab");
    CU_ASSERT_PTR_NULL(sample.filters[1]);
    g_autoptr(PfConfig) empty = load_sample("");
    check_finished(empty);
}

static char *nested(unsigned depth)
{
    GString *text = g_string_new("a = ");
    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, "(");
    for (unsigned i = 0; i < depth; i++)
        g_string_append(text, ")");
    return g_string_free(text, FALSE);
}

static void test_limits(void)
{
    g_autofree char *deep = nested(64);
    g_autofree char *too_deep = nested(65);
    g_autofree char *far_too_deep = nested(1000000);
    check_accepted(deep);
    check_refused(too_deep, strlen(too_deep), "t.cfg:1: ( nests more than 64 deep");
    check_refused(far_too_deep, strlen(far_too_deep), "t.cfg:1: ( nests more than 64 deep");
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 1024; i++)
        g_string_append_printf(text, "a%u = 1;\n", i);
    check_accepted(text->str);
    g_string_append(text, "b = 1;");
    check_refused(text->str, text->len, "t.cfg:1025: b: more than 1024 settings in one group");
    g_string_assign(text, "a = (1");
    for (unsigned i = 1; i < 262143; i++)
        g_string_append(text, ",1");
    g_autoptr(GString) more = g_string_new_len(text->str, (gssize)text->len);
    g_string_append(text, ");");
    check_accepted(text->str);
    g_string_append(more, ",2);");
    check_refused(more->str, more->len, "t.cfg:1: 2: more than 262144 values");
    g_autofree char *name = g_strnfill(65, 'x');
    g_autofree char *setting = g_strconcat(name, " = 1;", NULL);
    check_accepted(setting + 1);
    name[40] = '\0';
    g_autofree char *message =
        g_strdup_printf("t.cfg:1: the name %s... is longer than 64 bytes", name);
    check_refused(setting, strlen(setting), message);
    g_string_assign(text, "a =");
    for (unsigned i = 0; i < 1024; i++)
        g_string_append(text, " \"x\"");
    check_accepted(text->str);
    g_string_append(text, " \"y\"");
    check_refused(text->str, text->len, "t.cfg:1: \"y\": more than 1024 pieces of one string");
    size_t large = ((size_t)16 << 20) + 1;
    g_autofree char *blanks = g_strnfill(large, ' ');
    check_refused(blanks, large, "t.cfg: larger than 16 MiB; this is no configuration");
    check_accepted(blanks + 2);
}

static const PfCheck checks[] = {
    {"integers that libconfig would corrupt are refused, one before is not",
     test_corrupting_integers},
    {"all such integers are listed, none in comments, strings or names", test_all_integers_at_once},
    {"a syntax error tells line, place and mend", test_syntax},
    {"what is odd but right is read", test_odd_but_right},
    {"nesting, names, keys, values, pieces of strings and size are limited", test_limits},
};

PF_CHECK_MAIN("config_syntax", checks)
