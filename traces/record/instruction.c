#include "instruction.h"

#include <stdbool.h>

/* What comes behind an opcode: a letter each in the maps below. */
enum {
    BARE = '.',     /* nothing */
    MODRM = 'm',    /* ModRM, and what that asks for */
    MODRM_1 = 'M',  /* ... and an immediate byte */
    MODRM_Z = 'Z',  /* ... and an immediate of the operand's size, at most 4 bytes */
    BYTE = 'b',     /* an immediate byte */
    WORD = 'w',     /* ... of 2 bytes */
    SIZED = 'z',    /* ... of the operand's size, at most 4 bytes */
    FULL = 'v',     /* ... of the operand's size */
    FAR_CALL = 'e', /* 3 bytes: enter */
    OFFSET = 'o',   /* an address of 8 bytes */
    TEST_1 = 't',   /* ModRM, and a byte if it is a test */
    TEST_Z = 'T',   /* ModRM, and an immediate of the operand's size if it is a test */
};

static const char one_byte_map[] = "mmmmbz..mmmmbz.." /* 00 */
                                   "mmmmbz..mmmmbz.."
                                   "mmmmbz..mmmmbz.."
                                   "mmmmbz..mmmmbz.."
                                   "................" /* 40: prefixes REX */
                                   "................"
                                   "...m....zZbM...." /* 60 */
                                   "bbbbbbbbbbbbbbbb"
                                   "MZMMmmmmmmmmmmmm" /* 80 */
                                   "................"
                                   "oooo....bz......" /* a0 */
                                   "bbbbbbbbvvvvvvvv"
                                   "MMw.mmMZe.w..b.." /* c0 */
                                   "mmmm....mmmmmmmm"
                                   "bbbbbbbbzz.b...." /* e0 */
                                   "......tT......mm";

static const char two_byte_map[] = "mmmm.........m.M" /* 00 */
                                   "mmmmmmmmmmmmmmmm"
                                   "mmmmmmmmmmmmmmmm"
                                   "................" /* 30; 38 and 3a are further maps */
                                   "mmmmmmmmmmmmmmmm"
                                   "mmmmmmmmmmmmmmmm"
                                   "mmmmmmmmmmmmmmmm"
                                   "MMMMmmm.mmmmmmmm" /* 70 */
                                   "zzzzzzzzzzzzzzzz"
                                   "mmmmmmmmmmmmmmmm"
                                   "...mMm.....mMmmm" /* a0 */
                                   "mmmmmmmmmmMmmmmm"
                                   "mmMmMMMm........" /* c0 */
                                   "mmmmmmmmmmmmmmmm"
                                   "mmmmmmmmmmmmmmmm"
                                   "mmmmmmmmmmmmmmmm";

typedef struct {
    const uint8_t *bytes;
    size_t length;
    size_t at;
    bool is_short;    /* operands of 2 bytes */
    bool is_wide;     /* ... of 8 */
    bool is_repeated; /* prefix f3 */
} Reader;

/* The next byte, 0 behind the end. */
static uint8_t peek(const Reader *reader)
{
    return reader->at < reader->length ? reader->bytes[reader->at] : 0;
}

static bool is_prefix(uint8_t byte)
{
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3:
        return true;
    default:
        return false;
    }
}

static void skip_prefixes(Reader *reader)
{
    while (is_prefix(peek(reader))) {
        reader->is_short |= peek(reader) == 0x66;
        reader->is_repeated |= peek(reader) == 0xf3;
        reader->at++;
    }
    if ((peek(reader) & 0xf0) == 0x40) {
        reader->is_wide = (peek(reader) & 8) != 0;
        reader->at++;
    }
}

static void skip_modrm(Reader *reader)
{
    unsigned modrm = peek(reader);
    unsigned mode = modrm >> 6;
    unsigned base = modrm & 7;
    reader->at++;
    if (mode == 3)
        return;
    if (base == 4) {
        base = peek(reader) & 7;
        reader->at++;
    }
    if (mode == 1)
        reader->at++;
    else if (mode == 2 || base == 5)
        reader->at += 4;
}

