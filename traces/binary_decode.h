/* The payload of a record frame into records. */
#pragma once

#include "trace_rules.h"
#include "trace_strings.h"

/* Behind a payload there must be so many readable bytes, whatever they are: columns are read in
 * strides and checked behind each. */
enum { PF_DECODER_SLACK_BYTES = 4096 };

typedef struct PfDecoder PfDecoder;

/* RULES and STRINGS are borrowed and grow as records are decoded. */
PfDecoder *pf_decoder_new(PfTraceRules *rules, PfStrings *strings);
void pf_decoder_free(PfDecoder *decoder);

/* Begins PAYLOAD (borrowed until all its records are taken) of COUNT records, the first of which
 * has number FIRST. Returns what is wrong (free with g_free), or NULL. */
char *pf_decoder_begin(PfDecoder *decoder, const uint8_t *payload, size_t length, uint32_t count,
                       uint64_t first);

/* Records of the payload that were not taken yet. */
uint32_t pf_decoder_left(const PfDecoder *decoder);

/* Appends records to BLOCK until it is full or none is left. Returns what is wrong with the record
 * behind those appended (free with g_free), or NULL. */
char *pf_decoder_fill(PfDecoder *decoder, PfRecordBlock *block);

/* The first `time` of the payload. */
bool pf_decoder_first_time(const PfDecoder *decoder, uint64_t *ret_ps);
