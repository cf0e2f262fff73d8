/* Binary traces out of pieces that a fuzzer may choose, with checksums that are right. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* A file of frames: DATA is the page size, then pieces: kind, count, two bytes of length, and a
 * payload. */
GByteArray *trace_pieces_build(const uint8_t *data, size_t size);
