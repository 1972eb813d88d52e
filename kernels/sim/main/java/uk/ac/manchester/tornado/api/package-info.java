/**
 * The part of TornadoVM's API that Tessera uses, executed on plain Java threads.
 *
 * <p>Written from TornadoVM's public documentation with its names and signatures, so that every
 * machine compiles the kernels and runs every task graph in the tests. It is stricter than the
 * original where that finds mistakes: memory that nobody wrote holds NaN, work-items of a group run
 * in an order that shows missing barriers, and every index is checked.
 */
@NullMarked
package uk.ac.manchester.tornado.api;

import org.jspecify.annotations.NullMarked;
