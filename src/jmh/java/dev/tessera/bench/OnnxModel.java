package dev.tessera.bench;

import dev.tessera.graph.Activation;
import dev.tessera.graph.Epilogue;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Writes a graph and its parameters as an ONNX file, in the patterns in which PyTorch's exporter
 * writes them and which ONNX Runtime's optimiser recognises, so that the peer runs the same model
 * with the same weights and at its best.
 */
public final class OnnxModel {
  /** How attention is written. */
  public enum Attention {
    /** MatMul, Mul, Softmax, MatMul, as PyTorch's exporter writes it. */
    EXPORTED,
    /** ONNX Runtime's own operator, as its {@code transformers} optimiser would put it in. */
    FUSED
  }

  /** A tensor known before any input is: a parameter or a parameter seen under another shape. */
  private record Constant(String name, Tensor tensor) {}

  private final Graph graph;
  private final Attention style;

  /** Whether batch and tokens are left open, as in files that are exported for texts. */
  private final boolean texts;

  private final OnnxGraph onnx = new OnnxGraph();
  private final Map<Value, Constant> constants = new HashMap<>();
  private final Map<Value, String> names = new HashMap<>();
  private final Map<Value, Op.Patches> patches = new HashMap<>();
  private final Map<String, String> masks = new HashMap<>();

  private OnnxModel(Graph graph, Map<String, Tensor> parameters, Attention style) {
    this.graph = graph;
    this.texts = graph.inputs().containsKey("input_ids");
    this.style = style;
    graph
        .parameters()
        .forEach((name, value) -> constants.put(value, new Constant(name, parameters.get(name))));
    graph.inputs().forEach((name, value) -> names.put(value, name));
    graph.outputs().forEach((name, value) -> names.put(value, name));
  }

  /**
   * Writes {@code graph}, as a builder made it, for opset 17. A graph with the input {@code
   * input_ids} takes any number of texts of any length; its positions must be an input.
   *
   * @param parameters a tensor of any floating type for each parameter of the graph, by name
   * @throws IllegalArgumentException if an operation is none that this class writes: causal
   *     attention, gated units, resized positions, fused epilogues
   */
  public static void write(Graph graph, Map<String, Tensor> parameters, Attention style, Path file)
      throws IOException {
    OnnxModel model = new OnnxModel(graph, parameters, style);
    if (model.texts) {
      graph.inputs().keySet().forEach(model.onnx::textInput);
      graph.outputs().forEach((name, value) -> model.onnx.textOutput(name, value.shape().last()));
    } else {
      graph.inputs().forEach((name, value) -> model.onnx.input(name, value.shape()));
      graph.outputs().forEach((name, value) -> model.onnx.output(name, value.shape()));
    }
    graph.operations().forEach(model::emit);
    model.onnx.writeTo(file);
  }

  private void emit(Op op) {
    switch (op) {
      case Op.Patches cut -> patches(cut);
      case Op.Linear linear -> linear(linear);
      case Op.LayerNorm(Value x, Value weight, Value bias, float epsilon, Value y) ->
          onnx.node(
              "LayerNormalization",
              List.of(name(x), name(weight), name(bias)),
              name(y),
              a -> a.integer("axis", -1).real("epsilon", epsilon));
      case Op.Activate(Activation activation, Value x, Value y) -> activate(activation, x, y);
      case Op.Add(Value left, Value right, Value y) -> binary("Add", name(left), name(right), y);
      case Op.Multiply(Value left, Value right, Value y) ->
          binary("Mul", name(left), name(right), y);
      case Op.Scale(Value x, float factor, Value y) ->
          binary("Mul", name(x), onnx.scalar(factor), y);
      case Op.Attention attention -> attention(attention);
      case Op.Concat(List<Value> parts, Value y) -> concat(parts, y);
      case Op.Slice slice -> slice(slice);
      case Op.ConcatFeatures(Value left, Value right, Value y) ->
          onnx.node(
              "Concat", List.of(name(left), name(right)), name(y), a -> a.integer("axis", -1));
      case Op.MeanTokens(Value x, Value y) ->
          onnx.node(
              "ReduceMean",
              List.of(name(x)),
              name(y),
              a -> a.integers("axes", 1).integer("keepdims", 0));
      case Op.Reshape(Value x, Value y) -> reshape(x, y);
      case Op.Embedding(Value ids, Value table, Value y) ->
          onnx.node("Gather", List.of(name(table), name(ids)), name(y), a -> a.integer("axis", 0));
      default -> throw new IllegalArgumentException("no ONNX pattern for " + op);
    }
  }

  /** The name of a value; a constant is stored the first time that it is asked for. */
  private String name(Value value) {
    Constant constant = constants.get(value);
    return constant == null
        ? names.computeIfAbsent(value, v -> "v" + v.id())
        : onnx.constant(constant.name(), value.shape(), constant.tensor());
  }

