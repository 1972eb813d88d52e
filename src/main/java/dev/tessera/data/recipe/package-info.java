/** Named data sets: recipes that say where to get them, and their preparation as class folders. */
@NullMarked
package dev.tessera.data.recipe;

import org.jspecify.annotations.NullMarked;
