/* Words of the text form and properties of the kinds of records: one table for all readers. */
#pragma once

#include "trace.h"

/* What a kind of record carries. */
typedef struct {
    const char *name;
    bool has_context;
    bool has_pages; /* `address` of a page, `count` pages */
    bool is_access; /* `address`, `count` bytes */
    bool has_content;
    bool has_detail;
    bool has_step; /* `value` is a step */
    uint8_t flags; /* that it may have */
} PfRecordTraits;

/* The traits of KIND; constant. */
const PfRecordTraits *pf_record_traits(PfRecordKind kind);

/* NULL-terminated, in the order of the enumerations. */
extern const char *const pf_advice_names[];
extern const char *const pf_attribute_names[];
extern const char *const pf_protection_names[];
extern const char *const pf_context_kind_names[];
extern const char *const pf_grain_names[];

/* The place of WORD among NAMES (NULL-terminated), or -1. */
int pf_name_find(const char *const *names, const char *word);

/* The nearest of NAMES (NULL-terminated) to WORD, or NULL where none is near. */
const char *pf_name_nearest(const char *const *names, const char *word);
