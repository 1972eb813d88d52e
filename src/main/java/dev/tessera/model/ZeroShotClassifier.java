package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.engine.Engine;
import dev.tessera.image.Preprocessor;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Tells images apart by labels that nobody trained for: a label's place in the space that images
 * and texts share is that of sentences made with it, and an image gets the labels that are near
 * (Radford et al., arXiv:2103.00020, section 3.1.4).
 *
 * <p>Several threads may use one classifier; it computes for one at a time.
 */
public final class ZeroShotClassifier implements AutoCloseable {
  /** Where a label stands in a template. */
  public static final String PLACE = "{}";

  /** CLIP's own. */
  public static final String TEMPLATE = "a photo of a {}.";

  private final ImageEmbedder images;
  private final ImageText model;
  private final List<String> labels;
  private final float[][] places;

  private ZeroShotClassifier(
      ImageEmbedder images, ImageText model, List<String> labels, float[][] places) {
    this.images = images;
    this.model = model;
    this.labels = labels;
    this.places = places;
  }

  /**
   * Loads the model in {@code directory} and finds the labels' places.
   *
   * @param engine closed with the classifier, but not if this fails
   * @param templates sentences with {@link #PLACE} in them; of several the mean counts
   * @throws CheckpointException if the model does not read both images and texts
   * @throws IllegalArgumentException if there is no label or no template, or one without a place
   */
  public static ZeroShotClassifier open(
      Path directory, Engine engine, List<String> labels, List<String> templates)
      throws IOException {
    if (labels.isEmpty() || templates.isEmpty()) {
      throw new IllegalArgumentException("there must be a label and a template");
    }
    for (String template : templates) {
      if (!template.contains(PLACE)) {
        throw new IllegalArgumentException(
            "the template \"" + template + "\" has no " + PLACE + " where the label stands");
      }
    }
    Model model = Models.load(directory);
    try {
      if (!(model.description() instanceof ImageText both)) {
        throw new CheckpointException(
            directory,
            "holds "
                + model.architecture()
                + ", which does not read both images and texts; give a CLIP or SigLIP model");
      }
      ImageEmbedder images = ImageEmbedder.over(model, engine, Pooling.PROJECTION);
      return new ZeroShotClassifier(
          images, both, List.copyOf(labels), places(model, engine, labels, templates));
    } catch (IOException | RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  private static float[][] places(
      Model model, Engine engine, List<String> labels, List<String> templates) throws IOException {
    List<String> sentences = new ArrayList<>(labels.size() * templates.size());
    for (String label : labels) {
      for (String template : templates) {
        sentences.add(template.replace(PLACE, label));
      }
    }
    float[][] vectors;
    try (TextEmbedder texts = new TextEmbedder(model, engine)) {
      vectors = texts.embed(sentences);
    }
    float[][] places = new float[labels.size()][];
    for (int label = 0; label < places.length; label++) {
      places[label] = vectors[label * templates.size()];
      for (int i = 1; i < templates.size(); i++) {
        float[] vector = vectors[label * templates.size() + i];
        for (int d = 0; d < vector.length; d++) {
          places[label][d] += vector[d];
        }
      }
      ImageEmbedder.normalize(places[label]);
    }
    return places;
  }

  public Preprocessor preprocessor() {
    return images.preprocessor();
  }

  /** What the logits mean, in order. */
  public List<String> labels() {
    return labels;
  }

  /**
   * Whether each label holds or not whatever the others do, as SigLIP was trained, rather than one
   * of them: scores are then sigmoids rather than a softmax.
   */
  public boolean isMultiLabel() {
    return model.independent();
  }

  /** Makes ready for {@code count} images at once. */
  public void prepare(int count) {
    images.prepare(count);
  }

  /**
   * How well each label fits the first {@code count} images.
   *
   * @param pixels {@code [batch, channels, height, width]}, {@code count} at most batch
   * @return {@code [count][labels]}
   */
  public float[][] logits(Tensor pixels, int count) {
    return model.logits(images.embeddings(pixels, count), places);
  }

  @Override
  public void close() {
    images.close();
  }
}
