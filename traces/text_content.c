/* CONTENT of the text form: zero, ones, "text", hex:, blob:, hash:, id:. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text_reader.h"

uint32_t pf_text_add_content(PfTextReader *reader, const PfContentSpec *spec)
{
    PfContentSpec normal = pf_content_spec_normal(spec, reader->trace->header.page_bytes);
    bool is_new;
    uint32_t number = pf_content_pool_add(reader->contents, &normal, &is_new);
    if (is_new) {
        g_array_append_val(reader->block->contents, normal);
        reader->trace->rules->content_count++;
    }
    return number;
}

/* Opens the file NAME unless it is the one that the last blob came from. */
static bool open_blob(PfTextReader *reader, const char *name)
{
    if (reader->blob >= 0 && strcmp(reader->blob_name, name) == 0)
        return true;
    if (reader->blob >= 0)
        close(reader->blob);
    g_free(reader->blob_name);
    reader->blob_name = g_strdup(name);
    g_autofree char *path = pf_input_sibling(reader->trace->input, name);
    /* Not to wait where the name is that of a pipe. */
    reader->blob = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->blob < 0) {
        int code = errno;
        return pf_text_complain(reader, "blob: %s: %s; names are relative to the trace's folder",
                                path, g_strerror(code));
    }
    struct stat status;
    if (fstat(reader->blob, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(reader->blob);
        reader->blob = -1;
        return pf_text_complain(reader, "blob: %s is no regular file; name one", path);
    }
    reader->blob_bytes = (uint64_t)status.st_size;
    return true;
}

/* Reads LENGTH bytes at OFFSET, which are within the file unless somebody cuts it meanwhile. */
static bool read_blob(PfTextReader *reader, uint64_t offset, uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = pread(reader->blob, bytes, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return pf_text_complain(reader, "blob: %s cannot be read at byte %" PRIu64 ": %s",
                                    reader->blob_name, offset,
                                    got < 0 ? g_strerror(errno) : "it became shorter");
        bytes += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

bool pf_text_blob(PfTextReader *reader, const char *text, PfContentSpec *ret_spec)
{
    const char *colon = strrchr(text, ':');
    uint64_t offset;
    if (colon == NULL || colon == text || colon - text > PF_TRACE_NAME_BYTES_MAX)
        return pf_text_complain(reader, "blob: needs a file and an offset; write blob:FILE:OFFSET");
    if (!pf_text_size(reader, "blob's offset", colon + 1, &offset))
        return false;
    g_autofree char *name = g_strndup(text, (size_t)(colon - text));
    if (!open_blob(reader, name))
        return false;
    if (offset >= reader->blob_bytes)
        return pf_text_complain(reader,
                                "blob: %s has %" PRIu64 " bytes, none at %" PRIu64
                                "; give an offset in the file",
                                name, reader->blob_bytes, offset);
    uint64_t left = reader->blob_bytes - offset;
    uint32_t length = (uint32_t)MIN(left, (uint64_t)reader->trace->header.page_bytes);
    uint8_t *bytes = pf_record_block_alloc(reader->block, length);
    *ret_spec = (PfContentSpec){.form = PF_CONTENT_BYTES, .bytes = bytes, .length = length};
    return read_blob(reader, offset, bytes, length);
}

/* N or N^K=V. */
static bool parse_id(PfTextReader *reader, const char *text, PfContentSpec *ret_spec)
{
    *ret_spec = (PfContentSpec){.form = PF_CONTENT_ID};
    const char *hat = strchr(text, '^');
    g_autofree char *number = hat != NULL ? g_strndup(text, (size_t)(hat - text)) : g_strdup(text);
    if (!pf_text_number(reader, "id:", number, &ret_spec->number))
        return false;
    if (hat == NULL)
        return true;
    const char *equals = strchr(hat, '=');
    if (equals == NULL)
        return pf_text_complain(reader, "id: changes a byte without saying how; write id:N^K=V");
    g_autofree char *place = g_strndup(hat + 1, (size_t)(equals - hat - 1));
    uint64_t at;
    uint64_t with;
    if (!pf_text_number(reader, "id: place", place, &at) ||
        !pf_text_number(reader, "id: value", equals + 1, &with))
        return false;
    uint32_t page_bytes = reader->trace->header.page_bytes;
    if (at >= page_bytes)
        return pf_text_complain(
            reader, "id: changes byte %" PRIu64 " of a page of %" PRIu32 " bytes; choose one below",
            at, page_bytes);
    if (with > UINT8_MAX)
        return pf_text_complain(reader, "id: value %" PRIu64 " is no byte; use 0 to 255", with);
    ret_spec->at = (uint32_t)at;
    ret_spec->with = (uint8_t)with;
    return true;
}

static bool parse_hex(PfTextReader *reader, const PfWord *word, PfContentSpec *ret_spec)
{
    size_t digit_count = word->length - strlen("hex:");
    if (digit_count / 2 > reader->trace->header.page_bytes)
        return pf_text_complain(reader, "hex: has %zu bytes, a page %" PRIu32 "; shorten it",
                                digit_count / 2, reader->trace->header.page_bytes);
    *ret_spec = (PfContentSpec){.form = PF_CONTENT_BYTES, .length = (uint32_t)(digit_count / 2)};
    ret_spec->bytes = pf_text_hex(reader, word->text + strlen("hex:"), digit_count);
    return ret_spec->bytes != NULL;
}

static bool parse_text(PfTextReader *reader, const PfWord *word, PfContentSpec *ret_spec)
{
    if (word->length > reader->trace->header.page_bytes)
        return pf_text_complain(reader, "a text of %zu bytes, a page has %" PRIu32 "; shorten it",
                                word->length, reader->trace->header.page_bytes);
    uint8_t *bytes = pf_record_block_alloc(reader->block, word->length);
    memcpy(bytes, word->text, word->length);
    *ret_spec =
        (PfContentSpec){.form = PF_CONTENT_BYTES, .bytes = bytes, .length = (uint32_t)word->length};
    return true;
}

static bool parse_content(PfTextReader *reader, const PfWord *word, PfContentSpec *ret_spec)
{
    if (word->is_quoted)
        return parse_text(reader, word, ret_spec);
    const char *text = word->text;
    *ret_spec = (PfContentSpec){.form = PF_CONTENT_ZERO};
    if (strcmp(text, "zero") == 0)
        return true;
    ret_spec->form = PF_CONTENT_ONES;
    if (strcmp(text, "ones") == 0)
        return true;
    if (g_str_has_prefix(text, "id:"))
        return parse_id(reader, text + strlen("id:"), ret_spec);
    ret_spec->form = PF_CONTENT_HASH;
    if (g_str_has_prefix(text, "hash:"))
        return pf_text_number(reader, "hash:", text + strlen("hash:"), &ret_spec->number);
    if (g_str_has_prefix(text, "hex:"))
        return parse_hex(reader, word, ret_spec);
    if (g_str_has_prefix(text, "blob:"))
        return pf_text_blob(reader, text + strlen("blob:"), ret_spec);
    g_autofree char *shown = pf_text_shortened(text);
    return pf_text_complain(reader,
                            "unknown content '%s'; it is zero, ones, \"text\", hex:00ff, "
                            "blob:FILE:OFFSET, hash:0x1 or id:N",
                            shown);
}

bool pf_text_take_content(PfTextReader *reader, uint32_t *ret_content)
{
    const PfWord *word = pf_text_take_bytes(reader, "content");
    PfContentSpec spec;
    if (word == NULL || !parse_content(reader, word, &spec))
        return false;
    *ret_content = pf_text_add_content(reader, &spec);
    return true;
}
