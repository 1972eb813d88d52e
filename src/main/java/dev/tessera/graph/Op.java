package dev.tessera.graph;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of a graph: reads some values, computes one.
 *
 * <p>Sealed, so that every consumer is a switch and the compiler names what a new operation still
 * lacks. Shapes are checked when a {@link GraphBuilder} makes the operation.
 */
public sealed interface Op
    permits Op.Activate,
        Op.Add,
        Op.Attention,
        Op.AttentionProbabilities,
        Op.Concat,
        Op.ConcatFeatures,
        Op.CrossEntropy,
        Op.Dropout,
        Op.Embedding,
        Op.Fill,
        Op.Gated,
        Op.L2Normalize,
        Op.LayerNorm,
        Op.Linear,
        Op.LogSoftmax,
        Op.MeanSquaredError,
        Op.MeanTokens,
        Op.Multiply,
        Op.Patches,
        Op.PositionOf,
        Op.Reshape,
        Op.ResizePositions,
        Op.RmsNorm,
        Op.Scale,
        Op.Slice,
        Op.Softmax,
        GradientOp,
        UpdateOp {
  /** What this operation computes; the first of {@link #outputs} where it computes several. */
  Value output();

  /** Everything this operation computes. */
  default List<Value> outputs() {
    return List.of(output());
  }

  /** The values this operation reads, in a fixed order. */
  List<Value> inputs();

  /**
   * Cuts images into patches: {@code [batch, channels, height, width]} to {@code [batch, rows·cols,
   * channels·patchHeight·patchWidth]}, patches in reading order, each flattened as {@code [channel,
   * y, x]}. With a {@link Linear} behind it this is the strided convolution of the ViT paper
   * (arXiv:2010.11929, section 3.1). Pixels right of and below the last whole patch are ignored, as
   * the convolution ignores them.
   */
  record Patches(Value input, int patchHeight, int patchWidth, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /**
   * {@code x·Wᵀ + b} over the innermost axis: {@code [..., in]} to {@code [..., out]}.
   *
   * @param weight {@code [out, in]}
   * @param bias {@code [out]} or null
   * @param epilogue applied to the product before it is stored
   */
  record Linear(Value input, Value weight, @Nullable Value bias, Epilogue epilogue, Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      List<Value> values = new ArrayList<>(5);
      values.add(input);
      values.add(weight);
      addIfPresent(values, bias);
      addIfPresent(values, epilogue.scale());
      addIfPresent(values, epilogue.residual());
      return values;
    }
  }

  /**
   * Rows of a table: {@code [...]} ids to {@code [..., width]}. An id is a whole number from 0 to
   * the table's rows − 1; any other is an error of the run.
   *
   * @param table {@code [rows, width]}
   */
  record Embedding(Value ids, Value table, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(ids, table);
    }
  }

  /**
   * Where in each row of ids a certain one is: {@code [batch, tokens]} to {@code [batch]}, counted
   * over all rows, so that it is a row of {@code [batch·tokens, width]} for an {@link Embedding}.
   *
   * @param wanted the id whose first place counts, and place 0 where it is absent; or {@link
   *     #LARGEST} for the first place of the largest id
   */
  record PositionOf(Value ids, int wanted, Value output) implements Op {
    public static final int LARGEST = -1;

    @Override
    public List<Value> inputs() {
      return List.of(ids);
    }
  }

  /**
   * {@code (x − mean) / √(variance + epsilon) · weight + bias} over the innermost axis, with the
   * biased variance (Ba et al., arXiv:1607.06450).
   */
  record LayerNorm(Value input, Value weight, Value bias, float epsilon, Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input, weight, bias);
    }
  }

  /** An elementwise non-linearity. */
  record Activate(Activation activation, Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** {@code activation(a) ∘ b} for the two halves of the innermost axis: [..., 2n] to [..., n]. */
  record Gated(Activation activation, Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /**
   * Elementwise sum; {@code right} is repeated along the leading axes that it lacks or has as 1.
   */
  record Add(Value left, Value right, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(left, right);
    }
  }

  /** Elementwise product; {@code right} is repeated as in {@link Add}. */
  record Multiply(Value left, Value right, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(left, right);
    }
  }

  /** Every element times a constant. */
  record Scale(Value input, float factor, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /**
   * Multi-head scaled dot-product attention, {@code softmax(scale·Q·Kᵀ)·V} for each head (Vaswani
   * et al., arXiv:1706.03762, section 3.2). Head h uses columns {@code h·d} to {@code (h+1)·d} of
   * each row.
   *
   * @param query {@code [batch, queries, heads·d]}
   * @param key {@code [batch, keys, heads·d]}
   * @param value {@code [batch, keys, heads·d]}
   * @param keyMask {@code [batch, keys]}, 0 where a key must not be seen, or null
   * @param causal whether query i sees only keys 0 to i
   */
  record Attention(
      Value query,
      Value key,
      Value value,
      @Nullable Value keyMask,
      int heads,
      float scale,
      boolean causal,
      Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      List<Value> values = new ArrayList<>(List.of(query, key, value));
      addIfPresent(values, keyMask);
      return values;
    }
  }

  /**
   * The softmax inside {@link Attention}, for inspection: {@code [batch, heads, queries, keys]}.
   */
  record AttentionProbabilities(
      Value query,
      Value key,
      @Nullable Value keyMask,
      int heads,
      float scale,
      boolean causal,
      Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      List<Value> values = new ArrayList<>(List.of(query, key));
      addIfPresent(values, keyMask);
      return values;
    }
  }

  /**
   * Joins {@code [batch or 1, tokens, hidden]} values along the token axis; a part with batch 1
   * (the class token, registers) is repeated for every image.
   */
  record Concat(List<Value> parts, Value output) implements Op {
    public Concat {
      parts = List.copyOf(parts);
    }

    @Override
    public List<Value> inputs() {
      return parts;
    }
  }

  /** Indices {@code from} to {@code from + output.extent(axis)} of one axis. */
  record Slice(Value input, int axis, int from, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** Joins values along the innermost axis: {@code [..., a]} and {@code [..., b]} to [..., a+b]. */
  record ConcatFeatures(Value left, Value right, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(left, right);
    }
  }

  /** Mean over the tokens: {@code [batch, tokens, hidden]} to {@code [batch, hidden]}. */
  record MeanTokens(Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** The same elements in the same order under another shape. */
  record Reshape(Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /**
   * Resamples a learned grid of position embeddings: {@code [1, fromRows·fromColumns, hidden]} to
   * {@code [1, toRows·toColumns, hidden]}, as torch's {@code interpolate(mode="bicubic",
   * align_corners=False)} does: cubic convolution with a = −0.75, or, antialiased, with a = −0.5
   * and a support that grows with the scale.
   */
  record ResizePositions(
      Value input,
      int fromRows,
      int fromColumns,
      int toRows,
      int toColumns,
      boolean antialias,
      Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** A constant: every element is {@code value}. */
  record Fill(float value, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of();
    }
  }

  /**
   * {@code x / √(mean(x²) + epsilon) · weight} over the innermost axis (Zhang and Sennrich,
   * arXiv:1910.07467).
   */
  record RmsNorm(Value input, Value weight, float epsilon, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input, weight);
    }
  }

  /** {@code x / max(‖x‖₂, epsilon)} over the innermost axis. */
  record L2Normalize(Value input, float epsilon, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** {@code exp(x − max) / Σ exp(x − max)} over the innermost axis. */
  record Softmax(Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /** {@code x − max − ln Σ exp(x − max)} over the innermost axis. */
  record LogSoftmax(Value input, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input);
    }
  }

  /**
   * The mean cross-entropy between rows of logits {@code [..., classes]} and their targets, as one
   * number.
   *
   * @param targets one class number for each row, negative where a row does not count, the mean
   *     being over those that do; or, in the shape of the logits, what each class weighs in a row,
   *     {@code −Σ t·log p}, the mean being over all rows
   * @param smoothing ε of label smoothing (arXiv:1512.00567, section 7): the class gets 1 − ε, and
   *     all classes together ε; 0 for targets that are weights
   */
  record CrossEntropy(Value logits, Value targets, float smoothing, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(logits, targets);
    }

    /** Whether targets are weights of all classes rather than class numbers. */
    public boolean weighted() {
      return targets.shape().equals(logits.shape());
    }

    /** The rows that the mean is over. */
    public int counted(float[] targetValues) {
      int rows = (int) logits.shape().rows();
      if (weighted()) {
        return rows;
      }
      int counted = 0;
      for (int row = 0; row < rows; row++) {
        counted += targetValues[row] < 0 ? 0 : 1;
      }
      return counted;
    }
  }

  /** The mean of {@code (input − target)²} over all elements, as one number. */
  record MeanSquaredError(Value input, Value target, Value output) implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input, target);
    }
  }

  /**
   * Zeroes each run of {@code run} elements with probability {@code rate} and divides the others by
   * {@code 1 − rate} (Srivastava et al., JMLR 15, 2014). With a run of 1 this is dropout, with a
   * run as long as an image's features it is stochastic depth (arXiv:1603.09382).
   *
   * @param seed {@code [2]}: two integers below 2²⁴; the same seed drops the same runs
   * @param salt tells the dropouts of one graph apart
   */
  record Dropout(Value input, Value seed, float rate, int salt, int run, Value output)
      implements Op {
    @Override
    public List<Value> inputs() {
      return List.of(input, seed);
    }

    /**
     * What run number {@code index} is multiplied with: 0 or 1/(1 − rate).
     *
     * <p>A counter-based generator (the finaliser of SplitMix64, Steele et al., OOPSLA 2014), so
     * that no order of evaluation and no number of threads changes it.
     */
    public float factor(float seedHigh, float seedLow, long index) {
      long z = ((long) seedHigh << 24 | (long) seedLow) * 0x9E3779B97F4A7C15L;
      z = mix(z + salt) + index * 0x9E3779B97F4A7C15L;
      float uniform = (mix(z) >>> 40) * 0x1p-24f;
      return uniform < rate ? 0f : 1f / (1f - rate);
    }

    private static long mix(long z) {
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      return z ^ (z >>> 31);
    }
  }

  private static void addIfPresent(List<Value> values, @Nullable Value value) {
    if (value != null) {
      values.add(value);
    }
  }
}
