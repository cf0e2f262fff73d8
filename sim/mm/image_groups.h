/* What `none` maps, frame by frame, and what else of the memory image is needed to say in a trace
 * what memory holds. Between two ranges only. */
#pragma once

#include "image.h"

/* A frame that pages share by fork or alias, or that is pinned. */
typedef struct {
    uint32_t number; /* of the frame; another one may have it when this one is free */
    uint32_t maps;
    uint32_t pins;
    bool is_exclusive; /* made for the page that maps it, and never shared since */
} PfImageGroup;

/* What `none` maps at SLOT; RET_FRAME (may be NULL) is set for PF_BASE_GROUP. */
PfBaseState pf_image_base(const PfImage *image, PfSlot slot, PfImageGroup *ret_frame);

/* A pin, and what it was taken on. */
typedef struct {
    PfSlot slot;        /* by which address */
    PfBaseState state;  /* PF_BASE_ZERO, _GROUP or _FILE */
    PfImageGroup frame; /* GROUP */
    PfSlot object;      /* FILE: the file's page */
} PfImagePin;

/* Pins, the oldest first. */
uint32_t pf_image_pin_count(const PfImage *image);
PfImagePin pf_image_pin(const PfImage *image, uint32_t index);

/* The page of a file, or of shared memory. */
typedef struct {
    const char *name; /* borrowed from the image */
    bool is_shmem;
    uint64_t page;
} PfImageFile;

/* Which page OBJECT is: a slot that pf_image_object tells for another one, or of a file's leaf. */
PfImageFile pf_image_file(const PfImage *image, PfSlot object);

/* The object that PAGE shows by REGION, which it lies in; false where that has never been used, or
 * the region is anonymous. */
bool pf_image_file_slot(const PfImage *image, const PfRegion *region, PfCpn page,
                        PfSlot *ret_object);

/* Leaves of pages of files: how many, and one of them. Those with PF_IMAGE_POPULATED have bytes,
 * whether or not any page shows them. */
uint32_t pf_image_file_leaf_count(const PfImage *image);
const PfLeaf *pf_image_file_leaf_nth(const PfImage *image, uint32_t index);

/* The content that the trace has numbered NUMBER, as it was given (an id with its changed byte, so
 * that it can be stepped); bytes are borrowed from the image. */
PfContentSpec pf_image_given_content(const PfImage *image, uint32_t number);
