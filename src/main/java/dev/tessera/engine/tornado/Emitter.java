package dev.tessera.engine.tornado;

import static dev.tessera.engine.tornado.Buffers.elements;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Precision;
import dev.tessera.graph.Activation;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.graph.Value;
import dev.tessera.kernels.Activations;
import dev.tessera.kernels.Elementwise;
import dev.tessera.kernels.Gemm;
import dev.tessera.kernels.Grids;
import dev.tessera.kernels.HalfPrecision;
import dev.tessera.kernels.Reductions;
import dev.tessera.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** The kernels of a graph so far, and the arrays that its values are in. */
final class Emitter {
  /** Work-items of a group where the kernel does not say. */
  private static final int PORTABLE_GROUP = 16;

  private static final int GPU_GROUP = 128;

  /** Rows whose sums are taken by one work-item. */
  static final int SUM_BLOCK = 32;

  /** What kernels take for an array that they do not use. */
  final FloatArray nothing = FloatArray.fromElements(0);

  /** The number 1. */
  final FloatArray one = FloatArray.fromElements(1);

  final KernelContext context = new KernelContext();
  final boolean tiled;
  private final TornadoEngine engine;
  private final Constants constants;
  private final Buffers buffers;
  private final Readers readers;
  private final Set<TornadoNativeArray> uploads =
      Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Step> steps = new ArrayList<>();
  private final Map<Room, FloatArray> rooms = new HashMap<>();
  private final Map<Room, HalfFloatArray> halfRooms = new HashMap<>();

  /** The roots of the values that shared arrays of halves hold. */
  private final IdentityHashMap<HalfFloatArray, Integer> heldRoots = new IdentityHashMap<>();

  /** Elements of the value that was last asked for in each array, which may be larger. */
  private final Map<FloatArray, Integer> held = new HashMap<>();

  Emitter(TornadoEngine engine, Graph graph, Constants constants) {
    this.engine = engine;
    this.constants = constants;
    buffers = new Buffers(graph, constants);
    readers = new Readers(graph, buffers, constants);
    tiled = engine.probe().tiled();
    uploads.add(nothing);
    uploads.add(one);
  }

  /** Appends a kernel; {@code arrays} are all that it reads and writes. */
  void add(
      String name, WorkerGrid grid, List<? extends TornadoNativeArray> arrays, Step.Task task) {
    append(name, grid, arrays, List.of(), new Step.Work("", 0, bytes(arrays)), task);
  }

  /** Appends a kernel that multiplies: {@code flops} operations for products of a shape. */
  void add(
      String name,
      String shape,
      long flops,
      WorkerGrid grid,
      List<FloatArray> arrays,
      Step.Task task) {
    append(name, grid, arrays, List.of(), new Step.Work(shape, flops, bytes(arrays)), task);
  }

  /** Appends a kernel that may change variables: {@code changed}, which are among its arrays. */
  void update(
      String name,
      WorkerGrid grid,
      List<FloatArray> arrays,
      List<FloatArray> changed,
      Step.Task task) {
    long bytes = bytes(arrays) + bytes(changed); // which are read and written
    append(name, grid, arrays, changed, new Step.Work("", 0, bytes), task);
  }

  private void append(
      String name,
      @Nullable WorkerGrid grid,
      List<? extends TornadoNativeArray> arrays,
      List<? extends TornadoNativeArray> changed,
      Step.Work work,
      Step.Task task) {
    steps.add(
        new Step(name + steps.size(), grid, List.copyOf(arrays), List.copyOf(changed), work, task));
  }

  /** Appends a call of a library, with as many operations for products of a shape. */
  void call(
      String name,
      String shape,
      long flops,
      List<? extends TornadoNativeArray> arrays,
      LibraryTaskDescriptor call) {
    append(
        name,
        null,
        arrays,
        List.of(),
        new Step.Work(shape, flops, bytes(arrays)),
        (g, id) -> g.libraryTask(id, descriptor -> descriptor, call));
  }