static size_t sized(const Reader *reader)
{
    return reader->is_short && !reader->is_wide ? 2 : 4;
}

static void skip_operands(Reader *reader, char form)
{
    bool is_test = (peek(reader) & 0x30) == 0;
    switch (form) {
    case MODRM:
    case MODRM_1:
    case MODRM_Z:
    case TEST_1:
    case TEST_Z:
        skip_modrm(reader);
        break;
    default:
        break;
    }
    switch (form) {
    case BYTE:
    case MODRM_1:
        reader->at += 1;
        break;
    case WORD:
        reader->at += 2;
        break;
    case FAR_CALL:
        reader->at += 3;
        break;
    case SIZED:
    case MODRM_Z:
        reader->at += sized(reader);
        break;
    case FULL:
        reader->at += reader->is_wide ? 8 : sized(reader);
        break;
    case OFFSET:
        reader->at += 8;
        break;
    case TEST_1:
        reader->at += is_test ? 1 : 0;
        break;
    case TEST_Z:
        reader->at += is_test ? sized(reader) : 0;
        break;
    default:
        break;
    }
}

/* VEX (c4, c5) and EVEX (62). Of VEX only the operations on general registers (BMI1, BMI2) are
 * emulated as they should be: opcodes f2 to f7 of map 2, f0 of map 3. */
static PfInstructionKind skip_vector(Reader *reader)
{
    unsigned map = reader->at + 1 < reader->length ? reader->bytes[reader->at + 1] & 0x1fU : 0;
    bool is_long = peek(reader) == 0xc4;
    reader->at += 3;
    uint8_t opcode = peek(reader);
    reader->at++;
    if (!is_long ||
        !((map == 2 && opcode >= 0xf2 && opcode <= 0xf7) || (map == 3 && opcode == 0xf0)))
        return PF_INSTRUCTION_VECTOR;
    skip_operands(reader, map == 3 ? MODRM_1 : MODRM);
    return PF_INSTRUCTION_PLAIN;
}

static PfInstructionKind skip_two_bytes(Reader *reader)
{
    uint8_t opcode = peek(reader);
    reader->at++;
    if (opcode == 0x38 || opcode == 0x3a) {
        reader->at++;
        skip_operands(reader, opcode == 0x3a ? MODRM_1 : MODRM);
        return PF_INSTRUCTION_PLAIN;
    }
    bool is_zeros = reader->is_repeated && opcode == 0xbd;
    bool is_time = opcode == 0x31 || (opcode == 0x01 && peek(reader) == 0xf9);
    skip_operands(reader, two_byte_map[opcode]);
    if (is_zeros)
        return PF_INSTRUCTION_ZEROS;
    return is_time ? PF_INSTRUCTION_TIME : PF_INSTRUCTION_PLAIN;
}

PfInstruction pf_instruction_decode(const uint8_t *bytes, size_t length)
{
    Reader reader = {.bytes = bytes, .length = length};
    PfInstruction instruction = {.kind = PF_INSTRUCTION_PLAIN};
    skip_prefixes(&reader);
    uint8_t opcode = peek(&reader);
    if (opcode == 0xc4 || opcode == 0xc5 || opcode == 0x62) {
        instruction.kind = skip_vector(&reader);
        if (instruction.kind == PF_INSTRUCTION_VECTOR)
            return instruction;
    } else {
        reader.at++;
        if (opcode == 0x0f)
            instruction.kind = skip_two_bytes(&reader);
        else
            skip_operands(&reader, one_byte_map[opcode]);
    }
    instruction.length = reader.at <= length ? reader.at : 0;
    return instruction;
}

unsigned pf_instruction_count(const uint8_t *bytes, size_t length, size_t place)
{
    unsigned count = 0;
    size_t at = 0;
    while (at < place) {
        size_t step = pf_instruction_decode(bytes + at, length - at).length;
        if (step == 0)
            break;
        at += step;
        count++;
    }
    return count;
}
