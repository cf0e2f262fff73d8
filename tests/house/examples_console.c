#include <string.h>

#include "examples.h"

/* A command of a block and what is said to come of it. */
typedef struct {
    GString *shown; /* as it stands there */
    GString *command;
    GString *output;
} Step;

static void free_step(gpointer data)
{
    Step *step = data;
    g_string_free(step->shown, TRUE);
    g_string_free(step->command, TRUE);
    g_string_free(step->output, TRUE);
    g_free(step);
}

/* The steps of TEXT; output before the first command is dropped. */
static GPtrArray *cut_steps(const char *text)
{
    GPtrArray *steps = g_ptr_array_new_with_free_func(free_step);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint count = g_strv_length(lines);
    Step *step = NULL;
    for (guint i = 0; i + 1 < count; i++) {
        bool is_command = g_str_has_prefix(lines[i], "$ ");
        if (is_command) {
            step = g_new0(Step, 1);
            step->shown = g_string_new(NULL);
            step->command = g_string_new(NULL);
            step->output = g_string_new(NULL);
            g_ptr_array_add(steps, step);
        }
        if (step == NULL)
            continue;
        bool goes_on = g_str_has_prefix(lines[i], "> ") && step->output->len == 0;
        if (is_command || goes_on) {
            g_string_append_printf(step->shown, "%s\n", lines[i]);
            g_string_append_printf(step->command, "%s\n", lines[i] + 2);
        } else {
            g_string_append_printf(step->output, "%s\n", lines[i]);
        }
    }
    return steps;
}

/* Whether LINES are those WANTED, where "..." stands for any lines. */
static bool lines_match(char *const *lines, char *const *wanted)
{
    if (*wanted == NULL)
        return *lines == NULL;
    if (strcmp(*wanted, "...") == 0) {
        for (;; lines++) {
            if (lines_match(lines, wanted + 1))
                return true;
            if (*lines == NULL)
                return false;
        }
    }
    return *lines != NULL && strcmp(*lines, *wanted) == 0 && lines_match(lines + 1, wanted + 1);
}

static bool output_matches(const char *output, const char *wanted)
{
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    g_auto(GStrv) patterns = g_strsplit(wanted, "\n", -1);
    return lines_match(lines, patterns);
}

/* Runs the steps of BLOCK; TEXT gets the block as it should be. NULL if it is so. */
static char *run_block(const PfExamples *examples, const PfBlock *block, const char *folder,
                       GString *text)
{
    g_autoptr(GPtrArray) steps = cut_steps(block->text);
    g_autoptr(GString) problems = g_string_new(NULL);
    for (guint i = 0; i < steps->len; i++) {
        const Step *step = steps->pdata[i];
        g_autofree char *output = NULL;
        g_autofree char *messages = NULL;
        int status =
            pf_examples_shell(examples, folder, step->command->str, &output, &messages);
        /* What a command that fails has to say is on its standard error. */
        g_autofree char *whole =
            g_strconcat(output, status != 0 ? messages : "", NULL);
        bool matches = output_matches(whole, step->output->str);
        g_string_append(text, step->shown->str);
        g_string_append(text, matches ? step->output->str : whole);
        if (text->len > 0 && text->str[text->len - 1] != '\n')
            g_string_append_c(text, '\n');
        if (!matches)
            g_string_append_printf(problems, "%swrites:\n%s", step->shown->str, whole);
    }
    return problems->len > 0 ? g_strdup(problems->str) : NULL;
}

/* Puts TEXT in place of the inside of BLOCK. Blocks are done from the last, so lines stay right. */
static void update_block(const PfDocument *document, const PfBlock *block, const char *text)
{
    g_autofree char *old = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(document->path, &old, NULL, &error))
        g_error("%s", error->message);
    g_auto(GStrv) lines = g_strsplit(old, "\n", -1);
    g_autoptr(GString) document_text = g_string_new(NULL);
    guint count = g_strv_length(lines);
    for (guint i = 0; i < count; i++) {
        if (i == block->line)
            g_string_append(document_text, text);
        if (i >= block->line && i + 1 < block->end)
            continue;
        g_string_append_printf(document_text, "%s%s", lines[i], i + 1 < count ? "\n" : "");
    }
    if (!g_file_set_contents(document->path, document_text->str, -1, &error))
        g_error("%s", error->message);
}

static void write_file(const PfBlock *block, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, block->file_name, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_file_set_contents(path, block->text, -1, &error))
        g_error("%s", error->message);
}

void pf_examples_console(PfExamples *examples, const PfDocument *document, const char *folder)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < document->blocks->len; i++) {
        const PfBlock *block = document->blocks->pdata[i];
        g_ptr_array_add(texts, NULL);
        if (block->file_name != NULL)
            write_file(block, folder);
        if (strcmp(block->language, "console") != 0)
            continue;
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *problem = run_block(examples, block, folder, text);
        if (problem != NULL && examples->is_update)
            texts->pdata[i] = g_strdup(text->str);
        pf_examples_tell(examples, document, block, problem);
    }
    for (guint i = document->blocks->len; i-- > 0;)
        if (texts->pdata[i] != NULL)
            update_block(document, document->blocks->pdata[i], texts->pdata[i]);
}
