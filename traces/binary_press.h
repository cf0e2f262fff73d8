/* Compresses and writes the frames of a binary trace beside the thread that makes them.
 *
 * Frames come out in the order in which they were given, the same bytes however many cores there
 * are. A thread is started when there is work for it: a small trace needs none. */
#pragma once

#include "binary_frame.h"
#include "trace_output.h"

typedef struct PfPress PfPress;

/* OUTPUT is borrowed, and nobody else's until pf_press_drain; SEED is that of checksums. */
PfPress *pf_press_new(PfOutput *output, uint64_t seed);

/* What was given is still written. */
void pf_press_free(PfPress *press);

/* From now on compresses for speed: frames are a tenth larger and take half the time. */
void pf_press_hurry(PfPress *press, PfHaste haste);

/* Room for the payload of the next frame, PF_FRAME_PAYLOAD_MAX bytes; waits until there is some. */
uint8_t *pf_press_room(PfPress *press);

/* Writes the frame with HEADER (kind, count, first) and the LENGTH bytes put into the room. Frames
 * of contents and records get an entry in the index, with TIME_PLUS_ONE. */
void pf_press_add(PfPress *press, const PfFrameHeader *header, size_t length,
                  uint64_t time_plus_one);

/* Waits until all is written. The index so far is borrowed, as long as nothing is added. */
const GByteArray *pf_press_drain(PfPress *press);
