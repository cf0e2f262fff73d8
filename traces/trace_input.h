/* A trace's bytes, from a file, a pipe or memory, one window after the other. */
#pragma once

#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct PfInput PfInput;

/* A wait for input from a pipe or a terminal ends with PF_ERROR_INTERRUPTED when the thread gets
 * this signal. It must have a handler, and the thread must block it, so that it is kept until the
 * next wait. */
#define PF_INPUT_WAKE_SIGNAL SIGURG

/* PATH "-" is standard input. NULL with PF_ERROR_IO. */
PfInput *pf_input_open(const char *path, GError **error);

/* Puts at least 1 and at most LENGTH bytes into BYTES, which has room for them. Their number, 0 at
 * the end, -1 with ERROR set. */
typedef ssize_t (*PfInputRead)(void *user, uint8_t *bytes, size_t length, GError **error);

/* The bytes that READ makes of those of SOURCE; it is taken over. USER is freed by FREE_USER. */
PfInput *pf_input_new_filter(PfInput *source, PfInputRead read, void *user,
                             GDestroyNotify free_user);

/* BYTES is borrowed; NAME (copied) stands in messages. */
PfInput *pf_input_new_bytes(const char *name, const void *bytes, size_t length);

void pf_input_free(PfInput *input);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfInput, pf_input_free)

/* For messages: the path, or "standard input". Borrowed. */
const char *pf_input_name(const PfInput *input);

/* The path of FILE as seen from the folder that the input lies in. Free with g_free. */
char *pf_input_sibling(const PfInput *input, const char *file);

/* Makes the window at least LENGTH bytes long if so many are left. False with PF_ERROR_IO. */
bool pf_input_fill(PfInput *input, size_t length, GError **error);

/* The window: bytes not consumed yet. It moves with the next fill. */
const uint8_t *pf_input_window(const PfInput *input, size_t *ret_length);

/* Moves the window on by LENGTH bytes, which it must hold. */
void pf_input_consume(PfInput *input, size_t length);

/* Bytes consumed so far. */
uint64_t pf_input_offset(const PfInput *input);

/* Copies LENGTH bytes from OFFSET on, of a file or of memory, wherever the window is. False where
 * there are not so many, and for what can be read only once. */
bool pf_input_peek(const PfInput *input, uint64_t offset, void *ret_bytes, size_t length);

/* Share of the input, or of what it is made from, consumed: 0..1; 0 where the length is unknown. */
double pf_input_progress(const PfInput *input);

/* Bytes in all, 0 where that is unknown. */
uint64_t pf_input_length(const PfInput *input);
