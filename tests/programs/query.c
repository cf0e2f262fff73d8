/* Fills a table of SQLite, with an index, and asks it: query DATABASE [ROWS] */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void *user, int count, char **values, char **names)
{
    (void)user;
    for (int i = 0; i < count; i++)
        printf("%s%s=%s", i > 0 ? " " : "", names[i], values[i] != NULL ? values[i] : "");
    putchar('\n');
    return 0;
}

static void run(sqlite3 *database, const char *text)
{
    char *message = NULL;
    if (sqlite3_exec(database, text, print_row, NULL, &message) != SQLITE_OK) {
        printf("%s: %s\n", text, message);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    sqlite3 *database = NULL;
    int rows = argc > 2 ? atoi(argv[2]) : 500;
    if (argc < 2 || sqlite3_open(argv[1], &database) != SQLITE_OK)
        return 2;
    run(database, "create table sales(id integer primary key, region int, amount int)");
    run(database, "begin");
    for (int i = 0; i < rows; i++) {
        char text[128];
        snprintf(text, sizeof(text), "insert into sales values(%d, %d, %d)", i, i % 7,
                 i * 7919 % 1000);
        run(database, text);
    }
    run(database, "commit");
    run(database, "create index by_region on sales(region, amount)");
    run(database, "select region, count(*), sum(amount), max(amount) from sales group by region");
    return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
