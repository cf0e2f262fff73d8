/* Strict, table-driven configuration over libconfig.
 *
 * A module declares each parameter once, as a row of a PfConfigField table; binding, checks,
 * `config explain`, `config dump` and the resolved file follow from the row. Reading is strict: an
 * unknown key, a wrong type, a value out of range, or an integer that libconfig 1.5 would corrupt
 * (outside 32 bits without `L`) is an error with file and line. Errors are collected, so that a
 * user sees all of them at once.
 *
 * Order of use: pf_config_load (or _new), pf_config_override for each `-s`, then binds, then
 * pf_config_finish, which turns what was collected, and each key that no bind asked for, into one
 * GError. Binding adds defaults to the tree, so one configuration serves one thread at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PF_CONFIG_BOOL,      /* bool; true | false */
    PF_CONFIG_UINT,      /* uint64_t; integer, within min..max */
    PF_CONFIG_SIZE,      /* uint64_t bytes; integer or "32KiB", "8GiB" ("64KB" is 64000) */
    PF_CONFIG_TIME,      /* uint64_t picoseconds; "13.75ns", "20ms", "5us", "2s", "350ps" */
    PF_CONFIG_FREQUENCY, /* uint64_t hertz; "2.6GHz", "800MHz" */
    PF_CONFIG_BANDWIDTH, /* uint64_t bytes a second; "20GB/s" */
    PF_CONFIG_DOUBLE,    /* double; integer or float */
    PF_CONFIG_STRING,    /* char *, owned by the configuration, NULL if there is no default */
    PF_CONFIG_ENUM,      /* int; index into `choices` */
    PF_CONFIG_STRINGS,   /* char **, NULL-terminated, owned by the configuration; list, array or
                            one string */
    PF_CONFIG_VALUES,    /* char **, likewise; each element of a list or array, or one value, as
                            configuration syntax: 1024, "cam" (with its quotes), (1, 1) */
} PfConfigType;

/* One parameter. `offset` is where it goes in the bound struct. `standard` is the default in
 * configuration syntax without quotes ("8GiB", "true", "0.5", "lru"; strings of a list are
 * separated by commas, "" is an empty list; NULL: no value, the member stays as it is). min and max
 * bound UINT, SIZE, TIME, FREQUENCY and BANDWIDTH in base units, and DOUBLE after conversion to
 * double; max 0 means no bound. An "auto" that a module understands is `automatic`: the text "auto"
 * is accepted and binds UINT64_MAX (or NaN). A zero needs no unit. An integer beyond 2^63 - 1,
 * which configuration syntax cannot hold, may be a string of digits. */
typedef struct {
    const char *key;
    PfConfigType type;
    size_t offset;
    const char *standard;
    uint64_t min;
    uint64_t max;
    bool power_of_two;
    bool automatic;
    bool digits;                /* BOOL: 0 and 1 are understood too */
    const char *const *choices; /* ENUM: NULL-terminated */
    const char *unit;           /* for `config explain`: "pages", "cycles", NULL */
    const char *description;    /* one sentence */
} PfConfigField;

/* The value that an `automatic` integer field has when it says "auto". */
#define PF_CONFIG_AUTO UINT64_MAX

typedef struct PfConfig PfConfig;

/* A group of the configuration ("machine.dram", "policies.[2]"). Borrowed from the configuration.
 * A section may be absent in the file: it then binds defaults only. */
typedef struct PfConfigSection PfConfigSection;

/* Gives the text of a preset called NAME ("ddr4-1socket"), or NULL. The text is borrowed. */
typedef const char *(*PfConfigPreset)(const char *name);

/* An empty configuration: defaults and overrides only. PRESET may be NULL. */
PfConfig *pf_config_new(PfConfigPreset preset);

/* Reads PATH and what it extends (paths relative to the file that names them; `extends` may name a
 * preset), merged deeply, later wins. NULL with PF_ERROR_CONFIG: FILE:LINE: what, and the mend. */
PfConfig *pf_config_load(const char *path, PfConfigPreset preset, GError **error);

/* The same for LENGTH bytes of TEXT, called NAME in messages; it can extend presets only. */
PfConfig *pf_config_load_text(const char *text, size_t length, const char *name,
                              PfConfigPreset preset, GError **error);

void pf_config_free(PfConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfConfig, pf_config_free)

/* Sets the key of an override "machine.dram.channels=2". The value is configuration syntax; what
 * does not parse as that is taken as a string. `policies.NAME.key` addresses the list element
 * whose label or name is NAME. Relative paths in the value are meant from the working directory. */
bool pf_config_override(PfConfig *config, const char *assignment, GError **error);

/* The same for KEY and its value TEXT, said in the value of PLACE_KEY of PLACE (a section of this
 * or of another configuration that lives as long): errors tell that line, and paths are relative
 * to that file. Without PLACE (NULL) it was said in ORIGIN (a constant, "-x"). */
bool pf_config_assign(PfConfig *config, const char *key, const char *text,
                      const PfConfigSection *place, const char *place_key, const char *origin,
                      GError **error);

