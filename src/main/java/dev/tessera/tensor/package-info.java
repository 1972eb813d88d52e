/** Element types, shapes and off-heap tensors: what every other package passes around. */
@NullMarked
package dev.tessera.tensor;

import org.jspecify.annotations.NullMarked;
