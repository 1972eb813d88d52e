/** Labelled images: the layouts they come in, splits, and batches for training and evaluation. */
@NullMarked
package dev.tessera.data;

import org.jspecify.annotations.NullMarked;
