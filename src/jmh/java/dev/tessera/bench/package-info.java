/** Benchmarks, each beside a peer in the same run; never packaged. */
@NullMarked
package dev.tessera.bench;

import org.jspecify.annotations.NullMarked;
