#include "check_load.h"

#include "check_child.h"
#include "error.h"

/* In the child: whatever the file does by itself when it is loaded, and when it is let go. */
static void try_load(int descriptor, void *user)
{
    (void)descriptor;
    g_autoptr(PfRegistry) registry = pf_registry_new();
    pf_registry_load(registry, user, NULL);
}

bool pf_check_load(PfRegistry *registry, const char *file, unsigned cpu_seconds, int interrupts,
                   GError **error)
{
    PfCheckChild child;
    g_autofree char *path = g_strdup(file);
    if (!pf_check_child(try_load, path, cpu_seconds, interrupts, &child, error))
        return false;
    bool loads = child.is_done;
    if (!loads) {
        g_autofree char *death = pf_check_child_death(&child, cpu_seconds);
        g_set_error(error, PF_ERROR, PF_ERROR_CONFIG, "%s: cannot be loaded and let go: %s", file,
                    death);
    }
    pf_check_child_clear(&child);
    return loads && pf_registry_load(registry, file, error);
}
