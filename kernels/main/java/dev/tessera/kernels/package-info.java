/**
 * A Transformer's operations, forward and backward, as kernels that TornadoVM compiles for OpenCL
 * and CUDA devices.
 *
 * <p>A kernel is a static method over flat row-major arrays of floats, in TornadoVM's subset of
 * Java: no objects, no exceptions, sizes of private arrays known when it is compiled. Numbers among
 * its arguments become constants of the compiled kernel. Each one says how many work-items it
 * takes; a grid may have more of them, since no kernel reads or writes outside its arrays. Kernels
 * named {@code tiled} or {@code grouped} use local memory and barriers, for GPUs; all others use
 * neither and suit every device.
 */
@NullMarked
package dev.tessera.kernels;

import org.jspecify.annotations.NullMarked;
