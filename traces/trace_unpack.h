/* Inputs that are compressed, told by their first bytes: gzip, xz, Zstandard. */
#pragma once

#include "trace_input.h"

/* The bytes that INPUT, which is taken over, holds once they are unpacked; INPUT itself where it is
 * not compressed. Files of several parts in a row are one. NULL with PF_ERROR_TRACE. */
PfInput *pf_input_unpack(PfInput *input, GError **error);