/* A copy of CONFIG, of which nothing but `output` and `plugins` needs to be bound; CONFIG must
 * outlive it. Several threads may copy one configuration at the same time. */
PfConfig *pf_config_copy(const PfConfig *config);

/* Takes KEY, and all below it, out of SECTION. */
void pf_config_remove(PfConfigSection *section, const char *key);

/* TEXT, a value in configuration syntax, as the elements of the list that it is, else alone. Free
 * with g_strfreev. */
char **pf_config_elements(const char *text);

/* TEXT, a value in configuration syntax, without the quotes if it is a string. Free with g_free. */
char *pf_config_unquoted(const char *text);

/* The value at dotted PATH of CONFIG, once bound, as it goes into a table: a string without quotes;
 * quantities as numbers of bytes, seconds, hertz or bytes a second. NULL if there is none. Free
 * with g_free. */
char *pf_config_plain(const PfConfig *config, const char *path);

/* The section at dotted PATH, made if absent; "" is the root. */
PfConfigSection *pf_config_section(PfConfig *config, const char *path);

/* A section's own sub-section KEY, made if absent. */
PfConfigSection *pf_config_subsection(PfConfigSection *section, const char *key);

/* The elements of list KEY of SECTION that are groups: how many, and one of them. An absent list
 * has none. An element that is no group is a collected error. */
size_t pf_config_list_length(PfConfigSection *section, const char *key);
PfConfigSection *pf_config_list_section(PfConfigSection *section, const char *key, size_t index);

/* Appends an empty group to list KEY (made if absent), for elements that a program adds. */
PfConfigSection *pf_config_list_append(PfConfigSection *section, const char *key);

/* Sets KEY of SECTION as the program's own decision, of origin ORIGIN (a constant, "--policy").
 * TEXT is as in PfConfigField.standard for a field of TYPE. */
void pf_config_set(PfConfigSection *section, const char *key, PfConfigType type, const char *text,
                   const char *origin);

/* Whether the user, a file or a preset gave KEY (as against a default). */
bool pf_config_is_set(const PfConfigSection *section, const char *key);

/* Whether KEY of SECTION is a group, or nobody gave it. */
bool pf_config_is_group(const PfConfigSection *section, const char *key);

/* Binds SECTION to TARGET by FIELDS (COUNT rows): each key is checked, converted and stored, and
 * defaults are added to the tree. Errors are collected and the default is stored. Several tables
 * may be bound to one section. */
void pf_config_bind(PfConfigSection *section, const PfConfigField *fields, size_t count,
                    void *target);

/* MEMORY (of g_malloc), such as a table of fields that was made for one section, now lives as long
 * as the configuration and is freed with it. */
void pf_config_adopt(PfConfigSection *section, gpointer memory);

/* Where KEY of SECTION was given: "FILE:LINE", "-s", "default" ... Owned by the configuration. */
const char *pf_config_origin(const PfConfigSection *section, const char *key);

/* The absolute or working-directory-relative path that a PF_CONFIG_STRING KEY means, by the file it
 * was given in. Free with g_free. NULL where KEY has no value. */
char *pf_config_path(const PfConfigSection *section, const char *key);

/* The path that TEXT means if it was given in the value of KEY ("trace" values of a sweep's list).
 * Free with g_free. */
char *pf_config_resolve(const PfConfigSection *section, const char *key, const char *text);

/* Collects an error of a module's own at KEY (NULL: the section itself). */
void pf_config_complain(PfConfigSection *section, const char *key, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* False, with PF_ERROR_CONFIG and one line for each error, if anything was collected or a key of
 * the tree was never asked for (the message proposes the nearest key that was, in whatever
 * section). */
bool pf_config_finish(PfConfig *config, GError **error);

/* The resolved configuration as text that pf_config_load reads back to the same values: keys in
 * the order of binding, doubles in full precision. WITH_ORIGIN adds a comment behind each value.
 * Keys named in EXCEPT (NULL-terminated dotted paths, may be NULL) are left out. Free with
 * g_free. */
char *pf_config_dump(const PfConfig *config, bool with_origin, const char *const *except);

/* What SECTION was given, key by key: "trap = 1000;". Free with g_strfreev. */
char **pf_config_settings(const PfConfigSection *section);

/* Calls VISIT for each row of each table bound so far, with the section's dotted path
 * ("policies.esx" for a list element that has a label or name of its own), in order. A table bound
 * to a section again is told once. */
typedef void (*PfConfigVisitor)(const char *path, const PfConfigField *field, void *user);
void pf_config_visit_fields(const PfConfig *config, PfConfigVisitor visit, void *user);

/* Parses TEXT as a value of TYPE (SIZE, TIME, FREQUENCY, BANDWIDTH, UINT) into base units. False
 * with PF_ERROR_CONFIG saying what is wrong. The same rules serve traces and the command line. */
bool pf_parse_quantity(const char *text, PfConfigType type, uint64_t *ret_value, GError **error);
