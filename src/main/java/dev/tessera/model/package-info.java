/** The models: what each architecture computes, as graphs over a checkpoint's parameters. */
@NullMarked
package dev.tessera.model;

import org.jspecify.annotations.NullMarked;
