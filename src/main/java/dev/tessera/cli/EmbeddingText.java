package dev.tessera.cli;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.tessera.data.CsvCell;
import dev.tessera.model.ImageEmbedder;
import java.io.IOException;

/**
 * Embeddings as lines: JSON objects {@code {"file": ..., "embedding": [...]}}, or CSV with the
 * header {@code file,0,1,...}. Numbers are written so that reading them gives the same float.
 */
final class EmbeddingText implements EmbeddingRows {
  private final ResultOutput output;
  private final Plan plan;
  private final StringBuilder line = new StringBuilder();

  EmbeddingText(ResultOutput output, Plan plan) {
    this.output = output;
    this.plan = plan;
  }

  static String csvHeader(Plan plan) {
    StringBuilder header = new StringBuilder(plan.idName());
    for (int i = 0; i < plan.dimensions(); i++) {
      header.append(',').append(i);
    }
    return header.append("\r\n").toString();
  }

  void header() throws Failure {
    if (plan.format() == Format.CSV) {
      output.write(csvHeader(plan));
    }
  }

  @Override
  public void append(String id, float[] vector) throws Failure {
    if (plan.normalized()) {
      ImageEmbedder.normalize(vector);
    }
    line.setLength(0);
    if (plan.format() == Format.CSV) {
      CsvCell.append(line, id);
      for (float value : vector) {
        line.append(',').append(value);
      }
      line.append("\r\n");
    } else {
      line.append("{\"").append(plan.idName()).append("\": \"");
      JsonStringEncoder.getInstance().quoteAsString(id, line);
      line.append("\", \"embedding\": [");
      for (int i = 0; i < vector.length; i++) {
        line.append(i == 0 ? "" : ", ").append(vector[i]);
      }
      line.append("]}\n");
    }
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
