#include "image_reader.h"

#include "error.h"
#include "import_format.h"

struct PfImageReader {
    const PfImportFormat *format;
    PfInput *input;
    void *self;
};

PfImageReader *pf_image_reader_new(PfInput *input, const PfImportFormat *format, GError **error)
{
    g_assert(format->image != NULL);
    void *self = format->image->open(input, error);
    if (self == NULL) {
        pf_input_free(input);
        return NULL;
    }
    PfImageReader *reader = g_new0(PfImageReader, 1);
    reader->format = format;
    reader->input = input;
    reader->self = self;
    return reader;
}

PfImageReader *pf_image_reader_open(const char *path, const char *format, GError **error)
{
    const PfImportFormat *found = format != NULL ? pf_import_find(format) : NULL;
    if (format != NULL && (found == NULL || found->image == NULL)) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE, "'%s' is no format of memory images", format);
        return NULL;
    }
    g_autoptr(PfInput) input = pf_import_open(path, error);
    if (input == NULL)
        return NULL;
    if (found == NULL)
        found = pf_import_sniff(input, error);
    if (found == NULL)
        return NULL;
    if (found->image != NULL)
        return pf_image_reader_new(g_steal_pointer(&input), found, error);
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                "%s: looks like accesses (%s), and not like an image of memory",
                pf_input_name(input), found->name);
    return NULL;
}

void pf_image_reader_free(PfImageReader *reader)
{
    if (reader == NULL)
        return;
    reader->format->image->close(reader->self);
    pf_input_free(reader->input);
    g_free(reader);
}

PfTraceStatus pf_image_reader_next(PfImageReader *reader, PfImageRun *ret_run, GError **error)
{
    *ret_run = (PfImageRun){.kind = PF_PAGES_ANON};
    return reader->format->image->next(reader->self, reader->input, ret_run, error);
}

uint32_t pf_image_reader_page_bytes(const PfImageReader *reader)
{
    (void)reader;
    return PF_IMPORT_PAGE_BYTES;
}

double pf_image_reader_progress(const PfImageReader *reader)
{
    return pf_input_progress(reader->input);
}

const PfImportFormat *pf_image_reader_format(const PfImageReader *reader)
{
    return reader->format;
}

PfContextKind pf_image_reader_context_kind(const PfImageReader *reader)
{
    const PfImageForm *form = reader->format->image;
    return form->context_kind != NULL ? form->context_kind(reader->self) : PF_CONTEXT_VM;
}

uint64_t pf_image_reader_partial_pages(const PfImageReader *reader)
{
    const PfImageForm *form = reader->format->image;
    return form->partial_pages != NULL ? form->partial_pages(reader->self) : 0;
}

const char *pf_image_reader_remark(const PfImageReader *reader)
{
    const PfImageForm *form = reader->format->image;
    return form->remark != NULL ? form->remark(reader->self) : NULL;
}
