package uk.ac.manchester.tornado.api;

import java.util.LinkedHashMap;
import java.util.Map;

/** The times of a task graph's profiled executions, laid out as TornadoVM does it. */
final class ProfileLog {
  private final StringBuilder log = new StringBuilder();
  private final Map<String, Long> totals = new LinkedHashMap<>();
  private final Map<String, Long> tasks = new LinkedHashMap<>();

  void add(String total, long value) {
    totals.merge(total, value, Long::sum);
  }

  void task(String name, long nanoseconds) {
    tasks.put(name, nanoseconds);
    add("TOTAL_KERNEL_TIME", nanoseconds);
  }

  /** Ends an execution. */
  void finish(String graph) {
    log.append("{\n    \"").append(graph).append("\": {\n");
    totals.forEach((name, value) -> entry("        ", name, value).append(",\n"));
    String between = "";
    for (Map.Entry<String, Long> task : tasks.entrySet()) {
      log.append(between).append("        \"").append(task.getKey()).append("\": {\n");
      entry("            ", "TASK_KERNEL_TIME", task.getValue()).append("\n        }");
      between = ", \n";
    }
    log.append("\n    }\n}\n");
  }

  /** Forgets what was not logged. */
  void clear() {
    totals.clear();
    tasks.clear();
  }

  private StringBuilder entry(String indent, String name, long value) {
    return log.append(indent).append('"').append(name).append("\": \"").append(value).append('"');
  }

  @Override
  public String toString() {
    return log.toString();
  }
}