  /** What arrays hold, each once. */
  private long bytes(List<? extends TornadoNativeArray> arrays) {
    long bytes = 0;
    for (TornadoNativeArray array : new HashSet<>(arrays)) {
      if (array instanceof HalfFloatArray halves) {
        bytes += (long) halves.getSize() * Short.BYTES;
      } else if (array instanceof FloatArray floats && floats != nothing) {
        bytes += (long) held.getOrDefault(floats, floats.getSize()) * Float.BYTES;
      }
    }
    return bytes;
  }

  /** Appends {@code y = factor·x}. */
  void scale(FloatArray x, FloatArray y, int n, float factor) {
    add(
        "scale",
        items(n),
        List.of(x, y),
        (g, id) -> g.task(id, Elementwise::scale, context, x, y, n, factor));
  }

  /** Appends {@code y[i] = a[i]·b[i mod period]}. */
  void multiply(FloatArray a, FloatArray b, FloatArray y, int n, int period) {
    add(
        "multiply",
        items(n),
        List.of(a, b, y),
        (g, id) -> g.task(id, Elementwise::multiply, context, a, b, y, n, period));
  }

  /** Appends {@code y = a·y + b·x}; y may be a variable. */
  void blend(FloatArray x, FloatArray y, int n, float a, float b) {
    update(
        "blend",
        items(n),
        List.of(x, y),
        List.of(y),
        (g, id) -> g.task(id, Elementwise::blend, context, x, y, n, a, b));
  }

  /** Appends {@code y = value}; y may be a variable. */
  void fill(FloatArray y, int n, float value) {
    append(
        "fill",
        items(n),
        List.of(y),
        List.of(y),
        new Step.Work("", 0, (long) n * Float.BYTES),
        (g, id) -> g.task(id, Elementwise::fill, context, y, n, value));
  }

  /** Appends the sums of the columns of {@code [rows, columns]}, in as many stages as it takes. */
  void sumRows(FloatArray x, int rows, int columns, FloatArray y) {
    int parts = Math.ceilDiv(rows, SUM_BLOCK);
    FloatArray sums = parts == 1 ? y : shared("sums of " + rows, parts * columns);
    add(
        "sumRows",
        items(parts * columns),
        List.of(x, sums),
        (g, id) -> g.task(id, Reductions::sumRows, context, x, sums, rows, columns, SUM_BLOCK));
    if (parts > 1) {
      sumRows(sums, parts, columns, y);
    }
  }

  /** Appends a copy of {@code count} runs: see {@link Elementwise#copyRuns}. */
  void copy(
      Value from, int xFrom, int xStep, FloatArray y, int yFrom, int yStep, int count, int length) {
    FloatArray x = array(from);
    int read = xStep == 0 ? length : count * length;
    append(
        "copy",
        items(count * length),
        List.of(x, y),
        List.of(),
        new Step.Work("", 0, (read + (long) count * length) * Float.BYTES),
        (g, id) ->
            g.task(
                id,
                Elementwise::copyRuns,
                context,
                x,
                xFrom,
                xStep,
                y,
                yFrom,
                yStep,
                count,
                length));
  }

  /** A matrix and the way that it is stored: see {@link Gemm}. One of the two steps is 1. */
  record Matrix<A extends TornadoNativeArray>(A array, int line, int depth) {}

  /** What becomes of a product: {@code f(product + bias) + residual}. */
  record End(@Nullable FloatArray bias, Activation activation, @Nullable FloatArray residual) {
    static final End NONE = new End(null, Activation.IDENTITY, null);

    /** As the kernels take it: see {@link Gemm}. */
    int epilogue() {
      return kind(activation)
          + (bias == null ? 0 : Gemm.BIAS)
          + (residual == null ? 0 : Gemm.RESIDUAL);
    }
  }

