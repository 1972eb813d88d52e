/**
 * Executes graphs on GPUs and other devices, by TornadoVM. {@link
 * dev.tessera.engine.tornado.TornadoDevices} may always be used; all other classes need TornadoVM's
 * classes, which only its users have.
 */
@NullMarked
package dev.tessera.engine.tornado;

import org.jspecify.annotations.NullMarked;
