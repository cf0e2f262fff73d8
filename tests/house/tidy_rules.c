#include "tidy.h"

#define SHORT_LINE  "int a;\n"
#define TEN_COLUMNS "0123456789"
#define NINETY_COLUMNS                                                                             \
    TEN_COLUMNS TEN_COLUMNS TEN_COLUMNS TEN_COLUMNS TEN_COLUMNS TEN_COLUMNS TEN_COLUMNS            \
        TEN_COLUMNS TEN_COLUMNS
#define FOUR_STATEMENTS    "    a();\n    a();\n    a();\n    a();\n"
#define SIXTEEN_STATEMENTS FOUR_STATEMENTS FOUR_STATEMENTS FOUR_STATEMENTS FOUR_STATEMENTS
#define SIXTY_FOUR_STATEMENTS                                                                      \
    SIXTEEN_STATEMENTS SIXTEEN_STATEMENTS SIXTEEN_STATEMENTS SIXTEEN_STATEMENTS
#define TWENTY_LINES                                                                               \
    "\n\n\n\n\n\n\n\n\n\n"                                                                         \
    "\n\n\n\n\n\n\n\n\n\n"
#define HUNDRED_LINES      TWENTY_LINES TWENTY_LINES TWENTY_LINES TWENTY_LINES TWENTY_LINES
#define FOUR_HUNDRED_LINES HUNDRED_LINES HUNDRED_LINES HUNDRED_LINES HUNDRED_LINES

/* A name called as a function, not as a member of a struct and not as part of a longer name. */
#define CALL_OF(names) "(?<![\\w.>])(?:" names ")\\s*\\("

static const char *const product[] = {"sim/", "models/", "traces/", NULL};
/* What other programs compile says what they are, and with what. */
static const char *const configured[] = {"sim/base/", "traces/pft/", NULL};
static const char *const policies_only[] = {"sim/policies/", NULL};
/* The recorder is a program of its own, with a terminal and children of its own. */
static const char *const programs[] = {"sim/app/", "traces/record/", "traces/pft/pft_example.c",
                                       NULL};
/* Out of memory ends a program as it does in GLib's own allocators. */
static const char *const enders[] = {"sim/app/", "traces/record/", "sim/base/seg_array.c",
                                     "traces/pft/pft_example.c", NULL};
/* Those that watch live things need the time of day. */
static const char *const watchers[] = {"sim/app/", "traces/record/", "traces/snapshot", NULL};

