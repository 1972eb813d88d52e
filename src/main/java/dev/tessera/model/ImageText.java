package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.graph.GraphBuilder;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An image tower and a text tower that share a space, as {@code CLIPModel} and {@code SiglipModel}
 * have them: how well a text fits an image is the cosine of their places there, scaled and shifted.
 *
 * @param scale factor of the cosine
 * @param bias added to the scaled cosine
 * @param independent whether a text fits or does not whatever the others do (SigLIP's sigmoid), and
 *     not as one choice among them (CLIP's softmax)
 */
record ImageText(
    String architecture,
    ImageTower vision,
    TextTower text,
    double scale,
    double bias,
    boolean independent)
    implements Architecture {
  private static final String PIXELS = "pixel_values";

  /** Parameters that no graph has. */
  static final Set<String> NUMBERS = Set.of("logit_scale", "logit_bias");

  static ImageText of(
      String architecture, ImageTower vision, TextTower text, Weights weights, boolean independent)
      throws CheckpointException {
    return new ImageText(
        architecture,
        vision,
        text,
        Math.exp(number(weights, "logit_scale")),
        weights.has("logit_bias") ? number(weights, "logit_bias") : 0,
        independent);
  }

  private static float number(Weights weights, String name) throws CheckpointException {
    Tensor tensor = weights.get(name);
    if (tensor.shape().elements() != 1 || !tensor.dtype().isFloating()) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " as "
              + tensor.dtype()
              + " "
              + tensor.shape()
              + " but one number is needed; save the model again");
    }
    return tensor.toFloats()[0];
  }

  @Override
  public List<String> inputNames() {
    return List.of(PIXELS, TextModel.IDS, TextModel.MASK, TextModel.POSITIONS);
  }

  @Override
  public Graph graph(Map<String, Shape> inputs, Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    Shape pixels = inputs.get(PIXELS);
    if (pixels != null) {
      VisionModel.requireImages(pixels, vision.embeddings().channels());
      vision.append(
          graph, pixels.extent(0), pixels.extent(2), pixels.extent(3), outputs, "vision_");
    }
    if (inputs.containsKey(TextModel.IDS)) {
      text.append(graph, inputs, outputs, "text_");
    } else if (pixels == null) {
      throw new IllegalArgumentException("neither pixel_values nor input_ids is there");
    }
    return graph.build();
  }

  @Override
  public Graph example(Outputs outputs) {
    GraphBuilder graph = new GraphBuilder();
    ModelConfig.Size image = vision.embeddings().image();
    vision.append(graph, 1, image.height(), image.width(), outputs, "vision_");
    Shape ids = Shape.of(1, Math.min(2, text.embeddings().positions()));
    text.append(graph, Map.of(TextModel.IDS, ids), outputs, "text_");
    return graph.build();
  }

  @Override
  public void check(Weights weights) throws CheckpointException {
    vision.check(weights);
    text.check(weights);
  }

  /** How well texts fit images: {@code [images, texts]} for rows of length 1. */
  float[][] logits(float[][] images, float[][] texts) {
    float[][] logits = new float[images.length][texts.length];
    for (int i = 0; i < images.length; i++) {
      for (int t = 0; t < texts.length; t++) {
        double cosine = 0;
        for (int d = 0; d < images[i].length; d++) {
          cosine += (double) images[i][d] * texts[t][d];
        }
        logits[i][t] = (float) (scale * cosine + bias);
      }
    }
    return logits;
  }

  /** The stages of a run and what is computed of both towers' results. */
  Map<String, Tensor> completed(Map<String, Tensor> stages) {
    Tensor images = stages.get("image_embeds");
    Tensor texts = stages.get("text_embeds");
    Map<String, Tensor> completed = new LinkedHashMap<>(stages);
    // open_clip's names of them.
    if (images != null) {
      completed.put("image_features_norm", images);
    }
    if (texts != null) {
      completed.put("text_features_norm", texts);
    }
    if (images == null || texts == null) {
      return completed;
    }
    float[][] logits = logits(rows(images), rows(texts));
    int count = texts.shape().extent(0);
    float[] perImage = new float[logits.length * count];
    float[] perText = new float[perImage.length];
    for (int i = 0; i < perImage.length; i++) {
      perImage[i] = logits[i / count][i % count];
      perText[i % count * logits.length + i / count] = perImage[i];
    }
    completed.put("logits_per_image", Tensor.of(Shape.of(logits.length, count), perImage));
    completed.put("logits_per_text", Tensor.of(Shape.of(count, logits.length), perText));
    return completed;
  }

  private static float[][] rows(Tensor matrix) {
    int width = matrix.shape().last();
    float[][] rows = new float[matrix.shape().extent(0)][width];
    for (int i = 0; i < rows.length; i++) {
      matrix.copyTo((long) i * width, rows[i], 0, width);
    }
    return rows;
  }
}
