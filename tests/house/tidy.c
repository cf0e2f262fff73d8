/* The house rules, checked: `tidy ROOT` tries each rule on small sources of its own, then walks the
 * sources under ROOT. One TAP case a rule and pass; a break is told as "PATH:LINE: what". */
#include "tidy.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* What the trials' includes point at. */
static const PfTidyTrial stubs[] = {
    {"sim/base/base_stub.h", "#pragma once\n", 0},
    {"models/models_stub.h", "#pragma once\n", 0},
    {"traces/traces_stub.h", "#pragma once\n", 0},
    {"sim/policies/policy.h", "#pragma once\n", 0},
    {"sim/policies/finder_stub.h", "#pragma once\n", 0},
    {"sim/policies/host_stub.h", "#pragma once\n", 0},
    {"sim/engine/engine_stub.h", "#pragma once\n", 0},
};

static void check_tree(const PfTidyRule *rule, const PfTidyTree *tree, GPtrArray *report)
{
    for (guint i = 0; i < tree->files->len; i++) {
        const PfTidyFile *file = g_ptr_array_index(tree->files, i);
        if (rule->only != NULL && !pf_tidy_is_under(file->path, rule->only))
            continue;
        if (!pf_tidy_is_under(file->path, rule->save))
            rule->check(rule, tree, file, report);
    }
}

static void tell(guint number, const char *prefix, const char *sentence, GPtrArray *report)
{
    printf("%s %u %s%s\n", report->len == 0 ? "ok" : "not ok", number, prefix, sentence);
    for (guint i = 0; i < report->len; i++)
        printf("# %s\n", (const char *)g_ptr_array_index(report, i));
    fflush(stdout);
}

static bool put(const char *root, const PfTidyTrial *trial)
{
    g_autofree char *path = g_build_filename(root, trial->path, NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    return g_mkdir_with_parents(folder, 0700) == 0 &&
           g_file_set_contents(path, trial->text, -1, NULL);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            remove_tree(inner);
        else
            g_remove(inner);
    }
    g_rmdir(path);
}

/* Adds to WRONG whatever RULE says of TRIAL that it should not, or does not say and should. */
static void try_one(const PfTidyRule *rule, const PfTidyTrial *trial, GPtrArray *wrong)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *root = g_dir_make_tmp("pagefold-tidy-XXXXXX", &error);
    bool is_made = root != NULL && put(root, trial);
    for (size_t i = 0; is_made && i < G_N_ELEMENTS(stubs); i++)
        is_made = put(root, &stubs[i]);
    g_autoptr(PfTidyTree) tree = is_made ? pf_tidy_tree_read(root, &error) : NULL;
    if (tree != NULL)
        check_tree(rule, tree, report);
    else
        g_ptr_array_add(wrong, g_strdup(error != NULL ? error->message : "cannot write the trial"));
    if (root != NULL)
        remove_tree(root);
    if (tree == NULL)
        return;
    g_autofree char *expected = g_strdup_printf("%s:%u: ", trial->path, trial->line);
    bool is_found = false;
    for (guint i = 0; i < report->len; i++) {
        const char *line = g_ptr_array_index(report, i);
        if (trial->line > 0 && g_str_has_prefix(line, expected))
            is_found = true;
        else
            g_ptr_array_add(wrong, g_strdup_printf("complains for nothing: %s", line));
    }
    if (trial->line > 0 && !is_found)
        g_ptr_array_add(wrong, g_strdup_printf("does not complain at %s", expected));
}

static void try_rule(const PfTidyRule *rule, GPtrArray *wrong)
{
    guint bad = 0;
    guint good = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rule->trials) && rule->trials[i].path != NULL; i++) {
        try_one(rule, &rule->trials[i], wrong);
        *(rule->trials[i].line > 0 ? &bad : &good) += 1;
    }
    if (bad == 0 || good == 0)
        g_ptr_array_add(wrong, g_strdup("needs a source to refuse and one to accept"));
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fprintf(stderr, "usage: tidy ROOT\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(PfTidyTree) tree = pf_tidy_tree_read(arguments[1], &error);
    if (tree == NULL || tree->files->len == 0) {
        printf("Bail out! %s\n", error != NULL ? error->message : "no sources found");
        return 1;
    }
    guint count = 0;
    while (pf_tidy_rules[count].sentence != NULL)
        count++;
    printf("1..%u\n", 2 * count);
    for (guint i = 0; i < count; i++) {
        g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
        try_rule(&pf_tidy_rules[i], wrong);
        tell(2 * i + 1, "the rule is alive: ", pf_tidy_rules[i].sentence, wrong);
        g_autoptr(GPtrArray) report = g_ptr_array_new_with_free_func(g_free);
        check_tree(&pf_tidy_rules[i], tree, report);
        tell(2 * i + 2, "", pf_tidy_rules[i].sentence, report);
    }
    return 0;
}
