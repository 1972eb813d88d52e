package uk.ac.manchester.tornado.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** That the simulator does what TornadoVM does, and refuses what TornadoVM refuses. */
class SimulatorTest {
  private static final int GROUP = 8;

  static void increment(KernelContext context, FloatArray x, int n) {
    int i = context.globalIdx;
    if (i < n) {
      x.set(i, x.get(i) + 1);
    }
  }

  static void reverseInGroup(KernelContext context, FloatArray x, FloatArray y, int barriers) {
    float[] shared = context.allocateFloatLocalArray(GROUP);
    int i = context.localIdx;
    shared[i] = x.get(context.globalIdx);
    if (barriers == 1) {
      context.localBarrier();
    }
    y.set(context.globalIdx, shared[GROUP - 1 - i]);
  }

  static void sumInGroup(KernelContext context, FloatArray x, FloatArray y, int secondBarrier) {
    float[] shared = context.allocateFloatLocalArray(GROUP);
    int i = context.localIdx;
    shared[i] = x.get(context.globalIdx);
    context.localBarrier();
    for (int stride = GROUP / 2; stride > 0; stride /= 2) {
      float sum = i < stride ? shared[i] + shared[i + stride] : shared[i];
      shared[i] = sum;
      if (secondBarrier == 1) {
        context.localBarrier();
      }
    }
    if (i == 0) {
      y.set(context.groupIdx, shared[0]);
    }
  }

  static void someReachTheBarrier(KernelContext context, FloatArray x, int from, int to) {
    if (context.localIdx >= from && context.localIdx < to) {
      context.localBarrier();
    }
    x.set(context.globalIdx, 1);
  }

  static void positions(KernelContext context, FloatArray out) {
    int columns = context.globalGroupSizeX;
    int at = context.globalIdy * columns + context.globalIdx;
    int group = context.groupIdy * 10 + context.groupIdx;
    int local = context.localIdy * context.localGroupSizeX + context.localIdx;
    out.set(at, group * 100 + local);
  }

  private static TornadoExecutionPlan plan(TaskGraph graph, WorkerGrid grid) {
    return new TornadoExecutionPlan(graph.snapshot())
        .withGridScheduler(new GridScheduler("g.t", grid));
  }

  private static WorkerGrid grid(int items, int group) {
    WorkerGrid1D grid = new WorkerGrid1D(items);
    grid.setLocalWork(group, 1, 1);
    return grid;
  }

  private static TaskGraph graph(FloatArray x) {
    return graph("g", x);
  }

  private static TaskGraph graph(String name, FloatArray x) {
    return new TaskGraph(name)
        .task("t", SimulatorTest::increment, new KernelContext(), x, x.getSize());
  }

