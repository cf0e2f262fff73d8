#include "engine_tap.h"

#include <string.h>

#include "instruction.h"

static const uint64_t page_mask = PF_GUEST_PAGE_BYTES - 1;

/* Unicorn tells sizes of 1, 2, 4 and 8. */
static inline uint64_t word_of(PfPackedKind kind, int size, uint64_t address)
{
    uint64_t mask = ((uint64_t)1 << PF_PACKED_ADDRESS_BITS) - 1;
    return pf_packed_word(kind, (unsigned)__builtin_ctz((unsigned)size), address & mask);
}

/* A read across two pages is followed by those of two aligned words, which it is made of. */
static void on_read(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size, int64_t value,
                    void *user)
{
    (void)unicorn;
    (void)type;
    (void)value;
    PfTap *tap = user;
    if (G_UNLIKELY(tap->echoes != 0)) {
        tap->echoes--;
        return;
    }
    if (G_UNLIKELY((address & page_mask) + (uint64_t)size > PF_GUEST_PAGE_BYTES))
        tap->echoes = 2;
    *tap->end++ = word_of(PF_PACKED_READ, size, address);
}

void pf_tap_forget_blocks(PfTap *tap)
{
    memset(tap->blocks, 0, PF_TAP_BLOCKS * sizeof(*tap->blocks));
}

/* A write to where code is: blocks must be looked at again, and if it hits the block being
 * executed, Unicorn begins the instruction anew in a block of its own. True if the write is a
 * repetition, told before. */
static bool meet_code(PfTap *tap, uint64_t word, uint64_t address, int size, uint64_t value)
{
    pf_tap_forget_blocks(tap);
    if (tap->is_repeating && word == tap->restart_word && value == tap->restart_value) {
        tap->is_repeating = false;
        tap->end = tap->restart_end;
        return true;
    }
    if (!tap->is_single && !tap->is_restarting && address < tap->block.address + tap->block.bytes &&
        address + (uint64_t)size > tap->block.address) {
        tap->is_restarting = true;
        tap->restart_word = word;
        tap->restart_value = value;
    }
    return false;
}

static void on_write(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size,
                     int64_t value, void *user)
{
    (void)unicorn;
    (void)type;
    PfTap *tap = user;
    uint64_t word = word_of(PF_PACKED_WRITE, size, address);
    if (G_UNLIKELY(address + 8 - tap->code_low < tap->code_bytes) &&
        meet_code(tap, word, address, size, (uint64_t)value))
        return;
    tap->end[0] = word;
    tap->end[1] = (uint64_t)value;
    tap->end += 2;
}

/* Where values are not wanted. */
static void on_write_unknown(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size,
                             int64_t value, void *user)
{
    (void)unicorn;
    (void)type;
    PfTap *tap = user;
    uint64_t word = word_of(PF_PACKED_WRITE_UNKNOWN, size, address);
    if (G_UNLIKELY(address + 8 - tap->code_low < tap->code_bytes) &&
        meet_code(tap, word, address, size, (uint64_t)value))
        return;
    *tap->end++ = word;
}

void pf_tap_cut_block(PfEngine *engine, uint64_t place)
{
    PfTap *tap = &engine->tap;
    const PfBlock *block = &tap->block;
    if (tap->run == NULL || place < block->address || place >= block->address + block->bytes)
        return;
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)block->address;
    unsigned before = pf_instruction_count(bytes, block->bytes, place - block->address);
    if (before + 1 < block->instructions)
        *tap->run -= block->instructions - before - 1;
}

/* The program ends before INSTRUCTION, of which BYTES are the first, at ADDRESS. */
static void refuse(const PfEngine *engine, PfInstructionKind kind, const uint8_t *bytes,
                   uint64_t address)
{
    const char *what = kind == PF_INSTRUCTION_VECTOR ? "AVX, which is not emulated"
                                                     : "lzcnt, which is emulated as bsr";
    pf_guest_refuse(engine->guest,
                    "the instruction %02x %02x %02x %02x at 0x%" G_GINT64_MODIFIER
                    "x is %s; compile the program (and its libraries) with -march=x86-64",
                    bytes[0], bytes[1], bytes[2], bytes[3], address, what);
}

/* Looks at code that is executed for the first time. */
static void look_at(PfEngine *engine, const PfBlock *block)
{
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)block->address;
    PfInstruction instruction;
    for (size_t at = 0; at < block->bytes; at += instruction.length) {
        instruction = pf_instruction_decode(bytes + at, block->bytes - at);
        if (instruction.kind == PF_INSTRUCTION_VECTOR || instruction.kind == PF_INSTRUCTION_ZEROS) {
            refuse(engine, instruction.kind, bytes + at, block->address + at);
            return;
        }
        if (instruction.kind == PF_INSTRUCTION_TIME)
            engine->reads_time = true;
        if (instruction.length == 0)
            return;
    }
}

