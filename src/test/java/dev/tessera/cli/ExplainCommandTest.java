package dev.tessera.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tessera.checkpoint.Safetensors;
import dev.tessera.tensor.Shape;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {
  private static final Path CHECKPOINTS = Path.of("test/resources/checkpoints");
  private static final Path IMAGE = Path.of("test/resources/images/files/jpeg_641x427.jpg");

  @TempDir Path folder;

  private CommandLineRun explain(String model, Object... more) {
    Object[] args = new Object[8 + more.length];
    Object[] first = {
      "explain",
      "-m",
      CHECKPOINTS.resolve(model),
      IMAGE,
      "-o",
      folder.resolve("look.png"),
      "--heads",
      folder.resolve("heads.png")
    };
    System.arraycopy(first, 0, args, 0, first.length);
    System.arraycopy(more, 0, args, first.length, more.length);
    return CommandLineRun.inside(args);
  }

  @Test
  void picturesAndMapsAreWritten() throws Exception {
    Path maps = folder.resolve("maps.safetensors");
    CommandLineRun run = explain("vit-tiny", "--tensors", maps);
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out().lines()).hasSize(4).last().asString().startsWith("written: ");
    BufferedImage look = ImageIO.read(folder.resolve("look.png").toFile());
    assertThat(look.getWidth()).isEqualTo(2 * (10 + 3 * 330));
    assertThat(look.getHeight()).isEqualTo(2 * (30 + 213 + 28));
    assertThat(ImageIO.read(folder.resolve("heads.png").toFile()).getWidth())
        .isEqualTo(2 * (10 + 4 * 210));
    try (Safetensors file = Safetensors.open(maps)) {
      assertThat(file.tensor("rollout").shape()).isEqualTo(Shape.of(4, 4));
      assertThat(file.tensor("attention").shape()).isEqualTo(Shape.of(4, 4, 4));
      float sum = 0;
      for (float share : file.tensor("rollout").toFloats()) {
        assertThat(share).isBetween(0f, 1f);
        sum += share;
      }
      assertThat(sum).isBetween(0.1f, 1f);
    }
  }

  @Test
  void aModelWithoutAClassifierIsShown() {
    CommandLineRun run = explain("dinov2-reg", "--layer", 0);
    assertThat(run.err()).isEmpty();
    assertThat(run.out().lines()).hasSize(1);
  }

  @Test
  void aLayerThatIsNotThereIsRefused() {
    CommandLineRun run = explain("vit-tiny", "--layer", 3);
    assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(run.err()).isEqualTo("tessera: --layer must be from 0 to 2, not 3\n");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void whatIsNoImageIsRefused() throws Exception {
    Path text = Files.writeString(folder.resolve("text.jpg"), "no picture");
    CommandLineRun run =
        CommandLineRun.inside("explain", "-m", CHECKPOINTS.resolve("vit-tiny"), text);
    assertThat(run.exitCode()).isEqualTo(ExitCode.NO_IMAGE);
    assertThat(run.err()).contains("text.jpg is not an image");
  }

  @Test
  void aPlaceThatCannotBeWrittenIsNamed() {
    CommandLineRun run = explain("vit-tiny", "--tensors", folder.resolve("none/maps.safetensors"));
    assertThat(run.exitCode()).isEqualTo(ExitCode.OUTPUT);
    assertThat(run.err()).startsWith("tessera: cannot write ").contains("none/maps.safetensors");
  }
}
