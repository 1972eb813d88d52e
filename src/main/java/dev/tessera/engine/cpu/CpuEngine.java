package dev.tessera.engine.cpu;

import dev.tessera.engine.Engine;
import dev.tessera.engine.Executable;
import dev.tessera.graph.Fusion;
import dev.tessera.graph.Graph;
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

  private final Arena arena = Arena.ofShared();
  private final WorkerPool pool;
  private final Kernels kernels;
  private final Map<PackingKey, PackedMatrix> packed = new ConcurrentHashMap<>();

  /**
   * @param threads threads that compute, the caller's included: at least 1
   */
  public CpuEngine(int threads) {
    this(threads, new Kernels());
    WarmUp.start(kernels);
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
  public Executable compile(Graph graph, Map<String, Tensor> parameters) {
    Graph fused = Fusion.fuse(graph);
    return new Compiler(this, fused, new Constants(fused, parameters)).compile();
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
