/* Running the program, for tests of the whole. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int status; /* exit status; 128 + the signal's number if one ended it */
    char *out;
    char *err;
} Spawned;

/* Runs the program with ARGUMENTS (NULL-terminated) in DIRECTORY (NULL: here). */
Spawned spawn_program(const char *directory, const char *const *arguments);

/* Starts the program likewise, with all that it says thrown away, and does not wait for it. */
GPid spawn_start(const char *directory, const char *const *arguments);

/* spawn_program in one line: spawn(DIRECTORY, "run", "a.cfg"). */
#define spawn(directory, ...) spawn_program(directory, (const char *const[]){__VA_ARGS__, NULL})

void spawned_clear(Spawned *spawned);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Spawned, spawned_clear)

/* Path of the program under test. */
const char *spawn_path(void);

/* A fresh directory with file demo.cfg, which names two policies. Remove with spawn_clear_place. */
char *spawn_make_place(void);
void spawn_clear_place(char *place);

/* The content of PLACE/NAME, NULL if it is not there. Free with g_free. */
char *spawn_read(const char *place, const char *name);
void spawn_write(const char *place, const char *name, const char *text);

/* Waits until process PID has blocked signal NUMBER, as a command does that takes it by itself;
 * false after a minute. */
bool spawn_wait_for_watch(int pid, int number);

/* Waits until process PID sleeps; false after a minute. */
bool spawn_wait_for_sleep(int pid);
