/* How long an instruction of x86-64 is, and whether it is one that the emulation gets wrong: as
 * much of a decoder as the recorder needs. Lengths are those of the opcode maps of the Intel 64
 * manual, volume 2, appendix A. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum {
    PF_INSTRUCTION_PLAIN,
    PF_INSTRUCTION_VECTOR, /* AVX, AVX-512 (VEX, EVEX): taken for SSE, or not known */
    PF_INSTRUCTION_TIME,   /* rdtsc, rdtscp: the host's time */
    PF_INSTRUCTION_ZEROS,  /* lzcnt: taken for bsr, which counts from the other end */
} PfInstructionKind;

typedef struct {
    PfInstructionKind kind;
    size_t length; /* 0 if the instruction does not end within the bytes, or for VECTOR */
} PfInstruction;

/* The instruction at BYTES, of which LENGTH are there. */
PfInstruction pf_instruction_decode(const uint8_t *bytes, size_t length);

/* Instructions before byte PLACE of LENGTH bytes of straight code. */
unsigned pf_instruction_count(const uint8_t *bytes, size_t length, size_t place);
