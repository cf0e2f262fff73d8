/* System calls of x86-64 Linux, as far as programs of one thread need them: a table for each
 * subject, a row for each call. */
#pragma once

#include <stdint.h>

#include "guest.h"

/* Does the call; a negative errno on errors. */
typedef int64_t (*PfCall)(PfGuest *guest, const uint64_t *arguments);

typedef struct {
    uint16_t number;
    const char *name;
    /* What does it. NULL: the host does, or nobody. */
    PfCall call;
    /* Arguments for the host, a letter each: i number, f file, d folder's file or AT_FDCWD,
     * s string, p pointer or NULL to what is only read, x path of what may be no more. */
    const char *forward;
    /* Without the two above: why it cannot be, and the mend, for a program that then ends; "" for
     * ENOSYS that programs live with; NULL for ENOSYS with a warning. */
    const char *refusal;
} PfCallRow;

/* Ended by a row without a name. */
extern const PfCallRow pf_calls_files[];
extern const PfCallRow pf_calls_paths[];
extern const PfCallRow pf_calls_memory[];
extern const PfCallRow pf_calls_system[];
extern const PfCallRow pf_calls_missing[];

/* Stores LENGTH bytes at ADDRESS as the kernel does: 0, or -EFAULT. */
int64_t pf_call_put(PfGuest *guest, uint64_t address, const void *bytes, uint64_t length);

/* The kernel has stored LENGTH bytes at ADDRESS. */
void pf_call_stored(PfGuest *guest, uint64_t address, uint64_t length);

/* LENGTH bytes of the program's at ADDRESS, or NULL. */
void *pf_call_bytes(PfGuest *guest, uint64_t address, uint64_t length);

/* The host's file behind NUMBER, or -EBADF. */
int pf_call_file(PfGuest *guest, uint64_t number);

/* ... or AT_FDCWD itself. */
int pf_call_folder(PfGuest *guest, uint64_t number);

/* The program ends here, for the reason WHY. */
void pf_call_refuse(PfGuest *guest, const char *name, uint64_t number, const char *why);

/* STATUS, or errno where the host's call failed. */
int64_t pf_call_result(int64_t status);
