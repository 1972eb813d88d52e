package dev.tessera.engine;

import dev.tessera.engine.scalar.ScalarKernels;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.UpdateOp;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Tensor;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Values of a graph that do not depend on its inputs: the parameters, and what operations compute
 * of them alone, such as resized position embeddings. Those operations run once, when the graph is
 * compiled, on the scalar engine's kernels.
 */
public final class Constants {
  private final @Nullable Tensor[] tensors;
  private final float[] @Nullable [] floats;

  public Constants(Graph graph, Map<String, Tensor> parameters) {
    tensors = new Tensor[graph.valueCount()];
    floats = new float[graph.valueCount()][];
    for (Map.Entry<String, Value> entry : graph.parameters().entrySet()) {
      Value value = entry.getValue();
      tensors[value.id()] =
          Engine.parameter(graph, parameters, entry.getKey()).reshape(value.shape());
    }
    for (Op op : graph.operations()) {
      if (!(op instanceof UpdateOp) && op.inputs().stream().allMatch(this::contains)) {
        fold(op);
      }
    }
  }

  private void fold(Op op) {
    Value output = op.output();
    if (op instanceof Op.Reshape(Value input, Value _)) {
      // A view, so that a convolution's kernel is packed straight from the checkpoint.
      tensors[output.id()] = tensor(input).reshape(output.shape());
      return;
    }
    float[][] values = new float[floats.length][];
    for (Value input : op.inputs()) {
      values[input.id()] = floats(input);
    }
    ScalarKernels.execute(op, values);
    for (Value computed : op.outputs()) {
      float[] result = values[computed.id()];
      floats[computed.id()] = result;
      tensors[computed.id()] = Tensor.of(computed.shape(), result);
    }
  }

  public boolean contains(Value value) {
    return tensors[value.id()] != null;
  }

  public Tensor tensor(Value value) {
    return Objects.requireNonNull(tensors[value.id()]);
  }

  public float[] floats(Value value) {
    float[] known = floats[value.id()];
    if (known == null) {
      known = tensor(value).toFloats();
      floats[value.id()] = known;
    }
    return known;
  }
}
