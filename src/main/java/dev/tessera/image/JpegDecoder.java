package dev.tessera.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Goes through the markers of one JPEG stream and has its scans decoded; ITU-T T.81, annex B. */
final class JpegDecoder {
  private static final int SOF0 = 0xc0;
  private static final int SOF1 = 0xc1;
  private static final int SOF2 = 0xc2;
  private static final int DHT = 0xc4;
  private static final int SOI = 0xd8;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int DQT = 0xdb;
  private static final int DRI = 0xdd;

  private final Limits limits;
  private final JpegMetadata metadata = new JpegMetadata();
  private final int[][] quantizers = new int[4][];
  private final @Nullable JpegHuffman[] dcTables = new JpegHuffman[4];
  private final @Nullable JpegHuffman[] acTables = new JpegHuffman[4];
  private final List<JpegComponent> components = new ArrayList<>();
  private byte[] data = {};
  private Bytes bytes = new Bytes(data, true);
  private int width;
  private int height;
  private int maxHorizontal = 1;
  private int maxVertical = 1;
  private int unitsAcross;
  private int unitsDown;
  private boolean progressive;
  private boolean planned;
  private boolean oneScan;
  private int restartInterval;

  JpegDecoder(Limits limits) {
    this.limits = limits;
  }

  int width() {
    return width;
  }

  int height() {
    return height;
  }

  int componentCount() {
    return components.size();
  }

  Orientation orientation() {
    return metadata.orientation();
  }

  /** Takes the tables out of an abbreviated stream, as TIFF files share them. */
  void readTables(byte[] tables) throws ImageException {
    read(tables, true);
  }

  /** Decodes a whole stream into component samples. */
  void decode(byte[] stream) throws ImageException {
    read(stream, false);
    if (!planned) {
      throw new ImageException("is a JPEG file without a picture");
    }
    if (!oneScan) {
      transformAll();
    }
  }

  private void read(byte[] stream, boolean tablesOnly) throws ImageException {
    data = stream;
    bytes = new Bytes(stream, true);
    JpegBits cursor = new JpegBits(stream, 2); // after SOI
    while (true) {
      int marker = cursor.nextMarker();
      if (marker == EOI) {
        return;
      }
      if (marker == 1 || (marker >= 0xd0 && marker <= SOI)) {
        continue; // without content
      }
      int at = cursor.position();
      int length = at + 2 <= data.length ? bytes.u16(at) : 0;
      if (length < 2 || at + length > data.length) {
        throw new ImageException("is truncated: its JPEG data ends early");
      }
      int from = at + 2;
      int to = at + length;
      switch (marker) {
        case DHT -> readHuffmanTables(from, to);
        case DQT -> readQuantizers(from, to);
        case DRI -> restartInterval = bytes.u16(from);
        case SOS -> {
          if (tablesOnly) {
            return;
          }
          cursor = new JpegBits(data, to);
          readScan(from, to, cursor);
          if (oneScan) {
            return; // what follows, even the end marker, no longer matters
          }
          continue;
        }
        default -> {
          if (marker >= SOF0 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc) {
            readFrame(marker, from, to);
          } else {
            metadata.read(bytes, marker, from, to);
          }
        }
      }
      cursor = new JpegBits(data, to);
    }
  }

  private static ImageException damaged(String what) {
    return new ImageException("is damaged: it has an invalid JPEG " + what);
  }

  private void readQuantizers(int from, int to) throws ImageException {
    int at = from;
    while (at < to) {
      int header = bytes.u8(at++);
      int size = header >> 4 == 0 ? 1 : 2;
      if ((header & 15) > 3 || at + 64 * size > to) {
        throw damaged("quantization table");
      }
      int[] steps = new int[64];
      for (int i = 0; i < 64; i++, at += size) {
        steps[JpegScan.NATURAL_ORDER[i]] = size == 1 ? bytes.u8(at) : bytes.u16(at);
      }
      quantizers[header & 15] = steps;
    }
  }

  private void readHuffmanTables(int from, int to) throws ImageException {
    int at = from;
    while (at < to) {
      int header = bytes.u8(at++);
      int[] counts = new int[16];
      int total = 0;
      for (int i = 0; i < 16; i++) {
        counts[i] = bytes.u8(at++);
        total += counts[i];
      }
      if ((header & ~0x13) != 0 || total > 256 || at + total > to) {
        throw damaged("Huffman table");
      }
      byte[] values = Arrays.copyOfRange(data, at, at + total);
      (header < 16 ? dcTables : acTables)[header & 3] = new JpegHuffman(counts, values);
      at += total;
    }
  }

