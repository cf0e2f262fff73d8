/* Memory that comes, moves and goes: maps FILE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

static unsigned char *map(size_t pages)
{
    void *place =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED)
        exit(1);
    return place;
}

static void grow(void)
{
    unsigned char *place = map(4);
    unsigned char *wall = map(1);
    memset(place, 1, (size_t)4 * PAGE);
    memset(wall, 2, PAGE);
    unsigned char *moved = mremap(place, (size_t)4 * PAGE, (size_t)40 * PAGE, MREMAP_MAYMOVE);
    moved[(size_t)39 * PAGE] = moved[PAGE] + 2;
    moved = mremap(moved, (size_t)40 * PAGE, (size_t)2 * PAGE, 0);
    moved[5] = 6;
    munmap(wall, PAGE);
}

static void use_file(const char *path)
{
    int fd = open(path, O_RDWR);
    unsigned char *own = mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    unsigned char *common =
        mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    if (fd < 0 || own == MAP_FAILED || common == MAP_FAILED)
        exit(1);
    own[100] = 'x';
    common[200] = own[300];
    pread(fd, own + PAGE - 50, 100, 7);
    close(fd);
}

int main(int argc, char **argv)
{
    unsigned char *place = map(16);
    uint64_t number;
    struct timespec time = {.tv_nsec = 1000000};
    if (argc != 2)
        return 2;
    for (size_t i = 0; i < 16; i++)
        memset(place + i * PAGE, i < 8 ? 7 : (int)i, PAGE);
    madvise(place, (size_t)8 * PAGE, MADV_MERGEABLE);
    madvise(place + (size_t)2 * PAGE, PAGE, MADV_UNMERGEABLE);
    madvise(place + (size_t)10 * PAGE, (size_t)2 * PAGE, MADV_DONTNEED);
    place[(size_t)10 * PAGE] = 3;
    mprotect(place + (size_t)12 * PAGE, PAGE, PROT_READ);
    munmap(place + (size_t)14 * PAGE, PAGE);
    grow();
    use_file(argv[1]);
    unsigned char *heap = sbrk(3 * PAGE + 100);
    memset(heap, 9, 3 * PAGE);
    sbrk(-2 * PAGE);
    getrandom(&number, sizeof(number), 0);
    nanosleep(&time, NULL);
    char *text = malloc(100000);
    snprintf(text, 100000, "%llx %d", (unsigned long long)number, clock() >= 0);
    puts(text);
    return 5;
}
