/* Traces: what contexts did to their memory, as records, from whatever form.
 *
 * A trace is read in blocks of records. A record is a value of fixed size; what only rare events
 * carry (names, second addresses, flags) is a PfTraceDetail beside it. Page contents are numbered
 * by the trace in order of first use and are handed over once, with the block that first uses them
 * or one before. The text and the binary form hold the same events and convert into each other
 * without loss. */
#pragma once

#include <assert.h>
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    PF_RECORD_CONTEXT, /* detail: name, kind ...; `context` is the new context's number */
    PF_RECORD_MAP,
    PF_RECORD_STATE,
    PF_RECORD_FILL,
    PF_RECORD_ALIAS,
    PF_RECORD_RUN,
    PF_RECORD_READ,
    PF_RECORD_WRITE,
    PF_RECORD_TOUCH,
    PF_RECORD_FETCH,
    PF_RECORD_INIT,
    PF_RECORD_FORK, /* `context` is the parent, detail->other_context the new child */
    PF_RECORD_UNMAP,
    PF_RECORD_REMAP,
    PF_RECORD_ADVISE,
    PF_RECORD_ATTR,
    PF_RECORD_DMA,
    PF_RECORD_IDLE,
    PF_RECORD_TIME,
    PF_RECORD_SCAN,
    PF_RECORD_CONTROL,
    PF_RECORD_BEGIN,
    PF_RECORD_END,
    PF_RECORD_MARK,
    PF_RECORD_EXIT,
    PF_RECORD_GRAIN,
    PF_RECORD_KINDS
} PfRecordKind;

enum {
    PF_RECORD_DEPENDENT = 1,   /* read: needs the result of the context's previous read */
    PF_RECORD_HAS_VALUE = 2,   /* write: the bytes are known (`value` or `bytes`) */
    PF_RECORD_HAS_VIRTUAL = 4, /* `virtual_address` holds a virtual address */
    PF_RECORD_SCAN_PASSES = 8, /* scan: `count` is passes, not pages */
    PF_RECORD_MODIFIES = 32,   /* write: of what the same instruction has just read */
    PF_RECORD_CONTINUED = 16,  /* a part of a longer record, not its last; no trace has it */
};

/* No content: the record carries none. */
#define PF_TRACE_NO_CONTENT UINT32_MAX
/* No context: scan, control, time, mark, grain. */
#define PF_TRACE_NO_CONTEXT UINT32_MAX

/* Limits, so that a damaged file is refused and not obeyed. */
#define PF_TRACE_CONTEXTS_MAX     (1U << 20)
#define PF_TRACE_NAME_BYTES_MAX   4096U
#define PF_TRACE_PAGE_BYTES_MIN   4U
#define PF_TRACE_PAGE_BYTES_MAX   (1U << 30)
#define PF_TRACE_RECORD_PAGES_MAX ((uint64_t)1 << 40)
#define PF_TRACE_BLOCK_RECORDS    16384U
#define PF_TRACE_DESCRIPTION_MAX  (1U << 20)
/* The most bytes that a write may carry; a larger one is a `fill`, or a write without value. */
#define PF_TRACE_WRITE_BYTES_MAX 65536U

typedef enum { PF_GRAIN_ACCESS, PF_GRAIN_PAGE } PfGrain;
typedef enum { PF_CONTEXT_PROCESS, PF_CONTEXT_VM } PfContextKind;
typedef enum { PF_BACKING_ANON, PF_BACKING_FILE, PF_BACKING_SHMEM } PfBacking;
typedef enum { PF_PROTECTION_RW, PF_PROTECTION_RO, PF_PROTECTION_RX } PfProtection;

typedef enum {
    PF_ADVICE_MERGEABLE,
    PF_ADVICE_UNMERGEABLE,
    PF_ADVICE_HUGE,
    PF_ADVICE_NOHUGE,
    PF_ADVICE_DONTNEED,
    PF_ADVICE_DISCARDABLE,
    PF_ADVICE_SUSPEND,
    PF_ADVICE_RESUME,
    PF_ADVICE_COUNT
} PfAdvice;

