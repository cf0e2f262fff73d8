/* Executables: static ones for x86-64 Linux, at a fixed place or position-independent.
 * ELF-64 Object File Format and the System V ABI's AMD64 supplement. */
#pragma once

#include <elf.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "guest_memory.h"

typedef struct {
    int fd;
    char *name; /* the file's, without folders, as UTF-8 */
    Elf64_Ehdr header;
    Elf64_Phdr *parts; /* header.e_phnum of them */
    uint64_t bias;     /* added to each address of the file */
    uint64_t start;    /* page of the first byte, with the bias */
    uint64_t end;      /* behind the page of the last */
} PfElf;

/* Opens the executable at PATH and looks whether it can be recorded. False with PF_ERROR_GUEST:
 * what it is instead, and the mend. */
bool pf_elf_open(PfElf *elf, const char *path, GError **error);
void pf_elf_close(PfElf *elf);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PfElf, pf_elf_close)

/* Maps its parts. */
bool pf_elf_load(const PfElf *elf, PfGuestMemory *memory, GError **error);

/* Where the program headers are in memory, 0 if in no part. */
uint64_t pf_elf_headers_address(const PfElf *elf);
