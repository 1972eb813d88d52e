package dev.tessera.engine.tornado;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Where the time of a run goes: equal kernels together, beside the least that they could take, the
 * one that loses most first.
 *
 * @param rows kernels, copies, and what is outside both
 * @param whole milliseconds of a run
 * @param known whether there are floors
 */
record KernelTable(List<Row> rows, double whole, boolean known) {
  /**
   * What a device can do at best; 0 where nobody knows.
   *
   * @param tflops 10¹² floating-point operations a second
   * @param bandwidth 10⁹ bytes of its memory a second
   */
  record Floors(double tflops, double bandwidth) {
    static final Floors UNKNOWN = new Floors(0, 0);

    /** Milliseconds for so many operations. */
    double flops(long flops) {
      return tflops == 0 ? 0 : flops / (tflops * 1e9);
    }

    /** Milliseconds for so many bytes. */
    double bytes(long bytes) {
      return bandwidth == 0 ? 0 : bytes / (bandwidth * 1e6);
    }
  }

  /**
   * Equal kernels, or what is none; all times in milliseconds of one run.
   *
   * @param what shape of what is multiplied, or how much is read and written
   * @param calls 0 where nothing is called
   * @param flopFloor 0 where nothing is multiplied
   * @param floor the larger of both, call by call
   */
  record Row(
      String name,
      String what,
      int calls,
      double time,
      double flopFloor,
      double byteFloor,
      double floor) {
    /** What a perfect kernel would save; a time below the floor saves nothing. */
    double lost() {
      return Math.max(0, time - floor);
    }

    private static Row other(String name, String what, double time) {
      return new Row(name, what, 0, time, 0, 0, 0);
    }
  }

  private record Kernel(String name, String what) {
    static Kernel of(Step step) {
      Step.Work work = step.work();
      return new Kernel(kind(step), work.shape().isEmpty() ? size(work.bytes()) : work.shape());
    }
  }

  /** A step's name without its number. */
  static String kind(Step step) {
    return step.name().replaceAll("\\d+$", "");
  }

  /**
   * @param whole milliseconds of a run that is not profiled
   */
  static KernelTable of(List<Step> steps, KernelTimes times, double whole, Floors floors) {
    Map<Kernel, List<Step>> equal = new LinkedHashMap<>();
    for (Step step : steps) {
      equal.computeIfAbsent(Kernel.of(step), _ -> new ArrayList<>()).add(step);
    }
    List<Row> rows = new ArrayList<>();
    equal.forEach((kernel, calls) -> {
      double time = 0;
      double flopFloor = 0;
      double byteFloor = 0;
      double floor = 0;
      for (Step step : calls) {
        double flops = floors.flops(step.work().flops());
        double bytes = floors.bytes(step.work().bytes());
        time += times.kernel(step.name());
        flopFloor += flops;
        byteFloor += bytes;
        floor += Math.max(flops, bytes);
      }
      rows.add(new Row(kernel.name, kernel.what, calls.size(), time, flopFloor, byteFloor, floor));
    });
    rows.add(Row.other("copies to the device", size(times.bytesIn()), times.copyIn()));
    boolean out = times.bytesOut() != 0; // TornadoVM does not measure them on CUDA
    if (out) {
      rows.add(Row.other("copies to the host", size(times.bytesOut()), times.copyOut()));
    }
    double rest = whole - rows.stream().mapToDouble(Row::time).sum();
    if (rest > 0) {
      String name = out ? "outside kernels and copies" : "outside kernels, copies to the host";
      rows.add(Row.other(name, "", rest));
    }
    rows.sort(Comparator.comparingDouble(Row::lost).reversed());
    return new KernelTable(List.copyOf(rows), whole, floors.tflops != 0 && floors.bandwidth != 0);
  }

  private static String size(long bytes) {
    return bytes < 100_000
        ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3)
        : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }

  /** All rows together. */
  Row all() {
    int calls = 0;
    double flopFloor = 0;
    double byteFloor = 0;
    double floor = 0;
    for (Row row : rows) {
      calls += row.calls;
      flopFloor += row.flopFloor;
      byteFloor += row.byteFloor;
      floor += row.floor;
    }
    return new Row("a run", "", calls, whole, flopFloor, byteFloor, floor);
  }

  /** What to do next: the first row, in a sentence. */
  String next() {
    Row row = rows.getFirst();
    String name = row.what.isEmpty() ? row.name : row.name + " " + row.what;
    String calls = row.calls == 0 ? "" : " (" + row.calls + " of " + all().calls + " kernels)";
    if (!known || row.floor == 0) {
      return String.format(
          Locale.ROOT,
          "Most %s: %s%s, %.2f ms, %.0f %% of a run.",
          known ? "to gain" : "time",
          name,
          calls,
          row.time,
          100 * row.time / whole);
    }
    return String.format(
        Locale.ROOT,
        "Most to gain: %s%s, of whose %.2f ms %.2f are over the floor that its %s, %.0f %% of a"
            + " run.",
        name,
        calls,
        row.time,
        row.lost(),
        row.flopFloor > row.byteFloor ? "operations set" : "bytes set",
        100 * row.lost() / whole);
  }
}
