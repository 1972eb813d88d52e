package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.SPECIES;
import static dev.tessera.engine.cpu.Lanes.WIDTH;

import dev.tessera.graph.Activation;
import jdk.incubator.vector.FloatVector;

/** Elementwise non-linearities over runs of floats, in place. */
final class Activations {
  private Activations() {}

  /** Applies {@code activation} to {@code count} floats from {@code offset} on. */
  static void apply(Activation activation, float[] x, int offset, int count) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    int i = 0;
    if (activation == Activation.GELU) {
      // Apart from the switch because it is the epilogue of nearly every model's largest GEMM.
      for (; i <= count - WIDTH; i += WIDTH) {
        VectorMath.gelu(FloatVector.fromArray(SPECIES, x, offset + i)).intoArray(x, offset + i);
      }
    } else {
      for (; i <= count - WIDTH; i += WIDTH) {
        VectorMath.activate(activation, FloatVector.fromArray(SPECIES, x, offset + i))
            .intoArray(x, offset + i);
      }
    }
    if (i < count) {
      float[] tail = new float[WIDTH];
      System.arraycopy(x, offset + i, tail, 0, count - i);
      VectorMath.activate(activation, FloatVector.fromArray(SPECIES, tail, 0)).intoArray(tail, 0);
      System.arraycopy(tail, 0, x, offset + i, count - i);
    }
  }
}
