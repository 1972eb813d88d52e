package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.engine.Engine;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Value;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a Vision Transformer looks before it answers, patch by patch. The answer is read from one
 * leading token, from two in a distilled DeiT, or from the mean of the patches; all maps are the
 * mean over what it is read from. Leading tokens themselves (class token, registers) are left out,
 * so that a map need not sum to 1.
 *
 * @param rows of patches
 * @param columns of patches
 * @param coveredHeight share of the image's height that the patches cover: 1 where they divide it
 * @param coveredWidth share of its width; what is beyond is not seen
 * @param layer the block that {@code heads} is of, from 0
 * @param heads {@code [heads][rows * columns]}: attention probabilities of that block
 * @param rollout {@code [rows * columns]}: attention through all blocks (Abnar and Zuidema,
 *     arXiv:2005.00928): the product over blocks of {@code (A + I) / 2}, with A the mean of the
 *     heads and I for the residual connection
 * @param logits what the model answers; null of a model without a classifier
 */
public record AttentionMaps(
    int rows,
    int columns,
    double coveredHeight,
    double coveredWidth,
    int layer,
    float[][] heads,
    float[] rollout,
    float @Nullable [] logits) {

  /**
   * The maps of one image.
   *
   * @param pixels {@code [1, channels, height, width]}, as the model's preprocessing gives them
   * @param layer of {@link #heads}, from 0; -1 for the last
   * @throws CheckpointException if the model has no attention over patches
   * @throws IllegalArgumentException if it has no such block, or the image does not fit the model
   */
  public static AttentionMaps of(Model model, Engine engine, Tensor pixels, int layer)
      throws CheckpointException {
    VisionModel vision = model.vision();
    Shape shape = pixels.shape();
    if (shape.rank() != 4 || shape.extent(0) != 1) {
      throw new IllegalArgumentException("attention is that of one image, not of " + shape);
    }
    Graph graph = model.graph(1, shape.extent(2), shape.extent(3), Outputs.STAGES);
    Size grid = vision.embeddings().grid(shape.extent(2), shape.extent(3));
    Size patch = vision.embeddings().patch();
    int leading = vision.embeddings().tokenCount();
    int layers = model.layers();
    check(model, graph, leading + grid.height() * grid.width());
    if (layer < -1 || layer >= layers) {
      throw new IllegalArgumentException(
          "there is no layer %d; the model has %d, from 0".formatted(layer, layers));
    }
    Map<String, Tensor> outputs =
        engine.compile(graph, model.parameters()).run(Map.of("pixel_values", pixels));
    int shown = layer == -1 ? layers - 1 : layer;
    double[] from =
        readFrom(vision.answerTokens(), leading, leading + grid.height() * grid.width());
    Tensor logits = outputs.get("logits");
    return new AttentionMaps(
        grid.height(),
        grid.width(),
        (double) grid.height() * patch.height() / shape.extent(2),
        (double) grid.width() * patch.width() / shape.extent(3),
        shown,
        heads(output(outputs, shown), from, leading),
        rollout(outputs, layers, from, leading),
        logits == null ? null : logits.toFloats());
  }

  private static void check(Model model, Graph graph, int tokens) throws CheckpointException {
    for (int n = 0; n < Math.max(1, model.layers()); n++) {
      Value attention = graph.outputs().get(name(n));
      if (attention == null
          || attention.shape().extent(2) != tokens
          || attention.shape().extent(3) != tokens) {
        throw new CheckpointException(
            model.files().path(),
            "is a "
                + model.architecture()
                + " without attention between all patches, so there is nothing to show;"
                + " give a Vision Transformer such as ViT, DeiT or DINOv2");
      }
    }
  }

  private static String name(int layer) {
    return "attn_layer_" + layer;
  }

  private static Tensor output(Map<String, Tensor> outputs, int layer) {
    Tensor attention = outputs.get(name(layer));
    if (attention == null) {
      throw new IllegalStateException("no " + name(layer) + " among " + outputs.keySet());
    }
    return attention;
  }

  /** How much each token counts for the answer: a row of weights that sum to 1. */
  private static double[] readFrom(int answerTokens, int leading, int tokens) {
    double[] weights = new double[tokens];
    int first = answerTokens == 0 ? leading : 0;
    int end = answerTokens == 0 ? tokens : answerTokens;
    for (int i = first; i < end; i++) {
      weights[i] = 1.0 / (end - first);
    }
    return weights;
  }

  private static float[][] heads(Tensor attention, double[] from, int leading) {
    float[] values = attention.toFloats();
    int tokens = from.length;
    float[][] maps = new float[attention.shape().extent(1)][tokens - leading];
    for (int head = 0; head < maps.length; head++) {
      double[] row = new double[tokens];
      for (int i = 0; i < tokens; i++) {
        int at = (head * tokens + i) * tokens;
        for (int j = 0; from[i] != 0 && j < tokens; j++) {
          row[j] += from[i] * values[at + j];
        }
      }
      maps[head] = patches(row, leading);
    }
    return maps;
  }

  /**
   * One row of the product suffices, so it is taken through the blocks from the last to the first.
   */
  private static float[] rollout(
      Map<String, Tensor> outputs, int layers, double[] from, int leading) {
    double[] row = from;
    for (int layer = layers - 1; layer >= 0; layer--) {
      Tensor attention = output(outputs, layer);
      row = step(row, attention.toFloats(), attention.shape().extent(1));
    }
    return patches(row, leading);
  }

  private static double[] step(double[] row, float[] attention, int heads) {
    int tokens = row.length;
    double[] next = new double[tokens];
    double[] mean = new double[tokens];
    for (int i = 0; i < tokens; i++) {
      if (row[i] == 0) {
        continue;
      }
      double sum = 0;
      for (int j = 0; j < tokens; j++) {
        double all = 0;
        for (int head = 0; head < heads; head++) {
          all += attention[(head * tokens + i) * tokens + j];
        }
        mean[j] = all / heads + (i == j ? 1 : 0);
        sum += mean[j];
      }
      for (int j = 0; j < tokens; j++) {
        next[j] += row[i] * mean[j] / sum;
      }
    }
    return next;
  }

  private static float[] patches(double[] row, int leading) {
    float[] map = new float[row.length - leading];
    for (int i = 0; i < map.length; i++) {
      map[i] = (float) row[leading + i];
    }
    return map;
  }

  /** {@code [rows * columns]}: the mean of {@link #heads}. */
  public float[] meanOfHeads() {
    float[] mean = new float[rows * columns];
    for (float[] head : heads) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += head[i] / heads.length;
      }
    }
    return mean;
  }
}
