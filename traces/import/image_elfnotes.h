/* Which files a process had mapped where, as the notes of its core tell it (NT_FILE of elf.h). */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "image_reader.h"

typedef struct {
    uint64_t start; /* addresses */
    uint64_t end;
    uint64_t offset;  /* in the file, bytes */
    const char *name; /* within the notes */
    PfPagesKind kind; /* FILE or SHMEM */
} PfCoreFile;

/* Appends to FILES (of PfCoreFile, ascending) what the LENGTH bytes of NOTES tell of them; NOTES is
 * borrowed as long as FILES is used. Notes that cannot be understood tell nothing. */
void pf_core_files(const uint8_t *notes, size_t length, GArray *files);
