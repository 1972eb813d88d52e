package dev.tessera.bench;

import ai.onnxruntime.OrtException;
import dev.tessera.graph.Graph;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.Outputs;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Scanner;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * From the shell to the label of one JPEG, JVM start included: {@code tessera classify} and the
 * same in Java with ONNX Runtime, in turns, wall time and peak memory. The files are in the page
 * cache; everything else is cold.
 */
@Command(
    name = "cold-start.sh",
    mixinStandardHelpOptions = true,
    description = "One image from shell to label: tessera classify beside ONNX Runtime in Java.")
public final class ColdStart implements Callable<Integer> {
  private static final Pattern LABEL = Pattern.compile("class_\\d+");
  private static final Path TIME = Path.of("/usr/bin/time");

  @Option(names = "--model", split = ",", defaultValue = "tiny,base", description = "tiny, base")
  private List<RandomVit> models = List.of();

  @Option(names = "--rounds", defaultValue = "9", description = "runs of each (default: 9)")
  private int rounds;

  @Option(names = "--tessera", defaultValue = "./tessera", description = "the launcher to measure")
  private Path tessera = Path.of("tessera");

  @Option(names = "--files", defaultValue = "src/target/bench", description = "where to put files")
  private Path directory = Path.of("");

  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new ColdStart())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(arguments));
  }

  /** One way to label the image, and what each round of it took. */
  private static final class Contestant {
    final String name;
    final List<String> command;
    final double[] seconds;

    /** Of all threads, user and system: says more than the wall where others use the machine. */
    final double[] cpuSeconds;

    final double[] megabytes;

    Contestant(String name, List<String> command, int rounds) {
      this.name = name;
      this.command = command;
      seconds = new double[rounds];
      cpuSeconds = new double[rounds];
      megabytes = new double[rounds];
    }

    /** Takes what GNU time wrote: kilobytes of the largest resident set, seconds, seconds. */
    void record(int round, double wall, Path usage) throws IOException {
      seconds[round] = wall;
      cpuSeconds[round] = Double.NaN;
      megabytes[round] = Double.NaN;
      if (Files.exists(usage)) {
        try (Scanner fields = new Scanner(usage, StandardCharsets.UTF_8).useLocale(Locale.ROOT)) {
          megabytes[round] = fields.nextDouble() / 1024;
          cpuSeconds[round] = fields.nextDouble() + fields.nextDouble();
        }
      }
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException, OrtException {
    directory = Files.createDirectories(directory.toAbsolutePath());
    Path photo = directory.resolve("photo.jpg");
    writePhoto(photo);
    OnnxProgram program = new OnnxProgram(directory);
    System.out.println(
        "model  contestant                 seconds: median  best  [25-75 %]       CPU     MB");
    for (RandomVit vit : models) {
      String name = vit.name().toLowerCase(Locale.ROOT);
      Path checkpoint = directory.resolve("vit-" + name);
      Path exported = directory.resolve("vit-" + name + ".onnx");
      Path optimised = directory.resolve("vit-" + name + "-optimised.onnx");
      Path mapped = directory.resolve("vit-" + name + ".ort");
      writeModels(vit, checkpoint, exported);
      OnnxProgram.optimise(exported, optimised);
      OnnxProgram.optimise(exported, mapped);
      run(program.training(photo, exported), null);

      List<Contestant> contestants = new ArrayList<>();
      if (Files.isExecutable(tessera)) {
        List<String> classify =
            List.of(
                tessera.toAbsolutePath().toString(),
                "classify",
                photo.toString(),
                "--model",
                checkpoint.toString());
        contestants.add(contestant("tessera classify", classify));
      }
      contestants.add(contestant("onnxruntime", program.exported(photo, exported)));
      contestants.add(
          contestant("onnxruntime, pre-optimised", program.optimised(photo, optimised)));
      contestants.add(contestant("onnxruntime, mapped .ort", program.mapped(photo, mapped)));
      measure(contestants);
      contestants.forEach(contestant -> report(name, contestant, contestants.getFirst()));
    }
    if (!Files.isExecutable(tessera)) {
      System.out.println("No " + tessera + " here: its rows are left out.");
    }
    return 0;
  }

  private Contestant contestant(String name, List<String> command) {
    return new Contestant(name, command, rounds);
  }

  /**
   * Each runs once unmeasured, and must find the same label; then in turns, another one first in
   * every round.
   */
  private void measure(List<Contestant> contestants) throws IOException, InterruptedException {
    Set<String> labels = new LinkedHashSet<>();
    for (Contestant contestant : contestants) {
      run(contestant.command, null);
      labels.add(firstLabel());
    }
    // The launcher's first run has its archive made in the background.
    Path archiving = tessera.toAbsolutePath().resolveSibling(".tessera/archive.lock");
    while (Files.exists(archiving)) {
      Thread.sleep(100);
    }
    if (labels.size() > 1) {
      throw new IOException("the contestants find different labels: " + labels);
    }
    Path usage = directory.resolve("usage");
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < contestants.size(); i++) {
        Contestant contestant = contestants.get((round + i) % contestants.size());
        contestant.record(round, run(contestant.command, usage), usage);
      }
    }
  }

  /** Seconds that a command takes; GNU time writes what it used to a file. */
  private double run(List<String> command, @Nullable Path usage)
      throws IOException, InterruptedException {
    List<String> timed = new ArrayList<>();
    if (usage != null && Files.isExecutable(TIME)) {
      timed.addAll(List.of(TIME.toString(), "-f", "%M %U %S", "-o", usage.toString()));
    }
    timed.addAll(command);
    Path log = directory.resolve("log");
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(timed).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    int code = process.waitFor();
    double seconds = (System.nanoTime() - start) / 1e9;
    if (code != 0) {
      throw new IOException(
          String.join(" ", command) + " ended with " + code + ":\n" + Files.readString(log));
    }
    return seconds;
  }

  /** What the last run printed first of the labels of a {@link RandomCheckpoint}. */
  private String firstLabel() throws IOException {
    String printed = Files.readString(directory.resolve("log"));
    Matcher label = LABEL.matcher(printed);
    if (!label.find()) {
      throw new IOException("no label in what was printed:\n" + printed);
    }
    return label.group();
  }

  private static void report(String model, Contestant contestant, Contestant first) {
    double[] seconds = contestant.seconds;
    PairedTimes times = new PairedTimes(first.seconds, seconds);
    String ratio =
        contestant.name.equals(first.name)
            ? ""
            : String.format(
                Locale.ROOT,
                "   ÷ %s: %.2f, paired %.2f [%.2f-%.2f]",
                first.name,
                times.ratio(),
                times.ratioQuantile(0.5),
                times.ratioQuantile(0.25),
                times.ratioQuantile(0.75));
    System.out.println(
        String.format(
            Locale.ROOT,
            "%-6s %-26s          %6.3f %6.3f [%.3f-%.3f] %6.2f %6.0f%s",
            model,
            contestant.name,
            PairedTimes.median(seconds),
            PairedTimes.quantile(seconds, 0),
            PairedTimes.quantile(seconds, 0.25),
            PairedTimes.quantile(seconds, 0.75),
            PairedTimes.median(contestant.cpuSeconds),
            PairedTimes.median(contestant.megabytes),
            ratio));
  }

  private static void writeModels(RandomVit vit, Path checkpoint, Path exported)
      throws IOException {
    RandomCheckpoint.write(vit, checkpoint);
    try (Model model = Models.load(checkpoint)) {
      Graph graph = model.graph(1, model.height(), model.width(), Outputs.RESULT);
      OnnxModel.write(graph, model.parameters(), OnnxModel.Attention.EXPORTED, exported);
    }
  }

  /** 500×375, as many photographs in ImageNet are: soft shapes with some grain. */
  private static void writePhoto(Path file) throws IOException {
    BufferedImage image = new BufferedImage(500, 375, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(375);
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        int grain = random.nextInt(24);
        int red = (int) (110 + 90 * Math.sin(x / 37.0)) + grain;
        int green = (int) (110 + 90 * Math.sin(y / 23.0 + x / 91.0)) + grain;
        int blue = (int) (110 + 90 * Math.cos((x + y) / 53.0)) + grain;
        image.setRGB(x, y, (red << 16) | (green << 8) | blue);
      }
    }
    if (!ImageIO.write(image, "jpg", file.toFile())) {
      throw new IOException("this JDK writes no JPEG");
    }
  }
}