  private void binary(String type, String left, String right, Value output) {
    onnx.node(type, List.of(left, right), name(output), _ -> {});
  }

  private void reshape(Value input, Value output) {
    Constant constant = constants.get(input);
    if (constant == null) {
      binary("Reshape", name(input), extents(output.shape()), output);
    } else {
      constants.put(output, new Constant(constant.name() + "_view", constant.tensor()));
    }
  }

  /** Left to the linear layer behind it, where there is one: both are then one convolution. */
  private void patches(Op.Patches cut) {
    List<Op> readers =
        graph.operations().stream().filter(op -> op.inputs().contains(cut.output())).toList();
    if (readers.size() == 1
        && readers.getFirst() instanceof Op.Linear linear
        && linear.input().equals(cut.output())) {
      patches.put(cut.output(), cut);
      return;
    }
    throw new IllegalArgumentException("no ONNX pattern for " + cut + " without a linear layer");
  }

  private void linear(Op.Linear linear) {
    if (!linear.epilogue().equals(Epilogue.NONE)) {
      throw new IllegalArgumentException("no ONNX pattern for a fused " + linear);
    }
    Constant weight = constants.get(linear.weight());
    if (weight == null) {
      throw new IllegalArgumentException("no ONNX pattern for a computed weight: " + linear);
    }
    Op.Patches cut = patches.get(linear.input());
    if (cut != null) {
      convolution(cut, linear, weight);
    } else if (linear.input().shape().rank() == 2 && linear.bias() != null) {
      onnx.node(
          "Gemm",
          List.of(name(linear.input()), name(linear.weight()), name(linear.bias())),
          name(linear.output()),
          a -> a.integer("transB", 1));
    } else {
      matMul(linear, weight);
    }
  }

  private void matMul(Op.Linear linear, Constant weight) {
    int out = linear.weight().shape().extent(0);
    int in = linear.weight().shape().extent(1);
    String transposed =
        onnx.constant(
            weight.name() + "_transposed", Shape.of(in, out), transposed(weight.tensor(), out, in));
    List<String> factors = List.of(name(linear.input()), transposed);
    if (linear.bias() == null) {
      onnx.node("MatMul", factors, name(linear.output()), _ -> {});
    } else {
      String product = onnx.node("MatMul", factors);
      binary("Add", name(linear.bias()), product, linear.output());
    }
  }

  private void convolution(Op.Patches cut, Op.Linear linear, Constant weight) {
    Shape images = cut.input().shape();
    Shape tokens = linear.output().shape();
    Shape kernel = Shape.of(tokens.last(), images.extent(1), cut.patchHeight(), cut.patchWidth());
    String kernelName = onnx.constant(weight.name() + "_kernel", kernel, weight.tensor());
    List<String> inputs =
        linear.bias() == null
            ? List.of(name(cut.input()), kernelName)
            : List.of(name(cut.input()), kernelName, name(linear.bias()));
    String grid =
        onnx.node(
            "Conv",
            inputs,
            a ->
                a.integers("kernel_shape", cut.patchHeight(), cut.patchWidth())
                    .integers("strides", cut.patchHeight(), cut.patchWidth()));
    Shape flat = Shape.of(tokens.extent(0), tokens.last(), tokens.extent(1));
    String channelsFirst = onnx.node("Reshape", List.of(grid, extents(flat)));
    onnx.node(
        "Transpose",
        List.of(channelsFirst),
        name(linear.output()),
        a -> a.integers("perm", 0, 2, 1));
  }

  private void activate(Activation activation, Value input, Value output) {
    String x = name(input);
    switch (activation) {
      case GELU -> {
        String scaled = onnx.node("Div", List.of(x, onnx.scalar((float) Math.sqrt(2))));
        String erf = onnx.node("Erf", List.of(scaled));
        String doubled = onnx.node("Add", List.of(erf, onnx.scalar(1)));
        String product = onnx.node("Mul", List.of(x, doubled));
        binary("Mul", product, onnx.scalar(0.5f), output);
      }
      case RELU -> onnx.node("Relu", List.of(x), name(output), _ -> {});
      case TANH -> onnx.node("Tanh", List.of(x), name(output), _ -> {});
      case SIGMOID -> onnx.node("Sigmoid", List.of(x), name(output), _ -> {});
      case SILU -> binary("Mul", x, onnx.node("Sigmoid", List.of(x)), output);
      case QUICK_GELU -> {
        String scaled = onnx.node("Mul", List.of(x, onnx.scalar(1.702f)));
        binary("Mul", x, onnx.node("Sigmoid", List.of(scaled)), output);
      }
      case IDENTITY, GELU_TANH ->
          throw new IllegalArgumentException("no ONNX pattern for " + activation);
    }
  }

