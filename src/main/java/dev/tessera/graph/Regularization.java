package dev.tessera.graph;

import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a Transformer's graph drop parts of itself at random, for training: dropout on what enters
 * the first block and on what every residual branch adds, and stochastic depth, which drops whole
 * branches for single images (Huang et al., arXiv:1603.09382).
 *
 * <p>Residual branches are found in the graph, so no model needs to know: they are the sums of two
 * values of one shape {@code [batch, tokens, hidden]}, two for each block. A sum's left side is the
 * branch.
 *
 * @param dropout probability of dropping an element
 * @param stochasticDepth probability of dropping a branch of the last block for an image; it rises
 *     linearly from 0 in the first block, as timm's {@code drop_path_rate} does
 */
public record Regularization(double dropout, double stochasticDepth) {
  /** The input {@code [2]} that a graph has for it. */
  public static final String SEED = "dropout_seed";

  public static final Regularization NONE = new Regularization(0, 0);

  public Regularization {
    if (!(dropout >= 0 && dropout < 1 && stochasticDepth >= 0 && stochasticDepth < 1)) {
      throw new IllegalArgumentException(
          "dropout %s and stochastic depth %s must be in [0, 1)"
              .formatted(dropout, stochasticDepth));
    }
  }

  /** The value of {@link #SEED} for a seed, of which the low 48 bits count. */
  public static Tensor seed(long seed) {
    return Tensor.of(Shape.of(2), (float) (seed >>> 24 & 0xffffff), (float) (seed & 0xffffff));
  }

  /** The graph for training; the same graph where nothing is dropped. */
  public Graph apply(Graph graph) {
    List<Op.Add> sums = new ArrayList<>();
    for (Op op : graph.operations()) {
      if (op instanceof Op.Add add && isResidual(add)) {
        sums.add(add);
      }
    }
    if (sums.isEmpty() || equals(NONE)) {
      return graph;
    }
    int blocks = Math.max(1, sums.size() / 2);
    GraphBuilder builder = new GraphBuilder(graph);
    Value seed = builder.input(SEED, Shape.of(2));
    List<Op> operations = builder.takeOperations();
    Map<Value, Value> dropped = new LinkedHashMap<>();
    Value stream = sums.getFirst().right();
    int branch = 0;
    for (Op op : operations) {
      if (op instanceof Op.Add add && isResidual(add)) {
        float depth = rate(branch / 2, blocks);
        int image = add.left().shape().extent(1) * add.left().shape().last();
        Value left = builder.dropout(add.left(), seed, (float) dropout, 2 * branch + 1, 1);
        left = builder.dropout(left, seed, depth, 2 * branch + 2, image);
        Value right = dropped.getOrDefault(add.right(), add.right());
        builder.append(new Op.Add(left, right, add.output()));
        branch++;
      } else {
        builder.append(reading(op, dropped));
      }
      if (op.output().equals(stream)) {
        dropped.put(stream, builder.dropout(stream, seed, (float) dropout, 0, 1));
      }
    }
    return builder.build();
  }

  /** Of stochastic depth in one block; an odd sum at the end belongs to the last one. */
  private float rate(int block, int blocks) {
    double fraction = blocks == 1 ? 0 : Math.min(1.0, (double) block / (blocks - 1));
    return (float) (stochasticDepth * fraction);
  }

  private static boolean isResidual(Op.Add add) {
    return add.left().shape().rank() == 3 && add.left().shape().equals(add.right().shape());
  }

  /** The operation, reading the dropped stream where it read the stream. */
  private static Op reading(Op op, Map<Value, Value> dropped) {
    return switch (op) {
      case Op.LayerNorm norm when dropped.containsKey(norm.input()) ->
          new Op.LayerNorm(
              dropped.get(norm.input()), norm.weight(), norm.bias(), norm.epsilon(), norm.output());
      case Op.Linear linear when dropped.containsKey(linear.input()) ->
          new Op.Linear(
              dropped.get(linear.input()),
              linear.weight(),
              linear.bias(),
              linear.epilogue(),
              linear.output());
      default -> op;
    };
  }
}
