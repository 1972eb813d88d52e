package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.LibraryTask1;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task10;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task11;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task12;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task13;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task14;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task15;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task16;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task17;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task2;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task3;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task4;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task5;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task6;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task7;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task8;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task9;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Kernels in the order in which a device executes them, and which arrays are copied to and from it.
 *
 * <p>The limits of the original hold: 256 tasks, 1024 nodes of its internal graph.
 */
public class TaskGraph {
  private static final int MAX_TASKS = 256;
  private static final int MAX_NODES = 1024;

  private final String name;
  private final List<GraphTask> tasks = new ArrayList<>();
  private final Map<TornadoNativeArray, Integer> toDevice = new LinkedHashMap<>();
  private final Map<TornadoNativeArray, Integer> toHost = new LinkedHashMap<>();
  private final Map<TornadoNativeArray, String> consumed = new LinkedHashMap<>();

  public TaskGraph(String name) {
    this.name = name;
  }

  public <T1, T2> TaskGraph task(String id, Task2<T1, T2> code, T1 arg1, T2 arg2) {
    return add(id, new Object[] {arg1, arg2}, a -> code.apply(a.at(0), a.at(1)));
  }

  public <T1, T2, T3> TaskGraph task(String id, Task3<T1, T2, T3> code, T1 arg1, T2 arg2, T3 arg3) {
    return add(id, new Object[] {arg1, arg2, arg3}, a -> code.apply(a.at(0), a.at(1), a.at(2)));
  }

