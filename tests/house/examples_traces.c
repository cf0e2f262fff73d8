#include <stdlib.h>
#include <string.h>

#include "examples.h"

/* What a trace is run under where no `config` block stands before it. With pacing = "trace" the
 * policy looks at pages when the trace says so. */
static const char standard_config[] =
    "policies = ( { name = \"oracle\"; }, { name = \"esx\"; pacing = \"trace\"; } );\n";

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents(path, text, -1, &error))
        g_error("%s", error->message);
}

/* Runs the trace in FOLDER with JOBS workers. */
static int run_trace(const PfExamples *examples, const char *folder, unsigned jobs,
                     char **ret_output, char **ret_messages)
{
    g_autofree char *command =
        g_strdup_printf("pagefold run example.cfg --trace example.trace --format json --verify "
                        "--paranoid -j %u",
                        jobs);
    return pf_examples_shell(examples, folder, command, ret_output, ret_messages);
}

/* The first line of LINES is the exit status, each other one a piece of MESSAGES. */
static char *compare_error(int status, const char *messages, const char *lines)
{
    g_auto(GStrv) wanted = g_strsplit(lines, "\n", -1);
    if (atoi(wanted[0]) != status)
        return g_strdup_printf("exit status %d instead of %s: %s", status, wanted[0], messages);
    for (guint i = 1; wanted[i] != NULL; i++)
        if (strstr(messages, wanted[i]) == NULL)
            return g_strdup_printf("no \"%s\" in: %s", wanted[i], messages);
    return NULL;
}

static char *check_trace(const PfExamples *examples, const char *folder, const char *config,
                         const PfBlock *trace, const PfBlock *outcome)
{
    write_file(folder, "example.cfg", config);
    write_file(folder, "example.trace", trace->text);
    g_autofree char *output = NULL;
    g_autofree char *messages = NULL;
    int status = run_trace(examples, folder, 1, &output, &messages);
    if (strcmp(outcome->language, "error") == 0)
        return compare_error(status, messages, outcome->text);
    if (status != 0)
        return g_strdup_printf("exit status %d: %s", status, messages);
    g_autofree char *again = NULL;
    g_autofree char *ignored = NULL;
    run_trace(examples, folder, 4, &again, &ignored);
    if (strcmp(output, again) != 0)
        return g_strdup("with four workers something else comes of it than with one");
    return pf_examples_compare(output, outcome->text);
}

void pf_examples_traces(PfExamples *examples, const PfDocument *document, const char *folder)
{
    const char *config = standard_config;
    const PfBlock *trace = NULL;
    for (guint i = 0; i < document->blocks->len; i++) {
        const PfBlock *block = document->blocks->pdata[i];
        bool is_outcome =
            strcmp(block->language, "stats") == 0 || strcmp(block->language, "error") == 0;
        if (strcmp(block->language, "config") == 0) {
            config = block->text;
        } else if (strcmp(block->language, "trace") == 0 && block->file_name == NULL) {
            trace = block;
        } else if (is_outcome && trace == NULL) {
            pf_examples_tell(examples, document, block, "no trace stands before it");
        } else if (is_outcome) {
            g_autofree char *problem = check_trace(examples, folder, config, trace, block);
            pf_examples_tell(examples, document, trace, problem);
            trace = NULL;
            config = standard_config;
        }
        if (trace != NULL && trace != block && strcmp(block->language, "config") != 0) {
            pf_examples_tell(examples, document, trace, "nothing says what comes of it");
            trace = NULL;
        }
    }
    if (trace != NULL)
        pf_examples_tell(examples, document, trace, "nothing says what comes of it");
}
