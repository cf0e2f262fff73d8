/* The state of memory as a picture: pages on the left, the frames that they map on the right. */
#pragma once

#include "explain_text.h"
#include "table.h"

/* What is told of apart from one picture to the next. */
typedef struct {
    GHashTable *before; /* set of what the rows of the picture before said; owned */
    PfTable filed;      /* what the finder has filed -> its frame */
    PfTable hints;      /* frame -> entries of it that are filed */
    PfTable touched;    /* set of the frames that steps since the last picture were about */
} PfExplainDiagram;

/* Nothing was drawn yet. */
void pf_explain_diagram_init(PfExplainDiagram *diagram);
void pf_explain_diagram_clear(PfExplainDiagram *diagram);

/* What STEP changes of a picture. */
void pf_explain_diagram_step(PfExplainDiagram *diagram, const PfStep *step);

/* Draws what RUN maps now, if that is another picture than before. A star stands before what is
 * new. */
void pf_explain_diagram_draw(PfExplainDiagram *diagram, GString *out, const PfExplainStyle *style,
                             PfRun *run);
