/* Images of memory, page by page, whatever their format.
 *
 *   raw      nothing but bytes: byte n is at physical address n (QEMU's pmemsave, VMware's .vmem)
 *   elfcore  ELF cores of 64 bits, little-endian: of a process by virtual address (gcore, Linux),
 * of a machine by physical address (QEMU's dump-guest-memory); what is not in the file is absent,
 * and files are told by the note NT_FILE lime     ranges of physical memory, each behind a header
 * (the LiME module) hashes   no bytes, but a number that stands for a page's content: as text a
 * line a page, HASH[,MAPPINGS[,KIND]], decimal or 0x and hexadecimal digits, KIND anon, file, shmem
 *            or zero; lines may end in CR-LF, empty ones and those that start with # are skipped;
 *            or as 32-bit little-endian numbers behind lines of text (the UMass Memory Buddies
 *            traces)
 *
 * Pages come in the order of their addresses. */
#pragma once

#include "import.h"
#include "trace.h"

/* What a page was to its owner. */
typedef enum {
    PF_PAGES_ANON,
    PF_PAGES_FILE,
    PF_PAGES_SHMEM,
    PF_PAGES_ZERO, /* anonymous, all bytes zero */
    PF_PAGES_KINDS
} PfPagesKind;

/* A page of which only an identity is known. */
typedef struct {
    uint64_t identity; /* equal ones stand for equal contents; of a ZERO page nothing */
    uint32_t mappings; /* at least 1 */
    uint8_t kind;      /* PfPagesKind */
} PfImageHash;

/* Pages that follow each other, at least one. All is borrowed until the next call. */
typedef struct {
    uint64_t address; /* of the first; a multiple of the page size */
    uint64_t pages;
    uint64_t extent_pages; /* at least `pages`: so many are known to follow, of the same owner and
                              kind, before anything else does */
    const uint8_t *bytes;  /* NULL if only hashes are known */
    const PfImageHash *hashes; /* one a page where `bytes` is NULL */
    PfPagesKind kind;          /* of all of them; with hashes each page has its own */
    const char *file;          /* FILE: its name, or NULL where that is not known */
    uint64_t file_offset;      /* of the first page, in bytes */
} PfImageRun;

typedef struct PfImageReader PfImageReader;

/* Opens the image at PATH ("-" is standard input) of the format called FORMAT; NULL: what it looks
 * like. NULL with PF_ERROR_USAGE (no such format, or one of accesses) or PF_ERROR_TRACE. */
PfImageReader *pf_image_reader_open(const char *path, const char *format, GError **error);

/* The same of INPUT, which is taken over, whatever the outcome. */
PfImageReader *pf_image_reader_new(PfInput *input, const PfImportFormat *format, GError **error);

void pf_image_reader_free(PfImageReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfImageReader, pf_image_reader_free)

/* The next pages: PF_TRACE_RECORDS, or PF_TRACE_END, or PF_TRACE_ERROR with PF_ERROR_TRACE. */
PfTraceStatus pf_image_reader_next(PfImageReader *reader, PfImageRun *ret_run, GError **error);

/* The bytes of a page. */
uint32_t pf_image_reader_page_bytes(const PfImageReader *reader);

/* Share of the input consumed, 0..1; 0 where the length is unknown. */
double pf_image_reader_progress(const PfImageReader *reader);

/* The format that the image is read as. */
const PfImportFormat *pf_image_reader_format(const PfImageReader *reader);

/* Whether the memory is a process's or a virtual machine's. */
PfContextKind pf_image_reader_context_kind(const PfImageReader *reader);

/* Pages left out so far because the image holds only a part of them. */
uint64_t pf_image_reader_partial_pages(const PfImageReader *reader);

/* What cannot be known of this image, and the mend, as a sentence; NULL where all can. */
const char *pf_image_reader_remark(const PfImageReader *reader);
