#include "guest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "elf_image.h"
#include "engine.h"
#include "error.h"
#include "rng.h"

/* Where the stack begins, so that no run differs from another. */
typedef struct {
    uint64_t top;
} Stack;

static uint64_t push_bytes(Stack *stack, const void *bytes, size_t length)
{
    stack->top -= length;
    memcpy((void *)(uintptr_t)stack->top, bytes, length);
    return stack->top;
}

static uint64_t push_string(Stack *stack, const char *text)
{
    return push_bytes(stack, text, strlen(text) + 1);
}

/* The addresses of the copies of STRINGS, ended by 0. */
static GArray *push_strings(Stack *stack, char **strings)
{
    GArray *addresses = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (; *strings != NULL; strings++) {
        uint64_t address = push_string(stack, *strings);
        g_array_append_val(addresses, address);
    }
    uint64_t end = 0;
    g_array_append_val(addresses, end);
    return addresses;
}

/* The auxiliary vector: getauxval(3). */
static GArray *make_auxiliary(PfGuest *guest, const PfElf *elf, Stack *stack)
{
    uint8_t bytes[16];
    pf_guest_random(guest, bytes, sizeof(bytes));
    /* CPUID leaf 1, EDX of Unicorn's x86-64: what every x86-64 has. */
    enum { BASELINE_FEATURES = 0x0789fbfd };
    const uint64_t pairs[][2] = {
        {AT_PHDR, pf_elf_headers_address(elf)},
        {AT_PHENT, sizeof(Elf64_Phdr)},
        {AT_PHNUM, elf->header.e_phnum},
        {AT_PAGESZ, PF_GUEST_PAGE_BYTES},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, elf->header.e_entry + elf->bias},
        {AT_UID, PF_GUEST_USER},
        {AT_EUID, PF_GUEST_USER},
        {AT_GID, PF_GUEST_USER},
        {AT_EGID, PF_GUEST_USER},
        {AT_SECURE, 0},
        {AT_CLKTCK, 100},
        {AT_HWCAP, BASELINE_FEATURES},
        {AT_PLATFORM, push_string(stack, "x86_64")},
        {AT_EXECFN, push_string(stack, guest->options->arguments[0])},
        {AT_RANDOM, push_bytes(stack, bytes, sizeof(bytes))},
        {AT_NULL, 0},
    };
    GArray *words = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_array_append_vals(words, pairs, sizeof(pairs) / sizeof(uint64_t));
    return words;
}

static void push_words(Stack *stack, const GArray *words)
{
    push_bytes(stack, words->data, words->len * sizeof(uint64_t));
}

/* Lays the stack out as the kernel does (System V ABI, AMD64 supplement, 3.4.1). */
static bool make_stack(PfGuest *guest, const PfElf *elf, Stack *stack, GError **error)
{
    PfGuestMapping mapping = {.start = PF_GUEST_STACK_END - PF_GUEST_STACK_BYTES,
                              .end = PF_GUEST_STACK_END,
                              .access = PROT_READ | PROT_WRITE};
    size_t length = 0;
    for (char **word = guest->options->arguments; *word != NULL; word++)
        length += strlen(*word) + 1 + sizeof(uint64_t);
    for (char **word = guest->options->environment; *word != NULL; word++)
        length += strlen(*word) + 1 + sizeof(uint64_t);
    if (length > PF_GUEST_STACK_BYTES / 4) {
        g_set_error(error, PF_ERROR, PF_ERROR_GUEST,
                    "arguments and environment have more than 2 MiB; shorten them");
        return false;
    }
    int status = pf_guest_memory_map(&guest->memory, &mapping, -1);
    if (status != 0) {
        g_set_error(error, PF_ERROR, PF_ERROR_GUEST, "no stack: %s", g_strerror(-status));
        return false;
    }
    stack->top = PF_GUEST_STACK_END - 16;
    g_autoptr(GArray) environment = push_strings(stack, guest->options->environment);
    g_autoptr(GArray) arguments = push_strings(stack, guest->options->arguments);
    g_autoptr(GArray) auxiliary = make_auxiliary(guest, elf, stack);
    uint64_t words = auxiliary->len + environment->len + arguments->len + 1;
    stack->top =
        ((stack->top - words * sizeof(uint64_t)) & ~(uint64_t)15) + words * sizeof(uint64_t);
    push_words(stack, auxiliary);
    push_words(stack, environment);
    push_words(stack, arguments);
    uint64_t count = arguments->len - 1;
    push_bytes(stack, &count, sizeof(count));
    return true;
}

bool pf_guest_init(PfGuest *guest, const PfGuestOptions *options, GError **error)
{
    *guest = (PfGuest){.options = options, .random = pf_rng_derive(1, "recorder")};
    guest->warned = g_hash_table_new(g_direct_hash, g_direct_equal);
    pf_guest_files_init(&guest->files);
    char *path = realpath(options->path, NULL);
    guest->program = g_strdup(path != NULL ? path : options->path);
    free(path);
    g_auto(PfElf) elf = {.fd = -1};
    Stack stack = {0};
    if (!pf_elf_open(&elf, options->path, error) ||
        !pf_guest_memory_init(&guest->memory, elf.start, elf.end, error) ||
        !pf_elf_load(&elf, &guest->memory, error) || !make_stack(guest, &elf, &stack, error))
        return false;
    guest->engine = pf_engine_new(guest, elf.header.e_entry + elf.bias, stack.top, error);
    return guest->engine != NULL;
}

void pf_guest_clear(PfGuest *guest)
{
    pf_engine_free(guest->engine);
    pf_recording_free(guest->recording);
    pf_guest_files_clear(&guest->files);
    pf_guest_memory_clear(&guest->memory);
    g_clear_error(&guest->error);
    g_clear_pointer(&guest->warned, g_hash_table_unref);
    g_free(guest->ending);
    g_free(guest->program);
    *guest = (PfGuest){0};
}

bool pf_guest_run(PfGuest *guest, PfTraceWriter *writer, GError **error)
{
    guest->recording = pf_recording_new(&guest->options->recording, &guest->memory, writer);
    pf_engine_run(guest->engine);
    pf_guest_flush(guest);
    pf_recording_finish(guest->recording);
    if (guest->error == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&guest->error));
    return false;
}

uint64_t pf_guest_now_ns(const PfGuest *guest)
{
    return pf_recording_instructions(guest->recording) + guest->slept_ns;
}

void pf_guest_sleep(PfGuest *guest, uint64_t ns)
{
    guest->slept_ns += ns;
    pf_recording_idle(guest->recording, ns * 1000);
}

void pf_guest_random(PfGuest *guest, void *bytes, size_t length)
{
    uint8_t *at = bytes;
    while (length > 0) {
        uint64_t word = pf_rng_next(&guest->random);
        size_t part = MIN(length, sizeof(word));
        memcpy(at, &word, part);
        at += part;
        length -= part;
    }
}

void pf_guest_end(PfGuest *guest, int status, char *ending)
{
    guest->has_exited = true;
    guest->status = status;
    guest->ending = ending;
    pf_engine_stop(guest->engine);
}

void pf_guest_refuse(PfGuest *guest, const char *format, ...)
{
    if (guest->error == NULL) {
        va_list arguments;
        va_start(arguments, format);
        g_autofree char *what = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_set_error(&guest->error, PF_ERROR, PF_ERROR_GUEST, "%s: %s", guest->options->path, what);
    }
    pf_engine_stop(guest->engine);
}

void pf_guest_flush(PfGuest *guest)
{
    pf_engine_flush(guest->engine);
}
