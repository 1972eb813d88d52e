package dev.tessera.engine.tornado;

import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import dev.tessera.train.Loss;
import dev.tessera.train.Optimizer;
import dev.tessera.train.ParameterRule;
import dev.tessera.train.TrainingStep;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * One batch that a model computes again and again, from images in the host's memory to a result
 * there. The images are the same for every program that makes them by {@link #pixel}.
 *
 * @param run a whole run; gives the first image's first logit, or the loss before the update
 */
record DeviceWorkload(TornadoExecutable executable, DoubleSupplier run) {
  /** Logits of a batch, or forward, backward and AdamW. */
  enum Kind {
    INFERENCE,
    TRAINING
  }

  static DeviceWorkload compile(TornadoEngine engine, Model model, Kind kind, int batch) {
    Shape shape = Shape.of(batch, model.channels(), model.height(), model.width());
    float[] pixels = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = pixel(i);
    }
    Graph graph = model.graph(batch, model.height(), model.width(), Outputs.RESULT);
    Tensor images = Tensor.of(shape, pixels);
    DoubleSupplier run =
        switch (kind) {
          case INFERENCE -> inference(engine, model, graph, images);
          case TRAINING -> training(engine, model, graph, images);
        };
    return new DeviceWorkload(engine.executables().getLast(), run);
  }

  /** The i-th number of all images, between -1 and 1. */
  static float pixel(long i) {
    return (float) ((i * 2654435761L & 0xffffffffL) / (double) (1L << 31) - 1);
  }

  private static DoubleSupplier inference(Engine engine, Model model, Graph graph, Tensor images) {
    Executable executable = engine.compile(graph, model.parameters());
    Map<String, Tensor> inputs = Map.of("pixel_values", images);
    return () -> executable.run(inputs).get("logits").toFloats()[0];
  }

  /** The i-th image is of class i, modulo the number of classes. */
  private static DoubleSupplier training(Engine engine, Model model, Graph graph, Tensor images) {
    Map<String, ParameterRule> rules = new LinkedHashMap<>();
    model
        .parameters()
        .forEach((name, tensor) ->
            rules.put(name, new ParameterRule(true, 1, tensor.shape().rank() > 1 ? 0.05 : 0)));
    TrainingStep step =
        TrainingStep.compile(
            engine,
            graph,
            new Loss.CrossEntropy(0),
            model.parameters(),
            rules,
            new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 0, 0),
            1);
    float[] targets = new float[images.shape().extent(0)];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = i % model.labels().size();
    }
    Map<String, Tensor> inputs =
        Map.of(
            "pixel_values",
            images,
            TrainingStep.TARGETS,
            Tensor.of(Shape.of(targets.length), targets));
    return () -> step.run(inputs, 1e-4, 0).loss();
  }
}
