package dev.tessera.train;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.data.Batch;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model with what changes in it while it learns. */
final class Learner {
  private final Model model;
  private final TrainingStep step;
  private final boolean averaged;

  /**
   * @param graph of the model for a batch to learn from
   */
  Learner(Engine engine, Model model, Graph graph, TrainingPlan plan) {
    this.model = model;
    this.averaged = plan.ema() > 0;
    this.step =
        TrainingStep.compile(
            engine,
            plan.regularization().apply(graph),
            new Loss.SoftCrossEntropy(),
            model.parameters(),
            plan.rules().of(model.parameters()),
            new TrainingStep.Settings(plan.optimizer(), plan.clip(), plan.ema()),
            plan.accumulation());
  }

  TrainingStep step() {
    return step;
  }

  /** What is validated and saved: the moving averages, where there are any. */
  Variables weights() {
    return averaged ? step.variables().under(Updates.AVERAGE) : step.variables();
  }

  /** The model's directory with its present weights. */
  HfDirectory checkpoint() throws CheckpointException {
    Variables weights = weights();
    Map<String, Tensor> changed = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : model.parameters().entrySet()) {
      if (weights.names().contains(entry.getKey())) {
        changed.put(
            entry.getKey(),
            RunDirectory.tensor(weights.get(entry.getKey())).reshape(entry.getValue().shape()));
      }
    }
    return model.with(changed);
  }

  /** All that the training changes, by name: the arrays themselves. */
  Map<String, float[]> arrays() {
    Map<String, float[]> arrays = new LinkedHashMap<>();
    Variables variables = step.variables();
    variables.names().forEach(name -> arrays.put(name, variables.get(name)));
    return arrays;
  }

  /** A name of what is no number any more: the last update may have spoiled it unseen. */
  @Nullable String spoiled() {
    for (Map.Entry<String, float[]> entry : arrays().entrySet()) {
      for (float value : entry.getValue()) {
        if (!Float.isFinite(value)) {
          return entry.getKey();
        }
      }
    }
    return null;
  }

  /** How many images of a batch have their label as the likeliest. */
  static int right(Batch batch, Tensor logits) {
    int classes = logits.shape().last();
    float[] values = logits.toFloats();
    int[] labels = batch.labels();
    int right = 0;
    for (int row = 0; row < labels.length; row++) {
      int best = row * classes;
      for (int i = row * classes; i < (row + 1) * classes; i++) {
        best = values[i] > values[best] ? i : best;
      }
      right += best - row * classes == labels[row] ? 1 : 0;
    }
    return right;
  }

  /** Every batch drops other parts: a seed of its own (the mixing of SplitMix64). */
  static long seed(long seed, Batch batch) {
    long mixed = seed + 0x9e3779b97f4a7c15L * ((batch.epoch() << 32) + batch.index() + 1);
    mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return mixed ^ (mixed >>> 31);
  }
}
