package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.engine.Constants;
import dev.tessera.engine.cpu.LinearStep.Layer;
import dev.tessera.engine.cpu.LinearStep.Left;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes the steps of linear layers and their gradients. They run one after the other, so all share
 * the room in which their operands are packed.
 */
final class Products {
  /** Rows of an input that count as few, so that its first run streams the weights: 5 images. */
  private static final int FEW_ROWS = 1024;

  private final CpuEngine engine;
  private final Constants constants;
  private final Function<Value, float[]> arrays;
  private final boolean infers;
  private final float[] packedRows;
  private final long panels;
  private final float[][] panelScratch;
  private final float[][] tiles;
  private final StreamedLinearStep.Buffers[] streamBuffers;

  Products(CpuEngine engine, Graph graph, Constants constants, Function<Value, float[]> arrays) {
    this.engine = engine;
    this.constants = constants;
    this.arrays = arrays;
    this.infers = graph.variables().isEmpty();
    Needs needs = new Needs();
    for (Op op : graph.operations()) {
      if (!constants.contains(op.output())) {
        add(needs, op);
      }
    }
    this.packedRows = new float[needs.rows];
    this.panels = NativeFloats.allocate(engine.arena(), needs.panels);
    this.panelScratch = new float[engine.pool().size()][needs.depth * COLUMNS];
    this.tiles = new float[engine.pool().size()][ROWS * COLUMNS];
    this.streamBuffers =
        engine
            .pool()
            .perWorker(
                () -> new StreamedLinearStep.Buffers(needs.streamDepth),
                StreamedLinearStep.Buffers[]::new);
  }

  /** The most that any step packs: floats of the left side, of the right, depth of the right. */
  private static final class Needs {
    private int rows;
    private long panels;
    private int depth;
    private int streamDepth;
    private long groupPanels;
    private @Nullable Value groupInput;

    void left(int rowsOfLeft, int depthOfLeft) {
      rows = Math.max(rows, Math.multiplyExact(Lanes.rowTiles(rowsOfLeft) * ROWS, depthOfLeft));
    }

    void right(@Nullable Value input, int in, int out) {
      groupPanels = input != null && input.equals(groupInput) ? groupPanels : 0;
      groupInput = input;
      groupPanels += PackedMatrix.floats(in, out);
      panels = Math.max(panels, groupPanels);
    }
  }

  private void add(Needs needs, Op op) {
    switch (op) {
      case Op.Linear linear -> {
        int in = linear.input().shape().last();
        needs.left((int) linear.input().shape().rows(), in);
        if (varies(linear)) {
          needs.right(linear.input(), in, linear.output().shape().last());
          needs.depth = Math.max(needs.depth, in);
        } else if (streams(linear)) {
          needs.right(null, in, (int) linear.input().shape().rows());
          needs.depth = Math.max(needs.depth, in);
          needs.streamDepth = Math.max(needs.streamDepth, in);
        }
      }
      case GradientOp.LinearInput linear -> {
        int out = linear.gradient().shape().last();
        needs.left((int) linear.gradient().shape().rows(), out);
        needs.right(null, out, linear.output().shape().last());
      }
      case GradientOp.LinearWeight linear -> {
        int rows = (int) linear.input().shape().rows();
        needs.left(linear.gradient().shape().last(), rows);
        needs.right(null, rows, linear.input().shape().last());
      }
      default -> {}
    }
  }

  private boolean varies(Op.Linear linear) {
    Value bias = linear.bias();
    return !constants.contains(linear.weight()) || (bias != null && !constants.contains(bias));
  }

  /** Whether the first run reads the weights where they are. */
  private boolean streams(Op.Linear linear) {
    return infers
        && linear.input().shape().rows() <= FEW_ROWS
        && !varies(linear)
        && !engine.hasPacked(constants.tensor(linear.weight()));
  }

  /** Linear layers that read the same input. */
  Step linear(List<Op> group) {
    boolean streams = group.stream().allMatch(op -> streams((Op.Linear) op));
    return streams ? new FirstRunStep(streamed(group), () -> packed(group)) : packed(group);
  }

