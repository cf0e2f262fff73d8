/* pft: writes and reads binary traces of pagefold (.pft), with the contents of pages, from C or C++
 * and without any library but that of C.
 *
 * For simulators and instrumentation tools, which compile pft.c into themselves. With
 * -DPFT_WITH_ZSTD (and -lzstd) frames are compressed, and compressed ones are read; without, they
 * are stored as they are, which every reader of the format understands.
 *
 * A trace says what contexts (processes, virtual machines) did to their memory, in order. Addresses
 * are bytes in the space of the context; integers that become bytes of memory are little-endian;
 * times are picoseconds. What each kind of record means is told in docs/trace-format.md. The
 * library knows that contexts exist and live, that pages are aligned, and the like; whether an
 * address is mapped is known when the trace is run.
 *
 * Errors: the first one sticks. Calls after it do nothing and return false (or PFT_NONE), so a tool
 * may leave returns alone and ask once, at the end. Messages are one line in English. Strings and
 * bytes that are handed to the library are borrowed for the call alone. A writer or reader may be
 * used by one thread at a time. Nothing is printed, and no signal is handled. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No context, no content. */
#define PFT_NONE UINT32_MAX

/* Limits of the format. */
#define PFT_NAME_BYTES_MAX  4096U               /* of a name or label */
#define PFT_WRITE_BYTES_MAX 65536U              /* that one write may carry */
#define PFT_CONTEXTS_MAX    (1U << 20)          /* that a trace may make */
#define PFT_PAGES_MAX       ((uint64_t)1 << 40) /* of one record */

/* Kinds of records, in the order of docs/trace-format.md. In brackets the members of PftRecord that
 * they use besides `kind`; "pages" is context, address (of the first page) and count (of pages). */
typedef enum {
    PFT_CONTEXT, /* [name, choice: PftContextKind, text, user, number, node_plus_one,
                    core_plus_one]; when read also context: its number */
    PFT_MAP,     /* [pages, backing, protection, mergeable, huge_bytes, group; name and number of
                    file and shmem] */
    PFT_STATE,   /* [pages, content, value: step of an id from page to page] */
    PFT_FILL,    /* likewise */
    PFT_ALIAS,   /* [pages, other_context, other_address] */
    PFT_RUN,     /* [context, count: instructions] */
    PFT_READ,    /* [context, address, count: bytes, flags DEPENDENT, VIRTUAL] */
    PFT_WRITE,   /* [context, address, count: bytes, flags VALUE, MODIFIES, VIRTUAL; value, or
                    bytes for more than 8] */
    PFT_TOUCH,   /* [pages, flag VIRTUAL] */
    PFT_FETCH,   /* [context, address, count: bytes, flag VIRTUAL] */
    PFT_INIT,    /* [pages, content] */
    PFT_FORK,    /* [context, name of the child]; when read also other_context: its number */
    PFT_UNMAP,   /* [pages] */
    PFT_REMAP,   /* [pages, other_address] */
    PFT_ADVISE,  /* [pages, choice: PftAdvice] */
    PFT_ATTR,    /* [pages, choice: PftAttribute] */
    PFT_DMA,     /* [pages, content, name: device, number: block] */
    PFT_IDLE,    /* [context, count: picoseconds] */
    PFT_TIME,    /* [count: picoseconds since the beginning] */
    PFT_SCAN,    /* [count: pages; passes with flag PASSES] */
    PFT_CONTROL, /* [name: key, text: value] */
    PFT_BEGIN,   /* [context, name: label] */
    PFT_END,     /* likewise */
    PFT_MARK,    /* [name: label] */
    PFT_EXIT,    /* [context] */
    PFT_GRAIN,   /* [count: 0 access, 1 page] */
    PFT_KINDS,
    PFT_CONTENT = PFT_KINDS /* only when read: a content is told [content: its number, given] */
} PftKind;

