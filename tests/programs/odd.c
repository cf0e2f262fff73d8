/* Accesses that are told apart with difficulty: across pages, of odd sizes, repeated, atomic. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static uint64_t sum;

/* Reads and writes of each size that begin up to 15 bytes before the border of two pages. */
static void cross(unsigned char *border)
{
    for (int before = 1; before < 16; before++) {
        unsigned char *at = border - before;
        uint16_t two;
        uint32_t four;
        uint64_t eight;
        __asm__ volatile("movw (%1), %0" : "=r"(two) : "r"(at) : "memory");
        __asm__ volatile("movl (%1), %0" : "=r"(four) : "r"(at) : "memory");
        __asm__ volatile("movq (%1), %0" : "=r"(eight) : "r"(at) : "memory");
        sum += two + four + eight;
        __asm__ volatile("movw %w0, (%1)" : : "r"(before * 3), "r"(at) : "memory");
        __asm__ volatile("movl %0, (%1)" : : "r"(before * 5), "r"(at) : "memory");
        __asm__ volatile("movq %q0, (%1)" : : "r"((uint64_t)before * 7), "r"(at) : "memory");
        __asm__ volatile("addq %q0, (%1)" : : "r"((uint64_t)before), "r"(at) : "memory");
        __asm__ volatile("movups (%0), %%xmm0\n\tpaddd %%xmm0, %%xmm0\n\tmovups %%xmm0, (%0)"
                         :
                         : "r"(at)
                         : "xmm0", "memory");
    }
}

static void repeat(unsigned char *bytes)
{
    void *to = bytes + 5000;
    const void *from = bytes + 10;
    uint64_t count = 5;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    count = 700;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0x1122334455667788) : "memory");
    to = bytes;
    from = bytes + PAGE;
    count = 6;
    __asm__ volatile("repe cmpsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory", "cc");
    count = 0;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    sum += count;
}

static void exchange(unsigned char *bytes)
{
    _Alignas(16) static unsigned char state[512];
    _Alignas(16) uint64_t pair[2] = {1, 2};
    uint64_t low = 1;
    uint64_t high = 2;
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(pair), "+a"(low), "+d"(high)
                     : "b"(3), "c"(4)
                     : "cc");
    __asm__ volatile("lock xaddq %0, (%1)" : "+r"(low) : "r"(bytes + PAGE - 8) : "memory");
    __asm__ volatile("fxsave %0" : "=m"(state) : : "memory");
    __asm__ volatile("fxrstor %0" : : "m"(state) : "memory");
    __asm__ volatile("fldt (%0)\n\tfstpt 16(%0)" : : "r"(bytes + PAGE - 12) : "memory");
    __asm__ volatile("pushq (%0)\n\tpopq 8(%0)" : : "r"(bytes + 3 * PAGE - 4) : "memory");
    __asm__ volatile("enter $16, $0\n\tleave" : : : "memory");
    sum += pair[0] + pair[1] + low;
}

int main(void)
{
    unsigned char *bytes =
        mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return 1;
    memset(bytes, 0x5a, 3 * PAGE);
    for (int i = 0; i < 10; i++) {
        cross(bytes + PAGE);
        repeat(bytes);
        exchange(bytes);
    }
    printf("%llx\n", (unsigned long long)sum);
    return 0;
}
