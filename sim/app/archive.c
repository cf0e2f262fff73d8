#include "archive.h"

#include <assert.h>
#include <gio/gio.h>
#include <string.h>

#include "error.h"
#include "trace_output.h"

/* A tar is made of blocks (POSIX.1-2017, pax, "ustar Interchange Format"). */
enum { BLOCK_BYTES = 512, NAME_BYTES = 100, PREFIX_BYTES = 155, END_BLOCKS = 2 };

typedef struct {
    char name[NAME_BYTES];
    char mode[8];
    char owner[8];
    char group[8];
    char size[12];
    char time[12];
    char checksum[8];
    char type;
    char link[NAME_BYTES];
    char magic[8]; /* and version */
    char owner_name[32];
    char group_name[32];
    char device_major[8];
    char device_minor[8];
    char prefix[PREFIX_BYTES];
    char unused[12];
} Header;

static_assert(sizeof(Header) == BLOCK_BYTES, "a header is a block");

struct PfArchive {
    PfOutput *output;
    GConverter *gzip;
};

PfArchive *pf_archive_open(const char *path, GError **error)
{
    PfOutput *output = pf_output_open(path, error);
    if (output == NULL)
        return NULL;
    PfArchive *archive = g_new0(PfArchive, 1);
    archive->output = output;
    archive->gzip = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
    return archive;
}

void pf_archive_free(PfArchive *archive)
{
    if (archive == NULL)
        return;
    pf_output_free(archive->output);
    g_object_unref(archive->gzip);
    g_free(archive);
}

/* Compresses LENGTH bytes; the last ones are LAST. */
static void put(PfArchive *archive, const void *bytes, size_t length, bool last)
{
    char out[16384];
    const char *next = bytes;
    GConverterResult result = G_CONVERTER_CONVERTED;
    while (length > 0 || (last && result != G_CONVERTER_FINISHED)) {
        gsize read = 0;
        gsize written = 0;
        result = g_converter_convert(archive->gzip, next, length, out, sizeof out,
                                     last ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &read,
                                     &written, NULL);
        g_assert(result != G_CONVERTER_ERROR); /* there is input, or an end, and room */
        pf_output_write(archive->output, out, written);
        next += read;
        length -= read;
    }
}

/* Where NAME can be cut into a prefix and a name that fit; NULL if nowhere. */
static const char *find_cut(const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        if (slash - name <= PREFIX_BYTES && strlen(slash + 1) <= NAME_BYTES)
            return slash;
    return NULL;
}

static bool set_name(Header *header, const char *name)
{
    const char *cut = strlen(name) > NAME_BYTES ? find_cut(name) : NULL;
    if (strlen(name) > NAME_BYTES && cut == NULL)
        return false;
    const char *rest = cut != NULL ? cut + 1 : name;
    memcpy(header->name, rest, strlen(rest));
    if (cut != NULL)
        memcpy(header->prefix, name, (size_t)(cut - name));
    return true;
}

bool pf_archive_add(PfArchive *archive, const char *name, bool is_program, const void *bytes,
                    size_t length, GError **error)
{
    static const char zeros[BLOCK_BYTES];
    const size_t length_limit = (size_t)1 << 33; /* eleven octal digits */
    Header header = {.type = '0', .magic = {'u', 's', 't', 'a', 'r', '\0', '0', '0'}};
    if (length >= length_limit || !set_name(&header, name)) {
        g_set_error(error, PF_ERROR, PF_ERROR_LIMIT, "%s: %s for an archive", name,
                    length >= length_limit ? "too large" : "too long a name");
        return false;
    }
    g_snprintf(header.mode, sizeof header.mode, "%07o", is_program ? 0755U : 0644U);
    g_snprintf(header.owner, sizeof header.owner, "%07o", 0U);
    g_snprintf(header.group, sizeof header.group, "%07o", 0U);
    g_snprintf(header.size, sizeof header.size, "%011zo", length);
    g_snprintf(header.time, sizeof header.time, "%011o", 0U);
    memset(header.checksum, ' ', sizeof header.checksum);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += ((const unsigned char *)&header)[i];
    g_snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
    put(archive, &header, sizeof header, false);
    put(archive, bytes, length, false);
    put(archive, zeros, (BLOCK_BYTES - length % BLOCK_BYTES) % BLOCK_BYTES, false);
    return true;
}

bool pf_archive_finish(PfArchive *archive, GError **error)
{
    static const char zeros[END_BLOCKS * BLOCK_BYTES];
    put(archive, zeros, sizeof zeros, true);
    return pf_output_finish(archive->output, error);
}
