#include "explain_key.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static const char prompt[] = "-- any key goes on, q ends --";

/* How soon a signal is noticed. */
enum { POLL_MS = 100 };

/* Ctrl-C in place of a signal, so that nothing ends the program while the terminal is changed. */
static void listen_to_keys(struct termios *terminal)
{
    terminal->c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    terminal->c_cc[VMIN] = 1;
    terminal->c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, terminal);
}

static PfKey read_key(const int *interrupted)
{
    enum { CTRL_C = 3, CTRL_D = 4, ESCAPE = 27 };
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, POLL_MS) == 0)
        if (__atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0)
            return PF_KEY_INTERRUPT;
    char key = 'q';
    ssize_t length = read(STDIN_FILENO, &key, 1);
    /* An arrow is one key, and several bytes. */
    char rest[16];
    if (length == 1 && key == ESCAPE && poll(&input, 1, 0) > 0 &&
        read(STDIN_FILENO, rest, sizeof rest) < 0)
        key = 'q';
    if (__atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0 || (length == 1 && key == CTRL_C))
        return PF_KEY_INTERRUPT;
    return length != 1 || key == 'q' || key == CTRL_D ? PF_KEY_QUIT : PF_KEY_NEXT;
}

PfKey pf_explain_wait(const int *interrupted)
{
    struct termios before = {0};
    printf("%s", prompt);
    fflush(stdout);
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    struct termios changed = before;
    if (is_terminal)
        listen_to_keys(&changed);
    PfKey key = read_key(interrupted);
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    printf("\r%*s\r", (int)sizeof prompt, "");
    return key;
}
