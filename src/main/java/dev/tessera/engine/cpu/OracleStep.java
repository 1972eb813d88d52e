package dev.tessera.engine.cpu;

import dev.tessera.engine.scalar.ScalarKernels;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import java.util.Arrays;
import java.util.List;

/**
 * An operation that is too rare or too small for a kernel of its own, computed as the scalar engine
 * does: losses of other kinds than the usual one, the gradient of a resampled grid.
 */
final class OracleStep implements Step {
  private final Op op;
  private final List<float[]> inputs;
  private final List<float[]> outputs;
  private final float[][] values;

  /**
   * @param inputs arrays of the operation's inputs, in its order; may be longer than the values
   * @param outputs those of its outputs
   */
  OracleStep(Op op, List<float[]> inputs, List<float[]> outputs, int valueCount) {
    this.op = op;
    this.inputs = inputs;
    this.outputs = outputs;
    this.values = new float[valueCount][];
  }

  @Override
  public void run(WorkerPool pool, Kernels kernels) {
    for (int i = 0; i < inputs.size(); i++) {
      Value value = op.inputs().get(i);
      int count = (int) value.shape().elements();
      float[] array = inputs.get(i);
      values[value.id()] = array.length == count ? array : Arrays.copyOf(array, count);
    }
    ScalarKernels.execute(op, values);
    for (int i = 0; i < outputs.size(); i++) {
      float[] result = values[op.outputs().get(i).id()];
      System.arraycopy(result, 0, outputs.get(i), 0, result.length);
    }
  }
}
