package dev.tessera.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  private static final long LONG = 1_000_000;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void runsEveryTaskOnceInRegionAfterRegion(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int region = 0; region < 3_000; region++) {
        int count = region % 37;
        AtomicIntegerArray runs = new AtomicIntegerArray(count + 1);
        pool.run(count, LONG, (worker, task) -> runs.incrementAndGet(task));
        for (int task = 0; task < count; task++) {
          assertThat(runs.get(task)).isEqualTo(1);
        }
        assertThat(runs.get(count)).isZero();
      }
    }
  }

  @Test
  void wakesWorkersThatFellAsleep() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      Set<Integer> seen = ConcurrentHashMap.newKeySet();
      for (int i = 0; i < 50 && seen.size() < 2; i++) {
        Thread.sleep(5);
        pool.run(
            2,
            LONG,
            (worker, task) -> {
              seen.add(worker);
              long end = System.nanoTime() + 2_000_000;
              while (System.nanoTime() < end) {
                Thread.onSpinWait();
              }
            });
      }
      assertThat(seen).containsExactlyInAnyOrder(0, 1);
    }
  }

  @Test
  void givesAWorkerTheSamePartOfEveryRegion() {
    int threads = 3;
    CyclicBarrier all = new CyclicBarrier(threads);
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int region = 0; region < 20; region++) {
        AtomicIntegerArray workers = new AtomicIntegerArray(threads);
        pool.run(
            threads,
            LONG,
            (worker, task) -> {
              workers.set(task, worker);
              await(all); // or one worker would help the others
            });
        assertThat(workers).hasToString("[0, 1, 2]");
      }
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(10, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void keepsSmallRegionsToTheCaller() {
    try (WorkerPool pool = new WorkerPool(4)) {
      pool.run(100, 10, (worker, task) -> assertThat(worker).isZero());
    }
  }

  @Test
  void passesAFailureOnAndGoesOnWorking() {
    try (WorkerPool pool = new WorkerPool(3)) {
      assertThatThrownBy(() ->
              pool.run(
                  20,
                  LONG,
                  (worker, task) -> {
                    if (task == 7) {
                      throw new IllegalArgumentException("seven");
                    }
                  }))
          .hasMessageContaining("seven");
      AtomicIntegerArray runs = new AtomicIntegerArray(1);
      pool.run(20, LONG, (worker, task) -> runs.incrementAndGet(0));
      assertThat(runs.get(0)).isEqualTo(20);
    }
  }
}
