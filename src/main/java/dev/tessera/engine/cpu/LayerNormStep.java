package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Layer normalisation, a block of rows a task; the variance is taken around the mean. */
final class LayerNormStep implements Step {
  private static final int ROWS_OF_TASK = 16;

  private final float[] input;
  private final float[] weight;
  private final float[] bias;
  private final float epsilon;
  private final int rows;
  private final float[] output;

  LayerNormStep(
      float[] input, float[] weight, float[] bias, float epsilon, int rows, float[] output) {
    this.input = input;
    this.weight = weight;
    this.bias = bias;
    this.epsilon = epsilon;
    this.rows = rows;
    this.output = output;
  }

  @Override
  public void run(WorkerPool pool) {
    pool.run(
        Math.ceilDiv(rows, ROWS_OF_TASK),
        (worker, task) -> {
          int end = Math.min(rows, (task + 1) * ROWS_OF_TASK);
          for (int row = task * ROWS_OF_TASK; row < end; row++) {
            normalise(row * weight.length);
          }
        });
  }

  private void normalise(int at) {
    int width = weight.length;
    int whole = SPECIES.loopBound(width);
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = 0; i < whole; i += WIDTH) {
      sum = sum.add(FloatVector.fromArray(SPECIES, input, at + i));
    }
    float total = sum.reduceLanes(VectorOperators.ADD);
    for (int i = whole; i < width; i++) {
      total += input[at + i];
    }
    float mean = total / width;
    FloatVector squares = FloatVector.zero(SPECIES);
    for (int i = 0; i < whole; i += WIDTH) {
      FloatVector d = FloatVector.fromArray(SPECIES, input, at + i).sub(mean);
      squares = d.fma(d, squares);
    }
    float variance = squares.reduceLanes(VectorOperators.ADD);
    for (int i = whole; i < width; i++) {
      variance += (input[at + i] - mean) * (input[at + i] - mean);
    }
    float inverse = (float) (1 / Math.sqrt(variance / width + epsilon));
    for (int i = 0; i < whole; i += WIDTH) {
      FloatVector.fromArray(SPECIES, input, at + i)
          .sub(mean)
          .mul(inverse)
          .fma(FloatVector.fromArray(SPECIES, weight, i), FloatVector.fromArray(SPECIES, bias, i))
          .intoArray(output, at + i);
    }
    for (int i = whole; i < width; i++) {
      output[at + i] = (input[at + i] - mean) * inverse * weight[i] + bias[i];
    }
  }
}
