/* The inside of the configuration: the tree that all config*.c files work on. Only they include
 * this header; everybody else needs config.h alone.
 *
 * libconfig parses, but its tree is converted at once to one of our own: ordered, mergeable, and
 * with the origin of each value. Nodes, sources and strings live until the configuration is freed,
 * so that a borrowed section or string never dangles, whatever is merged or set later. */
#pragma once

#include "config.h"

/* Limits of one configuration, so that no input can make reading slow or deep. libconfig looks for
 * duplicates key by key, hence the low bound for keys of one group, and grows a string of pieces by
 * copying. */
enum {
    PF_CONFIG_TEXT_BYTES_MAX = 16 << 20,
    PF_CONFIG_NESTING_MAX = 64,
    PF_CONFIG_NAME_BYTES_MAX = 64,
    PF_CONFIG_GROUP_KEYS_MAX = 1024,
    PF_CONFIG_KEYS_MAX = 32768,
    PF_CONFIG_VALUES_MAX = 262144,
    PF_CONFIG_STRING_PIECES_MAX = 1024,
    PF_CONFIG_INCLUDE_DEPTH_MAX = 10,
    PF_CONFIG_EXTENDS_DEPTH_MAX = 16,
    PF_CONFIG_SOURCES_MAX = 256,
    PF_CONFIG_ERRORS_SHOWN_MAX = 50
};

typedef enum {
    PF_NODE_GROUP,
    PF_NODE_LIST, /* libconfig's lists and arrays */
    PF_NODE_BOOL,
    PF_NODE_INTEGER,
    PF_NODE_DOUBLE,
    PF_NODE_STRING,
} PfNodeKind;

typedef enum {
    PF_SOURCE_DEFAULT, /* a field's default, or a section that nobody gave */
    PF_SOURCE_PROGRAM, /* pf_config_set */
    PF_SOURCE_OVERRIDE,
    PF_SOURCE_PRESET,
    PF_SOURCE_FILE,
} PfSourceKind;

/* Where values come from. */
typedef struct {
    PfSourceKind kind;
    const char *name;      /* as in error messages: "a.cfg", "preset ddr4-1socket", "-s" */
    const char *directory; /* FILE: relative paths are meant from here */
} PfSource;

/* A node of the tree; what the public header calls a section is a node that is a group. */
typedef struct PfConfigSection PfConfigNode;

struct PfConfigSection {
    PfConfig *config;
    PfConfigNode *parent; /* NULL for the root */
    const char *key;      /* NULL for the root and for elements of lists */
    PfNodeKind kind;
    bool boolean;
    int64_t integer;
    double number;
    const char *text;
    GPtrArray *children; /* GROUP, LIST: in the order of the file */
    const PfSource *source;
    unsigned line;         /* 0: the source has none */
    unsigned rank;         /* order in which the program first asked for it; 0: never */
    bool bound;            /* a field has taken it whole */
    const char *canonical; /* the value bound, in configuration syntax */
    GPtrArray *tables;     /* GROUP: the field tables bound to it */
};

/* A table of fields bound to a section. */
typedef struct {
    const PfConfigNode *section;
    const PfConfigField *fields;
    size_t count;
} PfConfigBinding;

struct PfConfig {
    PfConfigPreset preset;
    PfConfigNode *root;
    GStringChunk *strings; /* owns all strings below */
    GPtrArray *nodes;      /* owns all nodes */
    GPtrArray *sources;    /* owns all PfSource */
    GPtrArray *vectors;    /* owns the arrays given to PF_CONFIG_STRINGS */
    GPtrArray *errors;     /* char *, in order */
    GArray *bindings;      /* PfConfigBinding */
    PfSource source_default;
    PfSource source_override;
    unsigned ranks; /* given so far */
};

/* A copy of TEXT that lives as long as CONFIG. */
const char *pf_config_keep(PfConfig *config, const char *text);

/* A source that lives as long as CONFIG. DIRECTORY may be NULL. */
const PfSource *pf_config_source(PfConfig *config, PfSourceKind kind, const char *name,
                                 const char *directory);

/* A node outside the tree. */
PfConfigNode *pf_node_new(PfConfig *config, PfNodeKind kind, const PfSource *source, unsigned line);

/* Adds CHILD at the end of PARENT, under KEY (copied; NULL in a list). */
void pf_node_append(PfConfigNode *parent, const char *key, PfConfigNode *child);

/* Puts CHILD where OLD, a child of the same parent, was. */
void pf_node_replace(PfConfigNode *old, PfConfigNode *child);

/* The child of group PARENT that is called KEY, or NULL. */
PfConfigNode *pf_node_find(const PfConfigNode *parent, const char *key);