  private void attention(Op.Attention attention) {
    if (attention.causal()) {
      throw new IllegalArgumentException("no ONNX pattern for a causal " + attention);
    }
    Value mask = attention.keyMask();
    if (style == Attention.FUSED) {
      onnx.node(
          "MultiHeadAttention",
          mask == null
              ? List.of(name(attention.query()), name(attention.key()), name(attention.value()))
              : List.of(
                  name(attention.query()),
                  name(attention.key()),
                  name(attention.value()),
                  "",
                  maskOf(
                      mask,
                      "i32",
                      () -> onnx.node("Cast", List.of(name(mask)), a -> a.integer("to", 6)))),
          name(attention.output()),
          a ->
              a.microsoft()
                  .integer("num_heads", attention.heads())
                  .real("scale", attention.scale()));
      return;
    }
    String query = heads(attention.query(), attention.heads(), 0, 2, 1, 3);
    String key = heads(attention.key(), attention.heads(), 0, 2, 3, 1);
    String value = heads(attention.value(), attention.heads(), 0, 2, 1, 3);
    String scores = onnx.node("MatMul", List.of(query, key));
    String scaled = onnx.node("Mul", List.of(scores, onnx.scalar(attention.scale())));
    if (mask != null) {
      scaled = onnx.node("Add", List.of(scaled, maskOf(mask, "bias", () -> bias(mask))));
    }
    String weights = onnx.node("Softmax", List.of(scaled), a -> a.integer("axis", -1));
    String context = onnx.node("MatMul", List.of(weights, value));
    String joined = onnx.node("Transpose", List.of(context), a -> a.integers("perm", 0, 2, 1, 3));
    Shape shape = attention.output().shape();
    binary(
        "Reshape",
        joined,
        texts ? onnx.integers(0, 0, shape.last()) : extents(shape),
        attention.output());
  }

  /** What is made of a mask once for all blocks. */
  private String maskOf(Value mask, String kind, Supplier<String> node) {
    return masks.computeIfAbsent(name(mask) + kind, _ -> node.get());
  }

  /** What is added to the scores: 0 for what is seen, the least number for what is not. */
  private String bias(Value mask) {
    String seen = onnx.node("Cast", List.of(name(mask)), a -> a.integer("to", 1));
    String unseen = onnx.node("Sub", List.of(onnx.scalar(1), seen));
    String least = onnx.node("Mul", List.of(unseen, onnx.scalar(-Float.MAX_VALUE)));
    return onnx.node("Unsqueeze", List.of(least, onnx.integers(1, 2)));
  }

  /** {@code [batch, tokens, hidden]} to {@code [batch, tokens, heads, d]}, axes permuted. */
  private String heads(Value value, int heads, long... permutation) {
    Shape shape = value.shape();
    Shape split = Shape.of(shape.extent(0), shape.extent(1), heads, shape.last() / heads);
    String extents =
        texts ? onnx.integers(0, 0, heads, split.last()) : extents(split); // 0: as it comes
    String view = onnx.node("Reshape", List.of(name(value), extents));
    return onnx.node("Transpose", List.of(view), a -> a.integers("perm", permutation));
  }

  private void concat(List<Value> parts, Value output) {
    int batch = output.shape().extent(0);
    List<String> inputs =
        parts.stream()
            .map(part ->
                part.shape().extent(0) == batch
                    ? name(part)
                    : onnx.node(
                        "Expand", List.of(name(part), extents(part.shape().with(0, batch)))))
            .toList();
    onnx.node("Concat", inputs, name(output), a -> a.integer("axis", 1));
  }

  private void slice(Op.Slice slice) {
    int extent = slice.output().shape().extent(slice.axis());
    if (extent == 1) {
      onnx.node(
          "Gather",
          List.of(name(slice.input()), onnx.integers(slice.from())),
          name(slice.output()),
          a -> a.integer("axis", slice.axis()));
    } else {
      onnx.node(
          "Slice",
          List.of(
              name(slice.input()),
              onnx.integers(slice.from()),
              onnx.integers(slice.from() + extent),
              onnx.integers(slice.axis())),
          name(slice.output()),
          _ -> {});
    }
  }

  private String extents(Shape shape) {
    return onnx.integers(Arrays.stream(shape.toArray()).asLongStream().toArray());
  }

  private static Tensor transposed(Tensor tensor, int rows, int columns) {
    Tensor copy = Tensor.allocate(Arena.ofAuto(), DType.F32, Shape.of(columns, rows));
    MemorySegment data = copy.data();
    float[] values = tensor.toFloats();
    for (int column = 0; column < columns; column++) {
      for (int row = 0; row < rows; row++) {
        data.setAtIndex(
            ValueLayout.JAVA_FLOAT, (long) column * rows + row, values[row * columns + column]);
      }
    }
    return copy;
  }
}
