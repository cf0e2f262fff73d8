#include "guest_files.h"

#include <errno.h>
#include <unistd.h>

typedef struct {
    dev_t device;
    ino_t number;
} Inode;

static guint hash_inode(gconstpointer key)
{
    const Inode *inode = key;
    gint64 mixed = (gint64)((uint64_t)inode->number * 31 + inode->device);
    return g_int64_hash(&mixed);
}

static gboolean equal_inodes(gconstpointer a, gconstpointer b)
{
    const Inode *left = a;
    const Inode *right = b;
    return left->device == right->device && left->number == right->number;
}

void pf_guest_files_init(PfGuestFiles *files)
{
    *files = (PfGuestFiles){0};
    files->inodes = g_hash_table_new_full(hash_inode, equal_inodes, g_free, NULL);
    for (int i = 0; i < 3; i++)
        files->files[i] = (PfGuestFile){.kind = PF_GUEST_STANDARD, .host = i};
}

void pf_guest_files_clear(PfGuestFiles *files)
{
    if (files->inodes == NULL)
        return;
    for (unsigned i = 0; i < PF_GUEST_FILES; i++)
        pf_guest_files_close(files, i);
    g_clear_pointer(&files->inodes, g_hash_table_unref);
}

PfGuestFile *pf_guest_files_at(PfGuestFiles *files, uint64_t number)
{
    if (number >= PF_GUEST_FILES || files->files[number].kind == PF_GUEST_CLOSED)
        return NULL;
    return &files->files[number];
}

int pf_guest_files_open(PfGuestFiles *files, PfGuestFileKind kind, int host, unsigned lowest)
{
    for (unsigned i = lowest; i < PF_GUEST_FILES; i++)
        if (files->files[i].kind == PF_GUEST_CLOSED) {
            files->files[i] = (PfGuestFile){.kind = kind, .host = host};
            return (int)i;
        }
    if (host > STDERR_FILENO)
        close(host);
    return -EMFILE;
}

int pf_guest_files_close(PfGuestFiles *files, uint64_t number)
{
    PfGuestFile *file = pf_guest_files_at(files, number);
    if (file == NULL)
        return -EBADF;
    /* The recorder's own messages still go there. */
    bool is_kept = file->host <= STDERR_FILENO;
    int status = is_kept || close(file->host) == 0 ? 0 : -errno;
    file->kind = PF_GUEST_CLOSED;
    return status;
}

void pf_guest_files_forget(PfGuestFiles *files, const struct stat *status)
{
    Inode key = {.device = status->st_dev, .number = status->st_ino};
    g_hash_table_remove(files->inodes, &key);
}

uint64_t pf_guest_files_inode(PfGuestFiles *files, const struct stat *status)
{
    Inode key = {.device = status->st_dev, .number = status->st_ino};
    gpointer known = g_hash_table_lookup(files->inodes, &key);
    if (known == NULL) {
        known = GUINT_TO_POINTER(++files->inode);
        g_hash_table_insert(files->inodes, g_memdup2(&key, sizeof(key)), known);
    }
    return GPOINTER_TO_UINT(known);
}
