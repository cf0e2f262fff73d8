/* Code that changes itself while it runs, and is made anew in its old place: patch
 * With an argument the stores go elsewhere, and everything else is the same: patch beside */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef unsigned (*Code)(void);

/* A store into the instruction behind it, in the same block:
 * add $1, %ecx; movb $N, 1(%rip); movl $0, %eax; ret */
static unsigned patch_self(unsigned char *place, unsigned char number, unsigned char away)
{
    const unsigned char code[] = {0x83, 0xc1, 0x01, 0xc6,   0x05, (unsigned char)(1 + away),
                                  0,    0,    0,    number, 0xb8, 0,
                                  0,    0,    0,    0xc3};
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

/* The same by a store that reads first: addb $N, 1(%rip); movl $1, %eax; ret */
static unsigned add_to_self(unsigned char *place, unsigned char number, unsigned char away)
{
    const unsigned char code[] = {
        0x80, 0x05, (unsigned char)(1 + away), 0, 0, 0, number, 0xb8, 1, 0, 0, 0, 0xc3};
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

/* By one of 16 bytes: movups 23(%rip), %xmm0; movups %xmm0, (%rip); 10 times nop; movl $0, %eax;
 * ret; and what replaces these, with N for 0 */
static unsigned replace_all(unsigned char *place, unsigned char number, unsigned char away)
{
    unsigned char code[64] = {0x0f, 0x10, 0x05, 23, 0, 0, 0, 0x0f, 0x11, 0x05, away, 0, 0, 0};
    unsigned char after[] = {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
                             0x90, 0x90, 0xb8, 0,    0,    0,    0,    0xc3};
    memcpy(code + 14, after, sizeof(after));
    after[11] = number;
    memcpy(code + 30, after, sizeof(after));
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

int main(int argc, char **argv)
{
    unsigned char *place =
        mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char away = argc > 1 ? 100 : 0;
    unsigned wrong = 0;
    (void)argv;
    if (place == MAP_FAILED)
        return 1;
    for (unsigned char i = 1; i < 60; i++) {
        unsigned results[3] = {patch_self(place, i, away), add_to_self(place + 300, i, away),
                               replace_all(place + 4090, i, away)};
        /* Counted in the same way whatever comes out. */
        unsigned own = away == 0;
        wrong += results[0] ^ (own * i);
        wrong += results[1] ^ (own * i + 1);
        wrong += results[2] ^ (own * i);
    }
    return wrong == 0 ? 0 : 1;
}
