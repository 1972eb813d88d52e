package dev.tessera.engine.tornado;

import dev.tessera.engine.DeviceException;
import dev.tessera.engine.DeviceFailure;
import dev.tessera.engine.Precision;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.NewVit;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Tessera's side of {@code examples/bench/gpu.py}: a Vision Transformer on a device, asked by lines
 * on standard input. Answers are lines of fields with tabs between.
 *
 * <ul>
 *   <li>at the start {@code device}, its platform, what it is and what its driver calls it; {@code
 *       ready} and the first run's result
 *   <li>{@code run N}: {@code time} and the milliseconds of each of N runs after one that is not
 *       measured
 *   <li>{@code profile N WHOLE TFLOPS BANDWIDTH}: N runs in which each kernel is measured; a {@code
 *       row} for each row of a {@link KernelTable}, then {@code next} and a sentence
 *   <li>instead of any of them {@code failed}, {@code memory} or {@code other}, and a sentence;
 *       then the program ends
 * </ul>
 *
 * <p>Arguments: device, {@code inference} or {@code training}, the name of a {@link NewVit} without
 * {@code vit-}, pixels of a side or 0 for the model's own, batch size, precision, a folder in which
 * the model is or will be; and {@code profile} where kernels are to be measured.
 */
final class DeviceBench {
  private static final int CLASSES = 1000;
  private static final int SEED = 3;

  private DeviceBench() {}

  public static void main(String[] arguments) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8)) {
      serve(arguments, in, out);
    }
  }

  static void serve(String[] arguments, BufferedReader in, PrintStream out) throws IOException {
    try {
      Precision precision = precision(arguments[5]);
      DeviceWorkload.Kind kind = DeviceWorkload.Kind.valueOf(arguments[1].toUpperCase(Locale.ROOT));
      if (precision == Precision.FP16 && kind == DeviceWorkload.Kind.TRAINING) {
        throw new IllegalArgumentException("fp16 is not for training.");
      }
      Path folder = Path.of(arguments[6]);
      create(arguments[2], Integer.parseInt(arguments[3]), folder);
      try (TornadoEngine engine = (TornadoEngine) TornadoDevices.open(arguments[0], precision);
          Model model = Models.load(folder)) {
        TornadoDevice device = engine.probe().device();
        answer(
            out, "device", device.getPlatformName(), engine.description(), device.getDescription());
        KernelTimes times = new KernelTimes();
        if (arguments.length > 7) {
          engine.profile(times);
        }
        DeviceWorkload workload =
            DeviceWorkload.compile(engine, model, kind, Integer.parseInt(arguments[4]));
        answer(out, "ready", run(workload, 1));
        serve(workload, times, in, out);
      }
    } catch (OutOfMemoryError e) {
      answer(out, "failed", "memory", "the host has not enough memory: " + e.getMessage());
    } catch (DeviceFailure e) {
      boolean full = e.getMessage().contains("not enough memory");
      answer(out, "failed", full ? "memory" : "other", e.getMessage());
    } catch (DeviceException | IllegalArgumentException e) {
      answer(out, "failed", "other", e.getMessage());
    }
  }

  private static Precision precision(String name) {
    for (Precision precision : Precision.values()) {
      if (precision.toString().equals(name)) {
        return precision;
      }
    }
    throw new IllegalArgumentException("there is no precision " + name + " here.");
  }

  private static void create(String name, int imageSize, Path folder) throws IOException {
    if (Files.exists(folder.resolve("config.json"))) {
      return;
    }
    NewVit named = NewVit.named().get("vit-" + name);
    if (named == null) {
      throw new IllegalArgumentException(
          "there is no model vit-" + name + ", only " + NewVit.named().keySet() + ".");
    }
    NewVit sizes =
        new NewVit(
            imageSize == 0 ? named.imageSize() : imageSize,
            named.patchSize(),
            named.channels(),
            named.hidden(),
            named.layers(),
            named.heads(),
            named.mlpRatio());
    var labels = IntStream.range(0, CLASSES).mapToObj(i -> "class " + i).toList();
    sizes.create(folder, labels, SEED).write(folder);
  }

  private static void serve(
      DeviceWorkload workload, KernelTimes times, BufferedReader in, PrintStream out)
      throws IOException {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ", -1);
      int runs = Integer.parseInt(words[1]);
      run(workload, 1);
      if (words[0].equals("profile")) {
        times.clear();
        run(workload, runs);
        KernelTable.Floors floors =
            new KernelTable.Floors(Double.parseDouble(words[3]), Double.parseDouble(words[4]));
        double whole = Double.parseDouble(words[2]);
        print(KernelTable.of(workload.executable().steps(), times, whole, floors), out);
      } else {
        long start = System.nanoTime();
        run(workload, runs);
        answer(out, "time", (System.nanoTime() - start) / 1e6 / runs);
      }
    }
  }

  /** Gives the last run's result. */
  private static double run(DeviceWorkload workload, int runs) {
    double last = Double.NaN;
    for (int i = 0; i < runs; i++) {
      last = workload.run().getAsDouble();
    }
    return last;
  }

  private static void print(KernelTable table, PrintStream out) {
    table.rows().forEach(row -> print(row, out));
    print(table.all(), out);
    answer(out, "next", table.next());
  }

  private static void print(KernelTable.Row row, PrintStream out) {
    answer(
        out,
        "row",
        row.name(),
        row.what(),
        row.calls(),
        row.time(),
        row.flopFloor(),
        row.byteFloor(),
        row.floor(),
        row.lost());
  }

  private static void answer(PrintStream out, Object... fields) {
    StringBuilder line = new StringBuilder();
    for (Object field : fields) {
      line.append(line.isEmpty() ? "" : "\t").append(field);
    }
    out.println(line);
  }
}
