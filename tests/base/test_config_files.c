/* What happens between a file and the tree: syntax, integers, @include, extends, limits. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "sample_config.h"

/* A directory of files that is gone after the test. */
typedef struct {
    char *path;
} Folder;

static Folder folder_new(void)
{
    Folder folder = {g_dir_make_tmp("pagefold-XXXXXX", NULL)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder.path);
    return folder;
}

static char *folder_add(const Folder *folder, const char *name, const char *text)
{
    char *path = g_build_filename(folder->path, name, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    g_mkdir_with_parents(directory, 0700);
    CU_ASSERT_TRUE(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void remove_tree(const char *path)
{
    GDir *directory = g_file_test(path, G_FILE_TEST_IS_DIR) ? g_dir_open(path, 0, NULL) : NULL;
    for (const char *name; directory != NULL && (name = g_dir_read_name(directory)) != NULL;) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    g_clear_pointer(&directory, g_dir_close);
    g_remove(path);
}

static void folder_clear(Folder *folder)
{
    remove_tree(folder->path);
    g_free(folder->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Folder, folder_clear)

static const char *preset(const char *name)
{
    return strcmp(name, "small") == 0  ? "machine = { channels = 1; mode = \"open\"; };"
           : strcmp(name, "tiny") == 0 ? "extends = \"small\"; machine = { size = 64; };"
           : strcmp(name, "loop") == 0 ? "extends = \"pool\";"
           : strcmp(name, "pool") == 0 ? "\nextends = (\"tiny\", \"loop\");"
           : strcmp(name, "lost") == 0 ? "extends = \"a.cfg\";"
                                       : NULL;
}

/* TEXT does not load, for the reason EXPECTED. */
static void check_refused(const char *text, size_t length, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load_text(text, length, "t.cfg", preset, &error);
    CU_ASSERT_PTR_NULL(config);
    check_message(error, expected);
}

/* The file NAME of FOLDER does not load; EXPECTED begins behind the folder's name. */
static void check_file_refused(const Folder *folder, const char *name, const char *expected)
{
    g_autofree char *path = g_build_filename(folder->path, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load(path, preset, &error);
    CU_ASSERT_PTR_NULL(config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    g_auto(GStrv) parts = g_strsplit(error->message, folder->path, -1);
    g_autofree char *shown = g_strjoinv("", parts);
    g_autoptr(GError) shortened = g_error_new_literal(error->domain, error->code, shown);
    check_message(shortened, expected);
}

static Sample load_machine(const char *path)
{
    Sample sample = {.channels = 0};
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load(path, preset, &error);
    if (config == NULL)
        printf("# %s\n", error->message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    bind_sample(pf_config_section(config, "machine"), &sample);
    check_finished(config);
    sample.filters = NULL; /* these die with the configuration */
    sample.name = NULL;
    return sample;
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
        g_autoptr(PfConfig) config = cases[i].message == NULL ? load_sample(text) : NULL;
        if (cases[i].message != NULL)
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
        {"a = \"\\x00\";", "t.cfg:1: \\x00 (a NUL byte) cannot be in a string"},
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
    g_autoptr(PfConfig) config = load_sample(deep);
    check_refused(too_deep, strlen(too_deep), "t.cfg:1: ( nests more than 64 deep");
    check_refused(far_too_deep, strlen(far_too_deep), "t.cfg:1: ( nests more than 64 deep");
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 1024; i++)
        g_string_append_printf(text, "a%u = 1;\n", i);
    g_autoptr(PfConfig) wide = load_sample(text->str);
    g_string_append(text, "b = 1;");
    check_refused(text->str, text->len,
                  "t.cfg:1025: b: more than 1024 settings in one group");
    g_string_assign(text, "a = (1");
    for (unsigned i = 1; i < 262143; i++)
        g_string_append(text, ",1");
    g_autoptr(GString) more = g_string_new_len(text->str, (gssize)text->len);
    g_string_append(text, ");");
    g_autoptr(PfConfig) many = load_sample(text->str);
    g_string_append(more, ",2);");
    check_refused(more->str, more->len, "t.cfg:1: 2: more than 262144 values");
    g_autofree char *name = g_strnfill(65, 'x');
    g_autofree char *setting = g_strconcat(name, " = 1;", NULL);
    g_autoptr(PfConfig) short_name = load_sample(setting + 1);
    name[40] = '\0';
    g_autofree char *message = g_strdup_printf("t.cfg:1: the name %s... is longer than 64 bytes", name);
    check_refused(setting, strlen(setting), message);
    size_t large = ((size_t)16 << 20) + 1;
    g_autofree char *blanks = g_strnfill(large, ' ');
    check_refused(blanks, large, "t.cfg: larger than 16 MiB; this is no configuration");
    g_autoptr(PfConfig) fits = load_sample(blanks + 2);
}

static void test_unreadable(void)
{
    g_auto(Folder) folder = folder_new();
    check_file_refused(&folder, "none.cfg", "/none.cfg: No such file or directory");
    check_file_refused(&folder, "", ": is a directory, not a file");
    g_autofree char *a = folder_add(&folder, "a.cfg", "x = 1;\n@include \"none.cfg\"\n");
    check_file_refused(&folder, "a.cfg",
                       "/a.cfg:2: @include of /none.cfg: No such file or directory");
    g_autofree char *b = folder_add(&folder, "b.cfg", "@include \".\"\n");
    check_file_refused(&folder, "b.cfg", "/b.cfg:1: @include of /.: is a directory, not a file");
    g_autofree char *c = folder_add(&folder, "c.cfg", "extends = \"none.cfg\";");
    check_file_refused(&folder, "c.cfg",
                       "/c.cfg:1: extends: /none.cfg: No such file or directory");
    g_autofree char *d = folder_add(&folder, "d.cfg", "extends = \"nothing\";");
    check_file_refused(&folder, "d.cfg", "/d.cfg:1: extends: there is neither a preset nor a file "
                                         "nothing; `pagefold list presets` names them");
    g_autofree char *e = folder_add(&folder, "e.cfg", "x = 1;");
    if (g_chmod(e, 0) == 0 && geteuid() != 0)
        check_file_refused(&folder, "e.cfg", "/e.cfg: Permission denied");
}

static void test_include(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *main_path =
        folder_add(&folder, "main.cfg",
                   "/*\n@include \"none.cfg\"\n*/ machine = {\n  @include \"parts/dram.cfg\" flag = "
                   "false;\n  name = \"\n@include\";\n};");
    g_autofree char *dram = folder_add(&folder, "parts/dram.cfg",
                                       "# first\n@include \"size.cfg\"\nchannels = 8;");
    g_autofree char *size = folder_add(&folder, "parts/size.cfg", "size = 4096; chanels = 1;");
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load(main_path, preset, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    PfConfigSection *machine = pf_config_section(config, "machine");
    Sample sample;
    bind_sample(machine, &sample);
    CU_ASSERT_EQUAL(sample.channels, 8);
    CU_ASSERT_EQUAL(sample.size_bytes, 4096);
    CU_ASSERT_FALSE(sample.flag);
    CU_ASSERT_STRING_EQUAL(sample.name, "\n@include");
    /* Each value knows file and line, before, in and behind the includes. */
    const char *origins[][2] = {{"size", "/parts/size.cfg:1"}, {"channels", "/parts/dram.cfg:3"},
                                {"flag", "/main.cfg:4"},       {"name", "/main.cfg:5"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(origins); i++) {
        g_autofree char *origin = g_strconcat(folder.path, origins[i][1], NULL);
        CU_ASSERT_STRING_EQUAL(pf_config_origin(machine, origins[i][0]), origin);
    }
    g_autofree char *expected = g_strconcat(
        size, ":1: machine.chanels: unknown key; did you mean machine.channels?", NULL);
    check_unfinished(config, expected);
}

static void test_bad_includes(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *loop = folder_add(&folder, "loop.cfg", "a = 1;\n@include \"loop.cfg\"\n");
    check_file_refused(&folder, "loop.cfg", "/loop.cfg:2: @include nested more than 10 deep; does "
                                            "the file include itself?");
    static const char *const texts[] = {"@include x", "@include", "@include \"", "@include\"x\"",
                                        "@include \"\"", "@include \"a\\b\"", "@include \"a\nb\""};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *path = folder_add(&folder, "bad.cfg", texts[i]);
        check_file_refused(&folder, "bad.cfg", "/bad.cfg:1: write @include \"FILE\"");
    }
    g_autofree char *open = folder_add(&folder, "open.cfg", "b = \"");
    g_autofree char *user = folder_add(&folder, "user.cfg", "\n@include \"open.cfg\"\n");
    check_file_refused(&folder, "user.cfg",
                       "/open.cfg:1: this string never ends; it lacks a closing quote");
    g_autofree char *number = folder_add(&folder, "number.cfg", "\n\nb = 99999999999L;c = 4K;");
    g_autofree char *next = folder_add(&folder, "next.cfg", "\n@include \"number.cfg\"\n");
    check_file_refused(&folder, "next.cfg", "/number.cfg:3: 4K is no number; a quantity with a unit "
                                            "needs quotes (\"8GiB\")");
}

static void test_extends(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *base = folder_add(
        &folder, "machines/base.cfg",
        "extends = \"tiny\";\nmachine = { channels = 2; share = 0.5; filters = (\"x\", \"y\"); };");
    g_autofree char *other = folder_add(&folder, "other.cfg", "machine = { share = 0.75; };");
    g_autofree char *top = folder_add(
        &folder, "top.cfg",
        "machine = { channels = 16; };\nextends = (\"machines/base.cfg\", \"other.cfg\");");
    Sample sample = load_machine(top);
    CU_ASSERT_EQUAL(sample.channels, 16);  /* top.cfg over base.cfg over preset small */
    CU_ASSERT_EQUAL(sample.share, 0.75);   /* other.cfg over base.cfg */
    CU_ASSERT_EQUAL(sample.size_bytes, 64); /* preset tiny */
    CU_ASSERT_EQUAL(sample.mode, 0);        /* preset small, through tiny */
}

static void test_lists_replace(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *base = folder_add(&folder, "base.cfg", "machine = { filters = (\"x\", \"y\"); "
                                                            "values = (1, 2, 3); };");
    g_autofree char *top = folder_add(
        &folder, "top.cfg", "extends = \"base.cfg\"; machine = { filters = [\"z\"]; };");
    g_autoptr(PfConfig) config = pf_config_load(top, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    Sample sample;
    bind_sample(pf_config_section(config, "machine"), &sample);
    CU_ASSERT_STRING_EQUAL(sample.filters[0], "z");
    CU_ASSERT_PTR_NULL(sample.filters[1]);
    CU_ASSERT_STRING_EQUAL(sample.values[2], "3");
}

static void test_extends_errors(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"\nextends = \"loop\";", "t.cfg:2: extends: preset loop:1: extends: preset pool:2: "
                                  "extends: preset loop extends itself"},
        {"extends = 5;",
         "t.cfg:1: extends: extends takes the name of a file or preset, or a list of such"},
        {"extends = (\"tiny\", { });",
         "t.cfg:1: extends: extends takes the name of a file or preset, or a list of such"},
        {"extends = \"unheard\";", "t.cfg:1: extends: there is no preset unheard"},
        {"extends = \"lost\";",
         "t.cfg:1: extends: preset lost:1: extends: there is no preset a.cfg"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check_refused(cases[i].text, strlen(cases[i].text), cases[i].message);
    g_auto(Folder) folder = folder_new();
    g_autofree char *a = folder_add(&folder, "a.cfg", "extends = \"s/b.cfg\";");
    g_autofree char *b = folder_add(&folder, "s/b.cfg", "extends = \"../a.cfg\";");
    check_file_refused(&folder, "a.cfg",
                       "/a.cfg:1: extends: /s/b.cfg:1: extends: /a.cfg extends itself");
    g_autofree char *inner = folder_add(&folder, "in.cfg", "machine = { extends = \"a.cfg\"; };");
    g_autoptr(PfConfig) config = pf_config_load(inner, NULL, NULL);
    Sample sample;
    bind_sample(pf_config_section(config, "machine"), &sample);
    CU_ASSERT_FALSE(pf_config_finish(config, NULL));
}

/* A chain of DEPTH files that extend each other, and its first file. */
static char *add_chain(const Folder *folder, unsigned depth)
{
    for (unsigned i = 0; i <= depth; i++) {
        g_autofree char *name = g_strdup_printf("chain%u.cfg", i);
        g_autofree char *text = i == depth
                                    ? g_strdup("machine = { channels = 32; };")
                                    : g_strdup_printf("extends = \"chain%u.cfg\";", i + 1);
        g_autofree char *path = folder_add(folder, name, text);
    }
    return g_build_filename(folder->path, "chain0.cfg", NULL);
}

static void test_extends_limits(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *sixteen = add_chain(&folder, 16);
    CU_ASSERT_EQUAL(load_machine(sixteen).channels, 32);
    g_autofree char *seventeen = add_chain(&folder, 17);
    g_autoptr(GError) error = NULL;
    g_autoptr(PfConfig) config = pf_config_load(seventeen, NULL, &error);
    CU_ASSERT_PTR_NULL(config);
    CU_ASSERT_TRUE(g_str_has_suffix(error->message, "extends nested more than 16 deep"));
    /* Each file extends the next one twice: 2^16 loads without a limit on their number. */
    for (unsigned i = 0; i < 16; i++) {
        g_autofree char *name = g_strdup_printf("chain%u.cfg", i);
        g_autofree char *text =
            g_strdup_printf("extends = (\"chain%u.cfg\", \"chain%u.cfg\");", i + 1, i + 1);
        g_autofree char *path = folder_add(&folder, name, text);
    }
    g_autofree char *last = folder_add(&folder, "chain16.cfg", "machine = { };");
    g_autoptr(GError) many = NULL;
    g_autoptr(PfConfig) fan = pf_config_load(seventeen, NULL, &many);
    CU_ASSERT_PTR_NULL(fan);
    CU_ASSERT_TRUE(g_str_has_suffix(many->message, "more than 256 files and presets in all"));
}

static void test_paths(void)
{
    g_auto(Folder) folder = folder_new();
    g_autofree char *base = folder_add(&folder, "sub/base.cfg", "name = \"../x.pft\";");
    g_autofree char *top = folder_add(&folder, "top.cfg", "extends = \"sub/base.cfg\";");
    g_autoptr(PfConfig) config = pf_config_load(top, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    PfConfigSection *root = pf_config_section(config, "");
    g_autofree char *path = pf_config_path(root, "name");
    g_autofree char *expected = g_build_filename(folder.path, "sub", "../x.pft", NULL);
    CU_ASSERT_STRING_EQUAL(path, expected);
    g_autofree char *resolved = pf_config_resolve(root, "name", "/abs");
    CU_ASSERT_STRING_EQUAL(resolved, "/abs");
    CU_ASSERT_TRUE(pf_config_override(config, "name=y.pft", NULL));
    g_autofree char *overridden = pf_config_path(root, "name");
    CU_ASSERT_STRING_EQUAL(overridden, "y.pft");
    CU_ASSERT_PTR_NULL(pf_config_path(root, "absent"));
}

static const PfCheck checks[] = {
    {"integers that libconfig would corrupt are refused, one before is not",
     test_corrupting_integers},
    {"all such integers are listed, none in comments, strings or names", test_all_integers_at_once},
    {"a syntax error tells line, place and mend", test_syntax},
    {"what is odd but right is read", test_odd_but_right},
    {"nesting, names, numbers of keys and values, and size are limited", test_limits},
    {"what cannot be read is one clear line", test_unreadable},
    {"included values know their own file and line", test_include},
    {"a wrong @include is refused at its line", test_bad_includes},
    {"files and presets extend each other deeply, later wins", test_extends},
    {"lists of a base are replaced, not joined", test_lists_replace},
    {"cycles and unknown bases are refused with the chain to them", test_extends_errors},
    {"depth and number of extended files are limited", test_extends_limits},
    {"a path is meant from the file that holds it", test_paths},
};

PF_CHECK_MAIN("config_files", checks)
