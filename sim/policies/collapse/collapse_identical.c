/* Pages that are deemed identical though their bytes are not. */
#include <string.h>

#include "collapse_state.h"
#include "error.h"

/* Clears the bits FIRST - LAST of MASK, the highest bit of the first byte being number 0. */
static void clear_bits(uint8_t *mask, uint64_t first, uint64_t last)
{
    for (uint64_t bit = first; bit <= last; bit++)
        mask[bit / 8] &= (uint8_t)~(0x80U >> bit % 8);
}

static bool ignore_bits(const PfCollapse *self, uint8_t *mask, GError **error)
{
    uint64_t bits = 8 * (uint64_t)pf_host_page_bytes(self->host);
    char *const *texts = self->config.ignored_bits;
    for (unsigned i = 0; texts != NULL && texts[i] != NULL; i++) {
        g_auto(GStrv) ends = g_strsplit(texts[i], "-", 2);
        guint64 first;
        guint64 last;
        const char *behind = ends[0] != NULL && ends[1] != NULL ? ends[1] : ends[0];
        if (ends[0] == NULL ||
            !g_ascii_string_to_unsigned(ends[0], 10, 0, bits - 1, &first, NULL) ||
            !g_ascii_string_to_unsigned(behind, 10, first, bits - 1, &last, NULL)) {
            g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                        "policy 'collapse': ignored_bits: '%s' is no bit and no range of bits of a "
                        "page, which has %" G_GUINT64_FORMAT,
                        texts[i], bits);
            return false;
        }
        clear_bits(mask, first, last);
    }
    return true;
}

static bool keep_range(const PfCollapse *self, uint8_t *mask, GError **error)
{
    uint64_t page_bytes = pf_host_page_bytes(self->host);
    uint64_t offset = self->config.used_offset_bytes;
    uint64_t left = offset < page_bytes ? page_bytes - offset : 0;
    uint64_t bytes = self->config.used_bytes == PF_CONFIG_AUTO ? left : self->config.used_bytes;
    if (bytes == 0 || bytes > left) {
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG,
                    "policy 'collapse': used_offset and used_bytes: the range is not inside a page "
                    "of %" G_GUINT64_FORMAT " bytes",
                    page_bytes);
        return false;
    }
    memset(mask, 0, page_bytes);
    memset(mask + offset, UINT8_MAX, bytes);
    return true;
}

/* What is given for another way than the one that is asked for would mean nothing. */
static bool check_keys(const PfCollapse *self, GError **error)
{
    const PfCollapseConfig *config = &self->config;
    bool has_bits = config->ignored_bits != NULL && config->ignored_bits[0] != NULL;
    bool has_range = config->used_offset_bytes != 0 || config->used_bytes != PF_CONFIG_AUTO;
    const char *mistake = NULL;
    if (has_bits && config->identical != PF_COLLAPSE_MASKED)
        mistake = "ignored_bits mean nothing without identical = \"masked\"";
    else if (!has_bits && config->identical == PF_COLLAPSE_MASKED)
        mistake = "identical: masked says nothing without `ignored_bits`";
    else if (has_range && config->identical != PF_COLLAPSE_RANGE)
        mistake = "used_offset and used_bytes mean nothing without identical = \"range\"";
    if (mistake != NULL)
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "policy 'collapse': %s", mistake);
    return mistake == NULL;
}

bool pf_collapse_set_identical(PfCollapse *self, GError **error)
{
    size_t page_bytes = pf_host_page_bytes(self->host);
    g_autofree uint8_t *mask = g_malloc(page_bytes);
    memset(mask, UINT8_MAX, page_bytes);
    double threshold = 1;
    if (!check_keys(self, error))
        return false;
    switch ((PfCollapseIdentical)self->config.identical) {
    case PF_COLLAPSE_EXACT:
        return true;
    case PF_COLLAPSE_THRESHOLD:
        threshold = self->config.threshold;
        break;
    case PF_COLLAPSE_MASKED:
        if (!ignore_bits(self, mask, error))
            return false;
        break;
    case PF_COLLAPSE_RANGE:
        if (!keep_range(self, mask, error))
            return false;
        break;
    }
    pf_host_deem_identical(self->host, mask, threshold);
    return true;
}
