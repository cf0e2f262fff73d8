#include "registry.h"

#include <gmodule.h>
#include <string.h>

#include "error.h"

/* The built-in ones, by the lists of meson.build: declared, then put into tables. */
#define PF_POLICY(name) extern const PfPolicyOps pf_policy_##name;
#include "policies.def"
#undef PF_POLICY
#define PF_FINDER(name) extern const PfFinderOps pf_finder_##name;
#include "finders.def"
#undef PF_FINDER
#define PF_FILTER(name) extern const PfFilterOps pf_filter_##name;
#include "filters.def"
#undef PF_FILTER
extern const PfHashOps *const pf_hashes[];

static const PfPolicyOps *const built_in_policies[] = {
#define PF_POLICY(name) &pf_policy_##name,
#include "policies.def"
#undef PF_POLICY
    NULL,
};

static const PfFinderOps *const built_in_finders[] = {
#define PF_FINDER(name) &pf_finder_##name,
#include "finders.def"
#undef PF_FINDER
    NULL,
};

static const PfFilterOps *const built_in_filters[] = {
#define PF_FILTER(name) &pf_filter_##name,
#include "filters.def"
#undef PF_FILTER
    NULL,
};

/* Tables hold borrowed pointers to constants of the program or of a module. */
struct PfRegistry {
    GPtrArray *policies;
    GPtrArray *finders;
    GPtrArray *hashes;
    GPtrArray *filters;
    GPtrArray *modules; /* GModule */
};

/* What every entry of a list must be, whatever its kind. */
typedef struct {
    const char *kind; /* "policy" */
    const char *name;
    const char *summary;
    const PfConfigField *fields;
    size_t field_count;
    size_t config_bytes;
    const char *missing; /* the first mandatory op that is NULL */
} Entry;

static void close_module(void *module)
{
    g_module_close(module);
}

const PfPolicyOps *pf_registry_find_policy(const PfRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->policies->len; i++)
        if (strcmp(pf_registry_policy(registry, i)->name, name) == 0)
            return pf_registry_policy(registry, i);
    return NULL;
}

const PfFinderOps *pf_registry_find_finder(const PfRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->finders->len; i++)
        if (strcmp(pf_registry_finder(registry, i)->name, name) == 0)
            return pf_registry_finder(registry, i);
    return NULL;
}

const PfHashOps *pf_registry_find_hash(const PfRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->hashes->len; i++)
        if (strcmp(pf_registry_hash(registry, i)->name, name) == 0)
            return pf_registry_hash(registry, i);
    return NULL;
}

const PfFilterOps *pf_registry_find_filter(const PfRegistry *registry, const char *name)
{
    for (guint i = 0; i < registry->filters->len; i++)
        if (strcmp(pf_registry_filter(registry, i)->name, name) == 0)
            return pf_registry_filter(registry, i);
    return NULL;
}

/* Names become keys of the configuration, prefixes of statistics and parts of file names. */
static bool name_is_word(const char *name)
{
    if (name == NULL || !g_ascii_islower(name[0]))
        return false;
    for (const char *p = name; *p != '\0'; p++)
        if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && *p != '_' && *p != '-')
            return false;
    return true;
}

static bool check_fields(const Entry *entry, const char *path, GError **error)
{
    for (size_t i = 0; i < entry->field_count; i++) {
        const PfConfigField *field = entry->fields == NULL ? NULL : &entry->fields[i];
        if (field != NULL && field->key != NULL && field->offset < entry->config_bytes)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: parameter %zu of %s \"%s\" has no key or lies outside its configuration",
                    path, i + 1, entry->kind, entry->name);
        return false;
    }
    return true;
}

static bool check_entry(const Entry *entry, const char *path, GError **error)
{
    if (!name_is_word(entry->name)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: a %s is called \"%s\"; a name is a letter a-z, then a-z, 0-9, _ and -",
                    path, entry->kind, entry->name != NULL ? entry->name : "");
        return false;
    }
    if (entry->missing != NULL || entry->summary == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: %s \"%s\" lacks `%s`, which is mandatory", path, entry->kind, entry->name,
                    entry->missing != NULL ? entry->missing : "summary");
        return false;
    }
    return check_fields(entry, path, error);
}

static bool refuse_taken(const char *kind, const char *name, const char *path, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                "%s: there is a %s \"%s\" already; give this one another name", path, kind, name);
    return false;
}

