package dev.tessera.engine.tornado;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What TornadoVM's profiler measures in several runs of the same task graphs: medians of each
 * kernel's time on the device, and of copies.
 */
final class KernelTimes implements Consumer<String> {
  private static final JsonFactory JSON = new JsonFactory();
  private static final String KERNEL = "TASK_KERNEL_TIME";
  private static final Set<String> COPIES =
      Set.of(
          "COPY_IN_TIME", "COPY_OUT_TIME", "TOTAL_COPY_IN_SIZE_BYTES", "TOTAL_COPY_OUT_SIZE_BYTES");

  /** By names of tasks, and by names of graphs with the kind of a copy's number. */
  private final Map<String, List<Long>> runs = new LinkedHashMap<>();

  /** Takes a graph's log, of which only the last execution is new. */
  @Override
  public void accept(String log) {
    try {
      last(log)
          .forEach((name, value) -> runs.computeIfAbsent(name, _ -> new ArrayList<>()).add(value));
    } catch (IOException e) {
      throw new UncheckedIOException("TornadoVM's profile is not what was expected", e);
    }
  }

  /** Forgets what was measured so far. */
  void clear() {
    runs.clear();
  }

  private static Map<String, Long> last(String log) throws IOException {
    Map<String, Long> found = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(log)) {
      int depth = 0; // 1: an execution, 2: a graph, 3: a task
      String graph = "";
      String task = "";
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        if (token == JsonToken.START_OBJECT) {
          switch (depth++) {
            case 0 -> found.clear();
            case 1 -> graph = json.currentName();
            default -> task = json.currentName();
          }
        } else if (token == JsonToken.END_OBJECT) {
          depth--;
        } else if (token == JsonToken.VALUE_STRING) {
          String name = json.currentName();
          if (depth == 3 && name.equals(KERNEL)) {
            found.put(task.substring(task.indexOf('.') + 1), Long.valueOf(json.getText()));
          } else if (depth == 2 && COPIES.contains(name)) {
            found.put(graph + "." + name, Long.valueOf(json.getText()));
          }
        }
      }
    }
    return found;
  }

  /** Milliseconds of a step's kernel. */
  double kernel(String step) {
    List<Long> times = runs.get(step);
    if (times == null) {
      throw new IllegalStateException("TornadoVM's profile has no time of " + step);
    }
    return median(times) / 1e6;
  }

  /** Milliseconds of all copies to the device. */
  double copyIn() {
    return sum("COPY_IN_TIME") / 1e6;
  }

  /** Milliseconds of all copies from the device. */
  double copyOut() {
    return sum("COPY_OUT_TIME") / 1e6;
  }

  long bytesIn() {
    return sum("TOTAL_COPY_IN_SIZE_BYTES");
  }

  long bytesOut() {
    return sum("TOTAL_COPY_OUT_SIZE_BYTES");
  }

  /** Over all graphs. */
  private long sum(String kind) {
    long sum = 0;
    for (Map.Entry<String, List<Long>> entry : runs.entrySet()) {
      if (entry.getKey().endsWith("." + kind)) {
        sum += median(entry.getValue());
      }
    }
    return sum;
  }

  private static long median(List<Long> values) {
    List<Long> sorted = new ArrayList<>(values);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2);
  }
}
