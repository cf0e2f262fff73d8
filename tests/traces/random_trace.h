/* Random traces for the tests: every kind of record, from small alphabets, so that differences,
 * repeats and edges all happen. */
#pragma once

#include "trace.h"

/* Writes RECORDS random records of SEED to PATH in FORM. */
void random_trace_write(const char *path, PfTraceForm form, uint64_t seed, unsigned records);
