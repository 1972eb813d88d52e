package dev.tessera.cli;

import dev.tessera.image.Decoder;
import dev.tessera.search.Duplicates;
import dev.tessera.search.Duplicates.Group;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera dedup}: images that are there more than once. */
@Command(
    name = "dedup",
    description = "Find images that are there more than once, equal or nearly.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera dedup photos/ --exact",
      "  tessera dedup photos/ --model dinov2-small --html same.html",
      "  tessera dedup photos.index --threshold 0.95 -o same.csv",
      "  tessera dedup photos/ --model dinov2-small --move-to photos-again/",
      "",
      "Of each group, the image of the largest file is kept. Nothing is moved without --move-to,",
      "which never writes over a file, and nothing is ever deleted."
    })
final class DedupCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "A folder with images, or an index of one.")
  private Path path = Path.of("");

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Mixin private PoolingOption pooling = new PoolingOption();

  @Option(
      names = {"-t", "--threshold"},
      paramLabel = "X",
      defaultValue = "0.98",
      description =
          "Images whose vectors have a cosine of at least X are the same. Default: ${DEFAULT-VALUE}.")
  private float threshold;

  @Option(names = "--exact", description = "Only files that are equal; takes no model.")
  private boolean exact;

  @Option(
      names = "--move-to",
      paramLabel = "DIR",
      description = "Move all but the kept images there, under their paths below the folder.")
  private @Nullable Path moveTo;

  @Mixin private OutputOptions output = new OutputOptions();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Also write a page with the groups' images, which needs no other file.")
  private @Nullable Path html;

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    ImageInputs.require(
        threshold > 0 && threshold <= 1,
        "--threshold must be above 0 and at most 1, not " + threshold);
    List<Group> groups = groups();
    GroupFormat lines = GroupFormat.of(output.format());
    try (ResultOutput out = output.open()) {
      StringBuilder text = new StringBuilder(lines.header());
      for (int i = 0; i < groups.size(); i++) {
        lines.append(text, i + 1, groups.get(i));
        out.write(text);
        text.setLength(0);
      }
      out.write(text);
      out.commit();
    }
    Path page = html;
    if (page != null) {
      HitGallery gallery = new HitGallery(new Decoder());
      groups.forEach(gallery::add);
      ResultOutput.write(
          page, gallery.page("tessera dedup " + path).getBytes(StandardCharsets.UTF_8));
    }
    int more = groups.stream().mapToInt(group -> group.members().size() - 1).sum();
    long bytes =
        groups.stream()
            .flatMap(group -> group.members().stream().skip(1))
            .mapToLong(member -> member.entry().size())
            .sum();
    System.err.println(
        String.format(
            Locale.ROOT,
            "tessera: %,d images are there again, in %,d groups; they take %,d KB",
            more,
            groups.size(),
            bytes / 1000));
    Path target = moveTo;
    if (target != null) {
      Set<Path> moved = new DuplicateMover(target).move(groups);
      System.err.println("tessera: %,d moved to %s".formatted(moved.size(), target));
    }
    return ExitCode.OK;
  }

  private List<Group> groups() throws IOException, Failure {
    if (exact) {
      IndexBuildCommand.check(List.of(path), inputs);
      return Duplicates.ofEqualFiles(
          EqualFiles.of(inputs.files(List.of(path.toString()), Set.of()), path));
    }
    try (WorkingIndex working =
        WorkingIndex.open(path, modelOptions, pooling.asked(), inputs, compute, false)) {
      return Duplicates.find(working.index(), threshold, compute.threads());
    }
  }
}
