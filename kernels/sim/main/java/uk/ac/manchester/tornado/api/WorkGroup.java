package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The work-items of one group, executed one at a time.
 *
 * <p>One work-item begins, on the calling thread. A kernel without barriers then runs as a plain
 * loop. When the first work-item meets a barrier, the others get a virtual thread each, and the
 * turn goes round until all have reached it. The first one is in the middle of the group, so that a
 * kernel which lacks a barrier always reads something too early, be it of a neighbour above or
 * below.
 */
final class WorkGroup {
  /** Local memory of a group: what every OpenCL GPU and CUDA card has. */
  private static final int LOCAL_BYTES = 48 << 10;

  private final int size;
  private final int first;
  private final Consumer<KernelContext> kernel;
  private final KernelContext[] contexts;
  private final List<Object> locals = new ArrayList<>();
  private int localBytes;

  private @Nullable Thread @Nullable [] threads;
  private boolean looping;
  private int finished;
  private volatile int turn;
  private volatile @Nullable Throwable failure;

  WorkGroup(int[] position, int[] local, int[] global, Consumer<KernelContext> kernel) {
    size = local[0] * local[1] * local[2];
    first = size / 2;
    turn = first;
    this.kernel = kernel;
    contexts = new KernelContext[size];
    for (int item = 0; item < size; item++) {
      int[] place = {
        item % local[0], item / local[0] % local[1], item / (local[0] * local[1]),
      };
      contexts[item] = new KernelContext(this, item, place, position, local, global);
    }
  }

  /** Stops a work-item after another one has failed. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super(null, null, false, false);
    }
  }

  /** Runs every work-item; must be called on a virtual thread. Rethrows what a kernel throws. */
  void run() {
    try {
      kernel.accept(contexts[first]);
    } catch (Stopped e) {
      // Another work-item's failure is reported.
    } catch (RuntimeException | Error e) {
      record(e);
    }
    @Nullable Thread[] others = threads;
    if (others == null) {
      rethrow();
      looping = true;
      for (int i = 1; i < size; i++) {
        kernel.accept(contexts[(first + i) % size]);
      }
      return;
    }
    if (failure == null) {
      finish(first);
    }
    for (int i = 1; i < size; i++) {
      try {
        Thread thread = others[(first + i) % size];
        if (thread != null) {
          thread.join();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }
    rethrow();
  }

  /** Called by the work-item whose turn it is. */
  void barrier(int item) {
    if (looping) {
      throw new IllegalStateException(
          "a barrier that the first work-item of the group did not reach");
    }
    if (finished > 0) {
      fail(new IllegalStateException("a barrier that not all work-items of the group reach"));
    }
    if (size == 1) {
      return;
    }
    if (threads == null) {
      start();
    }
    pass(item);
    await(item);
  }

  private void start() {
    @Nullable Thread[] started = new Thread[size];
    started[first] = Thread.currentThread();
    threads = started;
    for (int i = 1; i < size; i++) {
      int item = (first + i) % size;
      started[item] =
          Thread.ofVirtual()
              .unstarted(() -> {
                try {
                  await(item);
                  kernel.accept(contexts[item]);
                  finish(item);
                } catch (Stopped e) {
                  // Another work-item's failure is reported.
                } catch (Throwable e) {
                  record(e);
                }
              });
    }
    for (int i = 1; i < size; i++) {
      Objects.requireNonNull(started[(first + i) % size]).start();
    }
  }

  private void finish(int item) {
    if (finished == 0 && item != first) {
      record(new IllegalStateException("a barrier that not all work-items of the group reach"));
      return;
    }
    finished++;
    pass(item);
  }

  /** Gives the turn to the next work-item. */
  private void pass(int item) {
    int next = (item + 1) % size;
    turn = next;
    LockSupport.unpark(Objects.requireNonNull(threads)[next]);
  }

  private void await(int item) {
    while (turn != item && failure == null) {
      LockSupport.park(this);
    }
    if (failure != null) {
      throw new Stopped();
    }
  }

  private void fail(RuntimeException e) {
    record(e);
    throw e;
  }

  private void record(Throwable e) {
    if (failure == null) {
      failure = e;
    }
    @Nullable Thread[] all = threads;
    if (all != null) {
      for (Thread thread : all) {
        LockSupport.unpark(thread);
      }
    }
  }

  private void rethrow() {
    Throwable e = failure;
    if (e instanceof RuntimeException runtime) {
      throw runtime;
    }
    if (e != null) {
      throw new IllegalStateException(e);
    }
  }

  float[] floats(int index, int length) {
    if (index < locals.size()) {
      return (float[]) known(locals.get(index), ((float[]) locals.get(index)).length, length);
    }
    float[] array = new float[length];
    Arrays.fill(array, Float.NaN);
    return (float[]) add(array, length);
  }

  int[] ints(int index, int length) {
    if (index < locals.size()) {
      return (int[]) known(locals.get(index), ((int[]) locals.get(index)).length, length);
    }
    int[] array = new int[length];
    Arrays.fill(array, 0xdeadbeef);
    return (int[]) add(array, length);
  }

  private static Object known(Object array, int has, int length) {
    if (has != length) {
      throw new IllegalStateException("work-items of one group ask for local arrays of two sizes");
    }
    return array;
  }

  private Object add(Object array, int length) {
    localBytes += length * 4;
    if (localBytes > LOCAL_BYTES) {
      throw new IllegalStateException(
          "a group takes " + localBytes + " bytes of local memory, the device has " + LOCAL_BYTES);
    }
    locals.add(array);
    return array;
  }
}
