#include "engine.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "engine_tap.h"
#include "error.h"
#include "instruction.h"

enum { SIGNAL_STACK_BYTES = 1 << 16, WORDS = 1 + PF_TAP_WORDS + PF_TAP_WORDS_SPARE };

static uint64_t get_register(const PfEngine *engine, int which)
{
    uint64_t value = 0;
    uc_reg_read(engine->unicorn, which, &value);
    return value;
}

static void set_register(PfEngine *engine, int which, uint64_t value)
{
    uc_reg_write(engine->unicorn, which, &value);
}

/* The program asks the kernel. */
static void on_system_call(uc_engine *unicorn, void *user)
{
    static const int registers[6] = {UC_X86_REG_RDI, UC_X86_REG_RSI, UC_X86_REG_RDX,
                                     UC_X86_REG_R10, UC_X86_REG_R8,  UC_X86_REG_R9};
    (void)unicorn;
    PfEngine *engine = user;
    if (engine->is_stopped)
        return;
    uint64_t arguments[6];
    for (unsigned i = 0; i < 6; i++)
        arguments[i] = get_register(engine, registers[i]);
    pf_engine_flush(engine);
    uint64_t number = get_register(engine, UC_X86_REG_RAX);
    int64_t result = pf_guest_call(engine->guest, number, arguments);
    set_register(engine, UC_X86_REG_RAX, (uint64_t)result);
}

static uc_err map_region(uc_engine *unicorn, uint64_t start, uint64_t end)
{
    return uc_mem_map_ptr(unicorn, start, end - start, UC_PROT_ALL, (void *)(uintptr_t)start);
}

static uc_err set_up(PfEngine *engine)
{
    const PfGuestMemory *memory = &engine->guest->memory;
    uc_err status = uc_open(UC_ARCH_X86, UC_MODE_64, &engine->unicorn);
    if (status == UC_ERR_OK)
        status = map_region(engine->unicorn, PF_GUEST_WINDOW, PF_GUEST_WINDOW_END);
    if (status == UC_ERR_OK && memory->image_end > memory->image)
        status = map_region(engine->unicorn, memory->image, memory->image_end);
    if (status == UC_ERR_OK)
        status = pf_tap_attach(engine);
    uc_hook hook;
    if (status == UC_ERR_OK)
        status = uc_hook_add(engine->unicorn, &hook, UC_HOOK_INSN,
                             (void *)(uintptr_t)on_system_call, engine, 1, 0, UC_X86_INS_SYSCALL);
    return status;
}

PfEngine *pf_engine_new(PfGuest *guest, uint64_t entry, uint64_t stack, GError **error)
{
    PfEngine *engine = g_new0(PfEngine, 1);
    PfTap *tap = &engine->tap;
    engine->guest = guest;
    engine->entry = entry;
    engine->signal_stack = g_malloc0(SIGNAL_STACK_BYTES);
    tap->blocks = g_new0(PfBlock, PF_TAP_BLOCKS);
    tap->words = g_new0(uint64_t, WORDS);
    tap->other_words = g_new0(uint64_t, WORDS);
    engine->scribe = pf_scribe_new();
    tap->end = tap->words + 1;
    tap->limit = tap->end;
    uc_err status = set_up(engine);
    if (status == UC_ERR_OK) {
        set_register(engine, UC_X86_REG_RSP, stack);
        return engine;
    }
    g_set_error(error, PF_ERROR, PF_ERROR_GUEST, "Unicorn Engine cannot be set up: %s",
                uc_strerror(status));
    pf_engine_free(engine);
    return NULL;
}

void pf_engine_free(PfEngine *engine)
{
    if (engine == NULL)
        return;
    if (engine->unicorn != NULL)
        uc_close(engine->unicorn);
    g_free(engine->tap.blocks);
    pf_scribe_free(engine->scribe);
    g_free(engine->tap.words);
    g_free(engine->tap.other_words);
    g_free(engine->signal_stack);
    g_free(engine);
}

void pf_engine_stop(PfEngine *engine)
{
    engine->is_stopped = true;
    uc_emu_stop(engine->unicorn);
}

static void heed_interrupt(PfEngine *engine)
{
    PfGuest *guest = engine->guest;
    int *interrupted = guest->options->interrupted;
    if (interrupted == NULL || g_atomic_int_get(interrupted) == 0 || guest->error != NULL)
        return;
    g_set_error(&guest->error, PF_ERROR, PF_ERROR_INTERRUPTED,
                "interrupted; the trace ends there");
    pf_engine_stop(engine);
}

void pf_engine_hand_over(PfEngine *engine)
{
    PfTap *tap = &engine->tap;
    PfRecording *recording = engine->guest->recording;
    size_t count = (size_t)(tap->end - tap->words) - 1;
    pf_scribe_wait(engine->scribe);
    if (count == 0 || !pf_recording_is_steady(recording, count + PF_TAP_WORDS)) {
        pf_engine_flush(engine);
        return;
    }
    pf_scribe_give(engine->scribe, recording, tap->words + 1, count);
    uint64_t *words = tap->words;
    tap->words = tap->other_words;
    tap->other_words = words;
    tap->end = tap->words + 1;
    tap->limit = tap->end + PF_TAP_WORDS;
    tap->run = NULL;
    heed_interrupt(engine);
}

void pf_engine_flush(PfEngine *engine)
{
    PfTap *tap = &engine->tap;
    PfGuest *guest = engine->guest;
    uint64_t *start = tap->words + 1;
    pf_scribe_wait(engine->scribe);
    if (tap->end > start)
        pf_recording_add(guest->recording, start, (size_t)(tap->end - start));
    tap->end = start;
    tap->limit = start + MIN(pf_recording_room(guest->recording), (size_t)PF_TAP_WORDS);
    tap->run = NULL;
    if (pf_recording_is_full(guest->recording))
        pf_tap_detach(engine);
    heed_interrupt(engine);
}

