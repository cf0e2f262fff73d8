/* Images of memory made in tests, number by number. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "image_reader.h"

enum { PAGE = 4096 };

/* Little-endian numbers of BYTES bytes at the end of FILE. */
void put_number(GByteArray *file, uint64_t number, unsigned bytes);

/* COUNT bytes of VALUE. */
void put_fill(GByteArray *file, uint8_t value, size_t count);

/* A segment of an ELF core: program header of elf.h. */
typedef struct {
    uint32_t type; /* 1: PT_LOAD, 4: PT_NOTE */
    uint64_t offset;
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t file_bytes;
    uint64_t memory_bytes;
} Segment;

/* The file header of a little-endian ELF core of 64 bits, and COUNT SEGMENTS behind it. */
GByteArray *core_head(const Segment *segments, uint16_t count);

/* A reader of FILE (borrowed) as FORMAT; NULL: what it looks like. */
PfImageReader *read_image(const GByteArray *file, const char *format, GError **error);

/* One page as told, with its bytes' first one. */
typedef struct {
    uint64_t address;
    uint8_t first;
    PfPagesKind kind;
    const char *file; /* interned */
    uint64_t file_offset;
} ToldPage;

/* All pages of FILE, of ToldPage; each must hold one byte value only. NULL with ERROR set. */
GArray *all_pages(const GByteArray *file, const char *format, GError **error);

/* Checks that FILE as FORMAT is refused with a message that holds EXPECTED and is one line. */
void check_refused(const GByteArray *file, const char *format, const char *expected);
