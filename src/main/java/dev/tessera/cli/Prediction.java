package dev.tessera.cli;

/**
 * One answer of a classifier.
 *
 * @param index of the label among the model's
 * @param score probability, 0 to 1
 */
record Prediction(int index, String label, float score) {}
