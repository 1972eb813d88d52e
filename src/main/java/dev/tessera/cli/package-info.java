/** The command line: one class per command. The only package that prints and exits. */
@NullMarked
package dev.tessera.cli;

import org.jspecify.annotations.NullMarked;
