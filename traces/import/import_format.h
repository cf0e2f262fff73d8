/* The inside of importers: what a format is. A new one is a file that defines a PfImportFormat, and
 * its line in the table of import.c. */
#pragma once

#include "image_reader.h"
#include "import.h"

/* The first bytes of an input, unpacked, and what is known of the rest. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
    uint64_t total; /* of the whole input; 0 where that is unknown */
} PfImportSight;

/* How many first bytes a format is shown at most. */
enum { PF_IMPORT_SIGHT_BYTES = 65536 };

/* Accesses of one input on their way into a trace. */
typedef struct {
    PfTraceWriter *writer;
    GHashTable *chunks; /* numbers of those that are mapped */
    uint64_t last_chunk;
    uint32_t context;
    uint64_t records; /* accesses and runs so far */
    uint64_t cycle_ps;
    uint64_t time_ps;
    const int *interrupted;
} PfAccesses;

/* An image of memory being read. Its own state is `self`, which close frees (NULL too). */
typedef struct {
    /* What is wrong with the head of INPUT goes to ERROR. */
    void *(*open)(PfInput *input, GError **error);
    PfTraceStatus (*next)(void *self, PfInput *input, PfImageRun *ret_run, GError **error);
    void (*close)(void *self);
    /* Whose memory it is; NULL: a virtual machine's. */
    PfContextKind (*context_kind)(const void *self);
    /* Pages left out because only a part of them is in the image; NULL: none ever. */
    uint64_t (*partial_pages)(const void *self);
    /* What cannot be known of this image and the mend, or NULL; may be NULL. */
    const char *(*remark)(const void *self);
} PfImageForm;

struct PfImportFormat {
    const char *name;
    const char *summary;
    /* Whether the input looks like this format; asked in the table's order. */
    bool (*looks)(const PfImportSight *sight);
    bool has_cycles; /* its cycles are times, by cycle_ps */
    bool is_guessed; /* has neither magic nor words: what looks like another too is the other */
    /* Either of these. */
    const PfImageForm *image;
    bool (*take)(PfAccesses *accesses, PfInput *input, GError **error);
};

extern const PfImportFormat pf_import_champsim;
extern const PfImportFormat pf_import_dramsim3;
extern const PfImportFormat pf_import_elfcore;
extern const PfImportFormat pf_import_hashes;
extern const PfImportFormat pf_import_lackey;
extern const PfImportFormat pf_import_lime;
extern const PfImportFormat pf_import_ramulator;
extern const PfImportFormat pf_import_raw;

/* ---- import_accesses.c ---- */

/* The line that a text format makes records of. What is wrong with it, or NULL. */
typedef const char *(*PfTakeLine)(PfAccesses *accesses, const char *line);

/* Gives TAKE each line of INPUT but empty ones and, with COMMENTS, those that start with #. */
bool pf_accesses_take_lines(PfAccesses *accesses, PfInput *input, bool comments, PfTakeLine take,
                            GError **error);

/* Whether the first line of SIGHT with something on it is one that LOOKS accepts. */
bool pf_import_first_line(const PfImportSight *sight, bool (*looks)(const char *line));

/* An access of SIZE bytes, which are mapped before. What is wrong with it, or NULL. */
const char *pf_accesses_add(PfAccesses *accesses, PfRecordKind kind, uint8_t flags,
                            uint64_t address, uint64_t size);

/* COUNT instructions. */
void pf_accesses_run(PfAccesses *accesses, uint64_t count);

/* True, with ERROR set, once the user has interrupted. */
bool pf_import_interrupted(const int *interrupted, GError **error);
