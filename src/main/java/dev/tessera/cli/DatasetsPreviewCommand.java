package dev.tessera.cli;

import dev.tessera.data.Dataset;
import dev.tessera.data.LabelledImage;
import dev.tessera.data.LabelledImages;
import dev.tessera.data.Part;
import dev.tessera.image.Augmentation;
import dev.tessera.image.Augmentation.Crop;
import dev.tessera.image.Augmenter;
import dev.tessera.image.ColorJitter;
import dev.tessera.image.Decoder;
import dev.tessera.image.Draws;
import dev.tessera.image.ImageException;
import dev.tessera.image.Preprocessor;
import dev.tessera.image.RandAugment;
import dev.tessera.image.RandomErasing;
import dev.tessera.image.RgbImage;
import dev.tessera.report.ContactSheet;
import dev.tessera.report.Theme;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera datasets preview}: what a model would see in training, as one picture. */
@Command(
    name = "preview",
    description = "Draw a contact sheet of a data set's images, varied as in training.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera datasets preview photos/",
      "  tessera datasets preview photos/ --rand-augment rand-m9-mstd0.5-inc1 --variants 8",
      "  tessera datasets preview fashion-mnist/ --size 28 --shift 2 --erasing 0.25",
      "",
      "Each row shows one image: as it is, then its variants."
    })
final class DatasetsPreviewCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "DATA",
      description = "Class folders, a .csv of path,label, or a folder of IDX or CIFAR files.")
  private Path data = Path.of("");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "preview.png",
      description = "PNG file to write. Default: ${DEFAULT-VALUE}.")
  private Path output = Path.of("preview.png");

  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "10",
      description = "Images, of as many classes as there are. Default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--variants",
      paramLabel = "N",
      defaultValue = "7",
      description = "Variants of each. Default: ${DEFAULT-VALUE}.")
  private int variants;

  @Option(
      names = "--size",
      paramLabel = "N",
      defaultValue = "224",
      description = "Pixels of a side of the model's input. Default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--shift",
      paramLabel = "N",
      description = "Shift by up to N pixels, rather than take random parts of the image.")
  private @Nullable Integer shift;

  @Option(
      names = "--min-scale",
      paramLabel = "X",
      defaultValue = "0.08",
      description = "Least part of an image that is seen. Default: ${DEFAULT-VALUE}.")
  private double minScale;

  @Option(
      names = "--flip",
      paramLabel = "X",
      defaultValue = "0.5",
      description = "Probability of mirroring. Default: ${DEFAULT-VALUE}.")
  private double flip;

  @Option(
      names = "--rand-augment",
      paramLabel = "TEXT",
      description = "As timm's --aa: rand-m9-mstd0.5-inc1. Default: none.")
  private @Nullable String randAugment;

  @Option(
      names = "--color-jitter",
      paramLabel = "X",
      description = "Strength. Default: 0.4, but 0 with --rand-augment or --shift.")
  private @Nullable Double colorJitter;

  @Option(
      names = "--erasing",
      paramLabel = "X",
      defaultValue = "0",
      description = "Probability of erasing a rectangle. Default: ${DEFAULT-VALUE}.")
  private double erasing;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Equal seeds give equal pictures. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Override
  public Integer call() throws IOException, Failure {
    require(count >= 1 && count <= 200, "--images must be from 1 to 200, not " + count);
    require(variants >= 0 && variants <= 50, "--variants must be from 0 to 50, not " + variants);
    require(size >= 1 && size <= 1024, "--size must be from 1 to 1024, not " + size);
    Augmentation augmentation = augmentation();
    LabelledImages images = Dataset.open(data).part(Part.TRAIN);
    Preprocessor preprocessor =
        Preprocessor.ofHuggingFace(null, Map.of("model_type", "vit", "image_size", size));
    Augmenter augmenter = new Augmenter(augmentation, preprocessor);
    Decoder decoder = new Decoder();
    List<ContactSheet.Cell> cells = new ArrayList<>();
    int bad = 0;
    int shown = 0;
    for (int index : choose(images)) {
      LabelledImage image = images.get(index);
      try {
        RgbImage original = image.source().decode(decoder);
        RgbImage prepared = augmenter.prepare(original);
        String label = images.classes().get(image.label());
        cells.add(new ContactSheet.Cell(original, label));
        for (int i = 0; i < variants; i++) {
          RgbImage variant = augmenter.preview(prepared, Draws.of(seed, index, i));
          cells.add(new ContactSheet.Cell(variant, i == 0 ? image.id() : ""));
        }
        shown++;
      } catch (ImageException e) {
        bad++;
        System.err.println("tessera: " + Terminal.printable(String.valueOf(e.getMessage())));
      }
    }
    if (cells.isEmpty()) {
      throw new Failure(ExitCode.NO_IMAGE, data + ": no image could be read");
    }
    ResultOutput.write(
        output, ContactSheet.png(cells, variants + 1, Math.clamp(size, 96, 192), Theme.LIGHT));
    System.out.printf(
        "%s: %d images of %s%s%n",
        output, shown, data, bad == 0 ? "" : ", " + bad + " could not be read");
    return ExitCode.OK;
  }

  private Augmentation augmentation() throws Failure {
    try {
      double jitter =
          colorJitter != null ? colorJitter : randAugment != null || shift != null ? 0 : 0.4;
      return Augmentation.NONE
          .withCrop(
              shift != null
                  ? new Crop.PadAndCrop(shift, false)
                  : Crop.RandomResized.ofScale(minScale, 1))
          .withHorizontalFlip(flip)
          .withRandAugment(randAugment == null ? null : RandAugment.parse(randAugment))
          .withColorJitter(jitter == 0 ? null : ColorJitter.of(jitter))
          .withRandomErasing(
              erasing == 0 ? null : RandomErasing.of(erasing, RandomErasing.Mode.CONST));
    } catch (IllegalArgumentException e) {
      throw new Failure(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  /** Images of all classes in turn, drawn from each. */
  private List<Integer> choose(LabelledImages images) {
    List<List<Integer>> classes = new ArrayList<>();
    images.classes().forEach(_ -> classes.add(new ArrayList<>()));
    for (int i = 0; i < images.size(); i++) {
      classes.get(images.get(i).label()).add(i);
    }
    Draws draws = Draws.of(seed, -1);
    List<Integer> chosen = new ArrayList<>();
    int wanted = Math.min(count, images.size());
    while (chosen.size() < wanted) {
      for (List<Integer> members : classes) {
        if (!members.isEmpty() && chosen.size() < wanted) {
          int place = draws.below(members.size());
          chosen.add(members.get(place));
          members.set(place, members.getLast());
          members.removeLast();
        }
      }
    }
    chosen.sort((a, b) -> Integer.compare(images.get(a).label(), images.get(b).label()));
    return chosen;
  }

  private static void require(boolean holds, String otherwise) throws Failure {
    if (!holds) {
      throw new Failure(ExitCode.USAGE, otherwise);
    }
  }
}
