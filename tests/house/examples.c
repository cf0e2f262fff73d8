/* Usage: examples PAGEFOLD ROOT [--update]. Cases in TAP; --update writes the output of commands
 * into the documents where it differs, for the author to look at what changed. */
#include "examples.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace.h"

void pf_examples_tell(PfExamples *examples, const PfDocument *document, const PfBlock *block,
                      const char *problem)
{
    examples->cases++;
    printf("%s %u %s:%u: %s\n", problem == NULL ? "ok" : "not ok", examples->cases,
           document->name, block->line, block->heading);
    g_auto(GStrv) lines = g_strsplit(problem != NULL ? problem : "", "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        if (lines[i][0] != '\0')
            printf("# %s\n", lines[i]);
    fflush(stdout);
}

int pf_examples_shell(const PfExamples *examples, const char *folder, const char *command,
                      char **ret_output, char **ret_messages)
{
    g_autofree char *bin = g_path_get_dirname(examples->program);
    g_autofree char *path = g_strconcat(bin, ":", g_getenv("PATH"), NULL);
    g_auto(GStrv) environment = g_get_environ();
    environment = g_environ_setenv(environment, "PATH", path, TRUE);
    environment = g_environ_setenv(environment, "NO_COLOR", "1", TRUE);
    char *shell[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, g_strdup(command), NULL};
    g_autoptr(GError) error = NULL;
    int status = 0;
    if (!g_spawn_sync(folder, shell, environment, G_SPAWN_DEFAULT, NULL, NULL, ret_output,
                      ret_messages, &status, &error))
        g_error("%s", error->message);
    g_free(shell[2]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* A new folder that shows what is under ROOT, so that commands do not write there. */
static char *make_folder(const char *root)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("pagefold-docs-XXXXXX", &error);
    if (folder == NULL)
        g_error("%s", error->message);
    static const char *const shown[] = {"configs", "docs", "models", "plots", "sim", "tests",
                                        "traces"};
    for (guint i = 0; i < G_N_ELEMENTS(shown); i++) {
        g_autofree char *target = g_build_filename(root, shown[i], NULL);
        g_autofree char *link = g_build_filename(folder, shown[i], NULL);
        if (symlink(target, link) != 0)
            g_error("no link at %s", link);
    }
    return folder;
}

static void remove_folder(const PfExamples *examples, char *folder)
{
    g_autofree char *output = NULL;
    g_autofree char *messages = NULL;
    g_autofree char *quoted = g_shell_quote(folder);
    g_autofree char *command = g_strdup_printf("rm -rf %s", quoted);
    pf_examples_shell(examples, "/", command, &output, &messages);
    g_free(folder);
}

/* Whether some trace of DOCUMENT has an event called NAME. */
static bool shows_event(const PfDocument *document, const char *name)
{
    for (guint i = 0; i < document->blocks->len; i++) {
        const PfBlock *block = document->blocks->pdata[i];
        if (strcmp(block->language, "trace") != 0)
            continue;
        g_auto(GStrv) lines = g_strsplit(block->text, "\n", -1);
        for (guint j = 0; lines[j] != NULL; j++) {
            gsize length = strcspn(lines[j], " ");
            if (length == strlen(name) && strncmp(lines[j], name, length) == 0)
                return true;
        }
    }
    return false;
}

/* Each event of the format has an example. */
static void check_events(PfExamples *examples, const PfDocument *document)
{
    for (unsigned kind = 0; kind < PF_RECORD_KINDS; kind++) {
        const char *name = pf_record_kind_name((PfRecordKind)kind);
        examples->cases++;
        printf("%s %u %s: %s has an example\n", shows_event(document, name) ? "ok" : "not ok",
               examples->cases, document->name, name);
    }
}

int main(int argc, char **argv)
{
    bool is_update = argc == 4 && strcmp(argv[3], "--update") == 0;
    bool is_without = argc > 4 && strcmp(argv[3], "--without") == 0;
    bool is_part = is_without || (argc > 4 && strcmp(argv[3], "--only") == 0);
    if (argc != 3 && !is_update && !is_part) {
        fprintf(stderr, "usage: examples PAGEFOLD ROOT [--update | --without DOCUMENT... | --only "
                        "DOCUMENT...]\n");
        return 2;
    }
    g_autofree char *program = g_canonicalize_filename(argv[1], NULL);
    g_autofree char *root = g_canonicalize_filename(argv[2], NULL);
    PfExamples examples = {.program = program, .root = root, .is_update = is_update};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) documents = pf_documents_read(root, &error);
    if (documents == NULL) {
        fprintf(stderr, "examples: %s\n", error->message);
        return 99;
    }
    for (guint i = 0; i < documents->len; i++) {
        const PfDocument *document = documents->pdata[i];
        if (is_part &&
            g_strv_contains((const char *const *)argv + 4, document->name) == is_without)
            continue;
        char *folder = make_folder(root);
        pf_examples_traces(&examples, document, folder);
        pf_examples_console(&examples, document, folder);
        remove_folder(&examples, folder);
        if (strcmp(document->name, "docs/trace-format.md") == 0)
            check_events(&examples, document);
    }
    printf("1..%u\n", examples.cases);
    return 0;
}