static bool add_policy(PfRegistry *registry, const PfPolicyOps *ops, const char *path,
                       GError **error)
{
    Entry entry = {"policy",         ops->name,         ops->summary, ops->fields,
                   ops->field_count, ops->config_bytes, NULL};
    entry.missing = ops->create == NULL ? "create" : ops->free == NULL ? "free" : NULL;
    if (!check_entry(&entry, path, error))
        return false;
    if (pf_registry_find_policy(registry, ops->name) != NULL)
        return refuse_taken("policy", ops->name, path, error);
    g_ptr_array_add(registry->policies, (void *)(uintptr_t)ops);
    return true;
}

static const char *missing_of_finder(const PfFinderOps *ops)
{
    if (ops->create == NULL || ops->free == NULL)
        return ops->create == NULL ? "create" : "free";
    if (ops->find == NULL)
        return "find";
    if (ops->file == NULL || ops->unfile == NULL)
        return ops->file == NULL ? "file" : "unfile";
    return ops->metadata_bytes == NULL ? "metadata_bytes" : NULL;
}

static bool add_finder(PfRegistry *registry, const PfFinderOps *ops, const char *path,
                       GError **error)
{
    Entry entry = {"finder",         ops->name,         ops->summary,          ops->fields,
                   ops->field_count, ops->config_bytes, missing_of_finder(ops)};
    if (!check_entry(&entry, path, error))
        return false;
    if (pf_registry_find_finder(registry, ops->name) != NULL)
        return refuse_taken("finder", ops->name, path, error);
    g_ptr_array_add(registry->finders, (void *)(uintptr_t)ops);
    return true;
}

static bool add_hash(PfRegistry *registry, const PfHashOps *ops, const char *path, GError **error)
{
    Entry entry = {"hash", ops->name, ops->summary, NULL, 0, 0, NULL};
    entry.missing = ops->hash == NULL ? "hash" : NULL;
    if (!check_entry(&entry, path, error))
        return false;
    if (ops->bits < 1 || ops->bits > 64) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: hash \"%s\" says it has %u bits; a hash has 1 to 64", path, ops->name,
                    ops->bits);
        return false;
    }
    if (pf_registry_find_hash(registry, ops->name) != NULL)
        return refuse_taken("hash", ops->name, path, error);
    g_ptr_array_add(registry->hashes, (void *)(uintptr_t)ops);
    return true;
}

static const char *missing_of_filter(const PfFilterOps *ops)
{
    if (ops->create == NULL || ops->free == NULL)
        return ops->create == NULL ? "create" : "free";
    if (ops->page_accessed == NULL || ops->is_left_out == NULL)
        return ops->page_accessed == NULL ? "page_accessed" : "is_left_out";
    if (ops->next_expired == NULL || ops->due == NULL)
        return ops->next_expired == NULL ? "next_expired" : "due";
    return ops->metadata_bytes == NULL ? "metadata_bytes" : NULL;
}

static bool add_filter(PfRegistry *registry, const PfFilterOps *ops, const char *path,
                       GError **error)
{
    Entry entry = {"filter",         ops->name,         ops->summary,          ops->fields,
                   ops->field_count, ops->config_bytes, missing_of_filter(ops)};
    if (!check_entry(&entry, path, error))
        return false;
    if (pf_registry_find_filter(registry, ops->name) != NULL)
        return refuse_taken("filter", ops->name, path, error);
    g_ptr_array_add(registry->filters, (void *)(uintptr_t)ops);
    return true;
}

/* Adds all or, with ERROR set, some; the caller then cuts back. */
static bool add_lists(PfRegistry *registry, const PfPlugin *plugin, const char *path,
                      GError **error)
{
    for (size_t i = 0; plugin->policies != NULL && plugin->policies[i] != NULL; i++)
        if (!add_policy(registry, plugin->policies[i], path, error))
            return false;
    for (size_t i = 0; plugin->finders != NULL && plugin->finders[i] != NULL; i++)
        if (!add_finder(registry, plugin->finders[i], path, error))
            return false;
    for (size_t i = 0; plugin->hashes != NULL && plugin->hashes[i] != NULL; i++)
        if (!add_hash(registry, plugin->hashes[i], path, error))
            return false;
    for (size_t i = 0; plugin->filters != NULL && plugin->filters[i] != NULL; i++)
        if (!add_filter(registry, plugin->filters[i], path, error))
            return false;
    return true;
}

