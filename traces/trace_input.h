/* A trace's bytes, from a file, a pipe or memory, one window after the other. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PfInput PfInput;

/* PATH "-" is standard input. NULL with PF_ERROR_IO. */
PfInput *pf_input_open(const char *path, GError **error);

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

/* Bytes in all, 0 where that is unknown. */
uint64_t pf_input_length(const PfInput *input);
