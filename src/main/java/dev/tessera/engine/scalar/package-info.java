/** The oracle: every operation as plain loops that can be checked by reading. */
@NullMarked
package dev.tessera.engine.scalar;

import org.jspecify.annotations.NullMarked;
