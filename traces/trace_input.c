#include "trace_input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

enum { WINDOW_BYTES = 1 << 18 };

struct PfInput {
    char *name;
    char *folder; /* NULL: the working directory */
    int fd;       /* -1: memory */
    bool owns_fd;
    bool waits; /* what it reads may not be there yet */
    bool at_end;
    uint8_t *buffer; /* NULL: memory */
    size_t capacity;
    const uint8_t *bytes; /* the buffer, or the borrowed memory */
    size_t start;
    size_t end;
    uint64_t offset; /* of bytes[start] in the input */
    uint64_t length;
    PfInput *source; /* NULL: `fd`, or memory */
    PfInputRead read;
    void *user;
    GDestroyNotify free_user;
};

PfInput *pf_input_open(const char *path, GError **error)
{
    bool is_standard = strcmp(path, "-") == 0;
    /* Without O_NONBLOCK a FIFO that nobody writes to would hold it here. */
    int fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int code = errno;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: %s", path, g_strerror(code));
        return NULL;
    }
    struct stat status;
    bool is_known = fstat(fd, &status) == 0;
    if (is_known && S_ISDIR(status.st_mode)) {
        if (!is_standard)
            close(fd);
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: is a folder; name a trace in it", path);
        return NULL;
    }
    PfInput *input = g_new0(PfInput, 1);
    input->name = g_strdup(is_standard ? "standard input" : path);
    input->folder = is_standard ? NULL : g_path_get_dirname(path);
    input->fd = fd;
    input->owns_fd = !is_standard;
    input->waits = is_known && !S_ISREG(status.st_mode);
    input->capacity = WINDOW_BYTES;
    input->buffer = g_malloc(input->capacity);
    input->bytes = input->buffer;
    input->length = is_known && S_ISREG(status.st_mode) ? (uint64_t)status.st_size : 0;
    return input;
}

PfInput *pf_input_new_filter(PfInput *source, PfInputRead read, void *user,
                             GDestroyNotify free_user)
{
    PfInput *input = g_new0(PfInput, 1);
    input->name = g_strdup(source->name);
    input->folder = g_strdup(source->folder);
    input->fd = -1;
    input->capacity = WINDOW_BYTES;
    input->buffer = g_malloc(input->capacity);
    input->bytes = input->buffer;
    input->source = source;
    input->read = read;
    input->user = user;
    input->free_user = free_user;
    return input;
}

PfInput *pf_input_new_bytes(const char *name, const void *bytes, size_t length)
{
    PfInput *input = g_new0(PfInput, 1);
    input->name = g_strdup(name);
    input->fd = -1;
    input->at_end = true;
    input->bytes = bytes;
    input->end = length;
    input->length = length;
    return input;
}

void pf_input_free(PfInput *input)
{
    if (input == NULL)
        return;
    if (input->owns_fd)
        close(input->fd);
    if (input->free_user != NULL)
        input->free_user(input->user);
    pf_input_free(input->source);
    g_free(input->buffer);
    g_free(input->folder);
    g_free(input->name);
    g_free(input);
}

const char *pf_input_name(const PfInput *input)
{
    return input->name;
}

char *pf_input_sibling(const PfInput *input, const char *file)
{
    if (input->folder == NULL || g_path_is_absolute(file))
        return g_strdup(file);
    return g_build_filename(input->folder, file, NULL);
}

/* Moves what is left to the front, and the buffer's end out if LENGTH bytes would not fit. */
static void make_room(PfInput *input, size_t length)
{
    size_t left = input->end - input->start;
    if (left > 0)
        memmove(input->buffer, input->buffer + input->start, left);
    input->start = 0;
    input->end = left;
    if (length <= input->capacity)
        return;
    input->capacity = MAX(length, input->capacity * 2);
    input->buffer = g_realloc(input->buffer, input->capacity);
    input->bytes = input->buffer;
}

/* Until there is something to read, or the end. False with ERROR set if the thread is woken. */
static bool wait_for_bytes(const PfInput *input, GError **error)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigdelset(&mask, PF_INPUT_WAKE_SIGNAL);
    struct pollfd wanted = {.fd = input->fd, .events = POLLIN};
    if (ppoll(&wanted, 1, NULL, &mask) >= 0 || errno != EINTR)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_INTERRUPTED, "%s: interrupted", input->name);
    return false;
}

/* What PfInputRead does, from the descriptor. */
static ssize_t read_file(const PfInput *input, uint8_t *bytes, size_t length, GError **error)
{
    ssize_t got;
    do {
        if (input->waits && !wait_for_bytes(input, error))
            return -1;
        got = read(input->fd, bytes, length);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0) {
        int code = errno;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: cannot be read: %s", input->name,
                    g_strerror(code));
    }
    return got;
}

bool pf_input_fill(PfInput *input, size_t length, GError **error)
{
    if (input->at_end || input->end - input->start >= length)
        return true;
    if (length > input->capacity - input->start)
        make_room(input, length);
    while (!input->at_end && input->end - input->start < length) {
        uint8_t *bytes = input->buffer + input->end;
        size_t room = input->capacity - input->end;
        ssize_t got = input->source != NULL ? input->read(input->user, bytes, room, error)
                                            : read_file(input, bytes, room, error);
        if (got < 0)
            return false;
        input->at_end = got == 0;
        input->end += (size_t)got;
    }
    return true;
}

const uint8_t *pf_input_window(const PfInput *input, size_t *ret_length)
{
    *ret_length = input->end - input->start;
    return input->bytes + input->start;
}

void pf_input_consume(PfInput *input, size_t length)
{
    g_assert(length <= input->end - input->start);
    input->start += length;
    input->offset += length;
}

uint64_t pf_input_offset(const PfInput *input)
{
    return input->offset;
}

uint64_t pf_input_length(const PfInput *input)
{
    return input->length;
}

bool pf_input_peek(const PfInput *input, uint64_t offset, void *ret_bytes, size_t length)
{
    if (offset > input->length || length > input->length - offset)
        return false;
    if (input->buffer == NULL)
        memcpy(ret_bytes, input->bytes + offset, length);
    else
        return pread(input->fd, ret_bytes, length, (off_t)offset) == (ssize_t)length;
    return true;
}

double pf_input_progress(const PfInput *input)
{
    while (input->source != NULL)
        input = input->source;
    return input->length > 0 ? (double)input->offset / (double)input->length : 0;
}
