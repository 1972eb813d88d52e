package dev.tessera.cli;

import dev.tessera.model.ImageEmbedder;
import dev.tessera.search.VectorFile;
import java.io.IOException;

/** Embeddings in a file of vectors, with the ids beside it. */
final class EmbeddingVectors implements EmbeddingRows {
  private static final long FLUSH_INTERVAL = 500_000_000;

  private final Plan plan;
  private final VectorFile file;
  private long lastFlush = System.nanoTime();

  EmbeddingVectors(Plan plan, VectorFile file) {
    this.plan = plan;
    this.file = file;
  }

  @Override
  public void append(String id, float[] vector) throws Failure {
    try {
      if (plan.normalized()) {
        ImageEmbedder.normalize(vector);
      }
      file.append(id, vector);
      long now = System.nanoTime();
      if (now - lastFlush > FLUSH_INTERVAL) {
        lastFlush = now;
        file.flush();
      }
    } catch (IOException e) {
      throw ResultOutput.failure(String.valueOf(plan.target()), e);
    }
  }

  @Override
  public void commit() throws Failure {
    try {
      file.commit();
    } catch (IOException e) {
      throw ResultOutput.failure(String.valueOf(plan.target()), e);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
