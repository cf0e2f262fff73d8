/* The house rules as a table: what `tidy` looks for in the sources, and on what it proves that it
 * looks. Sources are those of sim, models, traces and tests. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* One source file. `raw` are its lines; `code` are the same lines with comments and the insides of
 * strings blanked, so that a rule about code cannot stumble over prose. NULL-terminated. */
typedef struct {
    char *path; /* from the root: "sim/base/error.c" */
    char **raw;
    char **code;
    guint line_count;
} PfTidyFile;

typedef struct {
    GPtrArray *files;    /* of PfTidyFile, ordered by path */
    GHashTable *headers; /* name of a header -> path; borrowed strings of `files` */
} PfTidyTree;

/* Reads the sources under ROOT. */
PfTidyTree *pf_tidy_tree_read(const char *root, GError **error);
void pf_tidy_tree_free(PfTidyTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTidyTree, pf_tidy_tree_free)

typedef struct PfTidyRule PfTidyRule;

/* Looks at FILE and adds a line "PATH:LINE: what" to REPORT for each break of RULE. */
typedef void (*PfTidyCheck)(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                            GPtrArray *report);

/* A small source that the rule is tried on, so that no rule is dead: at `line` it must complain,
 * and nowhere else; `line` 0 is a source that it must accept. */
typedef struct {
    const char *path;
    const char *text;
    guint line;
} PfTidyTrial;

struct PfTidyRule {
    const char *sentence;
    PfTidyCheck check;
    guint max;               /* rules with a limit */
    const char *pattern;     /* rules that forbid a pattern in code */
    const char *const *only; /* prefixes of paths that it is for; NULL: all */
    const char *const *save; /* prefixes of paths that it is not for; NULL: none */
    PfTidyTrial trials[4];   /* at least one that complains; ends at path NULL */
};

/* The table; ends at sentence NULL. */
extern const PfTidyRule pf_tidy_rules[];

/* Adds "PATH:LINE: MESSAGE" to REPORT. */
void pf_tidy_complain(GPtrArray *report, const PfTidyFile *file, guint line, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/* Whether PATH begins with one of PREFIXES (NULL-terminated, may be NULL). */
bool pf_tidy_is_under(const char *path, const char *const *prefixes);

/* Checks of form: each is for one or several rows of the table. */
void pf_tidy_check_columns(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                           GPtrArray *report);
void pf_tidy_check_functions(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                             GPtrArray *report);
void pf_tidy_check_file_length(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report);
void pf_tidy_check_raw_pattern(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report);
void pf_tidy_check_code_pattern(const PfTidyRule *rule, const PfTidyTree *tree,
                                const PfTidyFile *file, GPtrArray *report);
void pf_tidy_check_pragma_once(const PfTidyRule *rule, const PfTidyTree *tree,
                               const PfTidyFile *file, GPtrArray *report);

/* Checks of includes. */
void pf_tidy_check_floors(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                          GPtrArray *report);
void pf_tidy_check_leaves(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                          GPtrArray *report);
void pf_tidy_check_header_names(const PfTidyRule *rule, const PfTidyTree *tree,
                                const PfTidyFile *file, GPtrArray *report);

/* Checks of declarations. */
void pf_tidy_check_comments(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                            GPtrArray *report);
void pf_tidy_check_variables(const PfTidyRule *rule, const PfTidyTree *tree, const PfTidyFile *file,
                             GPtrArray *report);
