package dev.tessera.engine.cpu;

import dev.tessera.engine.Constants;
import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.engine.Variables;
import dev.tessera.graph.Fusion;
import dev.tessera.graph.GradientOp;
import dev.tessera.graph.Graph;
import dev.tessera.graph.Op;
import dev.tessera.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Executes graphs with the Vector API on all cores: fused, packed and planned once per graph, then
 * run without allocating.
 *
 * <p>Graphs that share parameters (one for each batch size) share the packed weights. Memory
 * outside the heap is freed by {@link #close}; no executable may run after it.
 */
public final class CpuEngine implements Engine {
  private record PackingKey(Tensor weight, @Nullable Tensor bias, @Nullable Tensor scale) {}

  /** About what plain kernels do in the CPU time that the JIT takes to compile the vector ones. */
  private static final long WORTH_VECTOR_PRODUCTS = 300_000_000L;

  /** The same for softmax, normalisation and activations, which are a small part of the work. */
  private static final long WORTH_VECTOR_ELEMENTS = 6_000_000_000L;

  private final Arena arena = Arena.ofShared();
  private final WorkerPool pool;
  private final Kernels kernels;
  private boolean warmsUp;
  private boolean warmingProducts;
  private boolean warmingElements;
  private long work;
  private final Map<PackingKey, PackedMatrix> packed = new ConcurrentHashMap<>();

  /**
   * @param threads threads that compute, the caller's included: at least 1
   */
  public CpuEngine(int threads) {
    this(threads, new Kernels());
    warmsUp = true;
  }

  /** An engine whose kernels stay as they are given. */
  CpuEngine(int threads, Kernels kernels) {
    this.pool = new WorkerPool(threads);
    this.kernels = kernels;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return describe(pool.size());
  }

  /** What an engine with so many threads would be on this machine. */
  public static String describe(int threads) {
    return "cpu: Vector API, %d-bit vectors, %d×%d tiles, %d thread%s"
        .formatted(
            Lanes.SPECIES.vectorBitSize(),
            Lanes.ROWS,
            Lanes.COLUMNS,
            threads,
            threads == 1 ? "" : "s");
  }

  @Override
  public Executable compile(Graph graph, Map<String, Tensor> parameters, Variables variables) {
    Graph fused = Fusion.fuse(graph);
    expectWork(products(fused));
    return new Compiler(this, fused, new Constants(fused, parameters), variables).compile();
  }

  /**
   * Has the vector kernels compiled as soon as there is enough to do for that to pay: one image of
   * a small model is sooner done on plain kernels than the JIT is with the vector ones.
   *
   * @param more multiply-adds that were done or are about to be
   */
  synchronized void expectWork(long more) {
    work += more;
    boolean products = !warmingProducts && work > WORTH_VECTOR_PRODUCTS;
    boolean elements = !warmingElements && work > WORTH_VECTOR_ELEMENTS;
    if (warmsUp && (products || elements)) {
      warmingProducts |= products;
      warmingElements |= elements;
      WarmUp.start(kernels, products, elements);
    }
  }

  /** Multiply-adds of the linear layers and the attention of one run. */
  static long products(Graph graph) {
    long products = 0;
    for (Op op : graph.operations()) {
      products +=
          switch (op) {
            case Op.Linear linear ->
                linear.output().shape().elements() * linear.input().shape().last();
            case GradientOp.LinearInput linear ->
                linear.gradient().shape().elements() * linear.output().shape().last();
            case GradientOp.LinearWeight linear ->
                linear.gradient().shape().elements() * linear.input().shape().last();
            case Op.Attention attention ->
                2 * attention.query().shape().elements() * attention.key().shape().extent(1);
            default -> 0;
          };
    }
    return products;
  }

  @Override
  public void warmUp() {
    synchronized (this) {
      warmsUp = false;
    }
    WarmUp.run(kernels);
  }

  WorkerPool pool() {
    return pool;
  }

  Kernels kernels() {
    return kernels;
  }

  Arena arena() {
    return arena;
  }

  PackedMatrix pack(Tensor weight, @Nullable Tensor bias, @Nullable Tensor scale) {
    return packed.computeIfAbsent(
        new PackingKey(weight, bias, scale),
        key ->
            PackedMatrix.pack(
                arena,
                pool,
                weight,
                bias == null ? null : bias.toFloats(),
                scale == null ? null : scale.toFloats()));
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
  }
}
