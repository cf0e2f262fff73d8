/* The open files of a recorded program: its numbers, and the host's behind them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { PF_GUEST_FILES = 1024 };

typedef enum {
    PF_GUEST_CLOSED,
    PF_GUEST_STANDARD, /* input, output and error: what the recorder was given */
    PF_GUEST_FILE,
    PF_GUEST_RANDOM, /* /dev/urandom, made by the recorder */
} PfGuestFileKind;

typedef struct {
    PfGuestFileKind kind;
    int host; /* -1 for RANDOM */
} PfGuestFile;

typedef struct {
    PfGuestFile files[PF_GUEST_FILES];
    GHashTable *inodes; /* device and number of the host's -> number told to the program */
    unsigned inode;     /* numbers told so far */
} PfGuestFiles;

/* Only standard input, output and error are open. */
void pf_guest_files_init(PfGuestFiles *files);

/* Closes all but these. */
void pf_guest_files_clear(PfGuestFiles *files);

/* The file with NUMBER, or NULL where none is open. */
PfGuestFile *pf_guest_files_at(PfGuestFiles *files, uint64_t number);

/* Gives HOST (-1 for RANDOM) the lowest free number from LOWEST on; -EMFILE, and HOST is closed,
 * if there is none. */
int pf_guest_files_open(PfGuestFiles *files, PfGuestFileKind kind, int host, unsigned lowest);

/* Closes NUMBER: 0 or a negative errno. */
int pf_guest_files_close(PfGuestFiles *files, uint64_t number);

/* The inode of STATUS may be freed now: whatever has its number next is another one. */
void pf_guest_files_forget(PfGuestFiles *files, const struct stat *status);

/* The number that stands for the inode of STATUS: counted in order of first sight, so that it is
 * the same in each run. */
uint64_t pf_guest_files_inode(PfGuestFiles *files, const struct stat *status);
