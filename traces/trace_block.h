/* Inside of record blocks, for the readers. */
#pragma once

#include "trace.h"

/* Readers end a block early when it holds so many bytes, so that memory stays bounded. */
enum { PF_BLOCK_BYTES_FULL = 4 << 20 };

/* Empties BLOCK; what was borrowed from it ends here. */
void pf_record_block_reset(PfRecordBlock *block);

/* Bytes allocated since the reset. */
size_t pf_record_block_bytes(const PfRecordBlock *block);

/* A detail with every member 0 or NULL. */
PfTraceDetail *pf_record_block_detail(PfRecordBlock *block);
