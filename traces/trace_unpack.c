#include "trace_unpack.h"

#include <gio/gio.h>
#include <lzma.h>
#include <string.h>
#include <zstd.h>

#include "error.h"

/* Packed bytes taken at a time, and what xz may use; `xz -9` needs 65 MiB to unpack. */
enum { PACKED_BYTES = 65536, XZ_MEMORY_BYTES_MAX = 512 << 20 };

/* Bytes on their way through a decoder. */
typedef struct {
    const uint8_t *in;
    size_t in_length;
    size_t in_used;
    uint8_t *out;
    size_t out_length;
    size_t out_used;
    bool is_last;       /* no more is to come behind `in` */
    bool is_part_ended; /* set where the compressed data may end */
} Step;

typedef struct {
    const char *name;
    uint8_t magic[6];
    size_t magic_length;
    void *(*open)(void);
    /* What is wrong with the data, or NULL. */
    const char *(*decode)(void *decoder, Step *step);
    void (*close)(void *decoder);
} Packing;

typedef struct {
    PfInput *source; /* borrowed from the filter */
    const Packing *packing;
    void *decoder;
    bool is_part_ended;
} Unpack;

static void *open_zstd(void)
{
    return ZSTD_createDCtx();
}

static const char *decode_zstd(void *decoder, Step *step)
{
    ZSTD_inBuffer in = {step->in, step->in_length, 0};
    ZSTD_outBuffer out = {step->out, step->out_length, 0};
    size_t left = ZSTD_decompressStream(decoder, &out, &in);
    step->in_used = in.pos;
    step->out_used = out.pos;
    step->is_part_ended = left == 0;
    return ZSTD_isError(left) ? ZSTD_getErrorName(left) : NULL;
}

static void close_zstd(void *decoder)
{
    ZSTD_freeDCtx(decoder);
}

static void *open_xz(void)
{
    lzma_stream *stream = g_new(lzma_stream, 1);
    *stream = (lzma_stream)LZMA_STREAM_INIT;
    lzma_ret status = lzma_stream_decoder(stream, XZ_MEMORY_BYTES_MAX, LZMA_CONCATENATED);
    g_assert(status == LZMA_OK);
    return stream;
}

static const char *decode_xz(void *decoder, Step *step)
{
    lzma_stream *stream = decoder;
    stream->next_in = step->in;
    stream->avail_in = step->in_length;
    stream->next_out = step->out;
    stream->avail_out = step->out_length;
    lzma_ret status = lzma_code(stream, step->is_last ? LZMA_FINISH : LZMA_RUN);
    step->in_used = step->in_length - stream->avail_in;
    step->out_used = step->out_length - stream->avail_out;
    step->is_part_ended = status == LZMA_STREAM_END;
    if (status == LZMA_MEMLIMIT_ERROR)
        return "it needs more than 512 MiB to be unpacked";
    /* With LZMA_BUF_ERROR data are missing, which is told as for all. */
    return status == LZMA_OK || status == LZMA_STREAM_END || status == LZMA_BUF_ERROR
               ? NULL
               : "data are damaged";
}

static void close_xz(void *decoder)
{
    lzma_end(decoder);
    g_free(decoder);
}

static void *open_gzip(void)
{
    return g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
}

static const char *decode_gzip(void *decoder, Step *step)
{
    g_autoptr(GError) cause = NULL;
    GConverterResult result =
        g_converter_convert(decoder, step->in, step->in_length, step->out, step->out_length,
                            step->is_last ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS,
                            &step->in_used, &step->out_used, &cause);
    step->is_part_ended = result == G_CONVERTER_FINISHED;
    if (step->is_part_ended)
        g_converter_reset(decoder);
    if (result != G_CONVERTER_ERROR || g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
        return NULL;
    return "data are damaged";
}

static const Packing packings[] = {
    {"gzip", {0x1f, 0x8b}, 2, open_gzip, decode_gzip, g_object_unref},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, open_xz, decode_xz, close_xz},
    {"Zstandard", {0x28, 0xb5, 0x2f, 0xfd}, 4, open_zstd, decode_zstd, close_zstd},
};

static void fail(const Unpack *unpack, const char *problem, GError **error)
{
    g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: at byte %" G_GUINT64_FORMAT ": %s: %s",
                pf_input_name(unpack->source), pf_input_offset(unpack->source),
                unpack->packing->name, problem);
}

static ssize_t read_unpacked(void *user, uint8_t *bytes, size_t length, GError **error)
{
    Unpack *unpack = user;
    for (;;) {
        if (!pf_input_fill(unpack->source, PACKED_BYTES, error))
            return -1;
        Step step = {.out = bytes, .out_length = length};
        step.in = pf_input_window(unpack->source, &step.in_length);
        step.is_last = step.in_length < PACKED_BYTES;
        step.is_part_ended = unpack->is_part_ended;
        if (step.in_length == 0 && unpack->is_part_ended)
            return 0;
        const char *problem = unpack->packing->decode(unpack->decoder, &step);
        if (problem == NULL && step.in_used == 0 && step.out_used == 0 &&
            (step.in_length > 0 || !step.is_part_ended))
            problem = "data are cut short";
        if (problem != NULL) {
            fail(unpack, problem, error);
            return -1;
        }
        unpack->is_part_ended = step.is_part_ended;
        pf_input_consume(unpack->source, step.in_used);
        if (step.out_used > 0)
            return (ssize_t)step.out_used;
    }
}

static void free_unpack(void *user)
{
    Unpack *unpack = user;
    unpack->packing->close(unpack->decoder);
    g_free(unpack);
}

PfInput *pf_input_unpack(PfInput *input, GError **error)
{
    if (!pf_input_fill(input, PACKED_BYTES, error)) {
        pf_input_free(input);
        return NULL;
    }
    size_t length;
    const uint8_t *bytes = pf_input_window(input, &length);
    for (size_t i = 0; i < G_N_ELEMENTS(packings); i++) {
        const Packing *packing = &packings[i];
        if (length < packing->magic_length ||
            memcmp(bytes, packing->magic, packing->magic_length) != 0)
            continue;
        Unpack *unpack = g_new0(Unpack, 1);
        unpack->source = input;
        unpack->packing = packing;
        unpack->decoder = packing->open();
        return pf_input_new_filter(input, read_unpacked, unpack, free_unpack);
    }
    return input;
}
