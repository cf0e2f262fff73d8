/* The progress line: when it is drawn, and what it says. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "progress.h"

/* Updates each tenth of a second from 0 to SECONDS; returns what was written. Free with free. */
static char *play(bool terminal, unsigned tenths)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    PfProgressLine line;
    pf_progress_init(&line, out, terminal);
    for (unsigned i = 0; i <= tenths; i++) {
        PfProgress progress = {
            .share_done = 0.5,
            .records = (uint64_t)i * 200000,
            .simulated_ps = 1500000000000,
            .seconds = (double)i / 10.0,
        };
        pf_progress_update(&progress, &line);
    }
    pf_progress_finish(&line);
    fclose(out);
    return text;
}

static unsigned count_of(const char *text, char wanted)
{
    unsigned count = 0;
    for (; *text != '\0'; text++)
        count += *text == wanted;
    return count;
}

static void terminal_rate(void)
{
    char *text = play(true, 30);
    /* From 1.0 to 3.0 seconds at most five a second: 11 lines, and one that clears. */
    unsigned drawn = count_of(text, '\r') - 1;
    CU_ASSERT(drawn >= 7 && drawn <= 11);
    CU_ASSERT_EQUAL(count_of(text, '\n'), 0);
    CU_ASSERT(g_str_has_suffix(text, "\r\033[K"));
    free(text);
}

static void terminal_short(void)
{
    char *text = play(true, 9);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
}

static void plain_rate(void)
{
    char *text = play(false, 250);
    CU_ASSERT_EQUAL(count_of(text, '\n'), 2);
    CU_ASSERT_EQUAL(count_of(text, '\r'), 0);
    /* 200000 records each tenth of a second; as much left as has passed at half the trace. */
    CU_ASSERT(g_str_has_prefix(text, "pagefold:  50 %, 2.0 M records/s, simulated 1.500 s, "
                                     "10 s left\n"));
    free(text);
}

static const PfCheck checks[] = {
    {"a terminal's line is drawn at most five times a second and taken away", terminal_rate},
    {"a run of less than a second shows nothing", terminal_short},
    {"elsewhere a plain line comes each ten seconds", plain_rate},
};

PF_CHECK_MAIN("progress", checks)
