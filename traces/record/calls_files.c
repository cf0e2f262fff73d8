#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"

/* What the kernel moves in one call at most. */
static const uint64_t bytes_max = 0x7ffff000;

enum { VECTORS_MAX = 1024, POLLED_MAX = 1024 };

/* Stands for read, write, pread64, pwrite64 of one piece; OFFSET -1 is the file's own place. */
typedef int64_t (*Mover)(PfGuest *guest, PfGuestFile *file, uint64_t address, uint64_t length,
                         int64_t offset);

static int64_t move_in(PfGuest *guest, PfGuestFile *file, uint64_t address, uint64_t length,
                       int64_t offset)
{
    length = MIN(length, bytes_max);
    void *bytes = pf_call_bytes(guest, address, length);
    if (bytes == NULL)
        return length == 0 ? 0 : -EFAULT;
    ssize_t got = (ssize_t)length;
    if (file->kind == PF_GUEST_RANDOM)
        pf_guest_random(guest, bytes, length);
    else if (offset >= 0)
        got = pread(file->host, bytes, length, offset);
    else
        got = read(file->host, bytes, length);
    if (got < 0)
        return -errno;
    pf_call_stored(guest, address, (uint64_t)got);
    return got;
}

static int64_t move_out(PfGuest *guest, PfGuestFile *file, uint64_t address, uint64_t length,
                        int64_t offset)
{
    length = MIN(length, bytes_max);
    const void *bytes = pf_call_bytes(guest, address, length);
    if (bytes == NULL)
        return length == 0 ? 0 : -EFAULT;
    if (file->kind == PF_GUEST_RANDOM)
        return (int64_t)length;
    ssize_t put =
        offset >= 0 ? pwrite(file->host, bytes, length, offset) : write(file->host, bytes, length);
    if (put < 0 && errno == EPIPE && (guest->ignored | guest->caught) >> SIGPIPE % 64 == 0)
        pf_guest_end(guest, 128 + SIGPIPE, g_strdup("signal 13: nobody reads its output"));
    return pf_call_result(put);
}

static int64_t move(PfGuest *guest, const uint64_t *arguments, int64_t offset, Mover mover)
{
    PfGuestFile *file = pf_guest_files_at(&guest->files, arguments[0] & UINT32_MAX);
    if (file == NULL)
        return -EBADF;
    return mover(guest, file, arguments[1], arguments[2], offset);
}

static int64_t move_vectors(PfGuest *guest, const uint64_t *arguments, Mover mover)
{
    PfGuestFile *file = pf_guest_files_at(&guest->files, arguments[0] & UINT32_MAX);
    uint64_t count = arguments[2];
    if (file == NULL)
        return -EBADF;
    if (count > VECTORS_MAX)
        return -EINVAL;
    const struct iovec *vectors = pf_call_bytes(guest, arguments[1], count * sizeof(*vectors));
    if (vectors == NULL)
        return count == 0 ? 0 : -EFAULT;
    int64_t total = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t address = (uint64_t)(uintptr_t)vectors[i].iov_base;
        int64_t moved = mover(guest, file, address, vectors[i].iov_len, -1);
        if (moved < 0)
            return total > 0 ? total : moved;
        total += moved;
        if ((uint64_t)moved < vectors[i].iov_len)
            break;
    }
    return total;
}

static int64_t call_read(PfGuest *guest, const uint64_t *arguments)
{
    return move(guest, arguments, -1, move_in);
}

static int64_t call_write(PfGuest *guest, const uint64_t *arguments)
{
    return move(guest, arguments, -1, move_out);
}

static int64_t call_pread(PfGuest *guest, const uint64_t *arguments)
{
    return (int64_t)arguments[3] < 0 ? -EINVAL
                                     : move(guest, arguments, (int64_t)arguments[3], move_in);
}

