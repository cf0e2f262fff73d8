#include "trace_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

enum { BUFFER_BYTES = 1 << 16, NAME_ATTEMPTS_MAX = 100 };

struct PfOutput {
    char *path;
    char *temporary; /* NULL: written directly */
    int fd;
    bool owns_fd;
    int failure; /* errno of the first error, 0 if none */
    uint64_t offset;
    size_t used;
    uint8_t buffer[BUFFER_BYTES];
};

/* A name that nobody has; created as the user's umask says. */
static int open_temporary(PfOutput *output)
{
    for (unsigned attempt = 0; attempt < NAME_ATTEMPTS_MAX; attempt++) {
        unsigned number = ((unsigned)getpid() + attempt) & 0xffffU;
        g_autofree char *name = g_strdup_printf("%s.%04x.tmp", output->path, number);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            output->temporary = g_steal_pointer(&name);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

PfOutput *pf_output_open(const char *path, GError **error)
{
    g_autoptr(PfOutput) output = g_new0(PfOutput, 1);
    output->path = g_strdup(path);
    struct stat status;
    if (strcmp(path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        return g_steal_pointer(&output);
    }
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        output->fd = open(path, O_WRONLY | O_CLOEXEC);
    else
        output->fd = open_temporary(output);
    output->owns_fd = output->fd >= 0;
    if (output->fd < 0) {
        int code = errno;
        g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: cannot be written: %s", path,
                    g_strerror(code));
        return NULL;
    }
    return g_steal_pointer(&output);
}

void pf_output_free(PfOutput *output)
{
    if (output == NULL)
        return;
    if (output->owns_fd)
        close(output->fd);
    if (output->temporary != NULL)
        unlink(output->temporary);
    g_free(output->temporary);
    g_free(output->path);
    g_free(output);
}

static void write_all(PfOutput *output, const uint8_t *bytes, size_t length)
{
    while (length > 0 && output->failure == 0) {
        ssize_t written = write(output->fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            output->failure = written < 0 ? errno : EIO;
            return;
        }
        bytes += written;
        length -= (size_t)written;
    }
}

static void flush_buffer(PfOutput *output)
{
    write_all(output, output->buffer, output->used);
    output->used = 0;
}

void pf_output_write(PfOutput *output, const void *bytes, size_t length)
{
    output->offset += length;
    if (length > BUFFER_BYTES - output->used)
        flush_buffer(output);
    if (length > BUFFER_BYTES) {
        write_all(output, bytes, length);
        return;
    }
    if (length == 0)
        return;
    memcpy(output->buffer + output->used, bytes, length);
    output->used += length;
}

uint64_t pf_output_offset(const PfOutput *output)
{
    return output->offset;
}

bool pf_output_failed(const PfOutput *output)
{
    return output->failure != 0;
}

/* Some file systems tell a full disk only when the file is closed. */
static void close_file(PfOutput *output)
{
    if (!output->owns_fd)
        return;
    output->owns_fd = false;
    if (close(output->fd) != 0 && output->failure == 0)
        output->failure = errno;
}

bool pf_output_finish(PfOutput *output, GError **error)
{
    flush_buffer(output);
    close_file(output);
    if (output->failure == 0 && output->temporary != NULL) {
        if (rename(output->temporary, output->path) != 0)
            output->failure = errno;
        else
            g_clear_pointer(&output->temporary, g_free);
    }
    if (output->failure == 0)
        return true;
    g_set_error(error, PF_ERROR, PF_ERROR_IO, "%s: cannot be written: %s",
                strcmp(output->path, "-") == 0 ? "standard output" : output->path,
                g_strerror(output->failure));
    return false;
}
