/* ChampSim's traces: an instruction in 64 bytes, as inc/trace_instruction.h of
 * github.com/ChampSim/ChampSim lays out `input_instr`. Memory operands have addresses but no sizes,
 * 0 is none. Each access here is of one byte and so touches just the line that ChampSim touches. */
#include <inttypes.h>
#include <string.h>

#include "error.h"
#include "image_pieces.h"
#include "import_format.h"

enum {
    RECORD_BYTES = 64,
    BRANCH_AT = 8,
    TAKEN_AT = 9,
    WRITTEN_AT = 16,
    WRITTEN_COUNT = 2,
    READ_AT = 32,
    READ_COUNT = 4,
    LOOK_RECORDS = 64,
};

static void take_operands(PfAccesses *accesses, PfRecordKind kind, const uint8_t *bytes,
                          unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t address = pf_image_u64(bytes + i * sizeof(uint64_t));
        if (address != 0)
            pf_accesses_add(accesses, kind, 0, address, 1);
    }
}

static void take_instruction(PfAccesses *accesses, const uint8_t *bytes)
{
    pf_accesses_run(accesses, 1);
    pf_accesses_add(accesses, PF_RECORD_FETCH, 0, pf_image_u64(bytes), 1);
    take_operands(accesses, PF_RECORD_READ, bytes + READ_AT, READ_COUNT);
    take_operands(accesses, PF_RECORD_WRITE, bytes + WRITTEN_AT, WRITTEN_COUNT);
}

/* What cannot be a record of a little-endian x86-64 machine. */
static bool is_sound(const uint8_t *bytes)
{
    return bytes[BRANCH_AT] <= 1 && bytes[TAKEN_AT] <= 1;
}

static bool take(PfAccesses *accesses, PfInput *input, GError **error)
{
    for (;;) {
        if (pf_import_interrupted(accesses->interrupted, error) ||
            !pf_input_fill(input, RECORD_BYTES, error))
            return false;
        size_t length;
        const uint8_t *bytes = pf_input_window(input, &length);
        size_t taken = 0;
        const char *problem = NULL;
        for (; length - taken >= RECORD_BYTES && problem == NULL; taken += RECORD_BYTES)
            if (is_sound(bytes + taken))
                take_instruction(accesses, bytes + taken);
            else
                problem = "no record of ChampSim: its branch members are neither 0 nor 1";
        if (problem != NULL)
            taken -= RECORD_BYTES;
        pf_input_consume(input, taken);
        if (problem == NULL && length == 0)
            return true;
        if (problem == NULL && length < RECORD_BYTES)
            problem = "ends within a record of 64 bytes";
        if (problem == NULL)
            continue;
        g_set_error(error, PF_ERROR, PF_ERROR_TRACE, "%s: at byte %" PRIu64 ": %s",
                    pf_input_name(input), pf_input_offset(input), problem);
        return false;
    }
}

/* Each of the first records has an address of an instruction, which pages of memory seldom have at
 * each 64 bytes. */
static bool looks(const PfImportSight *sight)
{
    if (sight->length < RECORD_BYTES || sight->total % RECORD_BYTES != 0)
        return false;
    size_t count = MIN(sight->length / RECORD_BYTES, LOOK_RECORDS);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *bytes = sight->bytes + i * RECORD_BYTES;
        if (!is_sound(bytes) || pf_image_u64(bytes) == 0)
            return false;
    }
    return true;
}

const PfImportFormat pf_import_champsim = {
    .name = "champsim",
    .summary = "instructions of 64 bytes (ChampSim)",
    .looks = looks,
    .is_guessed = true,
    .take = take,
};
