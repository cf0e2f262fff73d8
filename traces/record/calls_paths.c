#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

static const char *path_at(PfGuest *guest, uint64_t address)
{
    return pf_call_bytes(guest, address, 1);
}

static int64_t open_path(PfGuest *guest, int folder, uint64_t address, int flags, mode_t mode)
{
    const char *path = path_at(guest, address);
    if (path == NULL)
        return -EFAULT;
    if (strcmp(path, "/dev/urandom") == 0 || strcmp(path, "/dev/random") == 0)
        return pf_guest_files_open(&guest->files, PF_GUEST_RANDOM, -1, 0);
    int host = openat(folder, path, flags | O_CLOEXEC, mode);
    if (host >= 0 && host <= STDERR_FILENO) {
        int higher = fcntl(host, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        close(host);
        host = higher;
    }
    return host < 0 ? -errno : pf_guest_files_open(&guest->files, PF_GUEST_FILE, host, 0);
}

static int64_t call_open(PfGuest *guest, const uint64_t *arguments)
{
    return open_path(guest, AT_FDCWD, arguments[0], (int)arguments[1], (mode_t)arguments[2]);
}

static int64_t call_creat(PfGuest *guest, const uint64_t *arguments)
{
    return open_path(guest, AT_FDCWD, arguments[0], O_CREAT | O_WRONLY | O_TRUNC,
                     (mode_t)arguments[1]);
}

static int64_t call_openat(PfGuest *guest, const uint64_t *arguments)
{
    int folder = pf_call_folder(guest, arguments[0]);
    if (folder < 0 && folder != AT_FDCWD)
        return -EBADF;
    return open_path(guest, folder, arguments[1], (int)arguments[2], (mode_t)arguments[3]);
}

/* What depends on the host alone is made the same everywhere: times, numbers, owners. */
static int64_t put_status(PfGuest *guest, uint64_t address, const struct stat *host)
{
    struct stat status = *host;
    struct timespec time = {.tv_sec = PF_GUEST_EPOCH_SECONDS};
    if (S_ISDIR(host->st_mode)) {
        /* What else is in a folder as /tmp is not the program's. */
        status.st_nlink = 2;
        status.st_size = PF_GUEST_PAGE_BYTES;
    }
    status.st_dev = 1;
    status.st_ino = pf_guest_files_inode(&guest->files, host);
    status.st_uid = PF_GUEST_USER;
    status.st_gid = PF_GUEST_USER;
    status.st_blksize = PF_GUEST_PAGE_BYTES;
    status.st_blocks = (status.st_size + 511) / 512;
    status.st_atim = time;
    status.st_mtim = time;
    status.st_ctim = time;
    return pf_call_put(guest, address, &status, sizeof(status));
}

static int64_t status_of_file(PfGuest *guest, uint64_t number, uint64_t address)
{
    const PfGuestFile *file = pf_guest_files_at(&guest->files, number & UINT32_MAX);
    struct stat status = {.st_mode = S_IFIFO | 0600, .st_nlink = 1};
    if (file == NULL)
        return -EBADF;
    if (file->kind == PF_GUEST_RANDOM)
        status.st_mode = S_IFCHR | 0666;
    bool is_told = file->kind == PF_GUEST_FILE || number == STDIN_FILENO;
    if (is_told && fstat(file->host, &status) != 0)
        return -errno;
    return put_status(guest, address, &status);
}

static int64_t status_of_path(PfGuest *guest, int folder, const char *path, uint64_t address,
                              int flags)
{
    struct stat status;
    if (path == NULL)
        return -EFAULT;
    if (fstatat(folder, path, &status, flags) != 0)
        return -errno;
    return put_status(guest, address, &status);
}

static int64_t call_stat(PfGuest *guest, const uint64_t *arguments)
{
    return status_of_path(guest, AT_FDCWD, path_at(guest, arguments[0]), arguments[1], 0);
}

static int64_t call_lstat(PfGuest *guest, const uint64_t *arguments)
{
    return status_of_path(guest, AT_FDCWD, path_at(guest, arguments[0]), arguments[1],
                          AT_SYMLINK_NOFOLLOW);
}

static int64_t call_fstat(PfGuest *guest, const uint64_t *arguments)
{
    return status_of_file(guest, arguments[0], arguments[1]);
}

static int64_t call_newfstatat(PfGuest *guest, const uint64_t *arguments)
{
    const char *path = path_at(guest, arguments[1]);
    if (path != NULL && path[0] == '\0' && (arguments[3] & AT_EMPTY_PATH) != 0)
        return status_of_file(guest, arguments[0], arguments[2]);
    int folder = pf_call_folder(guest, arguments[0]);
    if (folder < 0 && folder != AT_FDCWD)
        return -EBADF;
    return status_of_path(guest, folder, path, arguments[2], (int)arguments[3]);
}

/* The program itself is not what runs here. */
static int64_t read_link(PfGuest *guest, int folder, uint64_t path_address, uint64_t address,
                         uint64_t length)
{
    const char *path = path_at(guest, path_address);
    char target[PATH_MAX];
    if (path == NULL)
        return -EFAULT;
    ssize_t got;
    if (strcmp(path, "/proc/self/exe") == 0) {
        g_strlcpy(target, guest->program, sizeof(target));
        got = (ssize_t)strlen(target);
    } else
        got = readlinkat(folder, path, target, sizeof(target));
    if (got < 0)
        return -errno;
    uint64_t told = MIN((uint64_t)got, length);
    int64_t status = pf_call_put(guest, address, target, told);
    return status < 0 ? status : (int64_t)told;
}

static int64_t call_readlink(PfGuest *guest, const uint64_t *arguments)
{
    return read_link(guest, AT_FDCWD, arguments[0], arguments[1], arguments[2]);
}

static int64_t call_readlinkat(PfGuest *guest, const uint64_t *arguments)
{
    int folder = pf_call_folder(guest, arguments[0]);
    if (folder < 0 && folder != AT_FDCWD)
        return -EBADF;
    return read_link(guest, folder, arguments[1], arguments[2], arguments[3]);
}

static int64_t call_getcwd(PfGuest *guest, const uint64_t *arguments)
{
    char path[PATH_MAX];
    if (getcwd(path, sizeof(path)) == NULL)
        return -errno;
    size_t length = strlen(path) + 1;
    if (length > arguments[1])
        return -ERANGE;
    int64_t status = pf_call_put(guest, arguments[0], path, length);
    return status < 0 ? status : (int64_t)length;
}

const PfCallRow pf_calls_paths[] = {
    {SYS_open, "open", call_open, NULL, NULL},
    {SYS_creat, "creat", call_creat, NULL, NULL},
    {SYS_openat, "openat", call_openat, NULL, NULL},
    {SYS_stat, "stat", call_stat, NULL, NULL},
    {SYS_lstat, "lstat", call_lstat, NULL, NULL},
    {SYS_fstat, "fstat", call_fstat, NULL, NULL},
    {SYS_newfstatat, "newfstatat", call_newfstatat, NULL, NULL},
    {SYS_readlink, "readlink", call_readlink, NULL, NULL},
    {SYS_readlinkat, "readlinkat", call_readlinkat, NULL, NULL},
    {SYS_getcwd, "getcwd", call_getcwd, NULL, NULL},
    {SYS_access, "access", NULL, "si", NULL},
    {SYS_faccessat, "faccessat", NULL, "dsi", NULL},
    {SYS_faccessat2, "faccessat2", NULL, "dsii", NULL},
    {SYS_truncate, "truncate", NULL, "si", NULL},
    {SYS_rename, "rename", NULL, "sx", NULL},
    {SYS_renameat, "renameat", NULL, "dsdx", NULL},
    {SYS_renameat2, "renameat2", NULL, "dsdxi", NULL},
    {SYS_mkdir, "mkdir", NULL, "si", NULL},
    {SYS_mkdirat, "mkdirat", NULL, "dsi", NULL},
    {SYS_rmdir, "rmdir", NULL, "x", NULL},
    {SYS_link, "link", NULL, "ss", NULL},
    {SYS_linkat, "linkat", NULL, "dsdsi", NULL},
    {SYS_symlink, "symlink", NULL, "ss", NULL},
    {SYS_symlinkat, "symlinkat", NULL, "sds", NULL},
    {SYS_unlink, "unlink", NULL, "x", NULL},
    {SYS_unlinkat, "unlinkat", NULL, "dxi", NULL},
    {SYS_chmod, "chmod", NULL, "si", NULL},
    {SYS_fchmodat, "fchmodat", NULL, "dsi", NULL},
    {SYS_chown, "chown", NULL, "sii", NULL},
    {SYS_lchown, "lchown", NULL, "sii", NULL},
    {SYS_fchownat, "fchownat", NULL, "dsiii", NULL},
    {SYS_utimensat, "utimensat", NULL, "dppi", NULL},
    {SYS_chdir, "chdir", NULL, "s", NULL},
    {SYS_umask, "umask", NULL, "i", NULL},
    {0, NULL, NULL, NULL, NULL},
};
