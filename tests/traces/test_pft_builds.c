/* pft.c as other programs build it: with a C library and nothing else, from C++, and for a machine
 * of the other byte order. PFT_HEADERS and PFT_SOURCES are the folders of pft.h and the example,
 * and of pft.c as it is handed out. */
#include <glib/gstdio.h>
#include <string.h>

#include "check.h"
#include "dump.h"
#include "pft_bridge.h"
#include "random_trace.h"

enum { SEEDS = 5, RECORDS = 700 };

/* Runs COMMAND in FOLDER; its output, or NULL where it fails. Free with g_free. */
static char *shell(const char *folder, const char *command)
{
    char *words[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, g_strdup(command), NULL};
    char *output = NULL;
    g_autofree char *messages = NULL;
    g_autoptr(GError) error = NULL;
    int status = -1;
    bool is_done = g_spawn_sync(folder, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                                &messages, &status, &error) &&
                   g_spawn_check_wait_status(status, NULL);
    if (!is_done)
        printf("# %s: %s\n", command,
               error != NULL ? error->message : g_strdelimit(messages, "\n", ' '));
    if (!is_done)
        g_clear_pointer(&output, g_free);
    g_free(words[2]);
    return output;
}

static bool works(const char *folder, const char *command)
{
    g_autofree char *output = shell(folder, command);
    return output != NULL;
}

static bool is_there(const char *program)
{
    g_autofree char *path = g_find_program_in_path(program);
    return path != NULL;
}

static char *make_folder(void)
{
    char *folder = g_dir_make_tmp("pagefold-test-XXXXXX", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
    return folder;
}

static void remove_folder(const char *folder)
{
    CU_ASSERT_TRUE(works(folder, "rm -rf \"$PWD\""));
}

#define WARNINGS " -std=c11 -pedantic -Wall -Wextra -Wconversion -Wsign-conversion -Werror "
#define SOURCES  "-I\"$PFT_HEADERS\" \"$PFT_HEADERS\"/pft_example.c \"$PFT_SOURCES\"/pft.c "

static void test_alone(void)
{
    g_autofree char *folder = make_folder();
    CU_ASSERT_TRUE_FATAL(works(folder, "cc" WARNINGS SOURCES "-o tool"));
    if (!is_there("readelf")) {
        remove_folder(folder);
        pf_check_skip("no readelf");
        return;
    }
    g_autofree char *needed = shell(folder, "readelf -d tool | grep NEEDED");
    CU_ASSERT_PTR_NOT_NULL_FATAL(needed);
    CU_ASSERT_PTR_NOT_NULL(strstr(needed, "[libc."));
    /* One line, and no other library. */
    CU_ASSERT_PTR_EQUAL(strchr(needed, '\n'), needed + strlen(needed) - 1);
    g_autofree char *path = g_build_filename(folder, "t.pft", NULL);
    CU_ASSERT_TRUE(works(folder, "./tool t.pft && ./tool t.pft copy.pft && cmp t.pft copy.pft"));
    PfTraceSummary summary;
    CU_ASSERT_TRUE(pf_trace_verify(path, &summary, NULL));
    CU_ASSERT_EQUAL(summary.contexts, 2);
    CU_ASSERT_EQUAL(summary.contents, 2 * 4); /* pages of two processes, none like another */
    CU_ASSERT_TRUE(works(folder, "! ./tool missing copy.pft 2> said && "
                                 "grep -qx 'pft-example: missing: cannot be opened: "
                                 "No such file or directory' said"));
    remove_folder(folder);
}

/* As gem5, Pin and DynamoRIO tools include it. */
static void test_cplusplus(void)
{
    if (!is_there("c++")) {
        pf_check_skip("no C++ compiler");
        return;
    }
    g_autofree char *folder = make_folder();
    g_autofree char *path = g_build_filename(folder, "tool.cc", NULL);
    const char *text = "#include \"pft.h\"\n"
                       "int main() {\n"
                       "    PftHeader header = {4096, 0, nullptr};\n"
                       "    PftWriter *trace = pft_writer_new(\"t.pft\", &header);\n"
                       "    PftRecord record = {};\n"
                       "    record.kind = PFT_MARK;\n"
                       "    record.name = \"m\";\n"
                       "    bool is_done = pft_add(trace, &record) && pft_finish(trace);\n"
                       "    pft_writer_free(trace);\n"
                       "    return is_done ? 0 : 1;\n"
                       "}\n";
    CU_ASSERT_FATAL(g_file_set_contents(path, text, -1, NULL));
    CU_ASSERT_TRUE(works(folder, "cc -c \"$PFT_SOURCES\"/pft.c -I\"$PFT_HEADERS\" && "
                                 "for standard in c++11 c++17; do "
                                 "c++ -std=$standard -pedantic -Wall -Wextra -Werror "
                                 "-I\"$PFT_HEADERS\" tool.cc pft.o -o tool && ./tool || exit 1; "
                                 "done"));
    g_autofree char *trace = g_build_filename(folder, "t.pft", NULL);
    CU_ASSERT_TRUE(pf_trace_verify(trace, NULL, NULL));
    remove_folder(folder);
}

/* Traces of every kind of record, written here, are copied by a machine of the other byte order. */
static void test_byte_order(void)
{
    if (!is_there("s390x-linux-gnu-gcc") || !is_there("qemu-s390x")) {
        pf_check_skip("no gcc-s390x-linux-gnu, libc6-dev-s390x-cross and qemu-user");
        return;
    }
    g_autofree char *folder = make_folder();
    CU_ASSERT_TRUE_FATAL(works(folder, "s390x-linux-gnu-gcc -static" WARNINGS SOURCES "-o tool"));
    CU_ASSERT_TRUE(works(folder, "cc " SOURCES "-o here && ./here a && "
                                 "qemu-s390x ./tool b && cmp a b"));
    g_autofree char *source = g_build_filename(folder, "source", NULL);
    g_autofree char *told = g_build_filename(folder, "told", NULL);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        random_trace_write(source, PF_TRACE_BINARY, seed, RECORDS);
        bridge_write(source, told);
        CU_ASSERT_TRUE(works(folder, "./here told a && qemu-s390x ./tool told b && cmp a b"));
        CU_ASSERT_TRUE(works(folder, "cmp told a"));
    }
    remove_folder(folder);
}

static const PfCheck checks[] = {
    {"a tool with pft.c links nothing but libc", test_alone},
    {"pft.h is included from C++", test_cplusplus},
    {"a machine of the other byte order reads and writes the same bytes", test_byte_order},
};

PF_CHECK_MAIN("pft_builds", checks)
