/** Tessera: Vision Transformers for folders of images. */
@NullMarked
package dev.tessera;

import org.jspecify.annotations.NullMarked;
