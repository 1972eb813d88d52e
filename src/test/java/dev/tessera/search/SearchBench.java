package dev.tessera.search;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Tessera's half of {@code examples/bench/search.py}, which says on standard input what to search
 * and reads on standard output how long it took.
 */
public final class SearchBench {
  private SearchBench() {}

  /**
   * Answers until standard input ends.
   *
   * @param args folder with {@code rows.f32} and {@code queries.f32}; dimensions; threads
   */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    int dimensions = Integer.parseInt(args[1]);
    int threads = Integer.parseInt(args[2]);
    try (Arena arena = Arena.ofShared();
        ExactScan scan = new ExactScan(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      Rows rows = new Rows(dimensions, List.of(map(folder.resolve("rows.f32"), arena)));
      Rows all = new Rows(dimensions, List.of(map(folder.resolve("queries.f32"), arena)));
      float[][] queries = new float[all.count()][];
      for (int i = 0; i < queries.length; i++) {
        queries[i] = all.get(i);
      }
      Hnsw graph = null;
      BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ", -1);
        int k = Integer.parseInt(words[1]);
        int count = Math.min(Integer.parseInt(words[2]), queries.length);
        float[][] some = Arrays.copyOf(queries, count);
        long start = System.nanoTime();
        List<Neighbors> found = new ArrayList<>();
        switch (words[0]) {
          case "together" -> found = scan.search(rows, some, k, null);
          case "alone" -> {
            for (float[] query : some) {
              found.addAll(scan.search(rows, new float[][] {query}, k, null));
            }
          }
          case "build" -> {
            Path file = folder.resolve("graph");
            if (!Files.exists(file)) {
              Hnsw.build(rows, threads, file);
            }
            graph = Hnsw.open(file, rows, arena);
          }
          case "graph" -> {
            if (graph == null) {
              throw new IllegalStateException("build first");
            }
            found = search(graph, some, k, Integer.parseInt(words[3]), threads, executor);
          }
          default -> throw new IllegalArgumentException(line);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        ByteBuffer out = ByteBuffer.allocate(found.size() * k * 4).order(ByteOrder.LITTLE_ENDIAN);
        for (Neighbors neighbors : found) {
          for (int row : neighbors.rows()) {
            out.putInt(row);
          }
        }
        Files.write(folder.resolve("found.i32"), out.array());
        System.out.println(seconds);
      }
    }
  }

  /** As FAISS does it: each thread takes its part of the queries. */
  private static List<Neighbors> search(
      Hnsw graph, float[][] queries, int k, int beam, int threads, ExecutorService executor)
      throws Exception {
    List<Callable<List<Neighbors>>> tasks = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      int from = queries.length * thread / threads;
      int to = queries.length * (thread + 1) / threads;
      tasks.add(() -> {
        List<Neighbors> found = new ArrayList<>();
        for (int i = from; i < to; i++) {
          found.add(graph.search(queries[i], k, beam, null));
        }
        return found;
      });
    }
    List<Neighbors> found = new ArrayList<>();
    for (Future<List<Neighbors>> part : executor.invokeAll(tasks)) {
      found.addAll(part.get());
    }
    return found;
  }

  private static MemorySegment map(Path file, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }
}
