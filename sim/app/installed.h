/* The examples that an installation has: the `configs` and `traces` that documents name. */
#pragma once

/* Where PATH, which is owned and may be NULL, begins with "configs/" or "traces/" and names nothing
 * here, but does so in this program's installation, puts that in its place and says so on standard
 * error. What the documents tell to type so works in any folder. */
void pf_installed_find(char **path);
