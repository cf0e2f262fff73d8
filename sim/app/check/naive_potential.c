#include "naive_potential.h"

#include <string.h>

typedef struct {
    uint64_t copies;
    bool anonymous;
} Content;

/* The bytes of FRAME as a string that is equal for equal contents only. A file's page that was
 * never given bytes has bytes that nobody knows. */
static GString *content_of(const PfNaiveFrame *frame, bool is_file, uint64_t *unknown)
{
    const GString *content = frame->object != NULL ? frame->object->content : frame->content;
    GString *copy = g_string_new_len(content->str, (gssize)content->len);
    if (is_file && !frame->object->has_bytes)
        g_string_printf(copy, "u file %" G_GUINT64_FORMAT, ++*unknown);
    return copy;
}

static bool is_zero(const GString *content)
{
    bool zero = content->str[0] == 'b';
    for (gsize i = 1; i < content->len; i++)
        zero = zero && content->str[i] == 0;
    return zero;
}

static unsigned kind_of(const PfNaive *naive, const PfNaiveFrame *frame, bool zero)
{
    if (frame->object == NULL)
        return zero ? 0 : 1;
    const PfNaiveObject *shared = &naive->objects[1][0][0];
    return frame->object >= shared ? 3 : 2;
}

static void count_frame(const PfNaive *naive, const PfNaiveFrame *frame, GHashTable *contents,
                        uint64_t *files, PfNaivePotential *found)
{
    bool is_file = kind_of(naive, frame, false) == 2;
    GString *bytes = content_of(frame, is_file, files);
    bool zero = is_zero(bytes);
    unsigned kind = kind_of(naive, frame, zero);
    found->no_sharing[kind] += frame->maps;
    found->frames[kind]++;
    found->zero_pages += zero;
    found->unknown_pages += bytes->str[0] == 'u';
    found->ksm_shared += kind >= 2;
    Content *content = g_hash_table_lookup(contents, bytes);
    if (content == NULL) {
        content = g_new0(Content, 1);
        g_hash_table_insert(contents, g_string_new_len(bytes->str, (gssize)bytes->len), content);
        found->cbps_shared++;
    }
    found->multiplicity += 2 * content->copies++ + 1;
    found->ksm_shared += kind < 2 && !content->anonymous;
    content->anonymous |= kind < 2;
    g_string_free(bytes, TRUE);
}

static void free_string(gpointer string)
{
    g_string_free(string, TRUE);
}

PfNaivePotential pf_naive_potential(const PfNaive *naive)
{
    PfNaivePotential found = {.ksm_shared = 0};
    g_autoptr(GHashTable) contents = g_hash_table_new_full(
        (GHashFunc)g_string_hash, (GEqualFunc)g_string_equal, free_string, g_free);
    uint64_t files = 0;
    if (naive->zero.maps > 0)
        count_frame(naive, &naive->zero, contents, &files, &found);
    for (unsigned i = 0; i < naive->frames->len; i++) {
        const PfNaiveFrame *frame = g_ptr_array_index(naive->frames, i);
        if (frame->maps > 0)
            count_frame(naive, frame, contents, &files, &found);
    }
    return found;
}