PfRegistry *pf_registry_new(void)
{
    PfRegistry *registry = g_new0(PfRegistry, 1);
    registry->policies = g_ptr_array_new();
    registry->finders = g_ptr_array_new();
    registry->hashes = g_ptr_array_new();
    registry->filters = g_ptr_array_new();
    registry->modules = g_ptr_array_new_with_free_func(close_module);
    const PfPlugin built_in = {PF_POLICY_ABI, built_in_policies, built_in_finders, pf_hashes,
                               built_in_filters};
    g_autoptr(GError) error = NULL;
    bool added = add_lists(registry, &built_in, "built in", &error);
    g_assert_no_error(error);
    g_assert(added);
    return registry;
}

void pf_registry_free(PfRegistry *registry)
{
    if (registry == NULL)
        return;
    g_ptr_array_free(registry->policies, TRUE);
    g_ptr_array_free(registry->finders, TRUE);
    g_ptr_array_free(registry->hashes, TRUE);
    g_ptr_array_free(registry->filters, TRUE);
    g_ptr_array_free(registry->modules, TRUE);
    g_free(registry);
}

/* The `pf_plugin` of MODULE, of this program's ABI; NULL with an error. */
static const PfPlugin *plugin_of(GModule *module, const char *path, GError **error)
{
    void *symbol = NULL;
    if (!g_module_symbol(module, "pf_plugin", &symbol) || symbol == NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: no plug-in: it has no symbol `pf_plugin`", path);
        return NULL;
    }
    const PfPlugin *plugin = symbol;
    if (plugin->abi != PF_POLICY_ABI) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "%s: built for plug-in interface %u, this program has %d; build it again with "
                    "this program's policy.h",
                    path, plugin->abi, PF_POLICY_ABI);
        return NULL;
    }
    return plugin;
}

/* The loader must not search for a bare name, hence the absolute one. */
static GModule *open_module(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: there is no such file", path);
        return NULL;
    }
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    GModule *module = g_module_open(absolute, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);
    if (module == NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: cannot be loaded: %s", path,
                    g_module_error());
    return module;
}

bool pf_registry_load(PfRegistry *registry, const char *path, GError **error)
{
    GModule *module = open_module(path, error);
    if (module == NULL)
        return false;
    guint policies = registry->policies->len;
    guint finders = registry->finders->len;
    guint hashes = registry->hashes->len;
    guint filters = registry->filters->len;
    const PfPlugin *plugin = plugin_of(module, path, error);
    bool added = plugin != NULL && add_lists(registry, plugin, path, error);
    if (added && policies == registry->policies->len && finders == registry->finders->len &&
        hashes == registry->hashes->len && filters == registry->filters->len) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: the plug-in exports nothing", path);
        added = false;
    }
    if (!added) {
        g_ptr_array_set_size(registry->policies, (gint)policies);
        g_ptr_array_set_size(registry->finders, (gint)finders);
        g_ptr_array_set_size(registry->hashes, (gint)hashes);
        g_ptr_array_set_size(registry->filters, (gint)filters);
        g_module_close(module);
        return false;
    }
    g_ptr_array_add(registry->modules, module);
    return true;
}

size_t pf_registry_policy_count(const PfRegistry *registry)
{
    return registry->policies->len;
}

const PfPolicyOps *pf_registry_policy(const PfRegistry *registry, size_t index)
{
    g_assert(index < registry->policies->len);
    return g_ptr_array_index(registry->policies, index);
}

size_t pf_registry_finder_count(const PfRegistry *registry)
{
    return registry->finders->len;
}

const PfFinderOps *pf_registry_finder(const PfRegistry *registry, size_t index)
{
    g_assert(index < registry->finders->len);
    return g_ptr_array_index(registry->finders, index);
}

size_t pf_registry_hash_count(const PfRegistry *registry)
{
    return registry->hashes->len;
}

const PfHashOps *pf_registry_hash(const PfRegistry *registry, size_t index)
{
    g_assert(index < registry->hashes->len);
    return g_ptr_array_index(registry->hashes, index);
}

size_t pf_registry_filter_count(const PfRegistry *registry)
{
    return registry->filters->len;
}

const PfFilterOps *pf_registry_filter(const PfRegistry *registry, size_t index)
{
    g_assert(index < registry->filters->len);
    return g_ptr_array_index(registry->filters, index);
}
