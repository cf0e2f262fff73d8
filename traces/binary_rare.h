/* Records that are rare, and switches: a column of variable-length fields.
 *
 * One description of each kind serves both ways: the coder either writes the fields of the record
 * it is given or reads them into it, so that what is written is what is read. */
#pragma once

#include "binary_state.h"
#include "trace_rules.h"
#include "trace_strings.h"

typedef struct {
    bool is_writing;
    uint8_t *put;        /* writing: where the next byte goes; there is room */
    const uint8_t *get;  /* reading: the next byte */
    const uint8_t *end;  /* reading */
    const char *problem; /* the first thing wrong, or NULL; a constant */
    PfStrings *strings;  /* told so far, by number */
    PfBinaryState *state;
    PfRecordBlock *block;      /* reading: where bytes go */
    const PfTraceRules *rules; /* reading: contexts; both: page size */
} PfRareCoder;

/* The most bytes that RECORD takes. */
size_t pf_rare_bytes_max(const PfRecord *record);

/* Writes RECORD, or reads it. When reading, the rules were not applied to it yet. */
void pf_rare_code(PfRareCoder *coder, PfRecord *record);

/* A number of 7 bits a byte, lowest first. */
void pf_rare_code_number(PfRareCoder *coder, uint64_t *number);
