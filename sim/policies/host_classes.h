/* Classes of pages: only pages of one class share. A part of the host. */
#pragma once

#include "host.h"

/* Makes the classes, if there are to be some. Registers class.*. */
void pf_host_create_classes(PfHost *host);
void pf_host_free_classes(PfHost *host);
/* The trace has made TARGET map what SOURCE maps. */
void pf_host_page_aliased(PfHost *host, PfPage source, PfPage target);
/* The policy has looked at PAGE, which maps FRAME: that is of its class, unless it had one. */
void pf_host_note_class(const PfHost *host, PfPage page, PfMpn frame);
/* Orders frames by class: < 0, 0, > 0. Frames that are 0 apart may share. */
int pf_host_compare_classes(const PfHost *host, PfMpn a, PfMpn b);
/* Whether PAGE may be moved to FRAME; its verdict tells if it may not. */
bool pf_host_classes_allow(PfHost *host, PfPage page, PfMpn frame);
/* KEY of PAGE with a salt of its class. */
uint64_t pf_host_class_key(PfHost *host, uint64_t key, PfPage page);
/* VALUE is filed under the class of PAGE; it is taken out again, whose KEY has that salt. */
void pf_host_file_class(PfHost *host, uint64_t value, PfPage page);
uint64_t pf_host_unfile_class(PfHost *host, uint64_t key, uint64_t value);
/* Counts classes, and what they keep apart; NULL if there are none. To be freed. */
PfClassCensus *pf_host_count_classes(PfHost *host);
void pf_class_census_free(PfHost *host, PfClassCensus *census);
/* Whether eligible pages with the bytes of that at SLOT are in several classes. */
bool pf_class_census_is_apart(const PfClassCensus *census, PfSlot slot);
void pf_host_check_classes(const PfHost *host);
