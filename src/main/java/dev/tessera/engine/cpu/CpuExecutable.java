package dev.tessera.engine.cpu;

import dev.tessera.engine.Executable;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Value;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The steps of one graph, in order. */
final class CpuExecutable implements Executable {
  private final CpuEngine engine;
  private final WorkerPool pool;
  private final Kernels kernels;
  private final long products;
  private final Graph graph;
  private final Function<Value, float[]> arrays;
  private final Step[] steps;

  CpuExecutable(CpuEngine engine, Graph graph, Function<Value, float[]> arrays, List<Step> steps) {
    this.engine = engine;
    this.pool = engine.pool();
    this.kernels = engine.kernels();
    this.products = CpuEngine.products(graph);
    this.graph = graph;
    this.arrays = arrays;
    this.steps = steps.toArray(Step[]::new);
  }

  @Override
  public Map<String, Tensor> run(Map<String, Tensor> inputs) {
    synchronized (pool) { // two executables of one engine share the workers
      for (Map.Entry<String, Value> entry : graph.inputs().entrySet()) {
        Value value = entry.getValue();
        Tensor tensor = Executable.input(inputs, entry.getKey(), value.shape());
        tensor.copyTo(0, arrays.apply(value), 0, (int) value.shape().elements());
      }
      engine.expectWork(products);
      engine.awaitKernels();
      if (!graph.variables().isEmpty()) { // a training; a single image needs the cores for the JIT
        pool.begin();
      }
      try {
        for (Step step : steps) {
          step.run(pool, kernels);
        }
      } finally {
        pool.end();
      }
      Map<String, Tensor> outputs = new LinkedHashMap<>();
      for (Map.Entry<String, Value> entry : graph.outputs().entrySet()) {
        outputs.put(entry.getKey(), output(entry.getValue()));
      }
      return outputs;
    }
  }

  private Tensor output(Value value) {
    float[] array = arrays.apply(value);
    Tensor tensor = Tensor.allocate(Arena.ofAuto(), DType.F32, value.shape());
    MemorySegment.copy(
        array, 0, tensor.data(), ValueLayout.JAVA_FLOAT, 0, (int) value.shape().elements());
    return tensor;
  }
}