  /** Appends a product and its end. */
  void multiply(
      String name,
      Matrix<FloatArray> a,
      Matrix<FloatArray> b,
      End end,
      FloatArray c,
      int m,
      int n,
      int k) {
    if (engine.probe().hasLibraries()) {
      multiplyByLibrary(name, a, b, end, c, m, n, k);
      complete(name, end, c, m, n);
      return;
    }
    int epilogue = end.epilogue();
    FloatArray start = orNothing(end.bias);
    FloatArray rest = orNothing(end.residual);
    FloatArray x = a.array();
    FloatArray w = b.array();
    int across = Math.ceilDiv(n, Gemm.TILE);
    int down = Math.ceilDiv(m, Gemm.TILE);
    add(
        name,
        shape(m, n, k),
        flops(m, n, k),
        tiled ? Grids.tiles(across, down, Gemm.SIDE, Gemm.SIDE) : items(Gemm.blocks(m, n)),
        List.of(x, w, start, rest, c),
        (g, id) ->
            g.task(
                id,
                tiled ? Gemm::tiled : Gemm::rows,
                context,
                x,
                a.line,
                a.depth,
                w,
                b.depth,
                b.line,
                start,
                rest,
                c,
                m,
                n,
                k,
                epilogue));
  }

  /**
   * Appends {@code c = a·b} by a library: of floats, or both factors of halves. The end, which
   * libraries leave out, is to be appended next.
   */
  void multiplyByLibrary(
      String name, Matrix<?> a, Matrix<?> b, End end, FloatArray c, int m, int n, int k) {
    if (end.residual == c) {
      throw new AssertionError("a library's product would overwrite what is to be added to it");
    }
    call(
        name,
        shape(m, n, k),
        flops(m, n, k),
        List.of(a.array, b.array, c),
        CudaLibraries.product(a, b, c, m, n, k, engine.precision()));
  }

  /** Appends the end of a product. */
  void complete(String name, End end, FloatArray c, int m, int n) {
    int epilogue = end.epilogue();
    if (epilogue != 0) {
      FloatArray start = orNothing(end.bias);
      FloatArray rest = orNothing(end.residual);
      long bytes = bytes(List.of(c, start, rest)) + bytes(List.of(c));
      append(
          name + "End",
          items(Math.multiplyExact(m, n)),
          List.of(c, start, rest),
          List.of(),
          new Step.Work("", 0, bytes),
          (g, id) -> g.task(id, Gemm::complete, context, c, start, rest, m, n, epilogue));
    }
  }

  /** The same, rounded to where {@link #halves} finds it: for readers that come right after. */
  void completeHalves(String name, End end, Value product, int m, int n) {
    int epilogue = end.epilogue();
    FloatArray c = array(product);
    FloatArray start = orNothing(end.bias);
    FloatArray rest = orNothing(end.residual);
    HalfFloatArray y = roundedResult(product);
    add(
        name + "End",
        items(Math.multiplyExact(m, n)),
        List.of(c, start, rest, y),
        (g, id) -> g.task(id, HalfPrecision::complete, context, c, start, rest, y, m, n, epilogue));
  }

  FloatArray orNothing(@Nullable FloatArray array) {
    return array == null ? nothing : array;
  }

  private static String shape(int m, int n, int k) {
    return m + "×" + n + "×" + k;
  }

  private static long flops(int m, int n, int k) {
    return 2L * m * n * k;
  }

  /** Whether the factors of products are rounded to half precision. */
  boolean hasHalves() {
    return engine.precision() == Precision.FP16;
  }

  /** The same of products with a weight: those that change keep theirs. */
  boolean hasHalves(Value weight) {
    return hasHalves() && constants.contains(weight);
  }

  /** A constant in half precision, with its rows multiplied. */
  HalfFloatArray scaledHalves(Value constant, @Nullable Value factors) {
    Tensor scale = factors == null ? null : constants.tensor(factors);
    HalfFloatArray array = engine.uploadHalves(constants.tensor(constant), scale);
    uploads.add(array);
    return array;
  }

