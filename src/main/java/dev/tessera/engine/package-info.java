/** Engines execute graphs; {@link dev.tessera.engine.Engines} chooses one. */
@NullMarked
package dev.tessera.engine;

import org.jspecify.annotations.NullMarked;
