package dev.tessera.model;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.checkpoint.Weights;
import dev.tessera.tensor.Shape;

/** What config and weights say together about attention heads and classification heads. */
final class Heads {
  private Heads() {}

  /**
   * How many labels the linear layer {@code classifier} tells apart: its rows, or 0 if the model is
   * none for classification.
   */
  static int labels(ModelConfig config, Weights weights, String classifier)
      throws CheckpointException {
    String architecture = config.architecture("");
    boolean classifies =
        architecture.isEmpty()
            ? weights.has(classifier + ".weight")
            : architecture.contains("ForImageClassification");
    return classifies ? rows(weights, classifier + ".weight") : 0;
  }

  /** The rows of a matrix in the checkpoint. */
  static int rows(Weights weights, String name) throws CheckpointException {
    Shape shape = weights.get(name).shape();
    if (shape.rank() != 2 || shape.elements() == 0) {
      throw new CheckpointException(
          weights.file(),
          "holds " + name + " with shape " + shape + " but a matrix is needed; save it again");
    }
    return shape.extent(0);
  }

  /** Features of one attention head: {@code head_dim}, or an equal share of the hidden size. */
  static int features(ModelConfig config, int hidden, int heads) throws CheckpointException {
    if (heads > hidden) {
      throw config.wrong("num_attention_heads", "at most hidden_size, " + hidden);
    }
    int features = config.extent("head_dim", hidden / heads);
    if ((long) heads * features > ModelConfig.MAX_EXTENT) {
      throw config.wrong("head_dim", "smaller for " + heads + " heads");
    }
    return features;
  }
}
