/* Records into the payload of a record frame. */
#pragma once

#include "trace_packed.h"
#include "trace_rules.h"

typedef struct PfEncoder PfEncoder;

/* RULES (borrowed) knows the page size and the contexts. */
PfEncoder *pf_encoder_new(const PfTraceRules *rules);
void pf_encoder_free(PfEncoder *encoder);

/* Whether RECORD fits into the payload begun. It always fits into an empty one. */
bool pf_encoder_has_room(const PfEncoder *encoder, const PfRecord *record);

/* Appends RECORD, which fits and obeys the rules. Returns what is wrong, a constant, or NULL. */
const char *pf_encoder_add(PfEncoder *encoder, const PfRecord *record);

/* Appends records from the COUNT packed words, all of CONTEXT, until there is no room for more;
 * returns how many words were taken, and adds to COUNTS. Words are within their limits. */
size_t pf_encoder_add_packed(PfEncoder *encoder, uint32_t context, const uint64_t *words,
                             size_t count, PfPackedCounts *counts);

/* Records in the payload begun. */
uint32_t pf_encoder_count(const PfEncoder *encoder);

/* Names and labels told so far. */
uint32_t pf_encoder_strings(const PfEncoder *encoder);

/* Fills BYTES (room for PF_FRAME_PAYLOAD_MAX) with the payload, begins a new one, and returns its
 * length. */
size_t pf_encoder_take(PfEncoder *encoder, uint8_t *bytes);
