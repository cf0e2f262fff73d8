/* Inputs told apart, and images of memory. */
#include "error.h"
#include "image_reader.h"
#include "potential.h"
#include "trace_source.h"

bool pf_potential_interrupted(const PfPotentialReading *how, GError **error)
{
    if (how->interrupted == NULL || __atomic_load_n(how->interrupted, __ATOMIC_RELAXED) == 0)
        return false;
    g_set_error_literal(error, PF_ERROR, PF_ERROR_INTERRUPTED, "interrupted");
    return true;
}

/* Page INDEX of RUN; with bytes of its own or a number that the image gives. */
static bool tell_page(PfPotential *potential, const PfImageRun *run, uint64_t index,
                      uint32_t page_bytes, GError **error)
{
    static const PfPageKind kinds[PF_PAGES_KINDS] = {
        [PF_PAGES_ANON] = PF_PAGE_ANON,
        [PF_PAGES_FILE] = PF_PAGE_FILE,
        [PF_PAGES_SHMEM] = PF_PAGE_SHMEM,
        [PF_PAGES_ZERO] = PF_PAGE_ZERO,
    };
    PfPotentialFrame frame = {
        .address = run->address + index * page_bytes, .mappings = 1, .kind = kinds[run->kind]};
    if (run->bytes != NULL) {
        frame.bytes = run->bytes + index * page_bytes;
    } else {
        frame.known = PF_KNOWN_IDENTITY;
        frame.number = run->hashes[index].identity;
        frame.mappings = run->hashes[index].mappings;
        frame.kind = kinds[run->hashes[index].kind];
    }
    return pf_potential_add(potential, &frame, NULL, error);
}

static bool tell_pages(PfPotential *potential, PfImageReader *reader, const PfPotentialReading *how,
                       GError **error)
{
    uint32_t page_bytes = pf_image_reader_page_bytes(reader);
    PfImageRun run;
    PfTraceStatus status;
    while ((status = pf_image_reader_next(reader, &run, error)) == PF_TRACE_RECORDS) {
        for (uint64_t i = 0; i < run.pages; i++)
            if (!tell_page(potential, &run, i, page_bytes, error))
                return false;
        if (pf_potential_interrupted(how, error))
            return false;
        if (how->progress != NULL)
            how->progress(pf_image_reader_progress(reader), pf_potential_frames(potential),
                          how->user);
    }
    return status == PF_TRACE_END;
}

bool pf_potential_read_image(PfPotential *potential, PfInput *input, const char *name,
                             const PfPotentialReading *how, GError **error)
{
    g_autofree char *file = g_strdup(pf_input_name(input));
    const PfImportFormat *format = how->format;
    if (format == NULL)
        format = pf_import_sniff(input, error);
    if (format != NULL && !pf_import_is_image(format)) {
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE,
                    "%s: looks like accesses (%s), which have no contents to count", file,
                    pf_import_name(format));
        format = NULL;
    }
    if (format == NULL) {
        pf_input_free(input);
        return false;
    }
    g_autoptr(PfImageReader) reader = pf_image_reader_new(input, format, error);
    if (reader == NULL)
        return false;
    if (how->epoch != NULL) {
        g_set_error(error, PF_ERROR, PF_ERROR_USAGE,
                    "--epoch %s: %s is an image of memory (%s), which has one epoch only",
                    how->epoch, file, pf_import_name(format));
        return false;
    }
    if (!pf_potential_begin(potential, pf_image_reader_page_bytes(reader), error)) {
        g_prefix_error(error, "%s: ", file);
        return false;
    }
    pf_potential_context(potential, name);
    return tell_pages(potential, reader, how, error);
}

bool pf_potential_read(PfPotential *potential, const char *path, bool with_stem,
                       const PfPotentialReading *how, GError **error)
{
    PfInput *input = pf_import_open(path, error);
    if (input == NULL)
        return false;
    g_autofree char *stem = pf_import_stem(path);
    g_autofree char *prefix = with_stem ? g_strconcat(stem, ":", NULL) : g_strdup("");
    if (how->format == NULL && pf_trace_looks(input))
        return pf_potential_read_trace(potential, input, prefix, how, error);
    return pf_potential_read_image(potential, input, stem, how, error);
}
