#include "trace_strings.h"

#include <string.h>

/* Names and labels of a trace of a machine's life are some megabytes. */
static const size_t bytes_max = (size_t)1 << 28;

struct PfStrings {
    GHashTable *numbers; /* text -> number + 1; keys are owned by `list` */
    GPtrArray *list;
    size_t bytes;
};

PfStrings *pf_strings_new(void)
{
    PfStrings *strings = g_new0(PfStrings, 1);
    strings->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    strings->list = g_ptr_array_new_with_free_func(g_free);
    return strings;
}

void pf_strings_free(PfStrings *strings)
{
    if (strings == NULL)
        return;
    g_hash_table_unref(strings->numbers);
    g_ptr_array_unref(strings->list);
    g_free(strings);
}

const char *pf_strings_intern(PfStrings *strings, const char *text, uint32_t *ret_number)
{
    gpointer key;
    gpointer value;
    if (g_hash_table_lookup_extended(strings->numbers, text, &key, &value)) {
        if (ret_number != NULL)
            *ret_number = GPOINTER_TO_UINT(value) - 1;
        return key;
    }
    size_t length = strlen(text);
    if (length >= bytes_max - strings->bytes)
        return NULL;
    strings->bytes += length + 1;
    char *copy = g_strdup(text);
    g_ptr_array_add(strings->list, copy);
    g_hash_table_insert(strings->numbers, copy, GUINT_TO_POINTER(strings->list->len));
    if (ret_number != NULL)
        *ret_number = strings->list->len - 1;
    return copy;
}

const char *pf_strings_get(const PfStrings *strings, uint32_t number)
{
    return number < strings->list->len ? g_ptr_array_index(strings->list, number) : NULL;
}

uint32_t pf_strings_count(const PfStrings *strings)
{
    return strings->list->len;
}
