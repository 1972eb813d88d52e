/** Training: optimisers, schedules and the steps that a model takes with them. */
@NullMarked
package dev.tessera.train;

import org.jspecify.annotations.NullMarked;
