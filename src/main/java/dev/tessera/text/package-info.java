/** Tokenizers: from text to the ids that a model was trained on, and back. */
@NullMarked
package dev.tessera.text;

import org.jspecify.annotations.NullMarked;
