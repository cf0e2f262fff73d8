/* The command line: a table of commands, and one way to parse each one's options. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What a command knows of the program it runs in. */
typedef struct {
    int argc; /* the whole command line, for the manifest */
    char **argv;
    char *color;     /* --color as given, NULL if not; owned */
    int interrupted; /* set from outside by pf_interrupt_watch */
} PfApp;

typedef struct PfCommand PfCommand;

/* A command. `run` parses ARGV (after the command's own words) with pf_options_parse, does the work
 * and returns the exit status; if it sets ERROR, the status is the error's. */
struct PfCommand {
    const char *name;      /* "run", "trace info" */
    const char *arguments; /* "CONFIG", "DIR DIR..." */
    const char *summary;   /* one line */
    const char *examples;  /* command lines, one a line, each with what it is for */
    unsigned arguments_min;
    unsigned arguments_max; /* 0 means no bound if arguments_min is above 0 */
    int (*run)(PfApp *app, const PfCommand *command, int argc, char **argv, GError **error);
};

typedef enum {
    PF_PARSE_GO,    /* the options are stored, the work can begin */
    PF_PARSE_DONE,  /* help was asked for and is printed */
    PF_PARSE_ERROR, /* the error is set */
} PfParse;

/* Stores the options of ENTRIES (ended by a row of NULL) and the other words of ARGV in
 * RET_ARGUMENTS (free with g_strfreev). Options and words may come in any order; `--` ends the
 * options. --help and --color are added to every command. Errors are PF_ERROR_USAGE. */
PfParse pf_options_parse(PfApp *app, const PfCommand *command, const GOptionEntry *entries,
                         int argc, char **argv, char ***ret_arguments, GError **error);

/* Runs the command that the command line asks for. Returns the exit status; ERROR is what main
 * prints. */
int pf_options_dispatch(PfApp *app, GError **error);

/* Whether what goes to DESCRIPTOR may be coloured: as --color says, else if that is a terminal that
 * can and NO_COLOR (https://no-color.org) is not set. */
bool pf_options_color(const PfApp *app, int descriptor);

/* Writes "pagefold: warning: MESSAGE" to standard error. */
void pf_options_warn(const PfApp *app, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* False with an error if OUTPUT, the value of a command's -o, is NULL. */
bool pf_options_need_output(const char *output, GError **error);

/* False with an error if OUTPUT, which OPTION (as "-o") names and which is about to be replaced, is
 * the file INPUT. */
bool pf_options_keep_input(const char *option, const char *output, const char *input,
                           GError **error);

/* Writes each line of ERROR's message as "pagefold: error: LINE" to standard error. */
void pf_options_report(const PfApp *app, const GError *error);

/* The entry of CANDIDATES (NULL-terminated) that TEXT is most likely a misspelling of, or NULL if
 * none is near: at most one edit in three characters. */
const char *pf_options_nearest(const char *text, const char *const *candidates);