/* The element of LIST that WORD means: "[2]", or its label or name. NULL if there is none, or, with
 * RET_AMBIGUOUS, if there are several. */
PfConfigNode *pf_node_element(const PfConfigNode *list, const char *word, bool *ret_ambiguous);

/* Merges group FROM into group INTO: groups deeply, all else replaced. FROM is used up. */
void pf_node_merge(PfConfigNode *into, PfConfigNode *from);

/* Marks NODE as asked for. */
void pf_node_ask(PfConfigNode *node);

/* The dotted path of NODE: "machine.dram.channels", "policies.esx.rate". Free with g_free. With
 * BY_INDEX elements of lists are told by number only ("policies.[1].rate"). */
char *pf_node_path(const PfConfigNode *node, bool by_index);

/* "FILE:LINE", "-s", "default". Free with g_free. */
char *pf_node_origin(const PfConfigNode *node);

/* What NODE is, for error messages: "the string \"x\"", "a group". Free with g_free. */
char *pf_node_describe(const PfConfigNode *node);

/* Collects "ORIGIN: PATH: MESSAGE"; KEY (may be NULL) is appended to the path of NODE. */
void pf_node_complain(PfConfigNode *node, const char *key, const char *message);

/* Whether NAME can be a key. */
bool pf_config_name_is_valid(const char *name);

/* --- config_include.c: a source's text with its includes put in place --- */

typedef struct {
    const PfSource *source;
    unsigned line;
} PfTextLine;

/* A text that libconfig shall parse, and where each of its lines comes from. */
typedef struct {
    PfConfig *config;
    GString *text;
    GArray *lines;         /* PfTextLine */
    bool integers_refused; /* by pf_config_check_text, though it is configuration syntax */
} PfConfigText;

/* An empty text; its sources are noted in CONFIG (borrowed). */
void pf_config_text_init(PfConfigText *text, PfConfig *config);
void pf_config_text_clear(PfConfigText *text);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PfConfigText, pf_config_text_clear)

/* Adds BYTES (LENGTH of them) of SOURCE; @include is followed if SOURCE is a file. */
bool pf_config_text_add(PfConfigText *text, const char *bytes, size_t length,
                        const PfSource *source, GError **error);

/* The bytes of file PATH. False with "PATH: why". */
bool pf_config_read_file(const char *path, char **ret_bytes, size_t *ret_length, GError **error);

/* PF_ERROR_CONFIG "SOURCE:LINE: MESSAGE" for line INDEX (from 0) of TEXT. */
void pf_config_text_error(const PfConfigText *text, unsigned index, GError **error,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

/* --- config_lex.c --- */

/* Checks TEXT before libconfig sees it: syntax, limits, and integers that libconfig 1.5 would
 * corrupt without a word. */
bool pf_config_check_text(PfConfigText *text, GError **error);

/* --- config_load.c --- */

/* Parses TEXT to a group outside the tree. NULL with the reason. */
PfConfigNode *pf_config_parse_text(PfConfigText *text, GError **error);

/* Parses TEXT as one value, of SOURCE. NULL without an error if that is no value at all, NULL with
 * an error if it is one that cannot be accepted. */
PfConfigNode *pf_config_parse_value(PfConfig *config, const char *text, const PfSource *source,
                                    GError **error);

/* --- config_override.c --- */

/* A node for TEXT, which is as in PfConfigField.standard for a field of TYPE; TEXT that does not
 * suit TYPE becomes a string, which binding refuses. */
PfConfigNode *pf_config_node_from_text(PfConfig *config, PfConfigType type, const char *text,
                                       const PfSource *source);

/* --- config_hint.c --- */

/* The edit distance of A and B (insertions, deletions, substitutions, swaps of neighbours), for
 * strings of up to PF_CONFIG_NAME_BYTES_MAX bytes; longer ones are never near. */
unsigned pf_edit_distance(const char *a, const char *b);

/* --- config_quantity.c --- */

/* VALUE in the shortest exact form that pf_parse_quantity and the configuration take, without
 * quotes: "32KiB", "13.75ns". Free with g_free. */
char *pf_format_quantity(PfConfigType type, uint64_t value);

/* --- config_dump.c --- */

/* TEXT as a quoted string of configuration syntax. */
void pf_config_write_string(GString *out, const char *text);

/* VALUE in the shortest form that reads back to the same double, and as a double. */
void pf_config_write_double(GString *out, double value);

/* VALUE with the L that it needs beyond 32 bits. */
void pf_config_write_integer(GString *out, int64_t value);

/* NODE as a value, on one line. */
void pf_config_write_node(GString *out, const PfConfigNode *node);
