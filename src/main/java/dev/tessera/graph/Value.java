package dev.tessera.graph;

import dev.tessera.tensor.Shape;

/**
 * One F32 array of a graph: an input, a parameter or what an {@link Op} computes.
 *
 * @param id position among the graph's values, counted from 0
 * @param shape static shape, batch included
 */
public record Value(int id, Shape shape) {}
