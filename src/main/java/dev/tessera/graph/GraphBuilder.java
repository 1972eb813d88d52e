package dev.tessera.graph;

import dev.tessera.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Describes a model: every method appends one operation, checks its shapes and returns what it
 * computes. Wrong shapes are an {@link IllegalArgumentException} that names both.
 *
 * <p>Parameters carry the checkpoint's names: {@code linear(x, "encoder.layer.0.output.dense",
 * 768)} declares {@code encoder.layer.0.output.dense.weight} and {@code .bias}.
 */
public final class GraphBuilder {
  /** Values are F32, which holds every whole number up to here. */
  private static final int MAX_ID = 1 << 24;

  private final Map<String, Value> inputs = new LinkedHashMap<>();
  private final Map<String, Value> parameters = new LinkedHashMap<>();
  private final Map<String, Value> variables = new LinkedHashMap<>();
  private final List<Op> operations = new ArrayList<>();
  private final Map<String, Value> outputs = new LinkedHashMap<>();
  private int values;

  public GraphBuilder() {}

  /** Continues {@code graph}: its values can be used in what is appended. */
  public GraphBuilder(Graph graph) {
    inputs.putAll(graph.inputs());
    parameters.putAll(graph.parameters());
    variables.putAll(graph.variables());
    operations.addAll(graph.operations());
    outputs.putAll(graph.outputs());
    values = graph.valueCount();
  }

  /** An array that the caller feeds on every run. */
  public Value input(String name, Shape shape) {
    return declare(inputs, name, shape);
  }

  /** An array of the checkpoint. Asking twice for the same name gives the same value. */
  public Value parameter(String name, Shape shape) {
    return declare(parameters, name, shape);
  }

  /** An array that the engine keeps and {@link #update} changes. */
  public Value variable(String name, Shape shape) {
    return declare(variables, name, shape);
  }

  /** Names a value that a run returns, and returns that value. */
  public Value output(String name, Value value) {
    require(outputs.put(name, value) == null, "output %s is named twice", name);
    return value;
  }

  public Graph build() {
    return new Graph(inputs, parameters, variables, operations, outputs, values);
  }

  int valueCount() {
    return values;
  }

  /** What was appended so far, in execution order. */
  List<Op> operations() {
    return operations;
  }

  /** See {@link Op.Patches}. */
  public Value patches(Value images, int patchHeight, int patchWidth) {
    Shape shape = images.shape();
    require(shape.rank() == 4, "patches needs [batch, channels, height, width], got %s", shape);
    int rows = shape.extent(2) / patchHeight;
    int columns = shape.extent(3) / patchWidth;
    require(
        rows > 0 && columns > 0,
        "an image of %d×%d is smaller than one patch of %d×%d",
        shape.extent(2),
        shape.extent(3),
        patchHeight,
        patchWidth);
    int length = shape.extent(1) * patchHeight * patchWidth;
    return append(
        Shape.of(shape.extent(0), rows * columns, length),
        output -> new Op.Patches(images, patchHeight, patchWidth, output));
  }

  /** A linear layer with bias whose parameters are {@code name.weight} and {@code name.bias}. */
  public Value linear(Value x, String name, int features) {
    return linear(x, name, features, true);
  }

  /** A linear layer whose parameters are {@code name.weight} and, if asked, {@code name.bias}. */
  public Value linear(Value x, String name, int features, boolean bias) {
    Value weight = parameter(name + ".weight", Shape.of(features, x.shape().last()));
    return linear(x, weight, bias ? parameter(name + ".bias", Shape.of(features)) : null);
  }

  /** See {@link Op.Linear}. */
  public Value linear(Value x, Value weight, @Nullable Value bias) {
    require(
        weight.shape().rank() == 2 && weight.shape().extent(1) == x.shape().last(),
        "linear: weight %s does not fit input %s",
        weight.shape(),
        x.shape());
    int features = weight.shape().extent(0);
    require(
        bias == null || bias.shape().equals(Shape.of(features)),
        "linear: bias does not fit weight %s",
        weight.shape());
    return append(
        x.shape().with(-1, features),
        output -> new Op.Linear(x, weight, bias, Epilogue.NONE, output));
  }

