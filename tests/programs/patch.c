/* Code that changes itself while it runs, and code that is made anew in its old place. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef unsigned (*Code)(void);

/* A store into the instruction behind it, in the same block:
 * add $1, %ecx; movb $N, 1(%rip); movl $0, %eax; ret */
static unsigned patch_self(unsigned char *place, unsigned char number)
{
    const unsigned char code[] = {0x83, 0xc1, 0x01, 0xc6, 0x05, 1,    0, 0,
                                  0,    number, 0xb8, 0,  0,    0,    0, 0xc3};
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

/* The same by a store that reads first, and by one of 16 bytes over all of the code behind it:
 * addb $N, 1(%rip); movl $1, %eax; ret */
static unsigned add_to_self(unsigned char *place, unsigned char number)
{
    const unsigned char code[] = {0x80, 0x05, 1, 0, 0, 0, number, 0xb8, 1, 0, 0, 0, 0xc3};
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

/* movups (%rip + 9), %xmm0; movups %xmm0, (%rip + 0); then 16 bytes that are replaced by those
 * behind: movl $N, %eax; ret */
static unsigned replace_all(unsigned char *place, unsigned char number)
{
    unsigned char code[64] = {0x0f, 0x10, 0x05, 23, 0, 0, 0, 0x0f, 0x11, 0x05, 0, 0, 0, 0};
    memset(code + 14, 0x90, 16);
    code[29] = 0xc3;
    const unsigned char after[] = {0xb8, number, 0, 0, 0, 0xc3};
    memcpy(code + 30, after, sizeof(after));
    memcpy(place, code, sizeof(code));
    return ((Code)(uintptr_t)place)();
}

int main(void)
{
    unsigned char *place = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned sum = 0;
    if (place == MAP_FAILED)
        return 1;
    for (unsigned char i = 1; i < 60; i++) {
        sum = sum * 3 + patch_self(place, i);
        sum = sum * 3 + add_to_self(place + 100, i);
        sum = sum * 3 + replace_all(place + 4090, i);
    }
    printf("%u\n", sum);
    return 0;
}
