#include <string.h>

#include "check.h"
#include "error.h"
#include "mock_host.h"
#include "registry.h"

static void built_in_policies_are_sorted_and_found(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    size_t count = pf_registry_policy_count(registry);
    CU_ASSERT_FATAL(count > 0);
    for (size_t i = 0; i < count; i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        CU_ASSERT_PTR_EQUAL(pf_registry_find_policy(registry, ops->name), ops);
        if (i > 0)
            CU_ASSERT(strcmp(pf_registry_policy(registry, i - 1)->name, ops->name) < 0);
    }
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_policy(registry, "esx"));
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_policy(registry, "none"));
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_policy(registry, "oracle"));
    CU_ASSERT_PTR_NULL(pf_registry_find_policy(registry, "es"));
}

static void built_in_finders_and_hashes_are_sorted_and_found(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    for (size_t i = 0; i < pf_registry_finder_count(registry); i++) {
        const PfFinderOps *ops = pf_registry_finder(registry, i);
        CU_ASSERT_PTR_EQUAL(pf_registry_find_finder(registry, ops->name), ops);
        if (i > 0)
            CU_ASSERT(strcmp(pf_registry_finder(registry, i - 1)->name, ops->name) < 0);
    }
    for (size_t i = 0; i < pf_registry_hash_count(registry); i++) {
        const PfHashOps *ops = pf_registry_hash(registry, i);
        CU_ASSERT_PTR_EQUAL(pf_registry_find_hash(registry, ops->name), ops);
        if (i > 0)
            CU_ASSERT(strcmp(pf_registry_hash(registry, i - 1)->name, ops->name) < 0);
    }
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_finder(registry, "table"));
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_hash(registry, "xxh3"));
    CU_ASSERT_PTR_NULL(pf_registry_find_finder(registry, "esx"));
    CU_ASSERT_PTR_NULL(pf_registry_find_hash(registry, ""));
}

static void what_is_loaded_comes_after_what_is_built_in(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    size_t policies = pf_registry_policy_count(registry);
    size_t finders = pf_registry_finder_count(registry);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_FIRST_MATCH, &error));
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_BLOOM, &error));
    CU_ASSERT_EQUAL(pf_registry_policy_count(registry), policies + 1);
    CU_ASSERT_EQUAL(pf_registry_finder_count(registry), finders + 1);
    CU_ASSERT_STRING_EQUAL(pf_registry_policy(registry, policies)->name, "first_match");
    CU_ASSERT_STRING_EQUAL(pf_registry_finder(registry, finders)->name, "bloom");
}

/* Four pages of three contents; the second pass finds nothing new. */
static void a_loaded_policy_shares_pages_through_a_loaded_finder(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_FIRST_MATCH, &error));
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_BLOOM, &error));
    const PfPolicyOps *policy = pf_registry_find_policy(registry, "first_match");
    const PfFinderOps *finder = pf_registry_find_finder(registry, "bloom");
    g_autoptr(PfHost) host = mock_new(16, 64, 64);
    const char *const assignments[] = {"policy.pages_per_wake=2", "finder.hashes=3", NULL};
    CU_ASSERT_FATAL(mock_use(host, policy, finder, assignments, &error));
    static const uint64_t contents[] = {7, 8, 7, 9};
    for (uint32_t i = 0; i < 4; i++)
        mock_fill(host, mock_page(mock_add_context(host), i), contents[i]);
    /* 20 ms and 40 ms: two pages each; the third batch meets the end. */
    mock_run_until(host, 40000000 - 1);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 2);
    mock_run_until(host, 40000000);
    CU_ASSERT_EQUAL(mock_counts(host)->scanned, 4);
    CU_ASSERT_EQUAL(mock_stat(host, "first_match.matches"), 1);
    CU_ASSERT_EQUAL(mock_used_frames(host), 3);
    CU_ASSERT(policy->scan(mock_policy(host), UINT64_MAX));
    CU_ASSERT(policy->scan(mock_policy(host), UINT64_MAX));
    CU_ASSERT_EQUAL(mock_counts(host)->passes, 2);
    CU_ASSERT_EQUAL(mock_stat(host, "first_match.matches"), 1);
    CU_ASSERT_EQUAL(mock_used_frames(host), 3);
}

/* Refuses PATH with a message that names it and holds WORDS, and leaves the registry as it was. */
static void expect_refused(const char *path, const char *words)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    size_t policies = pf_registry_policy_count(registry);
    size_t finders = pf_registry_finder_count(registry);
    size_t hashes = pf_registry_hash_count(registry);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FALSE_FATAL(pf_registry_load(registry, path, &error));
    CU_ASSERT(g_error_matches(error, PF_ERROR, PF_ERROR_CONFIG));
    CU_ASSERT(g_str_has_prefix(error->message, path));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, words));
    CU_ASSERT_EQUAL(pf_registry_policy_count(registry), policies);
    CU_ASSERT_EQUAL(pf_registry_finder_count(registry), finders);
    CU_ASSERT_EQUAL(pf_registry_hash_count(registry), hashes);
    CU_ASSERT_PTR_NULL(pf_registry_find_policy(registry, "good"));
}

