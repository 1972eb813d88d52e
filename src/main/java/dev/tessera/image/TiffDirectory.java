package dev.tessera.image;

import java.util.HashMap;
import java.util.Map;

/** The numbers in the first directory of a TIFF or BigTIFF file; TIFF 6.0, section 2. */
final class TiffDirectory {
  static final int WIDTH = 256;
  static final int HEIGHT = 257;
  static final int BITS = 258;
  static final int COMPRESSION = 259;
  static final int PHOTOMETRIC = 262;
  static final int FILL_ORDER = 266;
  static final int STRIP_OFFSETS = 273;
  static final int ORIENTATION = 274;
  static final int SAMPLES = 277;
  static final int ROWS_PER_STRIP = 278;
  static final int STRIP_BYTES = 279;
  static final int PLANAR = 284;
  static final int PREDICTOR = 317;
  static final int COLOR_MAP = 320;
  static final int TILE_WIDTH = 322;
  static final int TILE_HEIGHT = 323;
  static final int TILE_OFFSETS = 324;
  static final int TILE_BYTES = 325;
  static final int EXTRA_SAMPLES = 338;
  static final int SAMPLE_FORMAT = 339;
  static final int JPEG_TABLES = 347;
  static final int SUBSAMPLING = 530;

  private final boolean bigEndian;
  private final Map<Integer, long[]> tags;

  private TiffDirectory(boolean bigEndian, Map<Integer, long[]> tags) {
    this.bigEndian = bigEndian;
    this.tags = tags;
  }

  static TiffDirectory parse(byte[] data) throws ImageException {
    Bytes bytes = new Bytes(data, data[0] == 'M');
    boolean big = bytes.u16(2) == 43;
    long at = big ? u64(bytes, 8) : bytes.u32(4);
    long entries = big ? u64(bytes, at) : bytes.u16(at);
    at += big ? 8 : 2;
    int entrySize = big ? 20 : 12;
    if (entries > (data.length - at) / entrySize) {
      throw new ImageException("is truncated: its TIFF directory is incomplete");
    }
    Map<Integer, long[]> tags = new HashMap<>();
    long budget = data.length; // all values together come out of the file
    for (int i = 0; i < entries; i++, at += entrySize) {
      int size = size(bytes.u16(at + 2));
      long count = big ? u64(bytes, at + 4) : bytes.u32(at + 4);
      if (size == 0 || !wanted(bytes.u16(at))) {
        continue;
      }
      if (count < 0 || count > budget / size) {
        throw new ImageException("is damaged: a TIFF tag is longer than the file");
      }
      budget -= count * size;
      long value = at + (big ? 12 : 8);
      if (count * size > (big ? 8 : 4)) {
        value = big ? u64(bytes, value) : bytes.u32(value);
      }
      long[] values = new long[(int) count];
      for (int k = 0; k < count; k++) {
        values[k] =
            switch (size) {
              case 1 -> bytes.u8(value + k);
              case 2 -> bytes.u16(value + 2L * k);
              case 4 -> bytes.u32(value + 4L * k);
              default -> u64(bytes, value + 8L * k);
            };
      }
      tags.put(bytes.u16(at), values);
    }
    return new TiffDirectory(bytes.bigEndian(), tags);
  }

  private static boolean wanted(int tag) {
    return tag <= JPEG_TABLES || tag == SUBSAMPLING;
  }

  private static int size(int type) {
    return switch (type) {
      case 1, 6, 7 -> 1;
      case 3, 8 -> 2;
      case 4, 9, 13 -> 4;
      case 16, 17, 18 -> 8;
      default -> 0; // text, fractions and floats say nothing about the picture
    };
  }

  private static long u64(Bytes bytes, long at) throws ImageException {
    long first = bytes.u32(at);
    long second = bytes.u32(at + 4);
    long value = bytes.bigEndian() ? first << 32 | second : second << 32 | first;
    if (value < 0) {
      throw new ImageException("is damaged: a TIFF offset is out of range");
    }
    return value;
  }

  boolean bigEndian() {
    return bigEndian;
  }

  boolean has(int tag) {
    long[] values = tags.get(tag);
    return values != null && values.length > 0;
  }

  long get(int tag, long absent) {
    long[] values = tags.get(tag);
    return values == null || values.length == 0 ? absent : values[0];
  }

  /** The number of values a tag has, which may be 0. */
  int count(int tag) {
    long[] values = tags.get(tag);
    return values == null ? 0 : values.length;
  }

  long[] values(int tag, long... absent) {
    return tags.getOrDefault(tag, absent);
  }
}
