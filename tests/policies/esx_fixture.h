/* What the tests of esx share: a mock host with the policy on it, contexts of one page each. */
#pragma once

#include "check.h"
#include "mock_host.h"
#include "registry.h"

/* A host of FRAMES frames of 64 bytes with esx and finder FINDER; ASSIGNMENTS as for mock_use. */
static inline PfHost *esx_new(uint64_t frames, unsigned hash_bits, const char *finder,
                              const char *const *assignments)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    PfHost *host = mock_new(frames, 64, hash_bits);
    g_autoptr(GError) error = NULL;
    bool used = mock_use(host, pf_registry_find_policy(registry, "esx"),
                         pf_registry_find_finder(registry, finder), assignments, &error);
    CU_ASSERT_FATAL(used);
    return host;
}

/* A new context with CONTENT in its only page; returns that page. */
static inline PfPage esx_add(PfHost *host, uint64_t content)
{
    PfPage page = mock_page(mock_add_context(host), 0);
    mock_fill(host, page, content);
    return page;
}

static inline const PfPolicyOps *esx_ops(void)
{
    g_autoptr(PfRegistry) registry = pf_registry_new();
    return pf_registry_find_policy(registry, "esx");
}

/* Looks at CANDIDATES pages; contexts take turns in the order of their numbers, so that of contexts
 * with one page each the order is known. */
static inline bool esx_look(PfHost *host, uint64_t candidates)
{
    return esx_ops()->scan(mock_policy(host), candidates);
}

/* The identities of the status table, the policy's and the finder's own checks. */
static inline bool esx_is_consistent(PfHost *host)
{
    uint64_t track = mock_stat(host, "esx.track");
    uint64_t cow = mock_stat(host, "esx.cow");
    uint64_t hint = mock_stat(host, "esx.hint");
    uint64_t unique = mock_stat(host, "esx.unique");
    uint64_t shared = mock_stat(host, "esx.shared");
    esx_ops()->check(mock_policy(host));
    mock_finder_ops(host)->check(mock_finder(host));
    return cow + hint == track && unique + shared == track && cow - shared == unique - hint &&
           mock_stat(host, "esx.cow1") <= cow - shared && track <= mock_stat(host, "esx.used");
}

static inline bool esx_is(PfHost *host, uint64_t hint, uint64_t cow, uint64_t cow1, uint64_t shared)
{
    return esx_is_consistent(host) && mock_stat(host, "esx.hint") == hint &&
           mock_stat(host, "esx.cow") == cow && mock_stat(host, "esx.cow1") == cow1 &&
           mock_stat(host, "esx.shared") == shared;
}