static void a_file_that_is_no_shared_object_is_refused(void)
{
    expect_refused("/no/such/plugin.so", "there is no such file");
    expect_refused("plugin_first_match.so", "there is no such file");
    expect_refused(__FILE__, "cannot be loaded");
}

static void a_plugin_without_the_symbol_or_of_another_interface_is_refused(void)
{
    expect_refused(PLUGIN_BAD_SYMBOL, "no symbol `pf_plugin`");
    expect_refused(PLUGIN_BAD_ABI, "built for plug-in interface");
    expect_refused(PLUGIN_BAD_EMPTY, "exports nothing");
}

static void an_incomplete_entry_is_refused_with_its_name(void)
{
    expect_refused(PLUGIN_BAD_FREE, "policy \"no_free\" lacks `free`");
    expect_refused(PLUGIN_BAD_SUMMARY, "policy \"mute\" lacks `summary`");
    expect_refused(PLUGIN_BAD_NAME, "called \"No Word\"");
    expect_refused(PLUGIN_BAD_FIELD, "parameter 1 of policy \"far\"");
    expect_refused(PLUGIN_BAD_FIND, "finder \"no_find\" lacks `find`");
    expect_refused(PLUGIN_BAD_HASH, "hash \"wide\" says it has 65 bits");
}

static void a_name_is_taken_once(void)
{
    expect_refused(PLUGIN_BAD_TAKEN, "there is a policy \"esx\" already");
    expect_refused(PLUGIN_BAD_TWICE, "there is a policy \"good\" already");
    g_autoptr(PfRegistry) registry = pf_registry_new();
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(pf_registry_load(registry, PLUGIN_BLOOM, &error));
    CU_ASSERT_FALSE_FATAL(pf_registry_load(registry, PLUGIN_BLOOM, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "there is a finder \"bloom\" already"));
    CU_ASSERT_PTR_NOT_NULL(pf_registry_find_finder(registry, "bloom"));
}

static void every_policy_can_be_created_with_its_defaults_and_freed(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    for (size_t i = 0; i < pf_registry_policy_count(registry); i++) {
        const PfPolicyOps *ops = pf_registry_policy(registry, i);
        g_autoptr(PfHost) host = mock_new(8, 64, 64);
        g_autoptr(GError) error = NULL;
        const PfFinderOps *finder = pf_registry_find_finder(registry, "table");
        CU_ASSERT(mock_use(host, ops, finder, NULL, &error));
        CU_ASSERT_PTR_NULL(error);
    }
}

/* Two of three pages are equal. */
static void the_oracle_counts_distinct_contents_and_maps_nothing(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    const PfPolicyOps *oracle = pf_registry_find_policy(registry, "oracle");
    g_autoptr(PfHost) host = mock_new(8, 64, 64);
    g_autoptr(GError) error = NULL;
    CU_ASSERT_FATAL(
        mock_use(host, oracle, pf_registry_find_finder(registry, "table"), NULL, &error));
    CU_ASSERT_EQUAL(oracle->flags, PF_POLICY_BOUND);
    uint32_t context = mock_add_context(host);
    for (uint64_t i = 0; i < 3; i++)
        mock_fill(host, mock_page(context, i), i == 2 ? 1 : i);
    CU_ASSERT_EQUAL(mock_stat(host, "oracle.distinct_contents"), 0);
    oracle->observe(mock_policy(host));
    CU_ASSERT_EQUAL(mock_stat(host, "oracle.distinct_contents"), 2);
    CU_ASSERT_EQUAL(mock_used_frames(host), 3);
}

static const PfCheck checks[] = {
    {"built-in policies are sorted and found", built_in_policies_are_sorted_and_found},
    {"built-in finders and hashes are sorted and found",
     built_in_finders_and_hashes_are_sorted_and_found},
    {"what is loaded comes after what is built in", what_is_loaded_comes_after_what_is_built_in},
    {"a loaded policy shares pages through a loaded finder",
     a_loaded_policy_shares_pages_through_a_loaded_finder},
    {"a file that is no shared object is refused", a_file_that_is_no_shared_object_is_refused},
    {"a plug-in without the symbol or of another interface is refused",
     a_plugin_without_the_symbol_or_of_another_interface_is_refused},
    {"an incomplete entry is refused with its name", an_incomplete_entry_is_refused_with_its_name},
    {"a name is taken once", a_name_is_taken_once},
    {"every policy can be created with its defaults and freed",
     every_policy_can_be_created_with_its_defaults_and_freed},
    {"the oracle counts distinct contents and maps nothing",
     the_oracle_counts_distinct_contents_and_maps_nothing},
};

PF_CHECK_MAIN("registry", checks)
