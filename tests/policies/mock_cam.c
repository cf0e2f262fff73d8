/* The finder of the mock host, and its CAM, which has no limit; each of its operations counts as a
 * line. */
#include "mock_state.h"

bool pf_host_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor, uint64_t *ret_value)
{
    return host->finder_ops->find(host->finder, key, page, cursor, ret_value);
}

void pf_host_file(PfHost *host, uint64_t key, PfPage page, uint64_t value)
{
    host->finder_ops->file(host->finder, key, page, value);
}

void pf_host_unfile(PfHost *host, uint64_t key, uint64_t value)
{
    host->finder_ops->unfile(host->finder, key, value);
}

bool pf_host_has_finder(const PfHost *host)
{
    return host->finder != NULL;
}

bool pf_host_finds_all(const PfHost *host)
{
    return host->finder_ops->finds_all == NULL || host->finder_ops->finds_all(host->finder);
}

bool pf_host_believes(const PfHost *host)
{
    (void)host;
    return false;
}

void pf_host_count_false_match(PfHost *host)
{
    (void)host;
}

bool pf_host_cam_find(PfHost *host, uint64_t key, PfPage page, uint64_t *cursor,
                      uint64_t *ret_value)
{
    (void)page;
    const PfCamKey searched = {.bits = key};
    uint64_t done;
    if (*cursor == UINT64_MAX)
        return false;
    uint32_t match = *cursor == 0 ? pf_cam_search(host->cam, &searched, 0, &done)
                                  : pf_cam_next(host->cam, (uint32_t)*cursor, 0, &done);
    pf_host_charge_lines(host, PF_ACCOUNT_LOOKUP, 1);
    *cursor = match != 0 ? match : UINT64_MAX;
    if (match != 0)
        *ret_value = pf_cam_item(host->cam, match).value;
    return match != 0;
}

PfCamFiling pf_host_cam_file(PfHost *host, uint64_t key, PfPage page, uint64_t value,
                             uint64_t *ret_key, uint64_t *ret_value)
{
    (void)page;
    const PfCamItem item = {.key = {.bits = key}, .value = value, .frame = PF_CAM_NO_FRAME};
    PfCamItem evicted;
    uint64_t done;
    pf_cam_insert(host->cam, &item, 0, &evicted, &done);
    pf_host_charge_lines(host, PF_ACCOUNT_LOOKUP, 1);
    *ret_key = *ret_value = 0;
    return PF_CAM_KEPT;
}

bool pf_host_cam_unfile(PfHost *host, uint64_t key, uint64_t value)
{
    const PfCamKey searched = {.bits = key};
    PfCamItem item;
    uint64_t done;
    return pf_cam_delete(host->cam, &searched, value, 0, &item, &done);
}

bool pf_host_cam_overflows(const PfHost *host)
{
    (void)host;
    return true;
}

bool pf_host_cam_forgets(const PfHost *host)
{
    (void)host;
    return false;
}

void pf_host_cam_count_lost(PfHost *host)
{
    (void)host;
}
