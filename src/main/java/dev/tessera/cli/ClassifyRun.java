package dev.tessera.cli;

import dev.tessera.model.Prediction;
import dev.tessera.model.Ranking;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@code tessera classify} makes of each image's logits: a line, and a place in a folder. */
final class ClassifyRun {
  private final ImageRun<ImageFile> images;
  private final Ranking ranking;
  private final ResultFormat format;
  private final @Nullable LabelFolders folders;
  private final StringBuilder line = new StringBuilder();

  ClassifyRun(
      ImageRun<ImageFile> images,
      Ranking ranking,
      ResultFormat format,
      @Nullable LabelFolders folders) {
    this.images = images;
    this.ranking = ranking;
    this.format = format;
    this.folders = folders;
  }

  /** Classifies {@code files} and returns the exit code. */
  int run(Iterator<ImageFile> files, ResultOutput output) throws IOException, Failure {
    try (output) {
      output.write(format.header());
      return images.run(files, new Lines(output));
    }
  }

  /** Goes on after what an interrupted run has written, and returns the exit code. */
  int resume(Iterator<ImageFile> files, Path target, OutputOptions.Format kind)
      throws IOException, Failure {
    Path partial = ResultOutput.partial(target);
    long complete;
    try (RecordedFiles recorded =
        kind == OutputOptions.Format.CSV
            ? new CsvRecords(partial, format.header())
            : new JsonLinesRecords(partial, "file")) {
      images.resume(files, recorded, partial);
      complete = recorded.completeBytes();
    }
    try (ResultOutput output = ResultOutput.append(target)) {
      if (complete == 0) {
        output.write(format.header());
      }
      return images.run(files, new Lines(output));
    }
  }

  private final class Lines implements ImageRun.Rows<ImageFile> {
    private final ResultOutput output;

    Lines(ResultOutput output) {
      this.output = output;
    }

    @Override
    public void accept(ImageFile file, float[] logits) throws Failure {
      List<Prediction> predictions = ranking.rank(logits);
      if (folders != null) {
        folders.put(file.path(), predictions);
      }
      line.setLength(0);
      format.append(line, file.name(), predictions);
      output.write(line);
    }

    @Override
    public void commit() throws Failure {
      output.commit();
    }

    @Override
    public void close() throws IOException {
      output.close();
    }
  }
}