static int64_t call_pwrite(PfGuest *guest, const uint64_t *arguments)
{
    return (int64_t)arguments[3] < 0 ? -EINVAL
                                     : move(guest, arguments, (int64_t)arguments[3], move_out);
}

static int64_t call_readv(PfGuest *guest, const uint64_t *arguments)
{
    return move_vectors(guest, arguments, move_in);
}

static int64_t call_writev(PfGuest *guest, const uint64_t *arguments)
{
    return move_vectors(guest, arguments, move_out);
}

/* Output is a pipe to the program, wherever it goes, so that no run differs from another. */
static int64_t call_lseek(PfGuest *guest, const uint64_t *arguments)
{
    const PfGuestFile *file = pf_guest_files_at(&guest->files, arguments[0] & UINT32_MAX);
    if (file == NULL)
        return -EBADF;
    if (file->kind == PF_GUEST_RANDOM ||
        (file->kind == PF_GUEST_STANDARD && arguments[0] != STDIN_FILENO))
        return -ESPIPE;
    return pf_call_result(lseek(file->host, (off_t)arguments[1], (int)arguments[2]));
}

static int64_t call_close(PfGuest *guest, const uint64_t *arguments)
{
    return pf_guest_files_close(&guest->files, arguments[0] & UINT32_MAX);
}

static int64_t duplicate(PfGuest *guest, uint64_t number, unsigned lowest)
{
    const PfGuestFile *file = pf_guest_files_at(&guest->files, number & UINT32_MAX);
    if (file == NULL)
        return -EBADF;
    int host = file->kind == PF_GUEST_RANDOM ? -1 : fcntl(file->host, F_DUPFD_CLOEXEC, 3);
    if (host < 0 && file->kind != PF_GUEST_RANDOM)
        return -errno;
    return pf_guest_files_open(&guest->files, file->kind, host, lowest);
}

static int64_t call_dup(PfGuest *guest, const uint64_t *arguments)
{
    return duplicate(guest, arguments[0], 0);
}

/* Of dup3 too, whose flag is of no use where nothing is executed. */
static int64_t call_dup2(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t target = arguments[1] & UINT32_MAX;
    if (target >= PF_GUEST_FILES || pf_guest_files_at(&guest->files, arguments[0]) == NULL)
        return -EBADF;
    if (arguments[0] == target)
        return (int64_t)target;
    pf_guest_files_close(&guest->files, target);
    return duplicate(guest, arguments[0], (unsigned)target);
}

static int64_t call_fcntl(PfGuest *guest, const uint64_t *arguments)
{
    int host = pf_call_file(guest, arguments[0]);
    if (host < 0)
        return pf_guest_files_at(&guest->files, arguments[0]) != NULL ? 0 : -EBADF;
    switch ((int)arguments[1]) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return arguments[2] < PF_GUEST_FILES
                   ? duplicate(guest, arguments[0], (unsigned)arguments[2])
                   : -EINVAL;
    case F_GETFD:
    case F_SETFD:
    case F_GETFL:
    case F_SETFL:
        return pf_call_result(syscall(SYS_fcntl, host, arguments[1], arguments[2]));
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW: {
        struct flock *lock = pf_call_bytes(guest, arguments[2], sizeof(*lock));
        if (lock == NULL)
            return -EFAULT;
        int64_t status = pf_call_result(fcntl(host, (int)arguments[1], lock));
        if ((int)arguments[1] == F_GETLK && status == 0)
            pf_call_stored(guest, arguments[2], sizeof(*lock));
        return status;
    }
    default:
        return -EINVAL;
    }
}

/* No file is a terminal, so that no run differs from another. */
static int64_t call_ioctl(PfGuest *guest, const uint64_t *arguments)
{
    return pf_guest_files_at(&guest->files, arguments[0]) != NULL ? -ENOTTY : -EBADF;
}