  /** See {@link Op.Embedding}. */
  public Value embedding(Value ids, Value table) {
    require(table.shape().rank() == 2, "embedding needs [rows, width], got %s", table.shape());
    require(
        table.shape().extent(0) <= MAX_ID + 1,
        "embedding: %s has more rows than an F32 id can tell apart",
        table.shape());
    int[] extents = Arrays.copyOf(ids.shape().toArray(), ids.shape().rank() + 1);
    extents[ids.shape().rank()] = table.shape().last();
    return append(Shape.of(extents), output -> new Op.Embedding(ids, table, output));
  }

  /** See {@link Op.PositionOf}. */
  public Value positionOf(Value ids, int wanted) {
    require(
        ids.shape().rank() == 2 && ids.shape().elements() <= MAX_ID,
        "positionOf needs [batch, tokens] of at most 2^24, got %s",
        ids.shape());
    return append(
        Shape.of(ids.shape().extent(0)), output -> new Op.PositionOf(ids, wanted, output));
  }

  /** Layer normalisation whose parameters are {@code name.weight} and {@code name.bias}. */
  public Value layerNorm(Value x, String name, float epsilon) {
    Shape shape = Shape.of(x.shape().last());
    Value weight = parameter(name + ".weight", shape);
    Value bias = parameter(name + ".bias", shape);
    return append(x.shape(), output -> new Op.LayerNorm(x, weight, bias, epsilon, output));
  }

  /** Root-mean-square normalisation whose parameter is {@code name.weight}. */
  public Value rmsNorm(Value x, String name, float epsilon) {
    Value weight = parameter(name + ".weight", Shape.of(x.shape().last()));
    return append(x.shape(), output -> new Op.RmsNorm(x, weight, epsilon, output));
  }

  /** See {@link Op.L2Normalize}. */
  public Value l2Normalize(Value x, float epsilon) {
    return append(x.shape(), output -> new Op.L2Normalize(x, epsilon, output));
  }

  /** See {@link Op.Softmax}. */
  public Value softmax(Value x) {
    return append(x.shape(), output -> new Op.Softmax(x, output));
  }

  /** See {@link Op.LogSoftmax}. */
  public Value logSoftmax(Value x) {
    return append(x.shape(), output -> new Op.LogSoftmax(x, output));
  }

  /** See {@link Op.CrossEntropy}. */
  public Value crossEntropy(Value logits, Value targets, float smoothing) {
    boolean weighted = targets.shape().equals(logits.shape());
    require(
        weighted || targets.shape().elements() == logits.shape().rows(),
        "crossEntropy: targets %s do not fit logits %s",
        targets.shape(),
        logits.shape());
    require(
        smoothing >= 0 && smoothing < 1 && (smoothing == 0 || !weighted),
        "crossEntropy: smoothing %s does not fit targets %s",
        smoothing,
        targets.shape());
    return append(Shape.of(1), output -> new Op.CrossEntropy(logits, targets, smoothing, output));
  }

  /** See {@link Op.MeanSquaredError}. */
  public Value meanSquaredError(Value x, Value target) {
    require(
        x.shape().equals(target.shape()),
        "meanSquaredError: %s beside %s",
        x.shape(),
        target.shape());
    return append(Shape.of(1), output -> new Op.MeanSquaredError(x, target, output));
  }

  /** See {@link Op.Dropout}; returns {@code x} itself at rate 0. */
  public Value dropout(Value x, Value seed, float rate, int salt, int run) {
    require(0 <= rate && rate < 1, "dropout: rate %s is not in [0, 1)", rate);
    require(seed.shape().equals(Shape.of(2)), "dropout: a seed is [2], got %s", seed.shape());
    require(x.shape().elements() % run == 0, "dropout: %s in runs of %d", x.shape(), run);
    return rate == 0
        ? x
        : append(x.shape(), output -> new Op.Dropout(x, seed, rate, salt, run, output));
  }

  /** See {@link Op.Fill}. */
  public Value fill(Shape shape, float value) {
    return append(shape, output -> new Op.Fill(value, output));
  }

  public Value activate(Activation activation, Value x) {
    return activation == Activation.IDENTITY
        ? x
        : append(x.shape(), output -> new Op.Activate(activation, x, output));
  }

  /** See {@link Op.Gated}. */
  public Value gated(Activation activation, Value x) {
    int width = x.shape().last();
    require(width % 2 == 0, "gated: %s has an odd innermost extent", x.shape());
    return append(x.shape().with(-1, width / 2), output -> new Op.Gated(activation, x, output));
  }

  /** See {@link Op.Add}. */
  public Value add(Value left, Value right) {
    requireBroadcast("add", left.shape(), right.shape());
    return append(left.shape(), output -> new Op.Add(left, right, output));
  }

