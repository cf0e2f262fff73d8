/* The tables of policies, finders, hashes and filters that this program knows. */
#pragma once

#include "policy.h"

/* Built-in ones and those of loaded shared objects. */
typedef struct PfRegistry PfRegistry;

/* A registry of the built-in ones. Loaded objects live as long as it does. */
PfRegistry *pf_registry_new(void);
void pf_registry_free(PfRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfRegistry, pf_registry_free)

/* Adds what the shared object at PATH exports, all of it or nothing. PF_ERROR_CONFIG names the file
 * and what is wrong (no pf_plugin, another ABI, a name already taken, a mandatory op missing). */
bool pf_registry_load(PfRegistry *registry, const char *path, GError **error);

/* In order: built-in ones sorted by name, then loaded ones in order of loading. */
size_t pf_registry_policy_count(const PfRegistry *registry);
const PfPolicyOps *pf_registry_policy(const PfRegistry *registry, size_t index);
size_t pf_registry_finder_count(const PfRegistry *registry);
const PfFinderOps *pf_registry_finder(const PfRegistry *registry, size_t index);
size_t pf_registry_hash_count(const PfRegistry *registry);
const PfHashOps *pf_registry_hash(const PfRegistry *registry, size_t index);
size_t pf_registry_filter_count(const PfRegistry *registry);
const PfFilterOps *pf_registry_filter(const PfRegistry *registry, size_t index);

/* NULL where there is none of that name. */
const PfPolicyOps *pf_registry_find_policy(const PfRegistry *registry, const char *name);
const PfFinderOps *pf_registry_find_finder(const PfRegistry *registry, const char *name);
const PfHashOps *pf_registry_find_hash(const PfRegistry *registry, const char *name);
const PfFilterOps *pf_registry_find_filter(const PfRegistry *registry, const char *name);
