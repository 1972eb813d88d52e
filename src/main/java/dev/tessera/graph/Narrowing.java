package dev.tessera.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Leaves out the tokens that nothing looks at. A classifier on the class token needs one row of the
 * last block's output, so that block's queries, feed-forward layer and norms are computed for one
 * token rather than for all; keys and values still are for all, and every number that is computed
 * stays what it was.
 *
 * <p>First the operations are visited last to first to find which tokens of every value {@code
 * [batch, tokens, hidden]} are read, then they are appended again with what is not left out.
 */
public final class Narrowing {
  /** Tokens {@code from} (inclusive) to {@code end} (exclusive). */
  private record Tokens(int from, int end) {
    static Tokens all(Value value) {
      return new Tokens(0, value.shape().extent(1));
    }

    Tokens and(@Nullable Tokens other) {
      return other == null
          ? this
          : new Tokens(Math.min(from, other.from), Math.max(end, other.end));
    }

    int count() {
      return end - from;
    }
  }

  private final GraphBuilder graph;
  private final Map<Value, Tokens> read = new HashMap<>();
  private final Map<Value, Value> narrowed = new HashMap<>();

  private Narrowing(GraphBuilder graph) {
    this.graph = graph;
  }

  /** A graph that computes the same outputs from the same inputs and parameters. */
  public static Graph narrow(Graph whole) {
    GraphBuilder builder = new GraphBuilder(whole);
    Narrowing narrowing = new Narrowing(builder);
    List<Op> operations = builder.takeOperations();
    whole.outputs().values().forEach(narrowing::readAll);
    for (Op op : operations.reversed()) {
      narrowing.find(op);
    }
    operations.forEach(narrowing::append);
    return builder.build();
  }

  private void readAll(Value value) {
    if (value.shape().rank() == 3) {
      read.put(value, Tokens.all(value));
    }
  }

  private void read(Value value, Tokens tokens) {
    read.put(value, tokens.and(read.get(value)));
  }

  /** Notes which tokens of its inputs an operation reads, given which of its output are read. */
  private void find(Op op) {
    Tokens wanted = read.get(op.output());
    if (op instanceof Op.Slice(Value x, int axis, int from, Value output)
        && axis == 1
        && x.shape().rank() == 3) {
      Tokens of = wanted == null ? Tokens.all(output) : wanted;
      read(x, new Tokens(from + of.from, from + of.end));
      return;
    }
    if (wanted == null || op.outputs().size() > 1 || !byToken(op)) {
      op.inputs().forEach(this::readAll);
      return;
    }
    for (Value input : op.inputs()) {
      if (follows(op, input)) {
        read(input, wanted);
      } else {
        readAll(input);
      }
    }
  }

  /** Whether each token of the output depends on the same token of the inputs that follow. */
  private static boolean byToken(Op op) {
    return switch (op) {
      case Op.Linear linear -> linear.epilogue().equals(Epilogue.NONE);
      case Op.LayerNorm _, Op.RmsNorm _, Op.Activate _, Op.Gated _, Op.Scale _ -> true;
      case Op.Add add -> repeatsByToken(add.left(), add.right());
      case Op.Multiply multiply -> repeatsByToken(multiply.left(), multiply.right());
      case Op.Attention attention -> !attention.causal();
      default -> false;
    };
  }

  private static boolean repeatsByToken(Value left, Value right) {
    return right.shape().equals(left.shape()) || right.shape().elements() == left.shape().last();
  }

  /** Whether an input has the output's tokens, rather than being a weight or a key. */
  private static boolean follows(Op op, Value input) {
    return switch (op) {
      case Op.Linear linear -> input.equals(linear.input());
      case Op.LayerNorm norm -> input.equals(norm.input());
      case Op.RmsNorm norm -> input.equals(norm.input());
      case Op.Attention attention ->
          input.equals(attention.query())
              && !input.equals(attention.key())
              && !input.equals(attention.value());
      default -> input.shape().rank() == 3 && input.shape().extent(1) > 1;
    };
  }

  private void append(Op op) {
    Tokens wanted = read.get(op.output());
    if (op instanceof Op.Slice(Value x, int axis, int from, Value output)
        && axis == 1
        && x.shape().rank() == 3) {
      Tokens of = wanted == null ? Tokens.all(output) : wanted;
      if (!narrowed.containsKey(x) && of.count() == output.shape().extent(1)) {
        graph.append(op);
        return;
      }
      Value rows = tokens(x, new Tokens(from + of.from, from + of.end));
      narrowed.put(output, rows);
      if (of.count() == output.shape().extent(1)) {
        // Readers that are not narrowed know the value by its own name.
        graph.append(new Op.Reshape(rows, output));
      }
      return;
    }
    if (wanted == null
        || wanted.count() == op.output().shape().extent(1)
        || op.outputs().size() > 1
        || !byToken(op)) {
      graph.append(op);
      return;
    }
    Value output = graph.value(op.output().shape().with(1, wanted.count()));
    narrowed.put(op.output(), output);
    graph.append(narrow(op, wanted, output));
  }

  private Op narrow(Op op, Tokens tokens, Value y) {
    return switch (op) {
      case Op.Linear o ->
          new Op.Linear(tokens(o.input(), tokens), o.weight(), o.bias(), o.epilogue(), y);
      case Op.LayerNorm o ->
          new Op.LayerNorm(tokens(o.input(), tokens), o.weight(), o.bias(), o.epsilon(), y);
      case Op.RmsNorm o -> new Op.RmsNorm(tokens(o.input(), tokens), o.weight(), o.epsilon(), y);
      case Op.Activate o -> new Op.Activate(o.activation(), tokens(o.input(), tokens), y);
      case Op.Gated o -> new Op.Gated(o.activation(), tokens(o.input(), tokens), y);
      case Op.Scale o -> new Op.Scale(tokens(o.input(), tokens), o.factor(), y);
      case Op.Add o -> new Op.Add(tokens(o.left(), tokens), repeated(op, o.right(), tokens), y);
      case Op.Multiply o ->
          new Op.Multiply(tokens(o.left(), tokens), repeated(op, o.right(), tokens), y);
      case Op.Attention o ->
          new Op.Attention(
              follows(o, o.query()) ? tokens(o.query(), tokens) : sliced(o.query(), tokens),
              o.key(),
              o.value(),
              o.keyMask(),
              o.heads(),
              o.scale(),
              false,
              y);
      default -> throw new AssertionError(op);
    };
  }

  private Value repeated(Op op, Value right, Tokens tokens) {
    return right.shape().equals(op.output().shape()) ? tokens(right, tokens) : right;
  }

  /** The tokens of a value, from what is computed of it. */
  private Value tokens(Value value, Tokens tokens) {
    Tokens computed = Objects.requireNonNullElse(read.get(value), Tokens.all(value));
    Value rows = narrowed.getOrDefault(value, value);
    if (rows.shape().extent(1) == value.shape().extent(1)) {
      return sliced(value, tokens);
    }
    return sliced(rows, new Tokens(tokens.from - computed.from, tokens.end - computed.from));
  }

  private Value sliced(Value value, Tokens tokens) {
    return tokens.count() == value.shape().extent(1)
        ? value
        : graph.slice(value, 1, tokens.from, tokens.end);
  }
}
