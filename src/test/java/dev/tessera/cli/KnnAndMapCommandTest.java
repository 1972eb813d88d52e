package dev.tessera.cli;

import static dev.tessera.cli.CommandLineRun.VIT_TINY;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnnAndMapCommandTest {
  @TempDir Path folder;
  private Path images = Path.of("");

  @BeforeEach
  void makeImages() throws IOException {
    images = Files.createDirectory(folder.resolve("images"));
    for (String label : List.of("dark", "light")) {
      Files.createDirectory(images.resolve(label));
    }
    for (int i = 0; i < 5; i++) {
      TestImages.png(images.resolve("dark").resolve(i + ".png"), 30, 30, 4 * i);
      TestImages.png(images.resolve("light").resolve(i + ".png"), 30, 30, 235 + 4 * i);
    }
  }

  @Test
  void labelsByTheNearestImages() throws IOException {
    Path dark = TestImages.png(folder.resolve("d.png"), 30, 30, 3);
    Path light = TestImages.png(folder.resolve("l.png"), 30, 30, 250);
    Path out = folder.resolve("labels.csv");
    CommandLineRun run = knn(images, dark, light, "-n", 3, "-k", 1, "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(Files.readAllLines(out))
        .containsExactly("file,label,score", dark + ",dark,1.0", light + ",light,1.0");
  }

  @Test
  void anImageIsNoNeighbourOfItself() throws IOException {
    // The only light picture left is told by the dark ones, though it lies in the folder.
    for (int i = 1; i < 5; i++) {
      Files.delete(images.resolve("light/" + i + ".png"));
    }
    Path index = folder.resolve("i.index");
    CommandLineRun.inside("index", "build", images, "-m", VIT_TINY, "-o", index);
    Path out = folder.resolve("labels.csv");
    CommandLineRun run =
        CommandLineRun.inside(
            "knn", index, images.resolve("light/0.png"), "-n", 1, "-k", 2, "-o", out);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(Files.readAllLines(out).getLast()).contains("light/0.png,dark,1.0");
  }

  @Test
  void wantsLabels() {
    CommandLineRun run = knn(images.resolve("dark"), images);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).contains("has no labels");
    assertThat(knn(images, images, "-n", 0).err()).contains("--neighbors must be at least 1");
  }

  private static CommandLineRun knn(Object... args) {
    List<Object> words = new ArrayList<>(List.of("knn", "-m", VIT_TINY));
    words.addAll(List.of(args));
    return CommandLineRun.inside(words.toArray());
  }

  @Test
  void drawsAMapWithAColourForEachFolder() throws IOException {
    Path png = folder.resolve("map.png");
    CommandLineRun run = map(png);
    assertThat(run.exitCode()).as(run.err()).isZero();
    assertThat(ImageIO.read(new ByteArrayInputStream(Files.readAllBytes(png))).getWidth())
        .isGreaterThan(500);
    Path html = folder.resolve("map.html");
    assertThat(map(html).exitCode()).isZero();
    assertThat(Files.readString(html)).contains("data:image/png").contains("variance");
    Path csv = folder.resolve("map.csv");
    assertThat(map(csv).exitCode()).isZero();
    List<String> lines = Files.readAllLines(csv);
    assertThat(lines).hasSize(11).startsWith("file,label,x,y");
    double[] dark = new double[2];
    double[] light = new double[2];
    for (String line : lines.subList(1, 11)) {
      String[] cells = line.split(",", -1);
      double[] side = cells[1].equals("dark") ? dark : light;
      side[0] += Double.parseDouble(cells[2]);
    }
    // The first component tells them apart, and the middle is at 0.
    assertThat(dark[0] * light[0]).isNegative();
    assertThat(dark[0] + light[0]).isBetween(-1e-4, 1e-4);
    assertThat(map(folder.resolve("map.jpg")).err()).contains("end it in .png, .html or .csv");
  }

  private CommandLineRun map(Path output) {
    return CommandLineRun.inside("map", images, "-m", VIT_TINY, "-o", output);
  }
}
