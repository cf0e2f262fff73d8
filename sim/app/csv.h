/* Tables read back from a CSV that pagefold wrote: a header, and rows of as many fields. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *path;
    GPtrArray *names; /* owned strings */
    GPtrArray *rows;  /* GPtrArray of owned strings, as many as names */
} PfCsv;

/* Takes the table at PATH. PF_ERROR_TRACE "FILE: ..." where it cannot be read, or "FILE:LINE: ..."
 * where a row has more or fewer fields than the header. */
PfCsv *pf_csv_load(const char *path, GError **error);
void pf_csv_free(PfCsv *csv);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PfCsv, pf_csv_free)

/* The index of the column called NAME, or -1. */
int pf_csv_column(const PfCsv *csv, const char *name);

/* The field in ROW; "" where COLUMN is -1. Borrowed. */
const char *pf_csv_text(const PfCsv *csv, guint row, int column);

/* Likewise as a number; NaN for what is none, as null. */
double pf_csv_number(const PfCsv *csv, guint row, int column);

/* Adds a column called NAME to the right; its index. */
int pf_csv_add_column(PfCsv *csv, const char *name);

/* Sets a field to VALUE, or null where that is not finite. */
void pf_csv_set_number(PfCsv *csv, guint row, int column, double value);