  /** See {@link Op.Multiply}. */
  public Value multiply(Value left, Value right) {
    requireBroadcast("multiply", left.shape(), right.shape());
    return append(left.shape(), output -> new Op.Multiply(left, right, output));
  }

  public Value scale(Value x, float factor) {
    return append(x.shape(), output -> new Op.Scale(x, factor, output));
  }

  /** See {@link Op.Attention}; the scale is 1/√d with d the width of a head. */
  public Value attention(Value query, Value key, Value value, int heads) {
    return attention(query, key, value, null, heads, false);
  }

  /** See {@link Op.Attention}; the scale is 1/√d with d the width of a head. */
  public Value attention(
      Value query, Value key, Value value, @Nullable Value keyMask, int heads, boolean causal) {
    requireAttention(query, key, keyMask, heads);
    require(
        value.shape().equals(key.shape()),
        "attention: value %s differs from key %s",
        value.shape(),
        key.shape());
    float scale = headScale(query, heads);
    return append(
        query.shape(),
        output -> new Op.Attention(query, key, value, keyMask, heads, scale, causal, output));
  }

  /** See {@link Op.AttentionProbabilities}. */
  public Value attentionProbabilities(
      Value query, Value key, @Nullable Value keyMask, int heads, boolean causal) {
    requireAttention(query, key, keyMask, heads);
    float scale = headScale(query, heads);
    Shape shape =
        Shape.of(query.shape().extent(0), heads, query.shape().extent(1), key.shape().extent(1));
    return append(
        shape,
        output -> new Op.AttentionProbabilities(query, key, keyMask, heads, scale, causal, output));
  }

  /** See {@link Op.Concat}. The batch is that of the largest part. */
  public Value concat(List<Value> parts) {
    int batch = 1;
    int tokens = 0;
    int hidden = parts.getFirst().shape().last();
    for (Value part : parts) {
      Shape shape = part.shape();
      require(
          shape.rank() == 3 && shape.last() == hidden,
          "concat: %s is not [batch, tokens, %d]",
          shape,
          hidden);
      batch = Math.max(batch, shape.extent(0));
      tokens += shape.extent(1);
    }
    for (Value part : parts) {
      int extent = part.shape().extent(0);
      require(extent == 1 || extent == batch, "concat: batch %d beside %d", extent, batch);
    }
    return append(Shape.of(batch, tokens, hidden), output -> new Op.Concat(parts, output));
  }

  /** See {@link Op.ConcatFeatures}. */
  public Value concatFeatures(Value left, Value right) {
    int width = left.shape().last() + right.shape().last();
    require(
        left.shape().with(-1, 1).equals(right.shape().with(-1, 1)),
        "concatFeatures: %s beside %s",
        left.shape(),
        right.shape());
    return append(
        left.shape().with(-1, width), output -> new Op.ConcatFeatures(left, right, output));
  }

  /** Indices {@code from} (inclusive) to {@code to} (exclusive) of one axis. */
  public Value slice(Value x, int axis, int from, int to) {
    require(
        0 <= from && from < to && to <= x.shape().extent(axis),
        "slice: %d to %d is outside axis %d of %s",
        from,
        to,
        axis,
        x.shape());
    return append(x.shape().with(axis, to - from), output -> new Op.Slice(x, axis, from, output));
  }

  /** Token {@code index} of every image: {@code [batch, tokens, hidden]} to [batch, hidden]. */
  public Value token(Value x, int index) {
    Value row = slice(x, 1, index, index + 1);
    return reshape(row, Shape.of(x.shape().extent(0), x.shape().last()));
  }

  /** See {@link Op.MeanTokens}. */
  public Value meanTokens(Value x) {
    require(x.shape().rank() == 3, "meanTokens needs [batch, tokens, hidden], got %s", x.shape());
    return append(
        Shape.of(x.shape().extent(0), x.shape().last()), output -> new Op.MeanTokens(x, output));
  }

  public Value reshape(Value x, Shape shape) {
    require(shape.elements() == x.shape().elements(), "cannot view %s as %s", x.shape(), shape);
    return shape.equals(x.shape()) ? x : append(shape, output -> new Op.Reshape(x, output));
  }

