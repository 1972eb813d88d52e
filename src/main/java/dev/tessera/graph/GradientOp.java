package dev.tessera.graph;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Backward} appends: each operation here computes how a loss changes with the inputs of
 * the {@link Op} of its name. {@code gradient} is the derivative of the loss by that operation's
 * output, and has its shape.
 */
public sealed interface GradientOp extends Op {
  /**
   * By the input of a linear layer: {@code dX = dY·W}, plus {@code residual}.
   *
   * @param gradient {@code [..., out]}
   * @param weight {@code [out, in]}
   * @param residual {@code [..., in]} or null: a gradient of the same value, added on the way
   * @param output {@code [..., in]}
   */
  record LinearInput(Value gradient, Value weight, @Nullable Value residual, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return present(residual, gradient, weight);
    }
  }

  /**
   * By the weight of a linear layer: {@code dW = dYᵀ·X}.
   *
   * @param gradient {@code [..., out]}
   * @param input {@code [..., in]}
   * @param output {@code [out, in]}
   */
  record LinearWeight(Value gradient, Value input, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(gradient, input);
    }
  }

  /**
   * Sums over leading axes: the gradient of a value that was repeated along them. Element i of the
   * output is the sum of the elements i, i + n, i + 2n, … with n the output's length.
   */
  record SumLeading(Value input, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** {@code gradient · activation′(input)}. */
  record Activate(Activation activation, Value input, Value gradient, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input, gradient);
    }
  }

  /** By both halves of the input of {@link Op.Gated}: {@code [..., n]} to {@code [..., 2n]}. */
  record Gated(Activation activation, Value input, Value gradient, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input, gradient);
    }
  }

  /**
   * By input, weight and bias of {@link Op.LayerNorm}.
   *
   * @param residual of the input's shape or null: a gradient of the same value, added on the way
   * @param output by the input
   */
  record LayerNorm(
      Value input,
      Value weight,
      Value gradient,
      @Nullable Value residual,
      float epsilon,
      Value output,
      Value weightGradient,
      Value biasGradient)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return present(residual, input, weight, gradient);
    }

    @Override
    public List<Value> outputs() {
      return List.of(output, weightGradient, biasGradient);
    }
  }

  /** By input and weight of {@link Op.RmsNorm}. */
  record RmsNorm(
      Value input, Value weight, Value gradient, float epsilon, Value output, Value weightGradient)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input, weight, gradient);
    }

    @Override
    public List<Value> outputs() {
      return List.of(output, weightGradient);
    }
  }

  /** By the input of {@link Op.L2Normalize}. */
  record L2Normalize(Value input, Value gradient, float epsilon, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input, gradient);
    }
  }

  /** By the input of {@link Op.Softmax}, from its result: {@code p·(g − Σ p·g)}. */
  record Softmax(Value probabilities, Value gradient, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(probabilities, gradient);
    }
  }

  /** By the input of {@link Op.LogSoftmax}, from its result: {@code g − exp(log p)·Σ g}. */
  record LogSoftmax(Value logProbabilities, Value gradient, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(logProbabilities, gradient);
    }
  }

  /**
   * By query, key and value of {@link Op.Attention}; probabilities are computed again rather than
   * kept (Dao et al., arXiv:2205.14135, appendix B.4).
   *
   * @param output by the query
   */
  record Attention(
      Value query,
      Value key,
      Value value,
      @Nullable Value keyMask,
      int heads,
      float scale,
      boolean causal,
      Value gradient,
      Value output,
      Value keyGradient,
      Value valueGradient)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return present(keyMask, query, key, value, gradient);
    }

    @Override
    public List<Value> outputs() {
      return List.of(output, keyGradient, valueGradient);
    }
  }

  /** By the logits of {@link Op.CrossEntropy}; {@code gradient} is one number. */
  record CrossEntropy(Op.CrossEntropy loss, Value gradient, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(loss.logits(), loss.targets(), gradient);
    }
  }

  /** By the input of {@link Op.MeanSquaredError}; {@code gradient} is one number. */
  record MeanSquaredError(Value input, Value target, Value gradient, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(input, target, gradient);
    }
  }

  /** By the input of a {@link Op.Slice}: the gradient at its place, zeros around it. */
  record Pad(Value gradient, int axis, int from, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(gradient);
    }
  }

  /**
   * By the input of {@link Op.MeanTokens}: {@code [batch, hidden]} to {@code [batch, tokens,
   * hidden]}, every token getting an equal part.
   */
  record SpreadTokens(Value gradient, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(gradient);
    }
  }

  /** By the images of {@link Op.Patches}; pixels outside of whole patches get 0. */
  record Patches(Value gradient, int patchHeight, int patchWidth, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(gradient);
    }
  }

  /** By the grid of {@link Op.ResizePositions}: the same weights, transposed. */
  record ResizePositions(Op.ResizePositions resize, Value gradient, Value output)
      implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(gradient);
    }
  }

  /**
   * By the table of {@link Op.Embedding}: the sum of the gradients of all places that looked a row
   * up.
   *
   * @param gradient {@code [..., width]}
   * @param output {@code [rows, width]}
   */
  record Embedding(Value ids, Value gradient, Value output) implements GradientOp {
    @Override
    public List<Value> inputs() {
      return List.of(ids, gradient);
    }
  }

  /**
   * The length of all gradients as one vector, and what they must be multiplied with so that it
   * does not pass {@code maximum}: {@code min(1, maximum / (norm + 1e-6))} as in {@code
   * torch.nn.utils.clip_grad_norm_}.
   *
   * @param maximum 0 to leave gradients as they are
   * @param output {@code [2]}: norm and factor
   */
  record Norm(List<Value> gradients, float maximum, Value output) implements GradientOp {
    public Norm {
      gradients = List.copyOf(gradients);
    }

    @Override
    public List<Value> inputs() {
      return gradients;
    }
  }

  private static List<Value> present(@Nullable Value optional, Value... values) {
    List<Value> all = new ArrayList<>(List.of(values));
    if (optional != null) {
      all.add(optional);
    }
    return all;
  }
}
