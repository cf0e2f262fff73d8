#include "image_builder.h"

#include <string.h>

#include "check.h"

void put_number(GByteArray *file, uint64_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(number >> (8 * i));
        g_byte_array_append(file, &byte, 1);
    }
}

void put_fill(GByteArray *file, uint8_t value, size_t count)
{
    guint at = file->len;
    g_byte_array_set_size(file, at + (guint)count);
    memset(file->data + at, value, count);
}

GByteArray *core_head(const Segment *segments, uint16_t count)
{
    GByteArray *file = g_byte_array_new();
    static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    g_byte_array_append(file, ident, sizeof ident);
    put_number(file, 4, 2);  /* ET_CORE */
    put_number(file, 62, 2); /* x86-64 */
    put_number(file, 1, 4);
    put_number(file, 0, 8);
    put_number(file, 64, 8); /* program headers */
    put_number(file, 0, 8);  /* section headers */
    put_number(file, 0, 4);
    put_number(file, 64, 2);
    put_number(file, 56, 2);
    put_number(file, count, 2);
    put_number(file, 0, 6);
    for (unsigned i = 0; i < count; i++) {
        put_number(file, segments[i].type, 4);
        put_number(file, 6, 4);
        put_number(file, segments[i].offset, 8);
        put_number(file, segments[i].virtual_address, 8);
        put_number(file, segments[i].physical_address, 8);
        put_number(file, segments[i].file_bytes, 8);
        put_number(file, segments[i].memory_bytes, 8);
        put_number(file, 0, 8);
    }
    return file;
}

PfImageReader *read_image(const GByteArray *file, const char *format, GError **error)
{
    PfInput *input = pf_input_new_bytes("image", file->data, file->len);
    const PfImportFormat *found =
        format != NULL ? pf_import_find(format) : pf_import_sniff(input, error);
    if (found == NULL)
        pf_input_free(input);
    return found != NULL ? pf_image_reader_new(input, found, error) : NULL;
}

GArray *all_pages(const GByteArray *file, const char *format, GError **error)
{
    g_autoptr(PfImageReader) reader = read_image(file, format, error);
    if (reader == NULL)
        return NULL;
    GArray *pages = g_array_new(FALSE, FALSE, sizeof(ToldPage));
    PfImageRun run;
    PfTraceStatus status;
    while ((status = pf_image_reader_next(reader, &run, error)) == PF_TRACE_RECORDS) {
        CU_ASSERT_TRUE(run.pages > 0 && run.pages <= run.extent_pages);
        for (uint64_t i = 0; i < run.pages; i++) {
            const uint8_t *bytes = run.bytes + i * PAGE;
            CU_ASSERT_EQUAL(memcmp(bytes, bytes + 1, PAGE - 1), 0);
            ToldPage page = {.address = run.address + i * PAGE,
                             .first = bytes[0],
                             .kind = run.kind,
                             .file = g_intern_string(run.file),
                             .file_offset = run.file_offset + i * PAGE};
            g_array_append_val(pages, page);
        }
    }
    if (status == PF_TRACE_END)
        return pages;
    g_array_unref(pages);
    return NULL;
}

void check_refused(const GByteArray *file, const char *format, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pages = all_pages(file, format, &error);
    CU_ASSERT_PTR_NULL(pages);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_PTR_NULL(strchr(error->message, '\n'));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, expected));
    if (strstr(error->message, expected) == NULL)
        printf("# %s\n", error->message);
}
