/**
 * The default engine: the Vector API on all cores.
 *
 * <p>Weights are packed once into panels outside the heap, one register tile wide; activations are
 * plain {@code float[]}s, so that everything but the GEMM's inner loop is bounds-checked Java that
 * the JIT compiles early. One small register-blocked kernel, in a few forms, does every matrix
 * product, attention's included.
 */
@NullMarked
package dev.tessera.engine.cpu;

import org.jspecify.annotations.NullMarked;
