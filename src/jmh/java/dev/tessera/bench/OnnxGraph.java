package dev.tessera.bench;

import dev.tessera.tensor.DType;
import dev.tessera.tensor.Shape;
import dev.tessera.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The nodes and constants of an ONNX model, written as a {@code ModelProto}. Field numbers are
 * those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
 */
final class OnnxGraph {
  private static final int IR_VERSION = 8;
  private static final int OPSET = 17;
  private static final String MICROSOFT = "com.microsoft";
  private static final int FLOAT = 1;
  private static final int INT64 = 7;

  private final ProtoMessage graph = new ProtoMessage().text(2, "tessera");
  private final Set<String> constants = new HashSet<>();
  private int nodes;

  void input(String name, Shape shape) {
    graph.message(11, valueInfo(name, shape));
  }

  void output(String name, Shape shape) {
    graph.message(12, valueInfo(name, shape));
  }

  /** Ids or a mask, I64 {@code [batch, tokens]} of any extents. */
  void textInput(String name) {
    graph.message(11, valueInfo(name, INT64, dynamic()));
  }

  /** {@code [batch, tokens, width]} of any batch and tokens. */
  void textOutput(String name, int width) {
    ProtoMessage extents = dynamic().message(1, new ProtoMessage().varint(1, width));
    graph.message(12, valueInfo(name, FLOAT, extents));
  }

  private static ProtoMessage dynamic() {
    return new ProtoMessage()
        .message(1, new ProtoMessage().text(2, "batch"))
        .message(1, new ProtoMessage().text(2, "tokens"));
  }

  /** Stores an F32 constant once for each name, under the shape given, and returns the name. */
  String constant(String name, Shape shape, Tensor tensor) {
    if (constants.add(name)) {
      Tensor floats = tensor.dtype() == DType.F32 ? tensor : Tensor.of(shape, tensor.toFloats());
      graph.message(5, tensorProto(name, FLOAT, shape, floats));
    }
    return name;
  }

  String scalar(float value) {
    Shape shape = Shape.of();
    return constant("scalar_" + value, shape, Tensor.of(shape, value));
  }

  /** An I64 vector, as shapes and indices are given to ONNX operators. */
  String integers(long... values) {
    Shape shape = Shape.of(values.length);
    StringBuilder name = new StringBuilder("integers");
    for (long value : values) {
      name.append('_').append(value);
    }
    if (constants.add(name.toString())) {
      graph.message(5, tensorProto(name.toString(), INT64, shape, Tensor.of(shape, values)));
    }
    return name.toString();
  }

  /** Appends a node whose output gets a name of its own. */
  String node(String type, List<String> inputs) {
    return node(type, inputs, _ -> {});
  }

  String node(String type, List<String> inputs, Consumer<Attributes> attributes) {
    return node(type, inputs, "t" + nodes, attributes);
  }

  String node(String type, List<String> inputs, String output, Consumer<Attributes> attributes) {
    ProtoMessage node = new ProtoMessage();
    inputs.forEach(input -> node.text(1, input));
    node.text(2, output).text(3, type + "_" + nodes++).text(4, type);
    attributes.accept(new Attributes(node));
    graph.message(1, node);
    return output;
  }

  void writeTo(Path file) throws IOException {
    new ProtoMessage()
        .varint(1, IR_VERSION)
        .text(2, "tessera")
        .message(7, graph)
        .message(8, new ProtoMessage().text(1, "").varint(2, OPSET))
        .message(8, new ProtoMessage().text(1, MICROSOFT).varint(2, 1))
        .writeTo(file);
  }

  /** The attributes of one node. */
  static final class Attributes {
    private final ProtoMessage node;

    private Attributes(ProtoMessage node) {
      this.node = node;
    }

    /** The operator is one of ONNX Runtime's own. */
    Attributes microsoft() {
      node.text(7, MICROSOFT);
      return this;
    }

    Attributes integer(String name, long value) {
      node.message(5, new ProtoMessage().text(1, name).varint(3, value).varint(20, 2));
      return this;
    }

    Attributes real(String name, float value) {
      node.message(5, new ProtoMessage().text(1, name).fixed(2, value).varint(20, 1));
      return this;
    }

    Attributes integers(String name, long... values) {
      node.message(5, new ProtoMessage().text(1, name).varints(8, values).varint(20, 7));
      return this;
    }
  }

  private static ProtoMessage tensorProto(String name, int type, Shape shape, Tensor tensor) {
    ProtoMessage proto = new ProtoMessage();
    for (int extent : shape.toArray()) {
      proto.varint(1, extent);
    }
    return proto.varint(2, type).text(8, name).bytes(9, tensor.data());
  }

  private static ProtoMessage valueInfo(String name, Shape shape) {
    ProtoMessage dimensions = new ProtoMessage();
    for (int extent : shape.toArray()) {
      dimensions.message(1, new ProtoMessage().varint(1, extent));
    }
    return valueInfo(name, FLOAT, dimensions);
  }

  private static ProtoMessage valueInfo(String name, int type, ProtoMessage dimensions) {
    ProtoMessage tensorType = new ProtoMessage().varint(1, type).message(2, dimensions);
    return new ProtoMessage().text(1, name).message(2, new ProtoMessage().message(1, tensorType));
  }
}