static int64_t call_pipe2(PfGuest *guest, const uint64_t *arguments)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    int32_t numbers[2];
    for (unsigned i = 0; i < 2; i++) {
        numbers[i] = pf_guest_files_open(&guest->files, PF_GUEST_FILE, ends[i], 0);
        if (numbers[i] < 0)
            return numbers[i];
    }
    return pf_call_put(guest, arguments[0], numbers, sizeof(numbers));
}

static int64_t call_getdents(PfGuest *guest, const uint64_t *arguments)
{
    int host = pf_call_file(guest, arguments[0]);
    void *bytes = pf_call_bytes(guest, arguments[1], arguments[2]);
    if (host < 0 || bytes == NULL)
        return host < 0 ? -EBADF : -EFAULT;
    long got = syscall(SYS_getdents64, host, bytes, arguments[2]);
    if (got > 0)
        pf_call_stored(guest, arguments[1], (uint64_t)got);
    return pf_call_result(got);
}

/* Waiting for nothing but time is sleeping. */
static int64_t call_poll(PfGuest *guest, const uint64_t *arguments)
{
    uint64_t count = arguments[1];
    int timeout = (int)arguments[2];
    if (count > POLLED_MAX)
        return -EINVAL;
    if (count == 0) {
        pf_guest_sleep(guest, timeout > 0 ? (uint64_t)timeout * 1000000 : 0);
        return 0;
    }
    struct pollfd *polled = pf_call_bytes(guest, arguments[0], count * sizeof(*polled));
    if (polled == NULL)
        return -EFAULT;
    g_autofree struct pollfd *host = g_memdup2(polled, count * sizeof(*polled));
    for (uint64_t i = 0; i < count; i++)
        host[i].fd = pf_call_file(guest, (uint64_t)(int64_t)polled[i].fd);
    int ready = poll(host, count, timeout);
    if (ready < 0)
        return -errno;
    for (uint64_t i = 0; i < count; i++)
        polled[i].revents = host[i].revents;
    pf_call_stored(guest, arguments[0], count * sizeof(*polled));
    return ready;
}

const PfCallRow pf_calls_files[] = {
    {SYS_read, "read", call_read, NULL, NULL},
    {SYS_write, "write", call_write, NULL, NULL},
    {SYS_pread64, "pread64", call_pread, NULL, NULL},
    {SYS_pwrite64, "pwrite64", call_pwrite, NULL, NULL},
    {SYS_readv, "readv", call_readv, NULL, NULL},
    {SYS_writev, "writev", call_writev, NULL, NULL},
    {SYS_lseek, "lseek", call_lseek, NULL, NULL},
    {SYS_close, "close", call_close, NULL, NULL},
    {SYS_dup, "dup", call_dup, NULL, NULL},
    {SYS_dup2, "dup2", call_dup2, NULL, NULL},
    {SYS_dup3, "dup3", call_dup2, NULL, NULL},
    {SYS_fcntl, "fcntl", call_fcntl, NULL, NULL},
    {SYS_ioctl, "ioctl", call_ioctl, NULL, NULL},
    {SYS_pipe, "pipe", call_pipe2, NULL, NULL},
    {SYS_pipe2, "pipe2", call_pipe2, NULL, NULL},
    {SYS_getdents64, "getdents64", call_getdents, NULL, NULL},
    {SYS_poll, "poll", call_poll, NULL, NULL},
    {SYS_ftruncate, "ftruncate", NULL, "fi", NULL},
    {SYS_fsync, "fsync", NULL, "f", NULL},
    {SYS_fdatasync, "fdatasync", NULL, "f", NULL},
    {SYS_flock, "flock", NULL, "fi", NULL},
    {SYS_fallocate, "fallocate", NULL, "fiii", NULL},
    {SYS_fadvise64, "fadvise64", NULL, "fiii", NULL},
    {SYS_fchmod, "fchmod", NULL, "fi", NULL},
    {SYS_fchown, "fchown", NULL, "fii", NULL},
    {SYS_fchdir, "fchdir", NULL, "f", NULL},
    {0, NULL, NULL, NULL, NULL},
};
