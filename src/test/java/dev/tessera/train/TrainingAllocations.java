package dev.tessera.train;

import com.sun.management.ThreadMXBean;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Engines;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * Prints how many bytes a training step allocates once everything is compiled, the median of
 * {@value #MEASURED} steps. In a JVM of its own, because it asks what the JVM's flags do.
 *
 * <p>Arguments: the folder of a model for gray images.
 */
final class TrainingAllocations {
  private static final int IMAGES = 32;
  private static final int WARM_UP = 120;
  private static final int MEASURED = 15;

  private TrainingAllocations() {}

  public static void main(String[] arguments) throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Model model = Models.load(Path.of(arguments[0]));
        Engine engine = Engines.open("cpu", 2)) {
      Map<String, ParameterRule> rules = new LinkedHashMap<>();
      model.parameters().keySet().forEach(name -> rules.put(name, new ParameterRule(true, 1, 0)));
      TrainingStep step =
          TrainingStep.compile(
              engine,
              model.graph(IMAGES, model.height(), model.width(), Outputs.RESULT),
              new Loss.CrossEntropy(0),
              model.parameters(),
              rules,
              new TrainingStep.Settings(Optimizer.AdamW.DEFAULT, 0, 0),
              1);
      float[] pixels = new float[IMAGES * model.height() * model.width()];
      Random random = new Random(1);
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (float) random.nextGaussian();
      }
      Map<String, Tensor> inputs =
          Map.of(
              "pixel_values",
              Tensor.of(Shape.of(IMAGES, 1, model.height(), model.width()), pixels),
              "targets",
              Tensor.of(Shape.of(IMAGES), new float[IMAGES]));
      long[] allocated = new long[MEASURED];
      for (int i = -WARM_UP; i < MEASURED; i++) {
        long before = threads.getTotalThreadAllocatedBytes();
        step.run(inputs, 1e-5, 0);
        if (i >= 0) {
          allocated[i] = threads.getTotalThreadAllocatedBytes() - before;
        }
      }
      Arrays.sort(allocated);
      System.out.println(allocated[MEASURED / 2]);
    }
  }
}