enum {
    PFT_DEPENDENT = 1, /* needs the result of the context's previous read */
    PFT_VALUE = 2,     /* what is written is known */
    PFT_VIRTUAL = 4,   /* virtual_address is known: that of a process in a virtual machine */
    PFT_PASSES = 8,    /* count is passes */
    PFT_MODIFIES = 32  /* the same instruction has just read these bytes */
};

typedef enum { PFT_PROCESS, PFT_VM } PftContextKind;
typedef enum { PFT_ANON, PFT_FILE, PFT_SHMEM } PftBacking;
typedef enum { PFT_RW, PFT_RO, PFT_RX } PftProtection;
typedef enum {
    PFT_MERGEABLE,
    PFT_UNMERGEABLE,
    PFT_HUGE,
    PFT_NOHUGE,
    PFT_DONTNEED,
    PFT_DISCARDABLE,
    PFT_SUSPEND,
    PFT_RESUME
} PftAdvice;
typedef enum {
    PFT_READONLY,
    PFT_EXECUTED,
    PFT_LOCKED,
    PFT_UNLOCKED,
    PFT_PINNED,
    PFT_UNPINNED
} PftAttribute;

/* What a page holds. */
typedef enum {
    PFT_ZERO,  /* 0x00 everywhere */
    PFT_ONES,  /* 0xff everywhere */
    PFT_ID,    /* words of the splitmix64 stream seeded with `number`; byte `at` exclusive-or `with`
                */
    PFT_HASH,  /* no bytes, only an identity: equal numbers are equal pages */
    PFT_BYTES, /* `bytes`, `length` of them, then zeros */
    PFT_FORMS
} PftForm;

typedef struct {
    PftForm form;
    uint32_t at;  /* ID: a byte of the page */
    uint8_t with; /* ID: 0 where no byte is changed */
    uint64_t number;
    const uint8_t *bytes;
    uint32_t length; /* at most a page */
} PftContent;

/* One event. Members that its kind does not use are 0 when read and are not looked at when written,
 * so `PftRecord record = {0};` (C++: `PftRecord record = {};`) is a good beginning. */
typedef struct {
    PftKind kind;
    unsigned flags;
    unsigned choice;
    uint32_t context;
    uint32_t content; /* the number that pft_content gave */
    uint64_t address;
    uint64_t count;
    uint64_t value; /* write of at most 8 bytes, the lowest first; state, fill: step */
    uint64_t virtual_address;
    const uint8_t *bytes; /* write of more than 8 bytes: `count` of them */
    const char *name;     /* UTF-8, as all strings */
    const char *text;     /* context: security label or NULL */
    const char *user;     /* context: owner or NULL */
    uint64_t number;      /* context: memory limit in bytes, 0 if none; map: offset in bytes */
    uint64_t other_address;
    uint32_t other_context;
    uint32_t node_plus_one; /* of the NUMA node; 0 if not said */
    uint32_t core_plus_one; /* likewise */
    uint64_t huge_bytes;    /* size of huge pages, 0 if none */
    uint64_t group;
    PftBacking backing;
    PftProtection protection;
    bool mergeable;
    const PftContent *given; /* PFT_CONTENT only */
} PftRecord;

typedef struct {
    uint32_t page_bytes;     /* a power of two from 4 to 2^30 */
    uint64_t clock_hz;       /* of the traced machine, 0 if not known */
    const char *description; /* a JSON object: where the trace comes from; NULL is "{}" */
} PftHeader;

/* --- Writing ------------------------------------------------------------------------------- */

typedef struct PftWriter PftWriter;

/* Begins a trace, which appears at PATH when it is finished; until then PATH.N.tmp grows beside it.
 * What is not a regular file (a pipe, a device) is written directly; "-" is standard output. HEADER
 * is copied. Returns NULL only where memory is out, else a writer, whose error may be set already.
 * Free with pft_writer_free. Takes 11 MiB, and up to 100 bytes for each different page and name. */
PftWriter *pft_writer_new(const char *path, const PftHeader *header);

