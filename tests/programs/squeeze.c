/* Compresses a file with Zstandard: squeeze FILE OUTPUT */
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { BYTES_MAX = 1 << 20, LEVEL = 3 };

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    FILE *in = fopen(argv[1], "rb");
    FILE *out = fopen(argv[2], "wb");
    void *bytes = malloc(BYTES_MAX);
    void *packed = malloc(ZSTD_compressBound(BYTES_MAX));
    if (in == NULL || out == NULL || bytes == NULL || packed == NULL)
        return 1;
    size_t length = fread(bytes, 1, BYTES_MAX, in);
    size_t packed_length =
        ZSTD_compress(packed, ZSTD_compressBound(BYTES_MAX), bytes, length, LEVEL);
    if (ZSTD_isError(packed_length))
        return 1;
    fwrite(packed, 1, packed_length, out);
    fclose(in);
    printf("%zu -> %zu bytes\n", length, packed_length);
    return fclose(out) == 0 ? 0 : 1;
}
