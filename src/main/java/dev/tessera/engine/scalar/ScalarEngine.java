package dev.tessera.engine.scalar;

import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Executes operations one by one, as written, on one thread: slow, and the measure of every other
 * engine.
 */
public final class ScalarEngine implements Engine {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public String description() {
    return "scalar: plain loops on one thread, for checking other engines";
  }

  @Override
  public Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables) {
    float[][] constants = new float[graph.valueCount()][];
    for (Map.Entry<String, Value> entry : graph.variables().entrySet()) {
      constants[entry.getValue().id()] = variables.get(entry.getKey(), entry.getValue().shape());
    }
    for (Map.Entry<String, Value> entry : graph.parameters().entrySet()) {
      constants[entry.getValue().id()] =
          Engine.parameter(graph, parameters, entry.getKey()).toFloats();
    }
    return inputs -> run(graph, constants, inputs);
  }

  @Override
  public void close() {}

  private static Map<String, Tensor> run(
      Graph graph, float[][] constants, Map<String, Tensor> inputs) {
    float[][] values = constants.clone();
    for (Map.Entry<String, Value> entry : graph.inputs().entrySet()) {
      Value value = entry.getValue();
      values[value.id()] = Executable.input(inputs, entry.getKey(), value.shape()).toFloats();
    }
    for (Op op : graph.operations()) {
      ScalarKernels.execute(op, values);
    }
    Map<String, Tensor> outputs = new LinkedHashMap<>();
    for (Map.Entry<String, Value> entry : graph.outputs().entrySet()) {
      Value value = entry.getValue();
      outputs.put(entry.getKey(), Tensor.of(value.shape(), values[value.id()]));
    }
    return outputs;
  }
}
