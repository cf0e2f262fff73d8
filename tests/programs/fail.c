/* What cannot be recorded, or ends badly: fail thread|fork|avx|popcnt|lzcnt|crash|null|abort|divide
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *wait_a_little(void *user)
{
    return user;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    puts("begins");
    fflush(stdout);
    if (strcmp(what, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, wait_a_little, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "fork") == 0)
        return fork() == 0 ? 1 : 0;
    else if (strcmp(what, "avx") == 0)
        __asm__ volatile("vpxor %%xmm2, %%xmm1, %%xmm0" : : : "xmm0");
    else if (strcmp(what, "popcnt") == 0)
        __asm__ volatile("popcnt %%rcx, %%rax" : : : "rax");
    else if (strcmp(what, "lzcnt") == 0)
        __asm__ volatile("lzcnt %%rcx, %%rax" : : : "rax");
    else if (strcmp(what, "crash") == 0)
        *(volatile int *)((uintptr_t)argv - ((uintptr_t)1 << 30)) = 1;
    else if (strcmp(what, "null") == 0)
        __asm__ volatile("movl (%0), %%eax" : : "r"((uint64_t)8) : "eax");
    else if (strcmp(what, "abort") == 0)
        abort();
    else if (strcmp(what, "divide") == 0)
        __asm__ volatile("xorl %%ecx, %%ecx\n\tidivl %%ecx" : : "a"(1), "d"(0) : "ecx");
    puts("ends");
    return 0;
}
