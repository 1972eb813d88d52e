package dev.tessera.train;

import dev.tessera.graph.GraphBuilder;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Shape;
import java.util.Arrays;

/** What a training makes small, from {@code logits} {@code [..., classes]} and targets. */
public sealed interface Loss {
  /** The shape of the targets for logits of shape {@code logits}. */
  Shape targets(Shape logits);

  /** Appends the loss, one number. */
  Value append(GraphBuilder graph, Value logits, Value targets);

  /**
   * Cross-entropy with one class number for each row, negative where a row does not count.
   *
   * @param labelSmoothing see {@link dev.tessera.graph.Op.CrossEntropy}
   */
  record CrossEntropy(double labelSmoothing) implements Loss {
    @Override
    public Shape targets(Shape logits) {
      return Shape.of(Arrays.copyOf(logits.toArray(), logits.rank() - 1));
    }

    @Override
    public Value append(GraphBuilder graph, Value logits, Value targets) {
      return graph.crossEntropy(logits, targets, (float) labelSmoothing);
    }
  }

  /**
   * Cross-entropy with a weight for every class of every row: mixed, smoothed or weighted labels.
   */
  record SoftCrossEntropy() implements Loss {
    @Override
    public Shape targets(Shape logits) {
      return logits;
    }

    @Override
    public Value append(GraphBuilder graph, Value logits, Value targets) {
      return graph.crossEntropy(logits, targets, 0f);
    }
  }
}
