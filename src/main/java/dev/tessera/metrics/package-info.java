/**
 * What a classifier's answers are worth: accuracy, confusion, scores of each class, calibration.
 */
@NullMarked
package dev.tessera.metrics;

import org.jspecify.annotations.NullMarked;
