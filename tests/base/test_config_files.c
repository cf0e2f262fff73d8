/* Files: what cannot be read, @include, extends, paths. */
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

static char *folder_path(const Folder *folder, const char *name)
{
    return g_build_filename(folder->path, name, NULL);
}

static void folder_add(const Folder *folder, const char *name, const char *text)
{
    g_autofree char *path = folder_path(folder, name);
    g_autofree char *directory = g_path_get_dirname(path);
    g_mkdir_with_parents(directory, 0700);
    CU_ASSERT_TRUE(g_file_set_contents(path, text, -1, NULL));
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

static void test_unreadable(void)
{
    g_auto(Folder) folder = folder_new();
    check_file_refused(&folder, "none.cfg", "/none.cfg: No such file or directory");
    check_file_refused(&folder, "", ": is a directory, not a file");
    folder_add(&folder, "a.cfg", "x = 1;\n@include \"none.cfg\"\n");
    check_file_refused(&folder, "a.cfg",
                       "/a.cfg:2: @include of /none.cfg: No such file or directory");
    folder_add(&folder, "b.cfg", "@include \".\"\n");
    check_file_refused(&folder, "b.cfg", "/b.cfg:1: @include of /.: is a directory, not a file");
    folder_add(&folder, "c.cfg", "extends = \"none.cfg\";");
    check_file_refused(&folder, "c.cfg", "/c.cfg:1: extends: /none.cfg: No such file or directory");
    folder_add(&folder, "d.cfg", "extends = \"nothing\";");
    check_file_refused(&folder, "d.cfg",
                       "/d.cfg:1: extends: there is neither a preset nor a file "
                       "nothing; `pagefold list presets` names them");
    folder_add(&folder, "e.cfg", "x = 1;");
    g_autofree char *e = folder_path(&folder, "e.cfg");
    if (g_chmod(e, 0) == 0 && geteuid() != 0)
        check_file_refused(&folder, "e.cfg", "/e.cfg: Permission denied");
}

static void test_include(void)
{
    g_auto(Folder) folder = folder_new();
    folder_add(&folder, "main.cfg",
               "/*\n@include \"none.cfg\"\n*/ machine = {\n  @include \"parts/dram.cfg\" flag = "
               "false;\n  name = \"\n@include\";\n};");
    g_autofree char *main_path = folder_path(&folder, "main.cfg");
    folder_add(&folder, "parts/dram.cfg", "# first\n@include \"size.cfg\"\nchannels = 8;");
    folder_add(&folder, "parts/size.cfg", "size = 4096; chanels = 1;");
    g_autofree char *size = folder_path(&folder, "parts/size.cfg");
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
    const char *origins[][2] = {{"size", "/parts/size.cfg:1"},
                                {"channels", "/parts/dram.cfg:3"},
                                {"flag", "/main.cfg:4"},
                                {"name", "/main.cfg:5"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(origins); i++) {
        g_autofree char *origin = g_strconcat(folder.path, origins[i][1], NULL);
        CU_ASSERT_STRING_EQUAL(pf_config_origin(machine, origins[i][0]), origin);
    }
    g_autofree char *expected =
        g_strconcat(size, ":1: machine.chanels: unknown key; did you mean machine.channels?", NULL);
    check_unfinished(config, expected);
}

static void test_bad_includes(void)
{
    g_auto(Folder) folder = folder_new();
    folder_add(&folder, "loop.cfg", "a = 1;\n@include \"loop.cfg\"\n");
    check_file_refused(&folder, "loop.cfg",
                       "/loop.cfg:2: @include nested more than 10 deep; does "
                       "the file include itself?");
    static const char *const texts[] = {"@include x",       "@include",      "@include \"",
                                        "@include\"x\"",    "@include \"\"", "@include \"a\\b\"",
                                        "@include \"a\nb\""};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        folder_add(&folder, "bad.cfg", texts[i]);
        check_file_refused(&folder, "bad.cfg", "/bad.cfg:1: write @include \"FILE\"");
    }
    folder_add(&folder, "open.cfg", "b = \"");
    folder_add(&folder, "user.cfg", "\n@include \"open.cfg\"\n");
    check_file_refused(&folder, "user.cfg",
                       "/open.cfg:1: this string never ends; it lacks a closing quote");
    folder_add(&folder, "number.cfg", "\n\nb = 99999999999L;c = 4K;");
    folder_add(&folder, "next.cfg", "\n@include \"number.cfg\"\n");
    check_file_refused(&folder, "next.cfg",
                       "/number.cfg:3: 4K is no number; a quantity with a unit "
                       "needs quotes (\"8GiB\")");
}

static void test_extends(void)
{
    g_auto(Folder) folder = folder_new();
    folder_add(
        &folder, "machines/base.cfg",
        "extends = \"tiny\";\nmachine = { channels = 2; share = 0.5; filters = (\"x\", \"y\"); };");
    folder_add(&folder, "other.cfg", "machine = { share = 0.75; };");
    folder_add(&folder, "top.cfg",
               "machine = { channels = 16; };\nextends = (\"machines/base.cfg\", \"other.cfg\");");
    g_autofree char *top = folder_path(&folder, "top.cfg");
    Sample sample = load_machine(top);
    CU_ASSERT_EQUAL(sample.channels, 16);   /* top.cfg over base.cfg over preset small */
    CU_ASSERT_EQUAL(sample.share, 0.75);    /* other.cfg over base.cfg */
    CU_ASSERT_EQUAL(sample.size_bytes, 64); /* preset tiny */
    CU_ASSERT_EQUAL(sample.mode, 0);        /* preset small, through tiny */
}

static void test_lists_replace(void)
{
    g_auto(Folder) folder = folder_new();
    folder_add(&folder, "base.cfg",
               "machine = { filters = (\"x\", \"y\"); "
               "values = (1, 2, 3); };");
    folder_add(&folder, "top.cfg", "extends = \"base.cfg\"; machine = { filters = [\"z\"]; };");
    g_autofree char *top = folder_path(&folder, "top.cfg");
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
    folder_add(&folder, "a.cfg", "extends = \"s/b.cfg\";");
    folder_add(&folder, "s/b.cfg", "extends = \"../a.cfg\";");
    check_file_refused(&folder, "a.cfg",
                       "/a.cfg:1: extends: /s/b.cfg:1: extends: /a.cfg extends itself");
    folder_add(&folder, "in.cfg", "machine = { extends = \"a.cfg\"; };");
    g_autofree char *inner = folder_path(&folder, "in.cfg");
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
        g_autofree char *text = i == depth ? g_strdup("machine = { channels = 32; };")
                                           : g_strdup_printf("extends = \"chain%u.cfg\";", i + 1);
        folder_add(folder, name, text);
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
        folder_add(&folder, name, text);
    }
    folder_add(&folder, "chain16.cfg", "machine = { };");
    g_autoptr(GError) many = NULL;
    g_autoptr(PfConfig) fan = pf_config_load(seventeen, NULL, &many);
    CU_ASSERT_PTR_NULL(fan);
    CU_ASSERT_TRUE(g_str_has_suffix(many->message, "more than 256 files and presets in all"));
}

static void test_paths(void)
{
    g_auto(Folder) folder = folder_new();
    folder_add(&folder, "sub/base.cfg", "name = \"../x.pft\";");
    folder_add(&folder, "top.cfg", "extends = \"sub/base.cfg\";");
    g_autofree char *top = folder_path(&folder, "top.cfg");
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