static void extend_code(PfTap *tap, uint64_t start, uint64_t end)
{
    if (tap->code_bytes == 0) {
        tap->code_low = start;
        tap->code_bytes = end - start + 8;
        return;
    }
    uint64_t high = MAX(end + 8, tap->code_low + tap->code_bytes);
    tap->code_low = MIN(start, tap->code_low);
    tap->code_bytes = high - tap->code_low;
}

static uint64_t line_of(uint64_t address)
{
    return address >> PF_TAP_LINE_SHIFT << PF_TAP_LINE_SHIFT;
}

/* Fills the table's entry BLOCK. Code in a block of its own after a restart is one instruction,
 * whatever the translation of that place has otherwise. */
static void learn(PfEngine *engine, PfBlock *block, uint64_t address, uint32_t bytes,
                  bool is_single)
{
    uc_tb translation = {.icount = 1};
    if (!is_single && uc_ctl_request_cache(engine->unicorn, address, &translation) != UC_ERR_OK)
        pf_guest_refuse(engine->guest, "Unicorn does not know its own block");
    *block = (PfBlock){.address = address, .bytes = bytes, .instructions = translation.icount};
    extend_code(&engine->tap, address, address + bytes);
    look_at(engine, block);
}

/* The block before this one was cut by a write to itself, at ADDRESS, where this one begins. */
static void restart_block(PfEngine *engine, uint64_t address)
{
    PfTap *tap = &engine->tap;
    pf_tap_cut_block(engine, address);
    *tap->run -= 1;
    tap->is_restarting = false;
    tap->is_repeating = true;
}

static void on_block(uc_engine *unicorn, uint64_t address, uint32_t bytes, void *user)
{
    (void)unicorn;
    PfEngine *engine = user;
    PfTap *tap = &engine->tap;
    bool is_single = tap->is_restarting;
    tap->is_single = is_single;
    tap->is_repeating = false;
    if (G_UNLIKELY(is_single))
        restart_block(engine, address);
    if (G_UNLIKELY(tap->end >= tap->limit))
        pf_engine_hand_over(engine);
    PfBlock *block = &tap->blocks[(address ^ address >> PF_TAP_BLOCK_BITS) % PF_TAP_BLOCKS];
    PfBlock single;
    if (G_UNLIKELY(is_single)) {
        block = &single;
        learn(engine, block, address, bytes, true);
    } else if (G_UNLIKELY(block->address != address || block->bytes != bytes))
        learn(engine, block, address, bytes, false);
    tap->block = *block;
    uint64_t *end = tap->end;
    if (pf_packed_kind(end[-1]) == PF_PACKED_RUN)
        end[-1] += block->instructions;
    else
        *end++ = pf_packed_word(PF_PACKED_RUN, 0, block->instructions);
    tap->run = end - 1;
    uint64_t last_line = line_of(address + bytes - 1);
    for (uint64_t line = line_of(address); line <= last_line;
         line += (uint64_t)1 << PF_TAP_LINE_SHIFT) {
        if (line != tap->line)
            *end++ = pf_packed_word(PF_PACKED_FETCH, PF_TAP_LINE_SHIFT, line);
        tap->line = line;
    }
    tap->end = end;
    tap->restart_end = end;
}

/* Accesses outside of all that Unicorn knows: the program's end. */
static bool on_bad_access(uc_engine *unicorn, uc_mem_type type, uint64_t address, int size,
                          int64_t value, void *user)
{
    (void)unicorn;
    (void)type;
    (void)size;
    (void)value;
    PfEngine *engine = user;
    engine->bad_address = address;
    engine->is_bad = true;
    return false;
}

uc_err pf_tap_attach(PfEngine *engine)
{
    bool has_values = engine->guest->options->recording.content == PF_RECORD_VALUES;
    void *write = has_values ? (void *)(uintptr_t)on_write : (void *)(uintptr_t)on_write_unknown;
    uc_engine *unicorn = engine->unicorn;
    uc_err status = uc_hook_add(unicorn, &engine->hooks[0], UC_HOOK_BLOCK,
                                (void *)(uintptr_t)on_block, engine, 1, 0);
    if (status == UC_ERR_OK)
        status = uc_hook_add(unicorn, &engine->hooks[1], UC_HOOK_MEM_READ,
                             (void *)(uintptr_t)on_read, &engine->tap, 1, 0);
    if (status == UC_ERR_OK)
        status =
            uc_hook_add(unicorn, &engine->hooks[2], UC_HOOK_MEM_WRITE, write, &engine->tap, 1, 0);
    if (status == UC_ERR_OK)
        status = uc_hook_add(unicorn, &engine->hooks[3], UC_HOOK_MEM_INVALID,
                             (void *)(uintptr_t)on_bad_access, engine, 1, 0);
    engine->is_tapped = true;
    return status;
}

void pf_tap_detach(PfEngine *engine)
{
    if (!engine->is_tapped)
        return;
    engine->is_tapped = false;
    uc_hook_del(engine->unicorn, engine->hooks[1]);
    uc_hook_del(engine->unicorn, engine->hooks[2]);
}
