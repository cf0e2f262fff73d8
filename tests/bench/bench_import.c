/* How fast images of memory become traces, in GiB of image a second, from the page cache.
 *
 * Four images: all zero; 8192 contents again and again; contents that are all different and of
 * which a quarter is new to a compressor; random bytes. Each is imported as bytes, as `trace
 * import` does and at the next higher level of compression, and as hashes; the two lines above say
 * what reading and hashing alone take. Prints the best of three, and the processor time of all
 * threads, which other work on the host disturbs less.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "image_import.h"
#include "rng.h"
#include "trace.h"

enum { PAGE = PF_IMPORT_PAGE_BYTES, IMAGE_PAGES = 65536, REPEATS = 3, WORDS = 512 };

typedef enum { ZEROS, REPEATED, PROGRAM, RANDOM, IMAGES } Image;

static const char *const image_names[IMAGES] = {"zeros", "repeated", "program", "random"};

/* A page of the IMAGE with NUMBER. */
static void fill_page(Image image, uint64_t number, const uint64_t *words, uint64_t *page)
{
    if (image == REPEATED)
        number %= 8192;
    PfRng rng = {.state = number};
    for (size_t i = 0; i < PAGE / sizeof *page; i++) {
        uint64_t random = pf_rng_next(&rng);
        bool is_new = image == RANDOM || random % 4 == 0;
        page[i] = image == ZEROS ? 0 : is_new ? random : words[random / 4 % WORDS];
    }
}

static void make_image(Image image, const char *path)
{
    FILE *file = fopen(path, "wb");
    g_assert(file != NULL);
    uint64_t words[WORDS];
    uint64_t page[PAGE / sizeof(uint64_t)];
    PfRng rng = pf_rng_derive(1, "words");
    for (size_t i = 0; i < WORDS; i++)
        words[i] = pf_rng_next(&rng) >> 24;
    for (uint64_t i = 0; i < IMAGE_PAGES; i++) {
        fill_page(image, i, words, page);
        g_assert(fwrite(page, PAGE, 1, file) == 1);
    }
    fclose(file);
}

/* Reads the image, and with HASHES hashes each page. */
static void read_image(const char *path, bool hashes)
{
    g_autoptr(PfImageReader) reader = pf_image_reader_open(path, "raw", NULL);
    PfImageRun run;
    uint64_t sum = 0;
    while (pf_image_reader_next(reader, &run, NULL) == PF_TRACE_RECORDS)
        for (uint64_t i = 0; i < run.pages && hashes; i++)
            sum ^= XXH3_128bits(run.bytes + i * PAGE, PAGE).low64;
    if (sum == 1)
        printf(" ");
}

typedef enum { AS_READ, AS_HASHED, AS_BYTES, AS_SMALLER, AS_HASHES, WAYS } Way;

static const char *const way_names[WAYS] = {"read only", "read and hash", "import",
                                            "import, packed smaller", "import --content hash"};

static void import_image(const char *path, const char *trace, Way way)
{
    PfTraceHeader header = {.page_bytes = PAGE};
    g_autoptr(PfTraceWriter) writer = pf_trace_writer_new(trace, PF_TRACE_BINARY, &header, NULL);
    pf_trace_writer_hurry(writer, way == AS_SMALLER ? PF_HASTE_SOME : PF_HASTE_MOST);
    g_autoptr(PfImageReader) reader = pf_image_reader_open(path, "raw", NULL);
    g_autoptr(PfImageContext) context = pf_image_context_new(writer, 0, "vm", PF_CONTEXT_VM);
    PfImageOptions options = {.is_hashed = way == AS_HASHES, .is_last = true};
    PfImageSummary summary = {0};
    bool good = pf_image_context_tell(context, reader, &options, &summary, NULL) &&
                pf_trace_writer_finish(writer, NULL);
    g_assert(good && summary.pages == IMAGE_PAGES);
}

/* The best time of some, in seconds, and the least of what all cores together spent. */
static double time_way(const char *path, const char *trace, Way way, double *ret_cores)
{
    double best = 1e9;
    *ret_cores = 1e9;
    for (unsigned i = 0; i < REPEATS; i++) {
        clock_t start = clock();
        gint64 start_us = g_get_monotonic_time();
        if (way == AS_READ || way == AS_HASHED)
            read_image(path, way == AS_HASHED);
        else
            import_image(path, trace, way);
        *ret_cores = MIN(*ret_cores, (double)(clock() - start) / CLOCKS_PER_SEC);
        best = MIN(best, (double)(g_get_monotonic_time() - start_us) / G_USEC_PER_SEC);
    }
    return best;
}

int main(void)
{
    g_autofree char *folder = g_dir_make_tmp("pagefold-bench-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "image.raw", NULL);
    g_autofree char *trace = g_build_filename(folder, "image.pft", NULL);
    for (Image image = ZEROS; image < IMAGES; image++) {
        make_image(image, path);
        for (Way way = AS_READ; way < WAYS; way++) {
            double cores = 0;
            double seconds = time_way(path, trace, way, &cores);
            GStatBuf status = {0};
            bool has_trace = way >= AS_BYTES && g_stat(trace, &status) == 0;
            double gib = (double)IMAGE_PAGES * PAGE / (1 << 30);
            printf("%-9s %-22s %6.2f GiB/s, %5.2f s of a core for a GiB", image_names[image],
                   way_names[way], gib / seconds, cores / gib);
            if (has_trace)
                printf("  %5.1f %% of the image", 100 * (double)status.st_size / gib / (1 << 30));
            printf("\n");
        }
    }
    g_unlink(path);
    g_unlink(trace);
    g_rmdir(folder);
    return 0;
}