  /** A value in half precision; rounded once for all that read it one after the other. */
  HalfFloatArray halves(Value value) {
    int n = elements(value);
    HalfFloatArray rounded = sharedHalves("rounded", n);
    if (becomes(rounded, value)) {
      FloatArray x = array(value);
      add(
          "round",
          items(n),
          List.of(x, rounded),
          (g, id) -> g.task(id, HalfPrecision::fromFloats, context, x, rounded, n));
    }
    return rounded;
  }

  /** Where a value's halves are to be written, so that {@link #halves} need not round it. */
  HalfFloatArray roundedResult(Value value) {
    HalfFloatArray rounded = sharedHalves("rounded", elements(value));
    becomes(rounded, value);
    return rounded;
  }

  /** Notes that a shared array holds a value from now on; false if it does so already. */
  boolean becomes(HalfFloatArray array, Value value) {
    return !Integer.valueOf(root(value)).equals(heldRoots.put(array, root(value)));
  }

  /**
   * Whether what an operation makes is read only as a factor of products in half precision, and
   * only by operations that come right after it.
   */
  boolean isRoundedOnly(Op op) {
    List<Op> all = readers.of(op);
    int root = root(op.output());
    return !all.isEmpty()
        && readers.between(op, all.getLast()).size() == all.size() - 1
        && all.stream()
            .allMatch(reader ->
                reader instanceof Op.Linear linear
                    && hasHalves(linear.weight())
                    && root(linear.input()) == root
                    && (linear.epilogue().residual() == null
                        || root(linear.epilogue().residual()) != root));
  }

  /** The attention that alone reads what an operation makes, the next one after it; or null. */
  Op.@Nullable Attention attentionOf(Op op) {
    List<Op> all = readers.of(op);
    return all.size() == 1
            && all.getFirst() instanceof Op.Attention attention
            && readers.between(op, attention).stream().noneMatch(Op.Attention.class::isInstance)
        ? attention
        : null;
  }

  /** As {@link #shared}, of halves. */
  HalfFloatArray sharedHalves(String use, int size) {
    return halfRooms.computeIfAbsent(new Room(use, size), room -> new HalfFloatArray(room.size));
  }

  WorkerGrid items(int count) {
    return Grids.items(count, tiled ? GPU_GROUP : PORTABLE_GROUP);
  }

  /** Where a value is; uploaded once if it is a constant. */
  FloatArray array(Value value) {
    FloatArray array = constants.contains(value) ? scaled(value, null) : buffers.array(value);
    held.put(array, elements(value));
    return array;
  }

  @Nullable FloatArray nullable(@Nullable Value value) {
    return value == null ? null : array(value);
  }

  /** A constant with its rows multiplied. */
  FloatArray scaled(Value constant, @Nullable Value factors) {
    Tensor scale = factors == null ? null : constants.tensor(factors);
    FloatArray array = engine.upload(constants.tensor(constant), scale);
    uploads.add(array);
    return array;
  }

  boolean isConstant(Value value) {
    return constants.contains(value);
  }

  /** The id of the value that a value is a view of. */
  int root(Value value) {
    return buffers.root(value);
  }

  /** An array of this graph that is no value of it. */
  FloatArray scratch(int size) {
    return new FloatArray(size);
  }

  private record Room(String use, int size) {}

  /**
   * An array in which one kernel leaves something for those right after it: the same one for all
   * that have the same use for as much.
   */
  FloatArray shared(String use, int size) {
    return rooms.computeIfAbsent(new Room(use, size), room -> scratch(room.size));
  }

  List<Step> steps() {
    return steps;
  }

  Set<TornadoNativeArray> uploads() {
    return uploads;
  }

  static int kind(Activation activation) {
    return switch (activation) {
      case IDENTITY -> Activations.IDENTITY;
      case GELU -> Activations.GELU;
      case GELU_TANH -> Activations.GELU_TANH;
      case QUICK_GELU -> Activations.QUICK_GELU;
      case RELU -> Activations.RELU;
      case SILU -> Activations.SILU;
      case TANH -> Activations.TANH;
      case SIGMOID -> Activations.SIGMOID;
    };
  }
}
