package dev.tessera.cli;

import dev.tessera.checkpoint.CheckpointException;
import dev.tessera.data.DataException;
import dev.tessera.engine.DeviceFailure;
import dev.tessera.report.PlotException;
import dev.tessera.search.IndexException;
import dev.tessera.train.RunException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.Supplier;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tessera} itself: what it can do, and how its commands end. */
@Command(
    name = "tessera",
    description = "Vision Transformers for folders of images.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera classify --model vit-base photos/",
      "  tessera train photos/ --init vit-base --output runs/photos",
      "  tessera models info vit-base",
      "",
      "'tessera COMMAND --help' says more about a command."
    })
final class TesseraCommand implements Runnable {
  private record Entry(String name, Supplier<Object> command) {}

  private record Group(String heading, List<Entry> commands) {
    Group(String heading, Entry... commands) {
      this(heading, List.of(commands));
    }
  }

  /** Commands in the order of help, under the headings of help. */
  private static final List<Group> GROUPS =
      List.of(
          new Group(
              "Images",
              new Entry("classify", ClassifyCommand::new),
              new Entry("zero-shot", ZeroShotCommand::new),
              new Entry("embed", EmbedCommand::new),
              new Entry("explain", ExplainCommand::new)),
          new Group(
              "Search",
              new Entry("index", IndexCommand::new),
              new Entry("search", SearchCommand::new),
              new Entry("dedup", DedupCommand::new),
              new Entry("knn", KnnCommand::new),
              new Entry("map", MapCommand::new)),
          new Group(
              "Training",
              new Entry("train", TrainCommand::new),
              new Entry("eval", EvalCommand::new),
              new Entry("datasets", DatasetsCommand::new)),
          new Group("Models", new Entry("models", ModelsCommand::new)),
          new Group(
              "For comparing implementations", new Entry("preprocess", PreprocessCommand::new)),
          new Group(
              "This machine",
              new Entry("devices", DevicesCommand::new),
              new Entry("generate-completion", GenerateCompletion::new)));

  @Spec private CommandSpec spec = CommandSpec.create();

  /**
   * The parser for {@code args}. Reading annotations takes time, so a command that is named first
   * is the only one that is added.
   */
  static CommandLine commandLine(String... args) {
    CommandLine line = new CommandLine(new TesseraCommand());
    boolean found = false;
    for (Group group : GROUPS) {
      for (Entry entry : group.commands) {
        if (args.length > 0
            && entry.name.equals(args[0])
            && !entry.name.equals("generate-completion")) {
          line.addSubcommand(entry.command.get());
          found = true;
        }
      }
    }
    if (!found) {
      for (Group group : GROUPS) {
        for (Entry entry : group.commands) {
          line.addSubcommand(entry.command.get());
        }
      }
      if (args.length > 0 && args[0].equals("warm-up")) {
        line.addSubcommand(new WarmUpCommand());
      }
    }
    configure(line, line.getCommandSpec());
    line.getCommandSpec().usageMessage().commandListHeading("");
    line.getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, TesseraCommand::commandList);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExpandAtFiles(false); // --labels @FILE is the command's own
    line.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF));
    line.setParameterExceptionHandler(parameterErrors());
    line.setExecutionExceptionHandler(executionErrors());
    return line;
  }

  /** Gives every command {@code --help}, {@code --version} and a width that does not depend. */
  private static void configure(CommandLine line, CommandSpec spec) {
    spec.mixinStandardHelpOptions(true);
    spec.versionProvider(TesseraCommand::version);
    spec.usageMessage().width(100);
    spec.usageMessage().exitCodeListHeading("%nExit codes:%n");
    spec.usageMessage().exitCodeList(ExitCode.descriptions());
    if (spec.userObject() instanceof TrainCommand) {
      line.getHelpSectionMap()
          .put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, TrainCommand::optionSections);
    }
    for (CommandLine command : line.getSubcommands().values()) {
      configure(command, command.getCommandSpec());
    }
  }

  static String[] version() {
    String version = Main.class.getPackage().getImplementationVersion();
    return new String[] {
      "tessera " + (version == null ? "(not packaged)" : version),
      "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name")
    };
  }

  private static String commandList(Help help) {
    StringBuilder text = new StringBuilder();
    for (Group group : GROUPS) {
      text.append(System.lineSeparator()).append(group.heading).append(':');
      text.append(System.lineSeparator());
      for (Entry entry : group.commands) {
        Help child = help.subcommands().get(entry.name);
        if (child != null) {
          text.append("  ").append(entry.name);
          text.repeat(' ', Math.max(1, 21 - entry.name.length()));
          text.append(
              entry.name.equals("generate-completion")
                  ? "Print a completion script: source <(tessera generate-completion)"
                  : String.join(" ", child.commandSpec().usageMessage().description()));
          text.append(System.lineSeparator());
        }
      }
    }
    return text.toString();
  }

  private static IParameterExceptionHandler parameterErrors() {
    return (ParameterException e, String[] args) -> {
      CommandLine command = e.getCommandLine();
      PrintWriter err = command.getErr();
      err.println("tessera: " + e.getMessage());
      CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
      err.println(
          "Try '" + command.getCommandSpec().qualifiedName() + " --help' for how it is used.");
      return ExitCode.USAGE;
    };
  }

  private static IExecutionExceptionHandler executionErrors() {
    return (Exception e, CommandLine command, CommandLine.ParseResult parsed) -> {
      int code =
          switch (e) {
            case Failure failure -> failure.exitCode();
            case CheckpointException _ -> ExitCode.CHECKPOINT;
            case DeviceFailure _ -> ExitCode.DEVICE;
            case PlotException _ -> ExitCode.OUTPUT;
            case DataException _ -> ExitCode.DATA;
            case RunException run -> run.isWriting() ? ExitCode.OUTPUT : ExitCode.USAGE;
            case IndexException _ -> ExitCode.INDEX;
            case UncheckedIOException _ -> ExitCode.USAGE;
            default -> ExitCode.INTERNAL;
          };
      if (code == ExitCode.INTERNAL) {
        System.err.println(
            "tessera: this is an error in Tessera; please report it with what follows");
        e.printStackTrace();
      } else {
        System.err.println("tessera: " + Terminal.printable(String.valueOf(e.getMessage())));
      }
      return code;
    };
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
