package dev.tessera.search;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.apache.lucene.util.hnsw.OnHeapHnswGraph;

/**
 * A small-world graph over the first rows of an index, mapped from its file.
 *
 * <p>The file: a header of {@link #HEADER} ints, then for each level, from the lowest, the number
 * of its nodes, the nodes (for level 0 they are all and not written) and a slot for each node: how
 * many neighbours it has, and those. All big-endian ints.
 *
 * <p>Reading keeps a position, so each search uses a {@link #view} of its own.
 */
final class NeighborGraph extends HnswGraph {
  private static final int MAGIC = 0x5447_5231;
  private static final int HEADER = 6;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /**
   * One level.
   *
   * @param count of its nodes
   * @param nodes where they begin, or -1 for all
   * @param slots where the neighbours begin
   * @param width ints in a slot
   */
  private record Level(int count, long nodes, long slots, int width) {}

  private final MemorySegment file;
  private final int size;
  private final int maxConnections;
  private final int entry;
  private final Level[] levels;
  private final int[] neighbors;
  private int count;
  private int next;

  private NeighborGraph(
      MemorySegment file, int size, int maxConnections, int entry, Level[] levels) {
    this.file = file;
    this.size = size;
    this.maxConnections = maxConnections;
    this.entry = entry;
    this.levels = levels;
    this.neighbors = new int[width(0, maxConnections) - 1];
  }

  /** Writes a graph that was built in memory. */
  static void write(OnHeapHnswGraph graph, Path target) throws IOException {
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(target), 1 << 16))) {
      out.writeInt(MAGIC);
      out.writeInt(1);
      out.writeInt(graph.size());
      out.writeInt(graph.maxConn());
      out.writeInt(graph.entryNode());
      out.writeInt(graph.numLevels());
      for (int level = 0; level < graph.numLevels(); level++) {
        NodesIterator sorted = graph.getSortedNodes(level);
        int[] nodes = new int[sorted.size()];
        for (int i = 0; i < nodes.length; i++) {
          nodes[i] = sorted.nextInt();
        }
        out.writeInt(nodes.length);
        for (int i = 0; i < nodes.length && level > 0; i++) {
          out.writeInt(nodes[i]);
        }
        int width = width(level, graph.maxConn());
        for (int node : nodes) {
          graph.seek(level, node);
          out.writeInt(graph.neighborCount());
          int written = 1;
          for (int n = graph.nextNeighbor();
              n != DocIdSetIterator.NO_MORE_DOCS;
              n = graph.nextNeighbor()) {
            out.writeInt(n);
            written++;
          }
          for (; written < width; written++) {
            out.writeInt(-1);
          }
        }
      }
    }
    try (FileChannel channel = FileChannel.open(target, StandardOpenOption.WRITE)) {
      channel.force(false);
    }
  }

  /** Twice as many neighbours on the lowest level (Malkov and Yashunin, arXiv:1603.09320). */
  private static int width(int level, int maxConnections) {
    return 1 + (level == 0 ? 2 * maxConnections : maxConnections);
  }

  /**
   * Maps a file.
   *
   * @param rows how many there are; a graph over more of them belongs to another index
   * @throws IOException if it is no intact graph over at most so many rows
   */
  static NeighborGraph open(Path path, int rows, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      if (file.byteSize() < 4L * HEADER || at(file, 0) != MAGIC || at(file, 1) != 1) {
        throw damaged(path);
      }
      int size = at(file, 2);
      int maxConnections = at(file, 3);
      int entry = at(file, 4);
      int levelCount = at(file, 5);
      if (size < 1
          || size > rows
          || maxConnections < 1
          || maxConnections > 4096
          || entry < 0
          || entry >= size
          || levelCount < 1
          || levelCount > 64) {
        throw damaged(path);
      }
      Level[] levels = new Level[levelCount];
      long position = HEADER;
      for (int level = 0; level < levelCount; level++) {
        if (4 * position >= file.byteSize()) {
          throw damaged(path);
        }
        int count = at(file, position++);
        int width = width(level, maxConnections);
        if (count < 1 || count > size || (level == 0 && count != size)) {
          throw damaged(path);
        }
        long nodes = level == 0 ? -1 : position;
        position += level == 0 ? 0 : count;
        levels[level] = new Level(count, nodes, position, width);
        position += (long) count * width;
      }
      if (4 * position != file.byteSize()) {
        throw damaged(path);
      }
      return new NeighborGraph(file, size, maxConnections, entry, levels);
    }
  }

  private static IOException damaged(Path path) {
    return new IOException(
        path + " is no intact graph over these vectors; delete it and run 'tessera index add'");
  }

  private static int at(MemorySegment file, long index) {
    return file.get(INT, 4 * index);
  }

  /** The same graph with a position of its own. */
  NeighborGraph view() {
    return new NeighborGraph(file, size, maxConnections, entry, levels);
  }

  @Override
  public void seek(int level, int target) {
    Level where = levels[level];
    long slot = level == 0 ? target : find(where, target);
    long at = where.slots + slot * where.width;
    count = Math.clamp(at(file, at), 0, where.width - 1);
    next = 0;
    for (int i = 0; i < count; i++) {
      neighbors[i] = at(file, at + 1 + i);
    }
  }

  private int find(Level level, int node) {
    int low = 0;
    int high = level.count - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (at(file, level.nodes + middle) < node) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public int nextNeighbor() {
    if (next == count) {
      return DocIdSetIterator.NO_MORE_DOCS;
    }
    int node = neighbors[next++];
    if (node < 0 || node >= size) {
      throw new IllegalStateException("the graph names row " + node + " of " + size);
    }
    return node;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public int numLevels() {
    return levels.length;
  }

  @Override
  public int maxConn() {
    return maxConnections;
  }

  @Override
  public int entryNode() {
    return entry;
  }

  @Override
  public int neighborCount() {
    return count;
  }

  @Override
  public NodesIterator getNodesOnLevel(int level) {
    Level where = levels[level];
    int[] nodes = new int[where.count];
    for (int i = 0; i < nodes.length; i++) {
      nodes[i] = level == 0 ? i : at(file, where.nodes + i);
    }
    return new ArrayNodesIterator(nodes, nodes.length);
  }
}
