/** Plots as PNG and self-contained HTML pages: what a run looks like. Nothing here writes files. */
@NullMarked
package dev.tessera.report;

import org.jspecify.annotations.NullMarked;