/* Makes a context without limit, label, owner, node and core, and returns its number: 0 for the
 * first, then 1 ... The children of forks count too. PFT_NONE after an error. */
uint32_t pft_context(PftWriter *writer, const char *name, PftContextKind kind);

/* Maps PAGES anonymous pages (NAME is NULL), or those of the file NAME from byte OFFSET on,
 * readable and writable. What is there already is replaced. A trace maps what it uses. */
bool pft_map(PftWriter *writer, uint32_t context, uint64_t address, uint64_t pages,
             const char *name, uint64_t offset);

/* One page holds the page_bytes BYTES: they have been there (kind PFT_STATE: no cost), or the
 * context stores them now (PFT_FILL), or asks for a page that holds them (PFT_INIT). */
bool pft_page(PftWriter *writer, PftKind kind, uint32_t context, uint64_t address,
              const void *bytes);

/* The context executed so many INSTRUCTIONS since its last record. */
bool pft_run(PftWriter *writer, uint32_t context, uint64_t instructions);

/* An access of BYTES, at most a page, within a page or across two: PFT_READ, PFT_WRITE or PFT_FETCH
 * (of instructions). WRITTEN is what a write stores, in the order of memory, at most
 * PFT_WRITE_BYTES_MAX bytes; NULL, for reads and fetches, and where a write's bytes are not known:
 * then the page cannot be shared any more. */
bool pft_access(PftWriter *writer, PftKind kind, uint32_t context, uint64_t address, uint64_t bytes,
                const void *written);

/* Time since the trace's beginning, for all contexts, in picoseconds. */
bool pft_time(PftWriter *writer, uint64_t picoseconds);

/* A point that results can be asked for by LABEL. */
bool pft_mark(PftWriter *writer, const char *label);

/* The number by which records name the content SPEC, whose bytes are copied. Equal contents get one
 * number and are stored once. Give a content shortly before the first record that uses it: more
 * than 128 MiB of contents that no record uses are an error. PFT_NONE after an error. */
uint32_t pft_content(PftWriter *writer, const PftContent *spec);

/* Any record. Contexts get the next number, as pft_context says, whatever `context` holds. */
bool pft_add(PftWriter *writer, const PftRecord *record);

/* What went wrong first, or NULL. Borrowed from the writer. */
const char *pft_error(const PftWriter *writer);

/* Writes what is left, closes the file, and gives it its name. False after any error: then nothing
 * is at PATH but what was there before. A finished file stays; calls after this set the error. */
bool pft_finish(PftWriter *writer);

/* Frees; what is not finished is removed. NULL is fine. */
void pft_writer_free(PftWriter *writer);

/* --- Reading ------------------------------------------------------------------------------- */

typedef struct PftReader PftReader;

/* Opens the trace at PATH; "-" is standard input. Returns NULL only where memory is out, else a
 * reader, whose error may be set already. Free with pft_reader_free. */
PftReader *pft_reader_new(const char *path);

/* The header, borrowed from the reader; all 0 after an error. */
const PftHeader *pft_header(const PftReader *reader);

/* The next record into RECORD: true; false at the end, and at an error, which pft_reader_error
 * tells apart. A content comes as a record of the kind PFT_CONTENT before the first that uses it,
 * once: keep what you need. Strings live as long as the reader, bytes until the next call. Every
 * checksum, the index and the totals at the end are verified. */
bool pft_next(PftReader *reader, PftRecord *record);

/* What went wrong, with the offset in the file, or NULL. Borrowed from the reader. */
const char *pft_reader_error(const PftReader *reader);

/* Fills PAGE_BYTES at BYTES with CONTENT; false for PFT_HASH, which has none. */
bool pft_expand(const PftContent *content, uint32_t page_bytes, uint8_t *bytes);

/* Closes and frees. NULL is fine. */
void pft_reader_free(PftReader *reader);

#ifdef __cplusplus
}
#endif
