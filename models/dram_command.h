/* What a DRAM controller tells its devices to do. */
#pragma once

#include <stdint.h>

typedef enum {
    PF_DRAM_ACT,  /* open a row */
    PF_DRAM_PRE,  /* close a bank's row */
    PF_DRAM_PREA, /* close all rows of a rank */
    PF_DRAM_RD,
    PF_DRAM_RDA, /* and close the row */
    PF_DRAM_WR,
    PF_DRAM_WRA,
    PF_DRAM_REF,  /* refresh a rank */
    PF_DRAM_REFB, /* refresh a bank */
    PF_DRAM_COMMANDS
} PfDramCommandKind;

typedef struct {
    uint64_t clock;
    uint32_t channel; /* pseudo channels count */
    uint32_t rank;
    uint32_t group; /* in the rank */
    uint32_t bank;  /* in the group */
    uint32_t row;   /* of ACT */
    uint8_t kind;   /* PfDramCommandKind */
} PfDramCommand;

/* Sees commands in the order of decision, which is nearly that of their clocks. */
typedef void (*PfDramObserver)(const PfDramCommand *command, void *user);
