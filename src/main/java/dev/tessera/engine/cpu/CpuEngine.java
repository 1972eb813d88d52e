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
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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

  /** Bytes of weights with which one image of 200 patches is worth both. */
  private static final long WORTH_ALL = 8_000_000;

  /** What all cores do on plain kernels, to the order of magnitude. */
  private static final long PLAIN_PRODUCTS_PER_NANOSECOND = 5;

  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(500);

  private final Arena arena = Arena.ofShared();
  private final WorkerPool pool;
  private final Kernels kernels;

  /** Null if the kernels stay as they are. */
  private final @Nullable WarmUp warmUp;

  private long work;
  private boolean expectsRows;
  private final Map<PackingKey, PackedMatrix> packed = new ConcurrentHashMap<>();

  /**
   * @param threads threads that compute, the caller's included: at least 1
   */
  public CpuEngine(int threads) {
    this(threads, WarmUp.OF_THIS_JVM.kernels(), WarmUp.OF_THIS_JVM);
  }

  /** An engine whose kernels stay as they are given. */
  CpuEngine(int threads, Kernels kernels) {
    this(threads, kernels, null);
  }

  private CpuEngine(int threads, Kernels kernels, @Nullable WarmUp warmUp) {
    this.pool = new WorkerPool(threads);
    this.kernels = kernels;
    this.warmUp = warmUp;
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
   * Has all vector kernels compiled on a thread of its own, for a model that is worth it. Not on a
   * single core, where that would keep the program from what it does meanwhile.
   *
   * @param bytes of the model's weights
   */
  public static void prepare(long bytes) {
    if (bytes > WORTH_ALL && Runtime.getRuntime().availableProcessors() > 1) {
      WarmUp.OF_THIS_JVM.begin(WarmUp.Kind.PRODUCTS, WarmUp.Kind.ELEMENTS);
    }
  }

  /**
   * Has the vector kernels compiled as soon as there is enough to do for that to pay: one image of
   * a small model is sooner done on plain kernels than the JIT is with the vector ones.
   *
   * @param more multiply-adds that were done or are about to be
   */
  synchronized void expectWork(long more) {
    work += more;
    if (warmUp != null && work > WORTH_VECTOR_PRODUCTS) {
      if (work > WORTH_VECTOR_ELEMENTS) {
        warmUp.begin(WarmUp.Kind.PRODUCTS, WarmUp.Kind.ELEMENTS);
      } else {
        warmUp.begin(WarmUp.Kind.PRODUCTS);
      }
      if (expectsRows) {
        warmUp.begin(WarmUp.Kind.ROWS);
      }
    }
  }

  /** Has the kernel for rows where they are compiled, too, if there is enough to do. */
  synchronized void expectRows() {
    expectsRows = true;
    expectWork(0);
  }

  /**
   * Before a run that is worth the vector kernels: waits for those that are being compiled. What
   * plain ones could do meanwhile is little, and would take the cores from the JIT. Not longer than
   * plain ones would take for everything, and never for long: where the JIT waits for many more
   * calls, they go on.
   */
  void awaitKernels() {
    if (warmUp == null || kernels.vectorised()) {
      return;
    }
    long products;
    synchronized (this) {
      products = work;
    }
    if (products > WORTH_VECTOR_PRODUCTS) {
      long plain = products / PLAIN_PRODUCTS_PER_NANOSECOND;
      warmUp.await(Duration.ofNanos(Math.min(plain, PATIENCE)));
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
    if (warmUp != null) {
      warmUp.begin(WarmUp.Kind.PRODUCTS, WarmUp.Kind.ELEMENTS);
      warmUp.begin(WarmUp.Kind.ROWS);
      warmUp.await(Duration.ofMinutes(1));
    }
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

  /** Whether a graph has packed these weights before. */
  boolean hasPacked(Tensor weight) {
    return packed.keySet().stream().anyMatch(key -> key.weight.equals(weight));
  }

  PackedMatrix pack(Tensor weight, @Nullable Tensor bias, @Nullable Tensor scale) {
    return packed.computeIfAbsent(
        new PackingKey(weight, bias, scale),
        _ -> PackedMatrix.pack(arena, pool, StoredWeights.of(weight, bias, scale)));
  }

  @Override
  public void close() {
    pool.close();
    arena.close();
  }
}
