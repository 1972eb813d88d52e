package dev.tessera.engine.cpu;

import static dev.tessera.engine.cpu.Lanes.COLUMNS;
import static dev.tessera.engine.cpu.Lanes.ROWS;

import dev.tessera.graph.Activation;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes the JIT compile {@link VectorKernels} while a program still reads its arguments, its model
 * and its first image, and switches {@link Kernels} over as soon as they are fast.
 *
 * <p>Each kernel is called on little data until the JIT has counted enough calls; many short calls
 * rather than one long loop, so that the method itself is compiled and not only its loop. Then it
 * is timed against its plain form now and then.
 */
final class WarmUp {
  /** Kernels that are switched over together. */
  enum Kind {
    PRODUCTS,
    /** Softmax, normalisation and activations. */
    ELEMENTS,
    /** Products whose rows are read where they are, which one image does without. */
    ROWS
  }

  /**
   * The one that engines share: what the JIT has compiled is compiled for all of them, and only one
   * thread should make it.
   */
  static final WarmUp OF_THIS_JVM = new WarmUp(new Kernels());

  /** Steps of k in a call: enough for the profile to show a loop. */
  private static final int DEPTH = 16;

  /** Keys in a call of softmax: with more the JIT would compile its loops first, and apart. */
  private static final int KEYS = 4;

  /** With the launcher's flags the JIT compiles a kernel within a dozen calls. */
  private static final int COUNTED_CALLS = 150;

  private static final long PAUSE = TimeUnit.MICROSECONDS.toNanos(200);
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(20);

  private final Kernels kernels;
  private final List<Thread> threads = new ArrayList<>();
  private final Set<Kind> begun = EnumSet.noneOf(Kind.class);

  WarmUp(Kernels kernels) {
    this.kernels = kernels;
  }

  /** What becomes fast. */
  Kernels kernels() {
    return kernels;
  }

  /** Starts a thread for what has not begun yet; it ends by itself, at the latest after seconds. */
  synchronized void begin(Kind... kinds) {
    List<Kind> missing = new ArrayList<>();
    for (Kind kind : kinds) { // no stream: a start is too short for one
      if (begun.add(kind)) {
        missing.add(kind);
      }
    }
    if (!missing.isEmpty()) {
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .name("tessera-warm-up")
              .start(() -> new Calls().make(kernels, missing)));
    }
  }

  /** Waits for what has begun, but not longer than {@code patience}. */
  void await(Duration patience) {
    List<Thread> running;
    synchronized (this) {
      threads.removeIf(thread -> !thread.isAlive());
      running = List.copyOf(threads);
    }
    try {
      for (Thread thread : running) {
        thread.join(patience);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One thread's calls and what they are made on. */
  private static final class Calls {
    private final float[] a = new float[ROWS * DEPTH];
    private final float[] c = new float[Math.max(ROWS, DEPTH) * COLUMNS];
    private final float[] inverse = new float[COLUMNS];

    void make(Kernels kernels, List<Kind> kinds) {
      try (Arena arena = Arena.ofConfined()) {
        long b = NativeFloats.allocate(arena, c.length);
        long deadline = System.nanoTime() + PATIENCE;
        // Everything once before anything is compiled: a class of vectors that is loaded later
        // would make the JVM throw away what it compiled before. On the least data, because it is
        // interpreted.
        elements(b, 1, true);
        multiply(b, true);
        for (Kind kind : kinds) {
          switch (kind) {
            case PRODUCTS -> {
              if (until(deadline, () -> multiply(b, true), () -> multiply(b, false))) {
                kernels.useVectorProducts();
              }
            }
            case ELEMENTS -> {
              if (until(deadline, () -> elements(b, KEYS, true), () -> elements(b, KEYS, false))) {
                kernels.useVectorElements();
              }
            }
            case ROWS -> {
              if (until(deadline, () -> multiplyRows(b, true), () -> multiplyRows(b, false))) {
                kernels.useVectorRows();
              }
            }
          }
        }
      }
    }

    /**
     * Calls {@code vector} until it takes less time than {@code plain}; false past the deadline.
     */
    private static boolean until(long deadline, Runnable vector, Runnable plain) {
      for (int call = 0; System.nanoTime() < deadline; call++) {
        vector.run();
        if (call > COUNTED_CALLS) {
          LockSupport.parkNanos(PAUSE); // leaves the core to the JIT, which has most of the work
        }
        if (call % 16 == 15 && best(vector) < best(plain)) {
          return true;
        }
      }
      return false;
    }

    private static long best(Runnable kernel) {
      long best = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        long start = System.nanoTime();
        kernel.run();
        best = Math.min(best, System.nanoTime() - start);
      }
      return best;
    }

    private void multiply(long b, boolean vector) {
      if (vector) {
        VectorKernels.multiplyAdd(a, 0, b, DEPTH, c, 0, COLUMNS);
      } else {
        PlainKernels.multiplyAdd(a, 0, b, DEPTH, c, 0, COLUMNS);
      }
    }

    private void multiplyRows(long b, boolean vector) {
      if (vector) {
        VectorKernels.multiplyRows(a, 0, DEPTH, b, DEPTH, c, 0, COLUMNS);
      } else {
        PlainKernels.multiplyRows(a, 0, DEPTH, b, DEPTH, c, 0, COLUMNS);
      }
    }

    private void elements(long b, int keys, boolean vector) {
      if (vector) {
        VectorKernels.activate(Activation.GELU, c, 0, COLUMNS);
        VectorKernels.softmax(c, keys, COLUMNS, b, inverse);
        VectorKernels.layerNorm(c, 0, inverse, inverse, 1e-6f, c);
      } else {
        PlainKernels.activate(Activation.GELU, c, 0, COLUMNS);
        PlainKernels.softmax(c, keys, COLUMNS, b, inverse);
        PlainKernels.layerNorm(c, 0, inverse, inverse, 1e-6f, c);
      }
    }
  }
}