typedef enum {
    PF_ATTRIBUTE_READONLY,
    PF_ATTRIBUTE_EXECUTED,
    PF_ATTRIBUTE_LOCKED,
    PF_ATTRIBUTE_UNLOCKED,
    PF_ATTRIBUTE_PINNED,
    PF_ATTRIBUTE_UNPINNED,
    PF_ATTRIBUTE_COUNT
} PfAttribute;

/* What rare events carry. Which members count is told at each; others are 0 or NULL. Strings are
 * borrowed from the trace and live as long as it does. */
typedef struct {
    const char *name;       /* context, fork: new context's name; map: file; dma: device; begin,
                               end, mark: label; control: key ("ksm.smart_scan") */
    const char *text;       /* context, fork: security label or NULL; control: value as written */
    const char *user;       /* context, fork: whose it is, or NULL */
    uint64_t number;        /* context, fork: memory limit in bytes, 0 if none; map: offset in the
                               file in bytes; dma: block */
    uint64_t other_address; /* alias: source address; remap: target address */
    uint32_t other_context; /* alias: source; fork: child */
    int32_t node;           /* context, fork: NUMA node, -1 if not said */
    int32_t core;           /* context: core, -1 if not said; fork: -1 */
    uint64_t huge_bytes;    /* map: huge page size, 0 if none */
    uint64_t group;         /* map: allocation group, 0 if none */
    PfContextKind context_kind;
    PfBacking backing;
    PfProtection protection;
    bool mergeable;
} PfTraceDetail;

/* One event. Members that a kind does not use are 0 (content: PF_TRACE_NO_CONTENT). */
typedef struct {
    uint64_t address; /* byte address in CPN space; page events: of the first page */
    uint64_t count; /* read, write, fetch: bytes; page events: pages; run: instructions; idle, time:
                       picoseconds; scan: pages or passes; grain: PfGrain; advise: pages; attr:
                       pages */
    union {
        uint64_t value;              /* write of at most 8 bytes: little-endian; state, fill: step
                                        by which an id grows each page */
        const uint8_t *bytes;        /* write of more than 8 bytes; lives as long as the block */
        const PfTraceDetail *detail; /* rare kinds; lives as long as the block */
    };
    union {
        uint64_t virtual_address;
        uint64_t first_index; /* page events: pages of the same record before this part of it */
    };
    uint32_t content; /* state, fill, init, dma: number of the content */
    uint32_t context; /* number, in order of appearance (fork's children included) */
    uint8_t kind;     /* PfRecordKind */
    uint8_t flags;
    uint8_t choice; /* advise: PfAdvice; attr: PfAttribute */
    uint8_t reserved;
    uint32_t line; /* text: the line it stands on; binary: low 32 bits of the record's number */
} PfRecord;

static_assert(sizeof(PfRecord) == 48, "a record is 48 bytes");

typedef enum {
    PF_CONTENT_ZERO,
    PF_CONTENT_ONES,
    PF_CONTENT_ID,   /* the splitmix64 stream seeded with `number`, byte `at` exclusive-or `with` */
    PF_CONTENT_HASH, /* identity `number`, no bytes known */
    PF_CONTENT_BYTES, /* `bytes` (`length` of them), then zero bytes up to the page's end */
} PfContentForm;

#define PF_CONTENT_FORMS 5

typedef struct {
    PfContentForm form;
    uint32_t at;  /* ID: byte offset in the page, below the page's size */
    uint8_t with; /* ID: 0 where no byte is changed */
    uint64_t number;
    const uint8_t *bytes; /* BYTES; borrowed: as long as the block when read */
    uint32_t length;      /* BYTES; at most the page's size */
} PfContentSpec;

