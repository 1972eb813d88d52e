package dev.tessera.engine.cpu;

import dev.tessera.engine.Engine;

/** Cpu engines for tests that must know which form of the kernels they see. */
public final class FixedKernels {
  private FixedKernels() {}

  /** An engine that stays on the plain loops every engine starts with. */
  public static Engine plain(int threads) {
    return new CpuEngine(threads, new Kernels());
  }

  /** An engine that uses the vector kernels from its first run on. */
  public static Engine vectorised(int threads) {
    Kernels kernels = new Kernels();
    kernels.useVectorProducts();
    kernels.useVectorRows();
    kernels.useVectorElements();
    return new CpuEngine(threads, kernels);
  }
}