const PfTidyRule pf_tidy_rules[] = {
    {.sentence = "a line has at most 100 columns",
     .check = pf_tidy_check_columns,
     .max = 100,
     .trials = {{"sim/mm/a.c", SHORT_LINE NINETY_COLUMNS TEN_COLUMNS "+\n", 2},
                {"sim/mm/a.c", NINETY_COLUMNS "012345678\xc2\xb5\n", 0}}},
    {.sentence = "a function has at most 70 lines",
     .check = pf_tidy_check_functions,
     .max = 70,
     .trials = {{"models/a.c",
                 "void a(void)\n{\n" SIXTY_FOUR_STATEMENTS FOUR_STATEMENTS "    a();\n}\n", 2},
                {"models/a.c", "void a(void)\n{\n" SIXTY_FOUR_STATEMENTS FOUR_STATEMENTS "}\n",
                 0}}},
    {.sentence = "a file has at most 400 lines",
     .check = pf_tidy_check_file_length,
     .max = 400,
     .trials = {{"tests/mm/a.c", FOUR_HUNDRED_LINES SHORT_LINE, 401},
                {"tests/mm/a.c", FOUR_HUNDRED_LINES, 0}}},
    {.sentence = "no tabs",
     .check = pf_tidy_check_raw_pattern,
     .pattern = "\t",
     .trials = {{"sim/app/a.c", SHORT_LINE "\tint b;\n", 2}, {"sim/app/a.c", SHORT_LINE, 0}}},
    {.sentence = "no blanks at the end of a line",
     .check = pf_tidy_check_raw_pattern,
     .pattern = "\\s$",
     .trials = {{"tests/a.c", SHORT_LINE "int b; \n", 2}, {"tests/a.c", "a b\n\nc\n", 0}}},
    {.sentence = "no ../ in an include: headers go by their bare name",
     .check = pf_tidy_check_raw_pattern,
     .pattern = "^\\s*#\\s*include\\s*[\"<](?:[^\">]*/)?\\.\\.?/",
     .trials = {{"sim/mm/a.c", "#include \"../base/addr.h\"\n", 1},
                {"sim/mm/a.c", "#include \"x/../addr.h\"\n", 1},
                {"sim/mm/a.c", "#include <sys/mman.h>\n", 0}}},
    {.sentence = "an include points down, never up or across",
     .check = pf_tidy_check_floors,
     .only = product,
     .trials = {{"sim/mm/a.c", "#include \"engine_stub.h\"\n#include \"base_stub.h\"\n", 1},
                {"models/a.c", "#include \"traces_stub.h\"\n", 1},
                {"traces/import/a.c", "#include \"base_stub.h\"\n#include \"models_stub.h\"\n", 2},
                {"sim/app/a.c", "#include \"engine_stub.h\"\n", 0}}},
    {.sentence = "a policy includes sim/base, policy.h, sweep.h and the finders' headers only",
     .check = pf_tidy_check_leaves,
     .only = policies_only,
     .trials = {{"sim/policies/a.c", "#include \"policy.h\"\n#include \"models_stub.h\"\n", 2},
                {"sim/policies/ksm/a.c", "#include \"host_stub.h\"\n", 1},
                {"sim/policies/host_acts.c", "#include \"models_stub.h\"\n", 0},
                {"sim/policies/a.c", "#include \"base_stub.h\"\n#include \"finder_stub.h\"\n", 0}}},
    {.sentence = "a header's name is found once in the house",
     .check = pf_tidy_check_header_names,
     .trials = {{"traces/base_stub.h", "#pragma once\n", 1},
                {"traces/other.h", "#pragma once\n", 0}}},
    {.sentence = "no conditional compilation outside sim/base and pft",
     .check = pf_tidy_check_code_pattern,
     .pattern = "^\\s*#\\s*(?:if|ifdef|ifndef|elif|else)\\b",
     .save = configured,
     .trials = {{"models/a.c", SHORT_LINE "#ifdef FAST\n#endif\n", 2},
                {"sim/base/a.c", "#if FAST\n#endif\n", 0},
                {"models/a.c", "    if (fast)\n", 0}}},
    {.sentence = "a header says #pragma once",
     .check = pf_tidy_check_pragma_once,
     .trials = {{"sim/mm/a.h", "/* #pragma once */\n", 1}, {"sim/mm/a.h", "#pragma once\n", 0}}},
    {.sentence = "only programs print and log",
     .check = pf_tidy_check_code_pattern,
     .pattern = CALL_OF("v?f?printf|puts|putchar|perror|g_print|g_printerr|g_log|g_message|"
                        "g_warning|g_critical|g_info"),
     .only = product,
     .save = programs,
     .trials = {{"sim/mm/a.c", "    printf(text);\n", 1},
                {"sim/mm/a.c", "    g_printerr (text);\n", 1},
                {"sim/app/a.c", "    printf(text);\n", 0},
                {"sim/mm/a.c", "    g_string_append_printf(text); /* printf() */\n", 0}}},
    {.sentence = "only programs end a program",
     .check = pf_tidy_check_code_pattern,
     .pattern = CALL_OF("exit|_exit|_Exit|quick_exit|abort|g_abort|g_error"),
     .only = product,
     .save = enders,
     .trials = {{"traces/a.c", "    exit(1);\n", 1},
                {"traces/a.c", "    abort();\n", 1},
                {"traces/a.c", "    self->exit(1); g_error_free(error);\n", 0}}},
    {.sentence = "random numbers come from PfRng alone",
     .check = pf_tidy_check_code_pattern,
     .pattern = CALL_OF("s?rand|rand_r|s?random|random_r|drand48|[ln]rand48|getrandom|"
                        "arc4random\\w*|g_rand_\\w+|g_random_\\w+"),
     .only = product,
     .trials = {{"sim/policies/a.c", "    x = rand();\n", 1},
                {"sim/app/a.c", "    x = g_random_int();\n", 1},
                {"sim/app/a.c", "    x = brand(pf_random(1));\n", 0}}},
    {.sentence = "nothing simulated asks the host's clock",
     .check = pf_tidy_check_code_pattern,
     .pattern = CALL_OF("time|clock|clock_gettime|gettimeofday|localtime|gmtime|"
                        "g_get_monotonic_time|g_get_real_time|g_date_time_new_now\\w*|"
                        "g_timer_new"),
     .only = product,
     .save = watchers,
     .trials = {{"sim/engine/a.c", "    x = time(NULL);\n", 1},
                {"sim/engine/a.c", "    x = g_get_monotonic_time();\n", 1},
                {"sim/app/a.c", "    x = time(NULL);\n", 0},
                {"sim/engine/a.c", "    x = wake_time(a) + a->time(b);\n", 0}}},
    {.sentence = "the order of a hash table decides nothing: it is never walked",
     .check = pf_tidy_check_code_pattern,
     .pattern = "\\bGHashTableIter\\b|\\bg_hash_table_(?:iter_|foreach|get_keys|get_values|find)",
     .only = product,
     .trials = {{"sim/base/a.c", "    GHashTableIter iter;\n", 1},
                {"sim/base/a.c", "    g_hash_table_foreach(t, f, NULL);\n", 1},
                {"sim/base/a.c", "    g_hash_table_lookup(t, k);\n", 0}}},
    {.sentence = "a public function has a comment above it",
     .check = pf_tidy_check_comments,
     .only = product,
     .trials = {{"sim/mm/a.h", "/* The file. */\n#pragma once\n\nint pf_a(int *b);\n", 4},
                {"sim/mm/a.h", "/* An a. */\ntypedef int A;\n\nint *pf_a(void);\n", 4},
                {"sim/mm/a.h", "/* Both. */\nint pf_a(void);\nint pf_b(void);\n", 0},
                {"sim/mm/a.h", "typedef int (*PfA)(void);\n\nvoid pf_a_free(A *a);\n", 0}}},
    {.sentence = "no mutable variable of file scope or static duration",
     .check = pf_tidy_check_variables,
     .only = product,
     .trials = {{"models/a.c", "static int a;\nstatic const int b = 1;\n", 1},
                {"models/a.c", "void a(void)\n{\n    static const char *b = 0;\n}\n", 3},
                {"models/a.c", "static const char *const a[] = {0};\nint b(int *c)\n{\n}\n", 0},
                {"sim/app/a.c", "static volatile sig_atomic_t stopped;\nstruct A;\n", 0}}},
    {.sentence = NULL},
};
