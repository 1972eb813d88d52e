package dev.tessera.model;

/**
 * One answer of a classifier.
 *
 * @param index of the label among the model's
 * @param score probability, 0 to 1
 */
public record Prediction(int index, String label, float score) {}
