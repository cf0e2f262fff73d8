/* Compresses a file with zlib, expands it again, and compares: deflate FILE OUTPUT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES_MAX = 1 << 20 };

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    FILE *in = fopen(argv[1], "rb");
    FILE *out = fopen(argv[2], "wb");
    unsigned char *bytes = malloc(BYTES_MAX);
    if (in == NULL || out == NULL || bytes == NULL)
        return 1;
    uLong length = (uLong)fread(bytes, 1, BYTES_MAX, in);
    uLongf packed_length = compressBound(length);
    unsigned char *packed = malloc(packed_length);
    uLongf again_length = length;
    unsigned char *again = malloc(length + 1);
    if (packed == NULL || again == NULL ||
        compress2(packed, &packed_length, bytes, length, 6) != Z_OK ||
        uncompress(again, &again_length, packed, packed_length) != Z_OK)
        return 1;
    fwrite(packed, 1, packed_length, out);
    fclose(in);
    printf("%lu -> %lu bytes, %s\n", (unsigned long)length, (unsigned long)packed_length,
           memcmp(bytes, again, length) == 0 ? "the same again" : "different");
    return fclose(out) == 0 ? 0 : 1;
}
