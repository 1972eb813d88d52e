package dev.tessera.cli;

import dev.tessera.search.VectorFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where embeddings are written, one after the other, in the format that was asked for. */
interface EmbeddingRows extends Closeable {
  /** How embeddings are written. */
  enum Format {
    NPY,
    SAFETENSORS,
    PARQUET,
    JSONL,
    CSV;

    /** As the name of {@code file} ends, or null. */
    static @Nullable Format of(Path file) {
      String name = file.toString().toLowerCase(Locale.ROOT);
      for (Format format : values()) {
        if (name.endsWith("." + format)) {
          return format;
        }
      }
      return null;
    }

    boolean isText() {
      return this == JSONL || this == CSV;
    }

    VectorFile.Kind kind() {
      return VectorFile.Kind.valueOf(name());
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What is written, apart from the vectors.
   *
   * @param target null for standard output, in one of the text formats
   * @param idName what ids are called in the text formats: {@code file}, {@code text}
   * @param metadata what the formats that have a place for it say about the vectors
   */
  record Plan(
      @Nullable Path target,
      Format format,
      String idName,
      int dimensions,
      boolean normalized,
      Map<String, String> metadata) {

    /** Starts anew. */
    EmbeddingRows create() throws Failure {
      Path file = target;
      if (format.isText() || file == null) {
        EmbeddingText text = new EmbeddingText(ResultOutput.to(file), this);
        text.header();
        return text;
      }
      if (Files.isDirectory(file)) {
        throw new Failure(ExitCode.OUTPUT, file + " is a folder; give the name of a file");
      }
      try {
        return new EmbeddingVectors(
            this, VectorFile.create(file, format.kind(), dimensions, metadata));
      } catch (IOException e) {
        throw ResultOutput.failure(file.toString(), e);
      }
    }

    /** What an interrupted run has written. */
    RecordedFiles recorded(Path file) throws IOException, Failure {
      return switch (format) {
        case CSV -> new CsvRecords(ResultOutput.partial(file), EmbeddingText.csvHeader(this));
        case JSONL -> new JsonLinesRecords(ResultOutput.partial(file), idName);
        case NPY, SAFETENSORS, PARQUET -> IdRecords.of(this, file);
      };
    }

    /** The file that {@link #recorded} reads, which is cut where its last whole record ends. */
    Path recordedFile(Path file) {
      return ResultOutput.partial(format.isText() ? file : VectorFile.idsFile(file));
    }

    /**
     * Goes on after what an interrupted run has written.
     *
     * @param count how many embeddings that was
     */
    EmbeddingRows append(Path file, long count) throws Failure {
      try {
        if (format.isText()) {
          boolean empty = Files.size(ResultOutput.partial(file)) == 0;
          EmbeddingText text = new EmbeddingText(ResultOutput.append(file), this);
          if (empty) {
            text.header();
          }
          return text;
        }
        return new EmbeddingVectors(
            this, VectorFile.append(file, format.kind(), dimensions, metadata, count));
      } catch (IOException e) {
        throw ResultOutput.failure(file.toString(), e);
      }
    }
  }

  /**
   * Writes one embedding.
   *
   * @param vector changed where embeddings are normalised
   */
  void append(String id, float[] vector) throws Failure;

  /** All is written: the file gets its name. */
  void commit() throws Failure;

  /** As images' rows; the id is the file's name. */
  default ImageRun.Rows<ImageFile> ofImages() {
    return new ImageRun.Rows<ImageFile>() {
      @Override
      public void accept(ImageFile file, float[] values) throws Failure {
        append(file.name(), values);
      }

      @Override
      public void commit() throws Failure {
        EmbeddingRows.this.commit();
      }

      @Override
      public void close() throws IOException {
        EmbeddingRows.this.close();
      }
    };
  }
}
