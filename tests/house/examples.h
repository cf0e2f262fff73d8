/* The examples of README.md and docs: what stands there is run, and what is said to come of it is
 * compared with what does.
 *
 * Fenced blocks count by the first word behind the fence:
 *   trace    a trace in its text form; the next block says what comes of it:
 *   stats    lines "POLICY NAME VALUE", or "POLICY @MARK NAME VALUE" for the values at a mark;
 *   error    the exit status, then pieces of text that the messages hold, one a line;
 *   config   the configuration of the next trace, in place of the standard one;
 *   console  commands ("$ ..."; "> ..." goes on) and their output; "..." stands for any lines.
 * A file name behind the word makes the block a file of that name, for the commands that follow in
 * the same document. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *language;
    char *file_name; /* NULL if none */
    char *heading;   /* the one that it stands under */
    char *text;
    guint line; /* of the fence */
    guint end;  /* of the closing fence */
} PfBlock;

typedef struct {
    char *name; /* from the root: "docs/model.md" */
    char *path;
    GPtrArray *blocks; /* of PfBlock */
} PfDocument;

/* README.md and all of docs under ROOT, ordered by name. */
GPtrArray *pf_documents_read(const char *root, GError **error);

/* What the examples are run with. */
typedef struct {
    const char *program; /* absolute path of pagefold */
    const char *root;    /* of the sources, absolute */
    bool is_update;      /* write what comes of commands into the documents */
    unsigned cases;      /* told so far */
} PfExamples;

/* Tells a case of DOCUMENT at BLOCK in TAP. PROBLEM NULL: it is fine. */
void pf_examples_tell(PfExamples *examples, const PfDocument *document, const PfBlock *block,
                      const char *problem);

/* Runs COMMAND by the shell in FOLDER with the program in its path. Returns the exit status; what
 * it wrote is for the caller to free. */
int pf_examples_shell(const PfExamples *examples, const char *folder, const char *command,
                      char **ret_output, char **ret_messages);

/* Runs the trace examples of DOCUMENT, in FOLDER. */
void pf_examples_traces(PfExamples *examples, const PfDocument *document, const char *folder);

/* Runs the commands of DOCUMENT, in FOLDER. */
void pf_examples_console(PfExamples *examples, const PfDocument *document, const char *folder);

/* NULL if the results JSON are those of LINES (a stats block) and obey the laws that all results
 * do; else what is wrong. Free with g_free. */
char *pf_examples_compare(const char *json, const char *lines);