void pf_engine_forget_code(PfEngine *engine, uint64_t start, uint64_t end)
{
    PfTap *tap = &engine->tap;
    if (tap->code_bytes == 0 || end <= tap->code_low || start >= tap->code_low + tap->code_bytes)
        return;
    uc_ctl_remove_cache(engine->unicorn, start, end);
    pf_tap_forget_blocks(tap);
}

bool pf_engine_reads_time(const PfEngine *engine)
{
    return engine->reads_time;
}

uint64_t pf_engine_place(const PfEngine *engine)
{
    return get_register(engine, UC_X86_REG_RIP);
}

void pf_engine_set_fs(PfEngine *engine, uint64_t base)
{
    set_register(engine, UC_X86_REG_FS_BASE, base);
}

uint64_t pf_engine_fs(const PfEngine *engine)
{
    return get_register(engine, UC_X86_REG_FS_BASE);
}

/* A handler has no argument of its own: the engine is named at the beginning of the stack that it
 * runs on, which the context tells. */
static void on_stray_access(int number, siginfo_t *info, void *context)
{
    const ucontext_t *interrupted = context;
    PfEngine *engine = *(PfEngine **)interrupted->uc_stack.ss_sp;
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    if (!pf_guest_memory_holds(&engine->guest->memory, address, 1)) {
        /* The recorder's own mistake. */
        signal(number, SIG_DFL);
        return;
    }
    engine->stray_address = address;
    siglongjmp(engine->landing, 1);
}

/* The program did what a processor does not let it do: it ends as the kernel would end it. */
static void end_by_signal(PfEngine *engine, int number, const char *what, uint64_t address)
{
    uint64_t place = pf_engine_place(engine);
    pf_tap_cut_block(engine, place);
    char *ending = g_strdup_printf("signal %d (%s): %s 0x%" G_GINT64_MODIFIER
                                   "x, near 0x%" G_GINT64_MODIFIER "x",
                                   number, strsignal(number), what, address, place);
    pf_guest_end(engine->guest, 128 + number, ending);
}

static bool touches(uint64_t word, uint64_t address)
{
    uint64_t start = pf_packed_address(word);
    return pf_packed_kind(word) < PF_PACKED_FETCH && address >= start && address < start + 8;
}

/* The last access was told before it was tried. */
static void drop_access(PfTap *tap, uint64_t address)
{
    uint64_t *end = tap->end;
    if (end - 2 > tap->words && pf_packed_kind(end[-2]) == PF_PACKED_WRITE &&
        touches(end[-2], address))
        tap->end = end - 2;
    else if (end - 1 > tap->words && pf_packed_kind(end[-1]) != PF_PACKED_WRITE &&
             touches(end[-1], address))
        tap->end = end - 1;
}

static void land(PfEngine *engine)
{
    drop_access(&engine->tap, engine->stray_address);
    end_by_signal(engine, SIGSEGV, "no such access to", engine->stray_address);
}

static void refuse_instruction(PfEngine *engine)
{
    uint64_t place = pf_engine_place(engine);
    g_autoptr(GString) bytes = g_string_new(NULL);
    if (pf_guest_memory_at(&engine->guest->memory, place) != NULL)
        for (uint64_t at = place; at < place + 8 && pf_guest_memory_at(&engine->guest->memory, at);
             at++)
            g_string_append_printf(bytes, " %02x", *(const uint8_t *)(uintptr_t)at);
    pf_guest_refuse(engine->guest,
                    "the instruction%s at 0x%" G_GINT64_MODIFIER
                    "x is not emulated; compile the program (and its libraries) with "
                    "-march=x86-64",
                    bytes->str, place);
}

/* What Unicorn says of an emulation that nobody asked to stop. */
static void explain(PfEngine *engine, uc_err status)
{
    if (engine->is_bad) {
        drop_access(&engine->tap, engine->bad_address);
        end_by_signal(engine, SIGSEGV, "no such access to", engine->bad_address);
    } else if (status == UC_ERR_INSN_INVALID)
        refuse_instruction(engine);
    else if (status == UC_ERR_EXCEPTION)
        end_by_signal(engine, SIGFPE, "an exception of the processor at", pf_engine_place(engine));
    else
        pf_guest_refuse(engine->guest,
                        "the emulation ended at 0x%" G_GINT64_MODIFIER
                        "x without an exit: %s; does the program run on its own?",
                        pf_engine_place(engine), uc_strerror(status));
}

void pf_engine_run(PfEngine *engine)
{
    *(PfEngine **)engine->signal_stack = engine;
    stack_t stack = {.ss_sp = engine->signal_stack, .ss_size = SIGNAL_STACK_BYTES};
    stack_t former_stack;
    struct sigaction action = {.sa_sigaction = on_stray_access,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction former_segv;
    struct sigaction former_bus;
    sigaltstack(&stack, &former_stack);
    sigaction(SIGSEGV, &action, &former_segv);
    sigaction(SIGBUS, &action, &former_bus);
    pf_engine_flush(engine);
    if (sigsetjmp(engine->landing, 1) == 0) {
        uc_err status = uc_emu_start(engine->unicorn, engine->entry, UINT64_MAX, 0, 0);
        if (!engine->is_stopped)
            explain(engine, status);
    } else
        land(engine);
    sigaction(SIGSEGV, &former_segv, NULL);
    sigaction(SIGBUS, &former_bus, NULL);
    sigaltstack(&former_stack, NULL);
}
