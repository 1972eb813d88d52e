/** Vectors of pictures and texts: files of them, nearest neighbours, the index on disk. */
@NullMarked
package dev.tessera.search;

import org.jspecify.annotations.NullMarked;
