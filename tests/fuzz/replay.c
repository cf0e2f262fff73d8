/* A fuzz target without libFuzzer: runs each file named on the command line, and seeded mutations
 * of it, through LLVMFuzzerTestOneInput.
 *
 * Usage: PROGRAM [--mutations N] [--seed S] FILE... The seed and the number of the mutation name an
 * input; --dump FILE writes each input there before it is run, so that a crash leaves it behind. */
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    gint64 mutations;
    gint64 seed;
    char *dump;
    char **paths;
} Options;

static size_t place_in(PfRng *rng, const GByteArray *bytes)
{
    return (size_t)pf_rng_below(rng, (uint64_t)bytes->len + 1);
}

static void flip_bits(PfRng *rng, GByteArray *bytes)
{
    uint64_t count = 1 + pf_rng_below(rng, 8);
    for (uint64_t i = 0; i < count && bytes->len > 0; i++)
        bytes->data[pf_rng_below(rng, bytes->len)] ^= (guint8)(1U << pf_rng_below(rng, 8));
}

/* Puts a piece of OTHER over or into BYTES. */
static void splice(PfRng *rng, GByteArray *bytes, const GByteArray *other)
{
    size_t from = place_in(rng, other);
    size_t length = (size_t)pf_rng_below(rng, (uint64_t)(other->len - from) + 1);
    size_t at = place_in(rng, bytes);
    g_autofree guint8 *tail = g_memdup2(bytes->data + at, bytes->len - at);
    guint tail_length = (guint)(bytes->len - at);
    guint skipped = pf_rng_below(rng, 2) == 0 ? 0 : MIN(tail_length, (guint)length);
    g_byte_array_set_size(bytes, (guint)at);
    if (length > 0)
        g_byte_array_append(bytes, other->data + from, (guint)length);
    if (tail_length > skipped)
        g_byte_array_append(bytes, tail + skipped, tail_length - skipped);
}

/* Writes a value that parsers stumble on over or into BYTES. */
static void insert_token(PfRng *rng, GByteArray *bytes)
{
    static const char *const tokens[] = {
        "\"",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "=",
        ";",
        ",",
        "\\",
        "/*",
        "*/",
        "//",
        "#",
        "\n",
        "@include \"x\"\n",
        "-1",
        "8589934592",
        "0xFFFFFFFF",
        "9223372036854775808L",
        "1e999",
        "1e-400",
        ".",
        "\"1.5KiB\"",
        "\"auto\"",
        "\xff",
        "\xef\xbb\xbf",
        "extends = \"base\";",
        "extends = \"loop\";",
        "true",
        "\\x00",
    };

    GByteArray token = {.data = NULL};
    const char *text = tokens[pf_rng_below(rng, G_N_ELEMENTS(tokens))];
    token.data = (guint8 *)(uintptr_t)text;
    token.len = (guint)strlen(text);
    size_t at = place_in(rng, bytes);
    g_autofree guint8 *tail = g_memdup2(bytes->data + at, bytes->len - at);
    guint tail_length = (guint)(bytes->len - at);
    g_byte_array_set_size(bytes, (guint)at);
    g_byte_array_append(bytes, token.data, token.len);
    if (tail_length > 0)
        g_byte_array_append(bytes, tail, tail_length);
}

static void mutate(PfRng *rng, GByteArray *bytes, const GPtrArray *inputs)
{
    uint64_t steps = 1 + pf_rng_below(rng, 4);
    for (uint64_t i = 0; i < steps; i++) {
        switch (pf_rng_below(rng, 4)) {
        case 0:
            flip_bits(rng, bytes);
            break;
        case 1:
            g_byte_array_set_size(bytes, (guint)place_in(rng, bytes));
            break;
        case 2:
            splice(rng, bytes, inputs->pdata[pf_rng_below(rng, inputs->len)]);
            break;
        default:
            insert_token(rng, bytes);
        }
    }
}

/* An exact copy on the heap, so that a sanitizer sees a read past the end. */
static void run(const GByteArray *bytes, const Options *options)
{
    g_autofree guint8 *copy = g_malloc(MAX(bytes->len, 1));
    if (bytes->len > 0)
        memcpy(copy, bytes->data, bytes->len);
    if (options->dump != NULL)
        g_file_set_contents(options->dump, (const char *)copy, (gssize)bytes->len, NULL);
    LLVMFuzzerTestOneInput(copy, bytes->len);
}

static void run_all(const GPtrArray *inputs, const Options *options)
{
    for (guint i = 0; i < inputs->len; i++) {
        const GByteArray *input = inputs->pdata[i];
        run(input, options);
        g_autofree char *name = g_path_get_basename(options->paths[i]);
        PfRng rng = pf_rng_derive((uint64_t)options->seed, name);
        for (gint64 n = 0; n < options->mutations; n++) {
            g_autoptr(GByteArray) bytes = g_byte_array_new();
            if (input->len > 0)
                g_byte_array_append(bytes, input->data, input->len);
            mutate(&rng, bytes, inputs);
            run(bytes, options);
        }
    }
}

static bool parse_options(int argc, char **argv, Options *options, GError **error)
{
    GOptionEntry entries[] = {
        {"mutations", 0, 0, G_OPTION_ARG_INT64, &options->mutations, "Mutations of each file", "N"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options->seed, "Seed of the mutations", "S"},
        {"dump", 0, 0, G_OPTION_ARG_FILENAME, &options->dump, "Where inputs go first", "FILE"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->paths, NULL, "FILE..."},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, &argc, &argv, error);
}

static void unref_bytes(void *bytes)
{
    g_byte_array_unref(bytes);
}

int main(int argc, char **argv)
{
    Options options = {.seed = 1};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) inputs = g_ptr_array_new_with_free_func(unref_bytes);
    bool done = parse_options(argc, argv, &options, &error);
    for (char **path = options.paths; done && path != NULL && *path != NULL; path++) {
        char *bytes;
        gsize length;
        done = g_file_get_contents(*path, &bytes, &length, &error);
        if (done)
            g_ptr_array_add(inputs, g_byte_array_new_take((guint8 *)bytes, length));
    }
    if (done && inputs->len > 0) {
        run_all(inputs, &options);
        printf("%u inputs, %" G_GINT64_FORMAT " mutations of each, seed %" G_GINT64_FORMAT "\n",
               inputs->len, options.mutations, options.seed);
    } else {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "no input files");
    }
    g_strfreev(options.paths);
    g_free(options.dump);
    return done && inputs->len > 0 ? 0 : 1;
}
