package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DedupCommandTest {
  @TempDir Path folder;
  private Path images = Path.of("");

  /** Pictures 0 to 5 of noise; 1 is there three times, 2 once more with one pixel changed. */
  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    Files.createDirectory(images.resolve("copies"));
    for (int i = 0; i < 6; i++) {
      noise(images.resolve(i + ".png"), i, false);
    }
    Files.copy(images.resolve("1.png"), images.resolve("copies/1.png"));
    Files.copy(images.resolve("1.png"), images.resolve("copies/one again.png"));
    noise(images.resolve("copies/2.png"), 2, true);
  }

  @Test
  void equalFilesTakeNoModel() throws IOException {
    Path out = folder.resolve("same.csv");
    CommandLineRun run = CommandLineRun.inside("dedup", images, "--exact", "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("2 images are there again, in 1 groups");
    assertThat(Files.readAllLines(out))
        .containsExactly(
            "group,what,score,file",
            "1,keep,1.0," + images.resolve("1.png"),
            "1,equal,1.0," + images.resolve("copies/1.png"),
            "1,equal,1.0," + images.resolve("copies/one again.png"));
  }

  @Test
  void nearDuplicatesStandInGroups() throws IOException {
    Path out = folder.resolve("same.jsonl");
    Path page = folder.resolve("same.html");
    CommandLineRun run = dedup("-o", out, "--html", page);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("3 images are there again, in 2 groups");
    assertThat(Files.readAllLines(out)).hasSize(2);
    assertThat(Files.readAllLines(out).getFirst())
        .contains("\"keep\"")
        .contains("copies/one again.png")
        .doesNotContain("similar");
    assertThat(Files.readAllLines(out).getLast())
        .contains("\"similar\", \"score\": 0.99")
        .contains(images.resolve("copies/2.png").toString())
        .contains(images.resolve("2.png").toString());
    assertThat(Files.readString(page).split("data:image/", -1)).hasSize(6);
    assertThat(files()).hasSize(9);
  }

  @Test
  void anIndexServesAsWell() throws IOException {
    Path index = folder.resolve("i.index");
    CommandLineRun.inside("index", "build", images, "-m", VIT_TINY, "-o", index);
    Path out = folder.resolve("same.csv");
    CommandLineRun run = CommandLineRun.inside("dedup", index, "-t", "0.999", "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("3 images are there again, in 2 groups");
  }

  @Test
  void movesAllButOneAndNeverOverAFile() throws IOException {
    Path away = Files.createDirectory(folder.resolve("away"));
    Files.createDirectory(away.resolve("copies"));
    Files.writeString(away.resolve("copies/1.png"), "in the way");
    CommandLineRun run = dedup("-o", folder.resolve("same.csv"), "--move-to", away);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("3 moved to");
    assertThat(files()).hasSize(6);
    assertThat(away.resolve("copies/1.png")).hasContent("in the way");
    assertThat(away.resolve("copies/1-2.png")).hasSameBinaryContentAs(images.resolve("1.png"));
    assertThat(away.resolve("copies/one again.png")).exists();
    run = dedup("-o", folder.resolve("same.csv"));
    assertThat(run.err()).contains("0 images are there again");
  }

  @Test
  void leavesWhatHasChangedSince() throws IOException {
    Path index = folder.resolve("i.index");
    CommandLineRun.inside("index", "build", images, "-m", VIT_TINY, "-o", index);
    noise(images.resolve("copies/1.png"), 77, false);
    Files.delete(images.resolve("copies/2.png"));
    Path away = folder.resolve("away");
    CommandLineRun run =
        CommandLineRun.inside(
            "dedup", index, "-t", "0.999", "-o", folder.resolve("o.csv"), "--move-to", away);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(run.err()).contains("has changed since it was compared").contains("1 moved to");
    assertThat(images.resolve("copies/1.png")).exists();
    assertThat(images.resolve("2.png")).exists();
    assertThat(away.resolve("copies/one again.png")).exists();
  }

  @Test
  void saysWhatIsWrongWithTheOptions() {
    assertThat(CommandLineRun.inside("dedup", images, "-m", VIT_TINY, "-t", "1.5").err())
        .contains("--threshold must be above 0 and at most 1");
    CommandLineRun run = CommandLineRun.inside("dedup", folder.resolve("none"), "-m", VIT_TINY);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("no such file or folder");
    run = CommandLineRun.inside("dedup", images.resolve("1.png"), "-m", VIT_TINY);
    assertThat(run.err()).contains("is no folder");
  }

  private CommandLineRun dedup(Object... options) {
    List<Object> args = new ArrayList<>(List.of("dedup", images, "-m", VIT_TINY, "-t", "0.999"));
    args.addAll(List.of(options));
    return CommandLineRun.inside(args.toArray());
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(images)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static void noise(Path file, int seed, boolean changed) throws IOException {
    BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(seed);
    int base = 0x404040 * (seed % 4);
    for (int y = 0; y < 32; y++) {
      for (int x = 0; x < 32; x++) {
        image.setRGB(x, y, random.nextInt(0x1000000) ^ base);
      }
    }
    if (changed) {
      image.setRGB(5, 5, image.getRGB(5, 5) ^ 0x080808);
    }
    ImageIO.write(image, "png", file.toFile());
  }
}
