/** Models as data: operations over numbered values, with static shapes. */
@NullMarked
package dev.tessera.graph;

import org.jspecify.annotations.NullMarked;