  public <T1, T2, T3, T4> TaskGraph task(
      String id, Task4<T1, T2, T3, T4> code, T1 arg1, T2 arg2, T3 arg3, T4 arg4) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4},
        a -> code.apply(a.at(0), a.at(1), a.at(2), a.at(3)));
  }

  public <T1, T2, T3, T4, T5> TaskGraph task(
      String id, Task5<T1, T2, T3, T4, T5> code, T1 arg1, T2 arg2, T3 arg3, T4 arg4, T5 arg5) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5},
        a -> code.apply(a.at(0), a.at(1), a.at(2), a.at(3), a.at(4)));
  }

  public <T1, T2, T3, T4, T5, T6> TaskGraph task(
      String id,
      Task6<T1, T2, T3, T4, T5, T6> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6},
        a -> code.apply(a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5)));
  }

  public <T1, T2, T3, T4, T5, T6, T7> TaskGraph task(
      String id,
      Task7<T1, T2, T3, T4, T5, T6, T7> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7},
        a -> code.apply(a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8> TaskGraph task(
      String id,
      Task8<T1, T2, T3, T4, T5, T6, T7, T8> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8},
        a -> code.apply(a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9> TaskGraph task(
      String id,
      Task9<T1, T2, T3, T4, T5, T6, T7, T8, T9> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9},
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> TaskGraph task(
      String id,
      Task10<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10},
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> TaskGraph task(
      String id,
      Task11<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11},
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> TaskGraph task(
      String id,
      Task12<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12) {
    return add(
        id,
        new Object[] {arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12},
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> TaskGraph task(
      String id,
      Task13<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13) {
    return add(
        id,
        new Object[] {
          arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13
        },
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11), a.at(12)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14> TaskGraph task(
      String id,
      Task14<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14) {
    return add(
        id,
        new Object[] {
          arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13, arg14
        },
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11), a.at(12), a.at(13)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15> TaskGraph task(
      String id,
      Task15<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14,
      T15 arg15) {
    return add(
        id,
        new Object[] {
          arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13, arg14,
          arg15
        },
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11), a.at(12), a.at(13), a.at(14)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16> TaskGraph task(
      String id,
      Task16<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16> code,
      T1 arg1,
      T2 arg2,
      T3 arg3,
      T4 arg4,
      T5 arg5,
      T6 arg6,
      T7 arg7,
      T8 arg8,
      T9 arg9,
      T10 arg10,
      T11 arg11,
      T12 arg12,
      T13 arg13,
      T14 arg14,
      T15 arg15,
      T16 arg16) {
    return add(
        id,
        new Object[] {
          arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13, arg14,
          arg15, arg16
        },
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11), a.at(12), a.at(13), a.at(14), a.at(15)));
  }

  public <T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17>
      TaskGraph task(
          String id,
          Task17<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17> code,
          T1 arg1,
          T2 arg2,
          T3 arg3,
          T4 arg4,
          T5 arg5,
          T6 arg6,
          T7 arg7,
          T8 arg8,
          T9 arg9,
          T10 arg10,
          T11 arg11,
          T12 arg12,
          T13 arg13,
          T14 arg14,
          T15 arg15,
          T16 arg16,
          T17 arg17) {
    return add(
        id,
        new Object[] {
          arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, arg9, arg10, arg11, arg12, arg13, arg14,
          arg15, arg16, arg17
        },
        a ->
            code.apply(
                a.at(0), a.at(1), a.at(2), a.at(3), a.at(4), a.at(5), a.at(6), a.at(7), a.at(8),
                a.at(9), a.at(10), a.at(11), a.at(12), a.at(13), a.at(14), a.at(15), a.at(16)));
  }

  public TaskGraph transferToDevice(int mode, Object... objects) {
    for (Object object : objects) {
      toDevice.put(array(object), mode);
    }
    return this;
  }

  public TaskGraph transferToHost(int mode, Object... objects) {
    if (mode == DataTransferMode.FIRST_EXECUTION) {
      throw new TornadoRuntimeException(
          "transferToHost takes EVERY_EXECUTION or UNDER_DEMAND, not FIRST_EXECUTION");
    }
    for (Object object : objects) {
      toHost.put(array(object), mode);
    }
    return this;
  }

  /** Keeps arrays on the device for the task graph that is executed next. */
  public TaskGraph persistOnDevice(Object... objects) {
    return transferToHost(DataTransferMode.UNDER_DEMAND, objects);
  }

  /** Takes arrays over from the task graph of that name, which must have run just before. */
  public TaskGraph consumeFromDevice(String uniqueTaskGraphName, Object... objects) {
    for (Object object : objects) {
      consumed.put(array(object), uniqueTaskGraphName);
    }
    return this;
  }

  public ImmutableTaskGraph snapshot() {
    if (tasks.isEmpty()) {
      throw new TornadoRuntimeException("task graph " + name + " has no tasks");
    }
    Set<Object> constants = new HashSet<>();
    Set<TornadoNativeArray> arrays = new LinkedHashSet<>();
    for (GraphTask task : tasks) {
      for (Object argument : task.arguments()) {
        if (argument instanceof TornadoNativeArray array) {
          arrays.add(array);
        } else {
          constants.add(argument);
        }
      }
    }
    Set<TornadoNativeArray> known = new HashSet<>(toDevice.keySet());
    known.addAll(toHost.keySet());
    known.addAll(consumed.keySet());
    known.removeAll(arrays);
    long results =
        toHost.values().stream().filter(mode -> mode == DataTransferMode.EVERY_EXECUTION).count();
    // An array that tasks use, its transfer and its release; one that is only handed on; a task
    // and what it writes; scalars; what comes back; two for the device.
    long nodes =
        3L * arrays.size() + known.size() + 2L * tasks.size() + constants.size() + results + 2;
    if (nodes > MAX_NODES) {
      throw new TornadoInternalError(
          "task graph %s needs %d nodes, more than %d", name, nodes, MAX_NODES);
    }
    return new ImmutableTaskGraph(name, tasks, toDevice, toHost, consumed);
  }

  /** Calls a vendor's library; only devices of CUDA have any. */
  public <T1> TaskGraph libraryTask(String id, LibraryTask1<T1> code, T1 arg1) {
    return add(GraphTask.of(id, code.apply(arg1)));
  }

  private TaskGraph add(GraphTask task) {
    if (tasks.size() == MAX_TASKS) {
      throw new TornadoRuntimeException(
          "task graph " + name + " has more than " + MAX_TASKS + " tasks");
    }
    if (tasks.stream().anyMatch(other -> other.id().equals(task.id()))) {
      throw new TornadoRuntimeException("task graph " + name + " has two tasks named " + task.id());
    }
    tasks.add(task);
    return this;
  }

  private TaskGraph add(String id, Object[] arguments, GraphTask.Code code) {
    boolean contextual = false;
    for (Object argument : arguments) {
      switch (argument) {
        case KernelContext _ -> contextual = true;
        case TornadoNativeArray _, Integer _, Float _ -> {}
        default ->
            throw new TornadoRuntimeException(
                "task " + id + ": the simulator knows no arguments of " + argument.getClass());
      }
    }
    if (!contextual) {
      throw new TornadoRuntimeException(
          "task " + id + ": the simulator runs kernels with a KernelContext only");
    }
    return add(new GraphTask(id, code, Arrays.asList(arguments), false));
  }

  private static TornadoNativeArray array(Object object) {
    if (object instanceof TornadoNativeArray array) {
      return array;
    }
    throw new TornadoRuntimeException("cannot transfer " + object.getClass());
  }
}