  @Test
  void copiesOnceOrEveryTime() throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2, 3);
    TaskGraph once =
        graph(x)
            .transferToDevice(DataTransferMode.FIRST_EXECUTION, x)
            .transferToHost(DataTransferMode.EVERY_EXECUTION, x);
    try (TornadoExecutionPlan plan = plan(once, grid(4, 2))) {
      plan.execute();
      x.init(100);
      plan.execute();
      assertThat(x.toHeapArray()).containsExactly(3, 4, 5);
    }
    TaskGraph always =
        graph(x)
            .transferToDevice(DataTransferMode.EVERY_EXECUTION, x)
            .transferToHost(DataTransferMode.UNDER_DEMAND, x);
    try (TornadoExecutionPlan plan = plan(always, grid(4, 2))) {
      plan.execute();
      x.init(100);
      TornadoExecutionResult result = plan.execute();
      assertThat(x.toHeapArray()).containsExactly(100, 100, 100);
      result.transferToHost(x);
      assertThat(x.toHeapArray()).containsExactly(101, 101, 101);
    }
  }

  @Test
  void whatWasNotTransferredIsNotThere() throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2);
    try (TornadoExecutionPlan plan =
        plan(graph(x).transferToHost(DataTransferMode.EVERY_EXECUTION, x), grid(2, 1))) {
      plan.execute();
      assertThat(x.toHeapArray()).containsExactly(Float.NaN, Float.NaN);
    }
    FloatArray y = FloatArray.fromElements(1);
    try (TornadoExecutionPlan plan =
        plan(graph(y).transferToDevice(DataTransferMode.FIRST_EXECUTION, y), grid(1, 1))) {
      TornadoExecutionResult result = plan.execute();
      assertThat(y.get(0)).isEqualTo(1);
      assertThatThrownBy(() -> result.transferToHost(y)).hasMessageContaining("UNDER_DEMAND");
    }
  }

  @Test
  void passesArraysFromGraphToGraph() throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2);
    TaskGraph first =
        graph("a", x).transferToDevice(DataTransferMode.EVERY_EXECUTION, x).persistOnDevice(x);
    TaskGraph second =
        graph("b", x).consumeFromDevice("a", x).transferToHost(DataTransferMode.EVERY_EXECUTION, x);
    GridScheduler grids = new GridScheduler("a.t", grid(2, 2));
    grids.addWorkerGrid("b.t", grid(2, 2));
    try (TornadoExecutionPlan plan =
        new TornadoExecutionPlan(first.snapshot(), second.snapshot()).withGridScheduler(grids)) {
      assertThatThrownBy(() -> plan.withGraph(1).execute()).hasMessageContaining("just before");
      plan.withGraph(0).execute();
      plan.withGraph(1).execute();
      assertThat(x.toHeapArray()).containsExactly(3, 4);
      plan.withGraph(1).execute();
      assertThat(x.toHeapArray()).containsExactly(4, 5);
    }
  }

  /** What training builds on: the first graph's copy, uploaded once, is the one that all change. */
  @Test
  void handedOnArraysStayFromRunToRun() throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2);
    TaskGraph first =
        graph("a", x).transferToDevice(DataTransferMode.FIRST_EXECUTION, x).persistOnDevice(x);
    TaskGraph second = graph("b", x).consumeFromDevice("a", x).persistOnDevice(x);
    GridScheduler grids = new GridScheduler("a.t", grid(2, 2));
    grids.addWorkerGrid("b.t", grid(2, 2));
    try (TornadoExecutionPlan plan =
        new TornadoExecutionPlan(first.snapshot(), second.snapshot()).withGridScheduler(grids)) {
      for (int run = 0; run < 3; run++) {
        plan.withGraph(0).execute();
        TornadoExecutionResult result = plan.withGraph(1).execute();
        if (run != 1) {
          result.transferToHost(x);
          assertThat(x.toHeapArray()).containsExactly(3 + 2 * run, 4 + 2 * run);
        }
      }
    }
  }

  @Test
  void underDemandIsAskedOfTheChosenGraph() throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2);
    FloatArray y = FloatArray.fromElements(3, 4);
    TaskGraph[] graphs = new TaskGraph[2];
    GridScheduler grids = new GridScheduler();
    for (int i = 0; i < 2; i++) {
      FloatArray array = i == 0 ? x : y;
      graphs[i] =
          graph("g" + i, array)
              .transferToDevice(DataTransferMode.EVERY_EXECUTION, array)
              .transferToHost(DataTransferMode.UNDER_DEMAND, array);
      grids.addWorkerGrid("g" + i + ".t", grid(2, 2));
    }
    try (TornadoExecutionPlan plan =
        new TornadoExecutionPlan(graphs[0].snapshot(), graphs[1].snapshot())
            .withGridScheduler(grids)) {
      TornadoExecutionResult result = plan.withGraph(0).execute();
      plan.withGraph(1).execute();
      assertThatThrownBy(() -> result.transferToHost(x)).hasMessageContaining("UNDER_DEMAND");
      plan.withGraph(0);
      result.transferToHost(x);
      assertThat(x.toHeapArray()).containsExactly(2, 3);
      assertThat(y.toHeapArray()).containsExactly(3, 4);
    }
  }

  @Test
  void barriersSeparateWritesFromReads() throws Exception {
    float[] expected = {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8};
    assertThat(groups(16, 1)).containsExactly(expected);
    assertThat(groups(16, 0)).contains(Float.NaN);
  }

  private static float[] groups(int n, int barriers) throws Exception {
    FloatArray x = new FloatArray(n);
    for (int i = 0; i < n; i++) {
      x.set(i, i);
    }
    FloatArray y = new FloatArray(n);
    TaskGraph graph =
        new TaskGraph("g")
            .transferToDevice(DataTransferMode.FIRST_EXECUTION, x)
            .task("t", SimulatorTest::reverseInGroup, new KernelContext(), x, y, barriers)
            .transferToHost(DataTransferMode.EVERY_EXECUTION, y);
    try (TornadoExecutionPlan plan = plan(graph, grid(n, GROUP))) {
      plan.execute();
    }
    return y.toHeapArray();
  }

  @Test
  void aMissingBarrierInALoopShows() throws Exception {
    assertThat(sums(1)).containsExactly(36);
    assertThat(sums(0)[0]).isNotEqualTo(36);
  }

  private static float[] sums(int secondBarrier) throws Exception {
    FloatArray x = FloatArray.fromElements(1, 2, 3, 4, 5, 6, 7, 8);
    FloatArray y = new FloatArray(1);
    TaskGraph graph =
        new TaskGraph("g")
            .transferToDevice(DataTransferMode.FIRST_EXECUTION, x)
            .task("t", SimulatorTest::sumInGroup, new KernelContext(), x, y, secondBarrier)
            .transferToHost(DataTransferMode.EVERY_EXECUTION, y);
    try (TornadoExecutionPlan plan = plan(graph, grid(8, GROUP))) {
      plan.execute();
    }
    return y.toHeapArray();
  }

  @Test
  void numbersWorkItemsInTwoDimensions() throws Exception {
    FloatArray out = new FloatArray(24);
    WorkerGrid2D grid = new WorkerGrid2D(6, 4);
    grid.setLocalWork(3, 2, 1);
    TaskGraph graph =
        new TaskGraph("g")
            .task("t", SimulatorTest::positions, new KernelContext(), out)
            .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
    try (TornadoExecutionPlan plan = plan(graph, grid)) {
      plan.execute();
    }
    assertThat(out.toHeapArray())
        .startsWith(0f, 1f, 2f, 100f, 101f, 102f, 3f, 4f, 5f, 103f, 104f, 105f, 1000f, 1001f)
        .endsWith(1103f, 1104f, 1105f);
  }

  @Test
  void refusesBarriersThatNotAllReach() {
    for (int[] range : new int[][] {{0, 7}, {0, 1}, {1, 8}, {7, 8}, {3, 5}}) {
      FloatArray x = new FloatArray(GROUP);
      TaskGraph graph =
          new TaskGraph("g")
              .task(
                  "t",
                  SimulatorTest::someReachTheBarrier,
                  new KernelContext(),
                  x,
                  range[0],
                  range[1]);
      assertThatThrownBy(() -> plan(graph, grid(GROUP, GROUP)).execute())
          .as("%d to %d", range[0], range[1])
          .isInstanceOf(TornadoRuntimeException.class)
          .hasMessageContaining("task g.t: a barrier that");
    }
  }

  @Test
  void refusesGridsThatDoNotFit() {
    FloatArray x = new FloatArray(3);
    assertThatThrownBy(() -> new TornadoExecutionPlan(graph(x).snapshot()).execute())
        .hasMessageContaining("no worker grid");
    assertThatThrownBy(() -> plan(graph(x), grid(3, 2)).execute())
        .hasMessageContaining("3 work-items in groups of 2");
    assertThatThrownBy(() -> plan(graph(x), grid(4096, 2048)).execute())
        .hasMessageContaining("groups of 2048");
  }

  /** By hand: what cuBLAS calls the matrix of columns (1, 2), (3, 4) and its transpose. */
  @Test
  void multipliesColumnMajorMatricesOnCudaAlone() throws Exception {
    FloatArray a = FloatArray.fromElements(1, 2, 3, 4);
    FloatArray b = FloatArray.fromElements(5, 6, 7, 8);
    FloatArray c = FloatArray.fromElements(100, 100, 100, 100);
    float[][] expected = {{23, 34, 31, 46}, {26, 38, 30, 44}, {17, 39, 23, 53}, {19, 43, 22, 50}};
    for (int i = 0; i < 4; i++) {
      TaskGraph graph =
          new TaskGraph("g")
              .transferToDevice(DataTransferMode.EVERY_EXECUTION, a, b, c)
              .libraryTask("t", call -> call, sgemm(i / 2, i % 2, a, b, c))
              .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
      try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
        assertThatThrownBy(plan::execute).hasMessageContaining("calls a library");
        plan.withDevice(TornadoRuntimeProvider.getTornadoRuntime().getBackend(1).getDevice(0))
            .withCUDAGraph()
            .execute();
      }
      assertThat(c.toHeapArray()).as("%d", i).containsExactly(expected[i]);
    }
    TaskGraph graph = graph(a);
    try (TornadoExecutionPlan plan = plan(graph, grid(4, 4))) {
      assertThatThrownBy(() -> plan.withCUDAGraph().execute()).hasMessageContaining("CUDA");
    }
  }

  private static LibraryTaskDescriptor sgemm(
      int transposeA, int transposeB, FloatArray a, FloatArray b, FloatArray c) {
    return new LibraryTaskDescriptor()
        .withLibrary("nvidia/cublas")
        .withFunction("cublasSgemm")
        .withParameters(new Object[] {transposeA, transposeB, 2, 2, 2, 1f, a, 2, b, 2, 0f, c, 2});
  }

  @Test
  void refusesTooManyTasks() {
    FloatArray x = new FloatArray(1);
    TaskGraph graph = new TaskGraph("g");
    for (int i = 0; i < 256; i++) {
      graph.task("t" + i, SimulatorTest::increment, new KernelContext(), x, 1);
    }
    assertThat(graph.snapshot()).isNotNull();
    assertThatThrownBy(
            () -> graph.task("t256", SimulatorTest::increment, new KernelContext(), x, 1))
        .hasMessageContaining("256 tasks");
    TaskGraph wide = new TaskGraph("g");
    for (int i = 0; i < 205; i++) {
      FloatArray array = new FloatArray(1);
      wide.task("t" + i, SimulatorTest::increment, new KernelContext(), array, 1);
    }
    assertThatThrownBy(wide::snapshot)
        .isInstanceOf(TornadoInternalError.class)
        .hasMessageContaining("nodes");
  }

  @Test
  void namesTheTaskThatReadsOutOfBounds() {
    FloatArray x = new FloatArray(3);
    TaskGraph graph =
        new TaskGraph("g").task("t", SimulatorTest::increment, new KernelContext(), x, 5);
    assertThatThrownBy(() -> plan(graph, grid(8, 4)).execute())
        .isInstanceOf(TornadoRuntimeException.class)
        .hasMessageContaining("task g.t: Index 3");
  }

  @Test
  void grantsAsMuchMemoryAsConfigured() {
    FloatArray x = new FloatArray(3 << 20);
    TaskGraph graph = graph(x).transferToDevice(DataTransferMode.FIRST_EXECUTION, x);
    System.setProperty("tornado.device.memory", "8MB");
    try {
      TornadoExecutionPlan plan = plan(graph, grid(3 << 20, 1));
      assertThatThrownBy(plan::execute).isInstanceOf(TornadoOutOfMemoryException.class);
      assertThatThrownBy(plan::close).isInstanceOf(TornadoInternalError.class);
    } finally {
      System.clearProperty("tornado.device.memory");
    }
  }

  @Test
  void measuresEachTaskWhereAsked() throws Exception {
    FloatArray x = new FloatArray(3);
    TaskGraph graph =
        new TaskGraph("g")
            .transferToDevice(DataTransferMode.EVERY_EXECUTION, x)
            .task("t", SimulatorTest::increment, new KernelContext(), x, 3)
            .task("u", SimulatorTest::increment, new KernelContext(), x, 3)
            .transferToHost(DataTransferMode.EVERY_EXECUTION, x);
    GridScheduler grids = new GridScheduler("g.t", grid(4, 2));
    grids.addWorkerGrid("g.u", grid(3, 1));
    try (TornadoExecutionPlan plan =
        new TornadoExecutionPlan(graph.snapshot()).withGridScheduler(grids)) {
      assertThat(plan.execute().getProfilerResult().getProfileLog()).isEmpty();
      plan.withProfiler(ProfilerMode.SILENT);
      plan.execute();
      String log = plan.execute().getProfilerResult().getProfileLog();
      assertThat(log.replaceAll("\\d+", "9").replaceAll("\\s+", " "))
          .isEqualTo(
              """
              { "g": { "TOTAL_COPY_IN_SIZE_BYTES": "9", "COPY_IN_TIME": "9", \
              "TOTAL_KERNEL_TIME": "9", "TOTAL_COPY_OUT_SIZE_BYTES": "9", "COPY_OUT_TIME": "9", \
              "g.t": { "TASK_KERNEL_TIME": "9" }, "g.u": { "TASK_KERNEL_TIME": "9" } } } \
              """
                  .repeat(2));
      assertThat(log)
          .contains(
              "\"TOTAL_COPY_IN_SIZE_BYTES\": \"" + x.getNumBytesOfSegment() + "\"",
              "\"TOTAL_COPY_OUT_SIZE_BYTES\": \"" + x.getNumBytesOfSegment() + "\"");
      assertThatThrownBy(() -> plan.withProfiler(ProfilerMode.CONSOLE))
          .hasMessageContaining("silent");
    }
  }
}