  /** See {@link Op.ResizePositions}; returns {@code grid} itself when nothing changes. */
  public Value resizePositions(
      Value grid, int fromRows, int fromColumns, int toRows, int toColumns, boolean antialias) {
    require(
        grid.shape().rank() == 3 && grid.shape().extent(1) == fromRows * fromColumns,
        "resizePositions: %s is no grid of %d×%d",
        grid.shape(),
        fromRows,
        fromColumns);
    if (fromRows == toRows && fromColumns == toColumns) {
      return grid;
    }
    return append(
        grid.shape().with(1, toRows * toColumns),
        output ->
            new Op.ResizePositions(
                grid, fromRows, fromColumns, toRows, toColumns, antialias, output));
  }

  /** Appends an operation that changes variables. It must come after all that reads them. */
  public void update(UpdateOp operation) {
    for (Value changed : operation.outputs()) {
      require(variables.containsValue(changed), "%s is no variable", changed);
    }
    operations.add(operation);
  }

  /** Removes and returns all operations, for a pass that appends them again, changed. */
  List<Op> takeOperations() {
    List<Op> taken = List.copyOf(operations);
    operations.clear();
    return taken;
  }

  /** Appends an operation over values that this builder made. */
  void append(Op operation) {
    operations.add(operation);
  }

  /** {@code left·right}, plus {@code residual}; see {@link GradientOp.LinearInput}. */
  public Value product(Value left, Value right, @Nullable Value residual) {
    require(
        right.shape().rank() == 2 && right.shape().extent(0) == left.shape().last(),
        "product: %s times %s",
        left.shape(),
        right.shape());
    Shape shape = left.shape().with(-1, right.shape().last());
    require(residual == null || residual.shape().equals(shape), "product: a sum is not %s", shape);
    return append(shape, output -> new GradientOp.LinearInput(left, right, residual, output));
  }

  /** {@code leftᵀ·right} of two matrices; see {@link GradientOp.LinearWeight}. */
  public Value transposedProduct(Value left, Value right) {
    require(
        left.shape().rank() == 2
            && right.shape().rank() == 2
            && left.shape().extent(0) == right.shape().extent(0),
        "transposedProduct: %s and %s",
        left.shape(),
        right.shape());
    Shape shape = Shape.of(left.shape().last(), right.shape().last());
    return append(shape, output -> new GradientOp.LinearWeight(left, right, output));
  }

  /** See {@link GradientOp.Norm}. */
  public Value norm(List<Value> gradients, float maximum) {
    return append(Shape.of(2), output -> new GradientOp.Norm(gradients, maximum, output));
  }

  interface Operation {
    Op writing(Value output);
  }

  Value append(Shape shape, Operation operation) {
    Value output = value(shape);
    operations.add(operation.writing(output));
    return output;
  }

  /** A new value, for operations that compute several. */
  Value value(Shape shape) {
    return new Value(values++, shape);
  }

  private Value declare(Map<String, Value> map, String name, Shape shape) {
    Value known = map.get(name);
    if (known == null) {
      known = new Value(values++, shape);
      map.put(name, known);
    }
    require(known.shape().equals(shape), "%s is %s here and %s there", name, known.shape(), shape);
    return known;
  }

  private static float headScale(Value query, int heads) {
    int width = query.shape().last() / heads;
    return (float) (1 / Math.sqrt(width));
  }

  private static void requireAttention(Value query, Value key, @Nullable Value keyMask, int heads) {
    Shape q = query.shape();
    Shape k = key.shape();
    require(
        q.rank() == 3 && k.rank() == 3 && q.extent(0) == k.extent(0) && q.last() == k.last(),
        "attention: query %s does not fit key %s",
        q,
        k);
    require(q.last() % heads == 0, "attention: %d features in %d heads", q.last(), heads);
    require(
        keyMask == null || keyMask.shape().equals(Shape.of(k.extent(0), k.extent(1))),
        "attention: the key mask does not fit key %s",
        k);
  }

  private static void requireBroadcast(String name, Shape left, Shape right) {
    int skip = 0;
    while (skip < right.rank() && right.extent(skip) == 1) {
      skip++;
    }
    boolean fits = right.rank() - skip <= left.rank();
    for (int axis = 1; fits && axis <= right.rank() - skip; axis++) {
      fits = right.extent(-axis) == left.extent(-axis);
    }
    require(fits, "%s: %s cannot be repeated over %s", name, right, left);
  }

  private static void require(boolean condition, String message, Object... arguments) {
    if (!condition) {
      throw new IllegalArgumentException(String.format(message, arguments));
    }
  }
}
