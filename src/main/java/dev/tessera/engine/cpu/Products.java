package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.engine.Constants;
import dev.tessera.engine.cpu.LinearStep.Layer;
import dev.tessera.engine.cpu.LinearStep.Left;
import dev.tessera.engine.cpu.LinearStep.Order;
import dev.tessera.graph.Activation;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes the steps of linear layers and their gradients. They run one after the other, so all share
 * the room in which their operands are packed.
 */
final class Products {
  private final CpuEngine engine;
  private final Constants constants;
  private final Function<Value, float[]> arrays;
  private final Order order;
  private final float[] packedRows;
  private final long panels;
  private final float[][] panelScratch;
  private final float[][] tiles;

  Products(CpuEngine engine, Graph graph, Constants constants, Function<Value, float[]> arrays) {
    this.engine = engine;
    this.constants = constants;
    this.arrays = arrays;
    this.order = graph.variables().isEmpty() ? Order.PACKED : Order.IN_PLACE;
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
  }

  /** The most that any step packs: floats of the left side, of the right, depth of the right. */
  private static final class Needs {
    private int rows;
    private long panels;
    private int depth;
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

  /** Linear layers that read the same input. */
  LinearStep linear(List<Op> group) {
    List<Layer> layers = new ArrayList<>();
    long address = panels;
    for (Op op : group) {
      Op.Linear linear = (Op.Linear) op;
      int in = linear.input().shape().last();
      int out = linear.output().shape().last();
      Value bias = linear.bias();
      Value scale = linear.epilogue().scale();
      PackedMatrix weights;
      Refill refill = null;
      if (varies(linear)) {
        weights = PackedMatrix.at(address, in, out);
        refill = new Refill(arrays.apply(linear.weight()), true, array(bias), panelScratch);
        address += PackedMatrix.floats(in, out) * Float.BYTES;
      } else {
        weights =
            engine.pack(
                constants.tensor(linear.weight()),
                bias == null ? null : constants.tensor(bias),
                scale == null ? null : constants.tensor(scale));
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
            arrays.apply(input), (int) input.shape().rows(), input.shape().last(), order, null);
    return new LinearStep(left, packedRows, layers, tiles);
  }

  /** dX = dY·W: the weights are a right-hand side as they are stored. */
  LinearStep linearInput(GradientOp.LinearInput op) {
    Value gradient = op.gradient();
    int out = gradient.shape().last();
    PackedMatrix weights = PackedMatrix.at(panels, out, op.output().shape().last());
    Refill refill = new Refill(arrays.apply(op.weight()), false, null, panelScratch);
    Left left = new Left(arrays.apply(gradient), (int) gradient.shape().rows(), out, order, null);
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
    Left left =
        new Left(
            arrays.apply(gradient), gradient.shape().last(), rows, Order.TRANSPOSED, array(bias));
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
}
