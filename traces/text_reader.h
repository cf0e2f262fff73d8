/* The reader of the text form: what its parts share.
 *
 * A function that takes a word returns false after it has set `problem`; the reader then adds file
 * and line. */
#pragma once

#include "text_words.h"
#include "trace_content.h"
#include "trace_source.h"

typedef struct PfTextReader PfTextReader;

/* One word that a line may begin with. */
typedef struct {
    const char *name;
    PfRecordKind kind;
    bool (*parse)(PfTextReader *reader, PfRecord *record);
    const char *usage; /* what the line looks like */
} PfTextEvent;

struct PfTextReader {
    PfTrace *trace;
    PfRecordBlock *block; /* being filled */
    PfContentPool *contents;
    PfWords words;
    unsigned next_word;
    const char *usage; /* of the line being read */
    char *problem;     /* of the line being read, or NULL */
    uint64_t line;     /* lines consumed */
    bool has_pending;  /* `words` is a line that open read ahead */
    int blob;          /* the file that the last blob: came from, or -1 */
    char *blob_name;
    uint64_t blob_bytes;
};

/* Sets the problem of the line; returns false. */
bool pf_text_complain(PfTextReader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Enough of TEXT to be recognised in a message. Free with g_free. */
char *pf_text_shortened(const char *text);

/* The event called NAME, or NULL after a complaint that proposes the nearest. */
const PfTextEvent *pf_text_event(PfTextReader *reader, const char *name);

/* Whether no word is left; complains about the first that is. */
bool pf_text_take_end(PfTextReader *reader);

/* The next word, or NULL: optional words. */
const PfWord *pf_text_peek(const PfTextReader *reader);

/* What must come next; WHAT names it in complaints. */
const PfWord *pf_text_take_word(PfTextReader *reader, const char *what);
const PfWord *pf_text_take_bytes(PfTextReader *reader, const char *what); /* may hold NUL */
bool pf_text_take_number(PfTextReader *reader, const char *what, uint64_t *ret_number);
bool pf_text_take_choice(PfTextReader *reader, const char *what, const char *const *names,
                         int *ret_choice);
bool pf_text_take_context(PfTextReader *reader, uint32_t *ret_context);
bool pf_text_take_string(PfTextReader *reader, const char *what, const char **ret_string);
bool pf_text_take_content(PfTextReader *reader, uint32_t *ret_content);

/* If the next word is KEY=VALUE, takes it and gives VALUE, else NULL. */
const char *pf_text_take_option(PfTextReader *reader, const char *key);

/* If the next word is WORD, takes it. */
bool pf_text_take_flag(PfTextReader *reader, const char *word);

/* TEXT as what it should be; false after a complaint that names WHAT. */
bool pf_text_number(PfTextReader *reader, const char *what, const char *text, uint64_t *ret_number);
bool pf_text_size(PfTextReader *reader, const char *what, const char *text, uint64_t *ret_bytes);

/* Keeps TEXT for as long as the trace lives. */
bool pf_text_string(PfTextReader *reader, const char *text, const char **ret_string);

/* DIGIT_COUNT hexadecimal digits as bytes in the block; NULL after a complaint. */
uint8_t *pf_text_hex(PfTextReader *reader, const char *digits, size_t digit_count);

/* Takes content SPEC, whose bytes live in the block, into the trace. */
uint32_t pf_text_add_content(PfTextReader *reader, const PfContentSpec *spec);

/* Reads the content that TEXT, the part behind "blob:", names. */
bool pf_text_blob(PfTextReader *reader, const char *text, PfContentSpec *ret_spec);
