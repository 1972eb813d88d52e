package dev.tessera.cli;

import dev.tessera.engine.Engine;
import dev.tessera.model.ImageEmbedder;
import dev.tessera.model.Pooling;
import dev.tessera.model.TextEmbedder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tessera embed}: a vector for each image or text. */
@Command(
    name = "embed",
    description = "Give each image or text a vector, for search, clustering and other programs.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  tessera embed --model dinov2-small photos/ -o photos.npy",
      "  tessera embed --model clip-base photos/ --normalize -o photos.safetensors",
      "  tessera embed --model vit-base photos/ --pool mean -o photos.parquet --resume",
      "  tessera embed --model vit-base a.jpg b.jpg --format csv",
      "  tessera embed --model all-MiniLM-L6-v2 --text sentences.txt -o sentences.npy",
      "",
      "Vectors come in the order of the files. Their ids, the files' paths below the folder given,",
      "stand in the same line or row; of photos.npy and photos.safetensors they are beside it in",
      "photos.ids.json. An image that cannot be read is named on standard error and has no vector.",
      "With --text each line of the files is a text; BERT models and sentence-transformers folders are",
      "pooled as their modules.json says, CLIP and SigLIP give the projection."
    })
final class EmbedCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "PATH",
      arity = "1..*",
      description = {
        "Image files, folders, or - for a list of paths on standard input, one a line;",
        "with --text, text files or - for standard input."
      })
  private List<String> paths = new ArrayList<>();

  @Mixin private ModelOptions modelOptions = new ModelOptions();

  @Option(names = "--text", description = "Read texts, one a line.")
  private boolean text;

  @Option(
      names = "--pool",
      paramLabel = "WHAT",
      description = {
        "What stands for an image: ${COMPLETION-CANDIDATES}.",
        "cls: the class token. mean: the mean of the patches. pooler: pooler_output.",
        "projection: what CLIP and SigLIP compare with texts. Default: what the model is made for."
      })
  private @Nullable Pooling pooling;

  @Option(names = "--normalize", description = "Scale every vector to length 1.")
  private boolean normalize;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Write here, not to standard output: to FILE.partial until all is done.")
  private @Nullable Path output;

  @Option(
      names = {"-f", "--format"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES}. Default: as the name of --output ends, or jsonl.")
  private EmbeddingRows.@Nullable Format format;

  @Option(
      names = "--resume",
      description = "Go on with the FILE.partial of a run that was interrupted.")
  private boolean resume;

  @Mixin private ImageInputs inputs = new ImageInputs();

  @Mixin private ComputeOptions compute = new ComputeOptions();

  @Override
  public Integer call() throws IOException, Failure {
    EmbeddingRows.Format chosen = format();
    ImageInputs.require(
        !resume || output != null, "--resume goes on with the file of --output; give that, too");
    if (text) {
      ImageInputs.require(
          pooling == null, "--pool is for images; texts are pooled as the model says");
    } else {
      inputs.check(paths);
    }
    Path target = output;
    boolean resumes = false;
    if (resume && target != null) {
      resumes = Resume.possible(target);
      if (!resumes && Files.exists(target)) {
        System.err.println("tessera: " + target + " is complete: nothing to resume");
        return ExitCode.OK;
      }
    }
    if (text) {
      return texts(chosen, resumes);
    }
    try (ImageEmbedder embedder =
        compute.open(engine -> ImageEmbedder.open(modelOptions.directory(), engine, pooling))) {
      ImageRun<ImageFile> run =
          new ImageRun<>(
              inputs.steps(
                  embedder.preprocessor(),
                  embedder::embeddings,
                  embedder::prepare,
                  paths,
                  compute.threads()),
              Terminal.ofStandardError(target != null));
      Iterator<ImageFile> files = new RelativeNames(inputs.files(paths, Set.of()), paths);
      run.count(inputs.counted(paths, Set.of()));
      EmbeddingRows.Plan plan =
          new EmbeddingRows.Plan(
              target, chosen, "file", embedder.dimensions(), normalize, metadata(embedder, chosen));
      if (target == null || !resumes) {
        return run.run(files, plan.create().ofImages());
      }
      try (RecordedFiles recorded = plan.recorded(target)) {
        run.resume(files, recorded, plan.recordedFile(target));
      }
      return run.run(files, plan.append(target, run.good()).ofImages());
    }
  }

  private int texts(EmbeddingRows.Format chosen, boolean resumes) throws IOException, Failure {
    Path target = output;
    try (Engine engine = compute.open();
        TextEmbedder embedder = TextEmbedder.open(modelOptions.directory(), engine);
        TextLines lines = new TextLines(paths)) {
      Map<String, String> metadata =
          chosen.isText() ? Map.of() : Map.of("normalized", Boolean.toString(normalize));
      EmbeddingRows.Plan plan =
          new EmbeddingRows.Plan(target, chosen, "text", embedder.width(), normalize, metadata);
      EmbedTexts run = new EmbedTexts(embedder, lines, Terminal.ofStandardError(target != null));
      if (target == null || !resumes) {
        return run.run(plan.create());
      }
      try (RecordedFiles recorded = plan.recorded(target)) {
        run.resume(recorded, plan.recordedFile(target));
      }
      return run.run(plan.append(target, run.done()));
    }
  }

  private EmbeddingRows.Format format() throws Failure {
    EmbeddingRows.Format chosen = format;
    Path target = output;
    if (target == null) {
      ImageInputs.require(
          chosen == null || chosen.isText(),
          "--format " + chosen + " needs a file to write: give --output FILE");
      return chosen == null ? EmbeddingRows.Format.JSONL : chosen;
    }
    EmbeddingRows.Format named = chosen == null ? EmbeddingRows.Format.of(target) : chosen;
    if (named == null) {
      throw new Failure(
          ExitCode.USAGE,
          target
              + " does not say its format; end it in .npy, .safetensors, .parquet, .jsonl or"
              + " .csv, or give --format");
    }
    return named;
  }

  private Map<String, String> metadata(ImageEmbedder embedder, EmbeddingRows.Format chosen)
      throws IOException {
    if (chosen.isText()) {
      return Map.of();
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("architecture", embedder.architecture());
    metadata.put("pooling", embedder.pooling().toString());
    metadata.put("normalized", Boolean.toString(normalize));
    metadata.put("fingerprint", embedder.fingerprint());
    return metadata;
  }
}
