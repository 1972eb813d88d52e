package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.graph.Graph;
import dev.tessera.model.ModelConfig.Size;
import dev.tessera.tensor.Shape;
import java.util.List;
import java.util.Map;

/** What an image model computes, described without its weights. */
sealed interface VisionModel extends Architecture permits Vit, Deit, Dinov2, TimmVit, ImageTower {
  /** From pixels to tokens; knows the size of the images that the model was made for. */
  Embeddings embeddings();

  /** The stack of blocks. */
  Encoder encoder();

  /** How many labels the classifier tells apart; 0 without a classifier. */
  int labels();

  /** What stands for a picture where nobody says otherwise. */
  default Pooling pooling() {
    return Pooling.CLS;
  }

  /**
   * From how many leading tokens the answer is read: mostly one, the class token; 0 where it is
   * read from the patches.
   */
  default int answerTokens() {
    return 1;
  }

  /**
   * The graph for images of one size.
   *
   * @param batch how many images at once
   * @param height in pixels, at least one patch; need not be the size the model was trained with
   * @param width in pixels
   * @return a graph with the input {@code pixel_values} {@code [batch, channels, height, width]}
   */
  Graph graph(int batch, int height, int width, Outputs outputs);

  @Override
  default List<String> inputNames() {
    return List.of("pixel_values");
  }

  @Override
  default Graph graph(Map<String, Shape> inputs, Outputs outputs) {
    Shape pixels = inputs.get("pixel_values");
    if (pixels == null) {
      throw new IllegalArgumentException("pixel_values is missing");
    }
    requireImages(pixels, embeddings().channels());
    return graph(pixels.extent(0), pixels.extent(2), pixels.extent(3), outputs);
  }

  @Override
  default Graph example(Outputs outputs) {
    Size image = embeddings().image();
    return graph(1, image.height(), image.width(), outputs);
  }

  /**
   * Sizes in the config are believed only once the weights confirm them, so that no graph is built
   * that is larger than the file.
   */
  @Override
  default void check(Weights weights) throws CheckpointException {
    Embeddings embeddings = embeddings();
    Encoder encoder = encoder();
    if (encoder.layers() > 0) {
      String last = encoder.block(embeddings.prefix(), encoder.layers() - 1);
      weights.get(last + encoder.names().attentionNorm() + ".weight");
    }
    String base = embeddings.prefix() + ".embeddings.";
    Size image = embeddings.image();
    Size patch = embeddings.patch();
    Size grid = embeddings.grid(image.height(), image.width());
    String projection = base + embeddings.names().projection() + ".weight";
    Model.require(
        weights,
        projection,
        weights.get(projection),
        Shape.of(embeddings.hidden(), embeddings.channels(), patch.height(), patch.width()));
    long positions = (long) grid.height() * grid.width();
    for (Embeddings.Token token : embeddings.tokens()) {
      positions += token.positioned() ? token.count() : 0;
    }
    String name = base + embeddings.names().positions();
    Shape stored = weights.get(name).shape();
    boolean flat = embeddings.names().flat();
    if (stored.rank() != (flat ? 2 : 3) || stored.extent(flat ? 0 : 1) != positions) {
      throw new CheckpointException(
          weights.file(),
          "holds "
              + name
              + " with shape "
              + stored
              + " but an image of "
              + image.height()
              + "×"
              + image.width()
              + " in patches of "
              + patch.height()
              + "×"
              + patch.width()
              + " has "
              + positions
              + " positions; check that config.json and the weights belong to the same model");
    }
  }

  static void requireImages(Shape pixels, int channels) {
    if (pixels.rank() != 4 || pixels.elements() == 0 || pixels.extent(1) != channels) {
      throw new IllegalArgumentException(
          "pixel_values is " + pixels + " but must be [batch, " + channels + ", height, width]");
    }
  }
}
