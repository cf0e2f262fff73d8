/* A line of text cut into words: blanks separate, `#` begins a comment, quotes hold anything. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum { PF_WORDS_MAX = 16 };

typedef struct {
    char *text; /* with a NUL behind it */
    size_t length;
    bool is_quoted; /* the word is one quoted string, nothing else */
} PfWord;

typedef struct {
    PfWord words[PF_WORDS_MAX];
    unsigned count;
    char *store;
    size_t store_bytes;
} PfWords;

void pf_words_clear(PfWords *words);

/* Cuts LINE; what it gave before is gone. Returns what is wrong (free with g_free), or NULL. */
char *pf_words_split(PfWords *words, const char *line, size_t length);