  private StreamedLinearStep streamed(List<Op> group) {
    List<StreamedLinearStep.Layer> layers = new ArrayList<>();
    for (Op op : group) {
      Op.Linear linear = (Op.Linear) op;
      layers.add(
          new StreamedLinearStep.Layer(
              StoredWeights.of(
                  constants.tensor(linear.weight()),
                  constant(linear.bias()),
                  constant(linear.epilogue().scale())),
              linear.epilogue().activation(),
              array(linear.epilogue().residual()),
              arrays.apply(linear.output())));
    }
    Value input = group.getFirst().inputs().getFirst();
    PackedMatrix columns =
        PackedMatrix.at(panels, input.shape().last(), (int) input.shape().rows());
    Refill refill = new Refill(arrays.apply(input), true, null, panelScratch);
    return new StreamedLinearStep(columns, refill, layers, streamBuffers);
  }

  private LinearStep packed(List<Op> group) {
    engine.expectRows();
    List<Layer> layers = new ArrayList<>();
    long address = panels;
    for (Op op : group) {
      Op.Linear linear = (Op.Linear) op;
      int in = linear.input().shape().last();
      int out = linear.output().shape().last();
      PackedMatrix weights;
      Refill refill = null;
      if (varies(linear)) {
        weights = PackedMatrix.at(address, in, out);
        refill =
            new Refill(arrays.apply(linear.weight()), true, array(linear.bias()), panelScratch);
        address += PackedMatrix.floats(in, out) * Float.BYTES;
      } else {
        weights =
            engine.pack(
                constants.tensor(linear.weight()),
                constant(linear.bias()),
                constant(linear.epilogue().scale()));
      }
      Activation activation = linear.epilogue().activation();
      layers.add(
          new Layer(
              weights,
              refill,
              activation,
              array(linear.epilogue().residual()),
              arrays.apply(linear.output())));
    }
    Value input = group.getFirst().inputs().getFirst();
    Left left =
        new Left(
            arrays.apply(input), (int) input.shape().rows(), input.shape().last(), false, null);
    return new LinearStep(left, packedRows, layers, tiles);
  }

  /** dX = dY·W: the weights are a right-hand side as they are stored. */
  LinearStep linearInput(GradientOp.LinearInput op) {
    Value gradient = op.gradient();
    int out = gradient.shape().last();
    PackedMatrix weights = PackedMatrix.at(panels, out, op.output().shape().last());
    Refill refill = new Refill(arrays.apply(op.weight()), false, null, panelScratch);
    Left left = new Left(arrays.apply(gradient), (int) gradient.shape().rows(), out, false, null);
    return step(left, weights, refill, array(op.residual()), op.output());
  }

  /**
   * dW = dYᵀ·X: long sums over all rows, a small result.
   *
   * @param bias if not null, becomes the sum of all rows of dY, which are at hand then
   */
  LinearStep linearWeight(GradientOp.LinearWeight op, @Nullable Value bias) {
    Value gradient = op.gradient();
    int rows = (int) op.input().shape().rows();
    PackedMatrix inputs = PackedMatrix.at(panels, rows, op.input().shape().last());
    Refill refill = new Refill(arrays.apply(op.input()), false, null, panelScratch);
    Left left = new Left(arrays.apply(gradient), gradient.shape().last(), rows, true, array(bias));
    return step(left, inputs, refill, null, op.output());
  }

  private LinearStep step(
      Left left, PackedMatrix right, Refill refill, float @Nullable [] residual, Value output) {
    Layer layer = new Layer(right, refill, Activation.IDENTITY, residual, arrays.apply(output));
    return new LinearStep(left, packedRows, List.of(layer), tiles);
  }

  private float @Nullable [] array(@Nullable Value value) {
    return value == null ? null : arrays.apply(value);
  }

  private @Nullable Tensor constant(@Nullable Value value) {
    return value == null ? null : constants.tensor(value);
  }
}
