/* `explain --step`: waits for a key at a terminal, and leaves that as it was. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"
#include "spawn.h"

static const char contexts[] =
    "pagefold-trace 1\npage 4\ncontext A process\ncontext B process\ncontext C process\n";

typedef struct {
    int master;
    pid_t pid;
    GString *shown;
} Terminal;

static Terminal start_at_terminal(const char *path)
{
    Terminal terminal = {.master = posix_openpt(O_RDWR | O_NOCTTY), .shown = g_string_new(NULL)};
    g_assert_true(terminal.master >= 0 && grantpt(terminal.master) == 0 &&
                  unlockpt(terminal.master) == 0);
    const char *name = ptsname(terminal.master);
    terminal.pid = fork();
    if (terminal.pid == 0) {
        setsid();
        int slave = open(name, O_RDWR);
        dup2(slave, STDIN_FILENO);
        dup2(slave, STDOUT_FILENO);
        execl(spawn_path(), "pagefold", "explain", path, "--step", "--color", "never",
              (char *)NULL);
        _exit(127);
    }
    return terminal;
}

/* Reads on until COUNT prompts were shown, or the program has ended. */
static bool read_prompts(Terminal *terminal, unsigned count)
{
    enum { PATIENCE_MS = 30000 };
    static const char prompt[] = "q ends --";
    while (true) {
        unsigned seen = 0;
        for (const char *at = terminal->shown->str; (at = strstr(at, prompt)) != NULL; at++)
            seen++;
        if (seen >= count)
            return true;
        char bytes[4096];
        struct pollfd input = {.fd = terminal->master, .events = POLLIN};
        ssize_t length = poll(&input, 1, PATIENCE_MS) > 0
                             ? read(terminal->master, bytes, sizeof bytes)
                             : -1;
        if (length <= 0)
            return false;
        g_string_append_len(terminal->shown, bytes, length);
    }
}

/* Waits for the end; the exit status, and whether the terminal is as a new one (which it would be
 * anew if nobody had it open). */
static int end_at_terminal(Terminal *terminal, bool *ret_restored)
{
    struct termios state = {0};
    int status = 0;
    int slave = open(ptsname(terminal->master), O_RDWR | O_NOCTTY);
    (void)waitpid(terminal->pid, &status, 0);
    *ret_restored = tcgetattr(slave, &state) == 0 &&
                    (state.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG);
    close(slave);
    close(terminal->master);
    g_string_free(terminal->shown, TRUE);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* After two events comes KEY; the program then ends with STATUS and leaves the terminal alone. */
static void check_key(char key, int status)
{
    char *place = spawn_make_place();
    spawn_write(place, "three.trace", contexts);
    g_autofree char *path = g_build_filename(place, "three.trace", NULL);
    Terminal terminal = start_at_terminal(path);
    CU_ASSERT_TRUE(read_prompts(&terminal, 1));
    CU_ASSERT_PTR_NULL(strstr(terminal.shown->str, "    2  B begins"));
    CU_ASSERT_EQUAL(write(terminal.master, " ", 1), 1);
    CU_ASSERT_TRUE(read_prompts(&terminal, 2));
    CU_ASSERT_PTR_NOT_NULL(strstr(terminal.shown->str, "    2  B begins"));
    CU_ASSERT_PTR_NULL(strstr(terminal.shown->str, "    3  C begins"));
    CU_ASSERT_EQUAL(write(terminal.master, &key, 1), 1);
    bool is_restored = false;
    CU_ASSERT_EQUAL(end_at_terminal(&terminal, &is_restored), status);
    CU_ASSERT_TRUE(is_restored);
    spawn_clear_place(place);
}

static void a_key_goes_on_and_q_ends(void)
{
    check_key('q', 0);
}

static void ctrl_c_restores_the_terminal(void)
{
    check_key(3, 130);
}

static void an_arrow_is_one_key(void)
{
    char *place = spawn_make_place();
    spawn_write(place, "three.trace", contexts);
    g_autofree char *path = g_build_filename(place, "three.trace", NULL);
    Terminal terminal = start_at_terminal(path);
    CU_ASSERT_TRUE(read_prompts(&terminal, 1));
    CU_ASSERT_EQUAL(write(terminal.master, "\033[B", 3), 3);
    CU_ASSERT_TRUE(read_prompts(&terminal, 2));
    CU_ASSERT_EQUAL(write(terminal.master, "q", 1), 1);
    CU_ASSERT_FALSE(read_prompts(&terminal, 3)); /* until the end */
    CU_ASSERT_PTR_NOT_NULL(strstr(terminal.shown->str, "    2  B begins"));
    CU_ASSERT_PTR_NULL(strstr(terminal.shown->str, "    3  C begins"));
    bool is_restored = false;
    CU_ASSERT_EQUAL(end_at_terminal(&terminal, &is_restored), 0);
    spawn_clear_place(place);
}

static const PfCheck checks[] = {
    {"an arrow is one key", an_arrow_is_one_key},
    {"a key goes on and q ends", a_key_goes_on_and_q_ends},
    {"Ctrl-C restores the terminal", ctrl_c_restores_the_terminal},
};

int main(void)
{
    return pf_check_main("app-explain-step", checks, G_N_ELEMENTS(checks));
}
