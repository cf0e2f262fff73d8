#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

void *pf_call_bytes(PfGuest *guest, uint64_t address, uint64_t length)
{
    if (address == 0 || !pf_guest_memory_holds(&guest->memory, address, length))
        return NULL;
    return (void *)(uintptr_t)address;
}

void pf_call_stored(PfGuest *guest, uint64_t address, uint64_t length)
{
    if (length == 0)
        return;
    pf_recording_written(guest->recording, address, length);
    pf_engine_forget_code(guest->engine, address, address + length);
}

int64_t pf_call_put(PfGuest *guest, uint64_t address, const void *bytes, uint64_t length)
{
    void *place = pf_call_bytes(guest, address, length);
    if (place == NULL)
        return -EFAULT;
    memcpy(place, bytes, length);
    pf_call_stored(guest, address, length);
    return 0;
}

int pf_call_file(PfGuest *guest, uint64_t number)
{
    const PfGuestFile *file = pf_guest_files_at(&guest->files, number & UINT32_MAX);
    return file != NULL ? file->host : -EBADF;
}

int pf_call_folder(PfGuest *guest, uint64_t number)
{
    return (int32_t)(uint32_t)number == AT_FDCWD ? AT_FDCWD : pf_call_file(guest, number);
}

int64_t pf_call_result(int64_t status)
{
    return status == -1 ? -errno : status;
}

/* The last name of a file goes. */
static void forget_path(PfGuest *guest, int folder, const char *path)
{
    struct stat status;
    if (fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        (status.st_nlink == 1 || S_ISDIR(status.st_mode)))
        pf_guest_files_forget(&guest->files, &status);
}

/* The host does it, with its own numbers of files. */
static int64_t forward(PfGuest *guest, const PfCallRow *row, const uint64_t *arguments)
{
    long host[6] = {0};
    for (unsigned i = 0; row->forward[i] != '\0'; i++) {
        char form = row->forward[i];
        host[i] = (long)arguments[i];
        if (form == 'f' || form == 'd') {
            bool is_folder = form == 'd';
            host[i] =
                is_folder ? pf_call_folder(guest, arguments[i]) : pf_call_file(guest, arguments[i]);
            if (host[i] < 0 && host[i] != AT_FDCWD)
                return -EBADF;
        } else if ((form == 's' || form == 'x' || (form == 'p' && arguments[i] != 0)) &&
                   pf_call_bytes(guest, arguments[i], 1) == NULL)
            return -EFAULT;
        if (form == 'x')
            forget_path(guest, i > 0 && row->forward[i - 1] == 'd' ? (int)host[i - 1] : AT_FDCWD,
                        (const char *)(uintptr_t)arguments[i]);
    }
    return pf_call_result(
        syscall(row->number, host[0], host[1], host[2], host[3], host[4], host[5]));
}

static const PfCallRow *find_row(uint64_t number)
{
    static const PfCallRow *const tables[] = {pf_calls_files, pf_calls_memory, pf_calls_system,
                                              pf_calls_paths, pf_calls_missing};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const PfCallRow *row = tables[i]; row->name != NULL; row++)
            if (row->number == number)
                return row;
    return NULL;
}

static void warn(PfGuest *guest, uint64_t number, const char *name)
{
    g_autofree char *text = g_strdup_printf(
        "system call %s (%" PRIu64 ") is not emulated and fails with ENOSYS; where the program "
        "needs it, leave out what uses it",
        name, number);
    if (guest->options->warn != NULL && g_hash_table_add(guest->warned, GUINT_TO_POINTER(number)))
        guest->options->warn(guest->options->user, text);
}

void pf_call_refuse(PfGuest *guest, const char *name, uint64_t number, const char *why)
{
    pf_guest_refuse(guest, "system call %s (%" PRIu64 ") at 0x%" PRIx64 ": %s", name, number,
                    pf_engine_place(guest->engine), why);
}

int64_t pf_guest_call(PfGuest *guest, uint64_t number, const uint64_t arguments[6])
{
    const PfCallRow *row = find_row(number);
    if (row != NULL && row->call != NULL)
        return row->call(guest, arguments);
    if (row != NULL && row->forward != NULL)
        return forward(guest, row, arguments);
    if (row == NULL || row->refusal == NULL)
        warn(guest, number, row != NULL ? row->name : "without a name");
    else if (row->refusal[0] != '\0')
        pf_call_refuse(guest, row->name, number, row->refusal);
    return -ENOSYS;
}