  private void readFrame(int marker, int from, int to) throws ImageException {
    checkProcess(marker);
    int precision = bytes.u8(from);
    if (precision != 8) {
      throw new ImageException(
          "is a JPEG file with %d bits per sample, which is not supported; re-save it with 8"
              .formatted(precision));
    }
    if (!components.isEmpty()) {
      throw new ImageException("is damaged: it has two JPEG frame headers");
    }
    progressive = marker == SOF2;
    height = bytes.u16(from + 1);
    width = bytes.u16(from + 3);
    limits.check(width, height);
    int count = bytes.u8(from + 5);
    if (count == 0 || count > 4 || to - from != 6 + 3 * count) {
      throw damaged("frame header");
    }
    for (int i = 0; i < count; i++) {
      int at = from + 6 + 3 * i;
      int factors = bytes.u8(at + 1);
      int horizontal = factors >> 4;
      int vertical = factors & 15;
      if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
        throw damaged("sampling factor");
      }
      maxHorizontal = Math.max(maxHorizontal, horizontal);
      maxVertical = Math.max(maxVertical, vertical);
      components.add(new JpegComponent(bytes.u8(at), horizontal, vertical, bytes.u8(at + 2)));
    }
    unitsAcross = divideUp(width, 8 * maxHorizontal);
    unitsDown = divideUp(height, 8 * maxVertical);
    for (JpegComponent c : components) {
      c.width = divideUp(width * c.horizontal, maxHorizontal);
      c.height = divideUp(height * c.vertical, maxVertical);
      c.blocksWide = divideUp(width * c.horizontal, 8 * maxHorizontal);
      c.blocksHigh = divideUp(height * c.vertical, 8 * maxVertical);
      c.storedWide = unitsAcross * c.horizontal;
      c.storedHigh = unitsDown * c.vertical;
    }
  }

  private static int divideUp(int a, int b) {
    return (a + b - 1) / b;
  }

  private static void checkProcess(int marker) throws ImageException {
    String process =
        switch (marker) {
          case SOF0, SOF1, SOF2 -> null;
          case 0xc3 -> "a lossless";
          case 0xc9, 0xca -> "an arithmetic-coded";
          default -> "a hierarchical";
        };
    if (process != null) {
      throw new ImageException(
          "is %s JPEG file, which is not supported; re-save it as baseline or progressive"
              .formatted(process));
    }
  }

  private void readScan(int from, int to, JpegBits bits) throws ImageException {
    int count = bytes.u8(from);
    if (components.isEmpty() || count < 1 || count > 4 || to - from != 4 + 2 * count) {
      throw damaged("scan header");
    }
    int first = bytes.u8(from + 1 + 2 * count);
    int last = bytes.u8(from + 2 + 2 * count);
    int precisions = bytes.u8(from + 3 + 2 * count);
    if (progressive) {
      checkProgression(first, last, precisions >> 4, precisions & 15, count);
    }
    List<JpegComponent> selected = new ArrayList<>();
    JpegHuffman[] dc = new JpegHuffman[count];
    JpegHuffman[] ac = new JpegHuffman[count];
    int blocks = 0;
    for (int i = 0; i < count; i++) {
      JpegComponent component = find(bytes.u8(from + 1 + 2 * i));
      if (selected.contains(component)) {
        throw damaged("scan header");
      }
      selected.add(component);
      blocks += component.horizontal * component.vertical;
      int tables = bytes.u8(from + 2 + 2 * i);
      boolean needsDc = !progressive || (first == 0 && precisions >> 4 == 0);
      boolean needsAc = !progressive || first > 0;
      // What is not needed is never looked at; any table will do.
      dc[i] = needsDc ? table(dcTables, tables >> 4, true) : JpegHuffman.EMPTY;
      ac[i] = needsAc ? table(acTables, tables & 15, false) : JpegHuffman.EMPTY;
      dc[i].checkDc();
    }
    if (count > 1 && blocks > 10) {
      throw damaged("sampling factor");
    }
    plan(count);
    for (JpegComponent component : selected) {
      component.prediction = 0;
      if (component.steps == null) {
        component.steps = steps(component);
      }
    }
    new JpegScan(
            bits,
            selected,
            dc,
            ac,
            restartInterval,
            progressive,
            first,
            last,
            precisions >> 4,
            precisions & 15)
        .decode(unitsAcross, unitsDown);
  }

  private static void checkProgression(int first, int last, int high, int low, int count)
      throws ImageException {
    boolean valid = first == 0 ? last == 0 : first <= last && last < 64 && count == 1;
    if (!valid || (high != 0 && low != high - 1) || low > 13) {
      throw damaged("progression");
    }
  }

  private JpegComponent find(int id) throws ImageException {
    for (JpegComponent component : components) {
      if (component.id == id) {
        return component;
      }
    }
    throw damaged("scan header");
  }

  private static JpegHuffman table(@Nullable JpegHuffman[] tables, int index, boolean dc)
      throws ImageException {
    JpegHuffman table = index < 4 ? tables[index] : null;
    if (table == null && index < 2) {
      return JpegHuffman.standard(dc, index); // as in the frames of Motion JPEG
    }
    if (table == null) {
      throw new ImageException("is damaged: it lacks a JPEG Huffman table");
    }
    return table;
  }

  private int[] steps(JpegComponent component) throws ImageException {
    int[] steps = component.quantizer < 4 ? quantizers[component.quantizer] : null;
    if (steps == null) {
      throw new ImageException("is damaged: it lacks a JPEG quantization table");
    }
    return steps.clone();
  }

  /** Before the first scan: whether it holds everything, and the memory for it. */
  private void plan(int scanComponents) throws ImageException {
    if (planned) {
      return;
    }
    planned = true;
    oneScan = !progressive && scanComponents == components.size();
    // A block of 64 samples costs a bit at least.
    Limits.checkDensity((long) width * height, data.length, 8 * 64 * 2);
    for (JpegComponent c : components) {
      long samples = 64L * c.storedWide * c.storedHigh;
      if (samples > 1L << 30) {
        throw new ImageException("is too large a JPEG file for its sampling factors");
      }
      c.samples = new byte[(int) samples];
      if (!oneScan) {
        c.coefficients = new short[(int) samples];
      }
    }
  }

  private void transformAll() throws ImageException {
    int[] scratch = new int[64];
    for (JpegComponent c : components) {
      int[] steps = c.steps == null ? steps(c) : c.steps;
      for (int y = 0; y < c.blocksHigh; y++) {
        for (int x = 0; x < c.blocksWide; x++) {
          int from = 64 * (y * c.storedWide + x);
          int at = 8 * (y * c.stride() + x);
          JpegTransform.inverse(c.coefficients, from, steps, scratch, c.samples, at, c.stride());
        }
      }
      c.coefficients = new short[0];
    }
  }

  /** Full-size samples as stored, interleaved. */
  byte[] interleaved() throws ImageException {
    int count = components.size();
    byte[] out = new byte[count * width * height];
    for (int c = 0; c < count; c++) {
      JpegUpsampling upsampling = upsampling(components.get(c));
      for (int y = 0; y < height; y++) {
        int[] row = upsampling.row(y);
        int to = y * width * count + c;
        for (int x = 0; x < width; x++, to += count) {
          out[to] = (byte) (row[x] + 128);
        }
      }
    }
    return out;
  }

  private JpegUpsampling upsampling(JpegComponent c) throws ImageException {
    if (maxHorizontal % c.horizontal != 0 || maxVertical % c.vertical != 0) {
      throw new ImageException("is a JPEG file with fractional sampling, which is not supported");
    }
    return new JpegUpsampling(c, maxHorizontal / c.horizontal, maxVertical / c.vertical);
  }

  byte[] toRgb() throws ImageException {
    int[] ids = components.stream().mapToInt(c -> c.id).toArray();
    return switch (components.size()) {
      case 1 -> JpegColor.grayToRgb(interleaved());
      case 3 -> metadata.luminanceChrominance(ids) ? yccToRgb() : interleaved();
      case 4 ->
          JpegColor.cmykToRgb(interleaved(), width * height, metadata.luminanceChrominance(ids));
      default ->
          throw new ImageException(
              "is a JPEG file with %d components, which is not supported".formatted(ids.length));
    };
  }

  /** The usual case, line by line without an intermediate picture. */
  private byte[] yccToRgb() throws ImageException {
    byte[] rgb = new byte[3 * width * height];
    JpegUpsampling luma = upsampling(components.get(0));
    JpegUpsampling blue = upsampling(components.get(1));
    JpegUpsampling red = upsampling(components.get(2));
    int[] scratch = new int[width];
    for (int y = 0; y < height; y++) {
      JpegColor.yccToRgb(luma.row(y), blue.row(y), red.row(y), width, scratch, rgb, 3 * y * width);
    }
    return rgb;
  }
}