/* Records with what belongs to them. Made once, filled again by each read. */
typedef struct {
    PfRecord *records; /* room for PF_TRACE_BLOCK_RECORDS */
    uint32_t count;
    /* Contents that appear for the first time in this block: numbers first_content,
     * first_content + 1, ... */
    uint32_t first_content;
    GArray *contents; /* of PfContentSpec */
    struct PfArena *arena;
    uint64_t first_record; /* number of records before this block */
} PfRecordBlock;

/* An empty block. Free with pf_record_block_free. */
PfRecordBlock *pf_record_block_new(void);
void pf_record_block_free(PfRecordBlock *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfRecordBlock, pf_record_block_free)

/* LENGTH bytes that live as long as BLOCK is not filled again; aligned for any type. */
void *pf_record_block_alloc(PfRecordBlock *block, size_t length);

typedef struct {
    uint32_t page_bytes;     /* a power of two */
    uint64_t clock_hz;       /* 0 where the trace does not say */
    const char *description; /* JSON object as text, "{}" if none: where the trace comes from */
    bool is_binary;
} PfTraceHeader;

typedef enum {
    PF_TRACE_RECORDS, /* the block holds at least one record */
    PF_TRACE_END,
    PF_TRACE_ERROR,
} PfTraceStatus;

typedef struct PfTrace PfTrace;

typedef struct PfTraceTape PfTraceTape;

typedef struct {
    bool salvage; /* damage ends the trace instead of being an error */
    const PfTraceTape *tape; /* the trace, decoded already; NULL: it is read from its file */
} PfTraceOptions;

/* Opens the trace at PATH ("-" is standard input) whatever its form, told by its first bytes.
 * OPTIONS may be NULL. Errors: PF_ERROR_TRACE, also where it cannot be opened:
 * "FILE:LINE: ..." (text) or "FILE: at byte OFFSET: ..." (binary). */
PfTrace *pf_trace_open(const char *path, const PfTraceOptions *options, GError **error);
void pf_trace_free(PfTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTrace, pf_trace_free)

/* Borrowed, as long as the trace. */
const PfTraceHeader *pf_trace_header(const PfTrace *trace);

/* Fills BLOCK with the next records. */
PfTraceStatus pf_trace_read(PfTrace *trace, PfRecordBlock *block, GError **error);

/* Share of the input consumed, 0..1; 0 where the length is unknown. */
double pf_trace_progress(const PfTrace *trace);

/* The name of the context with NUMBER, or NULL; borrowed. */
const char *pf_trace_context_name(const PfTrace *trace, uint32_t number);

/* Where a salvaged trace was cut, as a sentence, or NULL. */
const char *pf_trace_damage(const PfTrace *trace);

/* "FILE:LINE" or "FILE: record N": where RECORD stands, for messages. Free with g_free. */
char *pf_trace_place(const PfTrace *trace, const PfRecord *record, uint64_t record_number);

/* Whether PATH can be read only once: standard input ("-"), a pipe, a device. */
bool pf_trace_is_stream(const char *path);

/* The XXH3 128-bit digest of LENGTH BYTES as 32 hexadecimal digits. Free with g_free. */
char *pf_digest(const void *bytes, size_t length);

/* The XXH3 128-bit digest of the file at PATH as 32 hexadecimal digits; blobs that a text trace
 * names are not part of it. NULL on error. */
char *pf_trace_digest(const char *path, GError **error);

/* Writing. The file appears under its name only when it is finished. */
typedef struct PfTraceWriter PfTraceWriter;

typedef enum { PF_TRACE_TEXT, PF_TRACE_BINARY } PfTraceForm;

/* HEADER is copied. PATH "-" is standard output. */
PfTraceWriter *pf_trace_writer_new(const char *path, PfTraceForm form, const PfTraceHeader *header,
                                   GError **error);

/* How a binary trace is compressed: small; twice as fast and a tenth larger; or as fast as it can
 * be written, which leaves the bytes of memory twice to three times as large. */
typedef enum { PF_HASTE_NONE, PF_HASTE_SOME, PF_HASTE_MOST } PfHaste;

/* Before anything is added: HASTE instead of PF_HASTE_NONE. */
void pf_trace_writer_hurry(PfTraceWriter *writer, PfHaste haste);

