/* Services around stores that are looked up before they are made: the policies and finders that are
 * tested with this host ask for none of them. */
#include "mock_host.h"

bool pf_host_admits_store(PfHost *host)
{
    (void)host;
    return false;
}

bool pf_host_hash_result(PfHost *host, uint64_t *ret_key)
{
    (void)host;
    (void)ret_key;
    return false;
}

PfMergeResult pf_host_redirect(PfHost *host, PfPage keeper)
{
    (void)host;
    (void)keeper;
    return PF_NOT_ADMITTED;
}

bool pf_host_watch_write_backs(PfHost *host, GError **error)
{
    (void)host;
    (void)error;
    return false;
}

bool pf_host_is_dirty(const PfHost *host, PfPage page)
{
    (void)host;
    (void)page;
    return false;
}

void pf_host_defer_frees(PfHost *host)
{
    (void)host;
}

uint64_t pf_host_unfreed(const PfHost *host)
{
    (void)host;
    return 0;
}

void pf_host_collect(PfHost *host)
{
    (void)host;
}

const char *pf_host_context_name(const PfHost *host, uint32_t context)
{
    (void)host;
    (void)context;
    return "";
}

void pf_host_deem_identical(PfHost *host, const uint8_t *mask, double threshold)
{
    (void)host;
    (void)mask;
    (void)threshold;
}

bool pf_host_group(const PfHost *host, PfPage page, PfPage *ret_first, uint64_t *ret_pages)
{
    (void)host;
    (void)page;
    (void)ret_first;
    (void)ret_pages;
    return false;
}
