package dev.tessera.cli;

import dev.tessera.checkpoint.Json;
import dev.tessera.train.DivergenceException;
import dev.tessera.train.RunDirectory;
import dev.tessera.train.RunDirectory.Existing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tessera train}: a model from labelled images. */
@Command(
    name = "train",
    description = "Train a model on labelled images, from scratch or from a trained one.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera train photos/ --init vit-base --output runs/photos",
      "  tessera train fashion-mnist/ --init vit-micro --max-minutes 50 --output runs/fashion",
      "  tessera train photos/ --init vit-base --head-only --epochs 5 --output runs/quick",
      "  tessera train photos/ --init vit-tiny --group blocks:100 --output runs/scratch",
      "  tessera train --output runs/photos --resume",
      "  tessera train --config runs/photos/config.json --seed 2 --output runs/again",
      "",
      "DIR is a folder of class folders, alone or within train/, val/ and test/; a .csv of",
      "path,label; or a folder of IDX (MNIST) or CIFAR files. The output holds best/ and last/,",
      "model directories that transformers loads, metrics.jsonl, curves.png and config.json.",
      "Killed at any moment it goes on with --resume, to the same numbers."
    })
final class TrainCommand implements Callable<Integer> {
  /** Options that belong to one run and not to its settings. */
  private static final Set<String> OF_THE_RUN =
      Set.of("--output", "--resume", "--overwrite", "--config");

  /** Options that may change when a training goes on: they change no number. */
  private static final Set<String> CHANGEABLE =
      Set.of("--checkpoint-every", "--threads", "--cache", "--cache-dir", "--device");

  private record Section(String mixin, String heading) {}

  /** The mixins, by the names of their fields, in the order of help. */
  private static final List<Section> SECTIONS =
      List.of(
          new Section("model", "The model"),
          new Section("images", "The data"),
          new Section("recipe", "Learning"),
          new Section("augment", "Varying the images"),
          new Section("compute", "The machine"));

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "DIR", arity = "0..1", description = "Labelled images.")
  private @Nullable Path data;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "RUN",
      required = true,
      description = "Folder for what the training leaves.")
  private Path output = Path.of("");

  @Option(names = "--resume", description = "Go on with the training in RUN, if there is one.")
  private boolean resume;

  @Option(names = "--overwrite", description = "Replace the training in RUN.")
  private boolean overwrite;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Settings of another run: its config.json. Options given here come first.")
  private @Nullable Path config;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "MINUTES",
      defaultValue = "5",
      description = "Most work that a killed training loses. Default: ${DEFAULT-VALUE} minutes.")
  private double checkpointEvery;

  @Mixin private TrainModelOptions model = new TrainModelOptions();
  @Mixin private TrainDataOptions images = new TrainDataOptions();
  @Mixin private TrainRecipeOptions recipe = new TrainRecipeOptions();
  @Mixin private TrainAugmentOptions augment = new TrainAugmentOptions();
  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure, InterruptedException {
    if (resume && overwrite) {
      throw new Failure(ExitCode.USAGE, "--resume and --overwrite exclude each other");
    }
    Path own = output.resolve("config.json");
    boolean resuming = resume && Files.isRegularFile(own);
    Map<String, @Nullable Object> stored = Map.of();
    if (resuming) {
      stored = restore(own, true);
    } else if (config != null) {
      restore(config, false);
    }
    if (data == null) {
      throw new Failure(
          ExitCode.USAGE,
          resume
              ? "there is no training in " + output + " to go on with; give DIR to start one"
              : "give DIR, a folder of labelled images");
    }
    if (!(checkpointEvery >= 0)) {
      throw new Failure(
          ExitCode.USAGE, "--checkpoint-every must be at least 0, not " + checkpointEvery);
    }
    TrainRun.Options options =
        new TrainRun.Options(data, model, images, recipe, augment, compute, checkpointEvery);
    Existing existing =
        overwrite ? Existing.OVERWRITE : resuming ? Existing.RESUME : Existing.REFUSE;
    try (RunDirectory run = RunDirectory.open(output, existing)) {
      return new TrainRun(options, run, Terminal.ofStandardError(true), stored)
          .call(commandLine(), () -> new OptionValues(spec, OF_THE_RUN).read());
    } catch (DivergenceException e) {
      throw new Failure(ExitCode.DIVERGED, String.valueOf(e.getMessage()), e);
    }
  }

  /** Takes the settings of another run, or of this one when it goes on. */
  private Map<String, @Nullable Object> restore(Path file, boolean resuming)
      throws IOException, Failure {
    Map<String, @Nullable Object> stored = Json.readObject(file);
    Map<String, @Nullable Object> options = Json.asObject(stored.get("options"));
    if (options == null || !(stored.get("data") instanceof String folder)) {
      throw new Failure(
          ExitCode.USAGE, file + " holds no settings; give the config.json of a training");
    }
    List<String> differences =
        new OptionValues(spec, OF_THE_RUN)
            .apply(options, file, spec.commandLine().getParseResult());
    differences.removeIf(line -> CHANGEABLE.contains(line.substring(0, line.indexOf(' '))));
    if (data != null && !data.toAbsolutePath().normalize().toString().equals(folder)) {
      differences.add("DIR " + data + ", not " + folder);
    }
    if (resuming && !differences.isEmpty()) {
      throw new Failure(
          ExitCode.USAGE,
          "the training in %s has other settings (%s); leave them out, or start anew with --overwrite"
              .formatted(output, String.join("; ", differences)));
    }
    if (data == null) {
      data = Path.of(folder);
    }
    return stored;
  }

  /** What was typed, for people to type again. */
  private String commandLine() {
    StringBuilder line = new StringBuilder("tessera");
    for (String word : spec.root().commandLine().getParseResult().originalArgs()) {
      boolean plain = word.matches("[\\w./:=,+%@-]+");
      line.append(' ').append(plain ? word : "'" + word.replace("'", "'\\''") + "'");
    }
    return line.toString();
  }

  /** Help's options under headings: there are many. */
  static String optionSections(Help help) {
    Map<String, CommandSpec> mixins = help.commandSpec().mixins();
    StringBuilder text = new StringBuilder();
    Set<OptionSpec> shown = new HashSet<>();
    for (Section section : SECTIONS) {
      CommandSpec mixin = mixins.get(section.mixin);
      List<OptionSpec> options = mixin == null ? List.of() : mixin.options();
      shown.addAll(options);
      append(text, help, section.heading, options);
    }
    List<OptionSpec> rest = new ArrayList<>(help.commandSpec().options());
    rest.removeAll(shown);
    StringBuilder first = new StringBuilder();
    append(first, help, "The run", rest);
    return first.append(text).toString();
  }

  private static void append(
      StringBuilder text, Help help, String heading, List<OptionSpec> options) {
    Help.Layout layout = help.createDefaultLayout();
    layout.addOptions(options, help.createDefaultParamLabelRenderer());
    text.append(System.lineSeparator()).append(heading).append(':');
    text.append(System.lineSeparator()).append(layout);
  }
}