/* The number by which records written hereafter mean the content SPEC (copied). Equal specs and
 * equal bytes get one number. Give a content shortly before the first record that uses it: readers
 * hold the contents that no record has used yet. */
uint32_t pf_trace_writer_content(PfTraceWriter *writer, const PfContentSpec *spec);

/* Appends RECORD, whose `content` is a number that the writer gave. The first error sticks and is
 * told by finish. */
void pf_trace_writer_add(PfTraceWriter *writer, const PfRecord *record);

/* Writes what is left, closes, renames. The writer is used up by free only. */
bool pf_trace_writer_finish(PfTraceWriter *writer, GError **error);

/* An unfinished file is removed. */
void pf_trace_writer_free(PfTraceWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfTraceWriter, pf_trace_writer_free)

/* Writes the trace at IN to OUT in FORM; both may be "-". SALVAGE as in PfTraceOptions. INTERRUPTED
 * is polled and may be NULL; nonzero ends it with PF_ERROR_INTERRUPTED. On error nothing appears at
 * OUT. */
bool pf_trace_convert(const char *in, const char *out, PfTraceForm form, bool salvage,
                      const int *interrupted, GError **error);

/* What a whole trace holds. */
typedef struct {
    uint64_t records;
    uint64_t records_by_kind[PF_RECORD_KINDS];
    uint32_t contexts; /* children of forks included */
    uint64_t contents; /* distinct ones */
    uint64_t contents_by_form[PF_CONTENT_FORMS];
    uint64_t content_bytes; /* bytes that contents of form BYTES hold */
    uint64_t accesses;      /* reads, writes and fetches */
    uint64_t read_bytes;
    uint64_t written_bytes;
    uint64_t fetched_bytes;
    uint64_t instructions;
    uint64_t marks;
    bool has_access_grain; /* some event stands where the grain is `access` (as before any `grain`)
                            */
    bool has_page_grain;
    bool has_time;
    uint64_t last_time_ps; /* of the last `time` */
    uint64_t frames;       /* binary: of records and of contents */
    uint64_t file_bytes;   /* consumed */
    bool has_index;        /* binary: complete, with its index and trailer */
    uint64_t valued_writes;     /* writes whose bytes are known */
    uint64_t virtual_accesses;  /* accesses with a virtual address */
    uint64_t dependent_reads;
    PfGrain grain; /* after the last record */
} PfTraceSummary;

/* Adds BLOCK, the next of a trace, to SUMMARY, which is all 0 in the beginning. */
void pf_trace_summary_add(PfTraceSummary *summary, const PfRecordBlock *block);

/* Adds what the end of TRACE tells. False with PF_ERROR_TRACE where a binary trace's own totals are
 * not those of its records. */
bool pf_trace_summary_finish(const PfTrace *trace, PfTraceSummary *summary, GError **error);

/* Reads TRACE, of which nothing was read yet, to its end and counts. False with what pf_trace_read
 * says, or where a binary trace's own totals are not those of its records. */
bool pf_trace_summarise(PfTrace *trace, PfTraceSummary *ret_summary, GError **error);

/* Opens the trace at PATH and reads all of it: whether each byte and each record is as it should
 * be. RET_SUMMARY may be NULL. */
bool pf_trace_verify(const char *path, PfTraceSummary *ret_summary, GError **error);

/* Fills PAGE_BYTES bytes at RET_BYTES with the content SPEC (not HASH). */
void pf_content_spec_expand(const PfContentSpec *spec, uint32_t page_bytes, uint8_t *ret_bytes);

/* The content that page number INDEX of a record with content SPEC and step STEP has: an id grows
 * by STEP a page, every other form stays. */
PfContentSpec pf_content_spec_step(const PfContentSpec *spec, uint64_t step, uint64_t index);

/* Whether a record of KIND carries a detail; its name in the text form. */
bool pf_record_has_detail(PfRecordKind kind);
const char *pf_record_kind_name(PfRecordKind kind);
