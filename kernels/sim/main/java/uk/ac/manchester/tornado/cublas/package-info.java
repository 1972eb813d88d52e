/** What TornadoVM's SDK for CUDA has for cuBLAS, as far as Tessera uses it. */
@NullMarked
package uk.ac.manchester.tornado.cublas;

import org.jspecify.annotations.NullMarked;
