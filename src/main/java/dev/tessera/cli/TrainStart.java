package dev.tessera.cli;

import dev.tessera.checkpoint.HfDirectory;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Split;
import dev.tessera.image.Decoder;
import dev.tessera.image.ImageException;
import dev.tessera.image.RgbImage;
import dev.tessera.model.Model;
import dev.tessera.model.Models;
import dev.tessera.model.NewVit;
import dev.tessera.model.Transfer;
import dev.tessera.train.Recipe;
import dev.tessera.train.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The first files of a training: a model to start from, and settings where nobody said any. */
final class TrainStart {
  /** Images looked at to find out how large and how colourful they are. */
  private static final int LOOKED_AT = 16;

  /** Up to so many pixels a side an image is small: it is not resized, and models are small. */
  private static final int SMALL = 96;

  /**
   * What the images are like.
   *
   * @param side height and width, if they are small squares of one size; else 0
   * @param gray whether there is no colour in them
   */
  private record Look(int side, boolean gray) {}

  private final TrainRun.Options options;
  private final Decoder decoder;

  TrainStart(TrainRun.Options options, Decoder decoder) {
    this.options = options;
    this.decoder = decoder;
  }

  /**
   * Writes the settings and the checkpoint {@code last}.
   *
   * @param origin is told what the model is and what was changed in it, a sentence each
   * @param config the settings as JSON, once they are settled
   */
  void write(RunDirectory run, Split split, List<String> origin, Supplier<String> config)
      throws IOException, Failure {
    Look look = look(split.train());
    TrainModelOptions wanted = options.model();
    if (wanted.init == null) {
      int side = wanted.imageSize != null ? wanted.imageSize : look.side;
      wanted.init = side > 0 && side <= SMALL ? "vit-micro" : "vit-tiny";
    }
    if (wanted.isNew()) {
      settle(wanted, look);
      NewVit sizes = wanted.sizes();
      settle(Recipe.Start.SCRATCH, split, sizes.imageSize(), sizes.hidden(), sizes.layers());
      HfDirectory files = sizes.create(run.last(), split.train().classes(), options.recipe().seed);
      origin.add(describe(sizes, files));
      begin(run, files, config);
      return;
    }
    Path directory = Path.of(wanted.init);
    if (!Files.exists(directory)) {
      throw new Failure(
          ExitCode.USAGE,
          "--init %s is neither a model directory nor one of %s"
              .formatted(wanted.init, String.join(", ", NewVit.named().keySet())));
    }
    String misplaced = wanted.misplaced();
    if (misplaced != null) {
      throw new Failure(
          ExitCode.USAGE,
          misplaced + " is for new models, but --init " + wanted.init + " is a trained one");
    }
    try (Model model = Models.load(directory)) {
      Transfer transfer =
          Transfer.of(
              model,
              run.last(),
              split.train().classes(),
              wanted.imageSize == null ? 0 : wanted.imageSize,
              options.recipe().seed);
      int size = wanted.imageSize == null ? model.height() : wanted.imageSize;
      settle(
          options.recipe().headOnly ? Recipe.Start.HEAD : Recipe.Start.TRAINED,
          split,
          size,
          model.hidden(),
          model.layers());
      origin.add(
          "%s from %s%s."
              .formatted(
                  model.architecture(),
                  directory,
                  transfer.changes().isEmpty()
                      ? ""
                      : ", with " + String.join(", and ", transfer.changes())));
      begin(run, transfer.files(), config);
    }
  }

  /** The settings come first: they are what a training is known by. */
  private static void begin(RunDirectory run, HfDirectory files, Supplier<String> config)
      throws IOException {
    run.writeConfig(config.get());
    run.writeCheckpoint(run.last(), files, "");
  }

  private void settle(Recipe.Start start, Split split, int imageSize, int hidden, int layers) {
    Recipe recipe = Recipe.of(start, split.train().size(), imageSize, hidden, layers);
    // Whether the time sets the length is known only before the number of epochs is filled in.
    TrainRecipeOptions learning = options.recipe();
    learning.fillTime =
        learning.fillTime
            || (learning.maxMinutes != null && learning.epochs == null && learning.steps == null);
    learning.settle(start, recipe);
    options
        .augment()
        .settle(recipe, imageSize, start != Recipe.Start.SCRATCH, split.train().classes());
  }

  private static void settle(TrainModelOptions wanted, Look look) {
    if (wanted.imageSize == null && look.side > 0) {
      wanted.imageSize = look.side;
    }
    if (wanted.channels == null && look.gray && look.side > 0) {
      wanted.channels = 1;
    }
    if (wanted.patchSize == null && wanted.imageSize != null && wanted.imageSize <= SMALL) {
      // Some fifty to two hundred patches.
      int patch = wanted.imageSize <= 40 ? 4 : 8;
      wanted.patchSize = wanted.imageSize % patch == 0 ? (Integer) patch : null;
    }
  }

  private Look look(LabelledImages images) {
    int side = -1;
    boolean gray = true;
    int step = Math.max(1, images.size() / LOOKED_AT);
    for (int i = 0; i < images.size(); i += step) {
      RgbImage image = decoded(images.get(i));
      if (image != null) {
        boolean small = image.height() == image.width() && image.height() <= SMALL;
        side = small && (side == -1 || side == image.height()) ? image.height() : 0;
        gray &= isGray(image);
      }
    }
    return new Look(Math.max(0, side), gray && side >= 0);
  }

  private @Nullable RgbImage decoded(LabelledImage image) {
    try {
      return image.source().decode(decoder);
    } catch (ImageException e) {
      return null;
    }
  }

  private static boolean isGray(RgbImage image) {
    byte[] pixels = image.pixels();
    for (int i = 0; i < pixels.length; i += 3) {
      if (pixels[i] != pixels[i + 1] || pixels[i] != pixels[i + 2]) {
        return false;
      }
    }
    return true;
  }

  private static String describe(NewVit sizes, HfDirectory files) {
    long parameters =
        files.tensors().values().stream().mapToLong(tensor -> tensor.shape().elements()).sum();
    return String.format(
        Locale.ROOT,
        "A new ViT with %.2f million parameters: %d×%d pixels%s in patches of %d×%d, %d layers of"
            + " %d features and %d heads.",
        parameters / 1e6,
        sizes.imageSize(),
        sizes.imageSize(),
        sizes.channels() == 1 ? " of gray" : "",
        sizes.patchSize(),
        sizes.patchSize(),
        sizes.layers(),
        sizes.hidden(),
        sizes.heads());
  }
}
