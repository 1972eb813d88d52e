package dev.tessera.image;

import java.util.Arrays;
import java.util.List;

/** Decodes the entropy-coded data of one scan; ITU-T T.81, annexes F and G. */
final class JpegScan {
  /** Position in scan order to position in the block; a run past the end lands on the last one. */
  static final byte[] NATURAL_ORDER = {
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63
  };

  private final JpegBits bits;
  private final List<JpegComponent> components;
  private final JpegHuffman[] dcTables;
  private final JpegHuffman[] acTables;
  private final int restartInterval;
  private final boolean progressive;
  private final int first;
  private final int last;
  private final boolean refinement;
  private final int shift;
  private final short[] block = new short[64];
  private final int[] scratch = new int[64];
  private int endOfBandRun;

  /**
   * @param dcTables for each component of the scan; unused entries may be anything
   * @param first first coefficient in scan order
   * @param last last coefficient
   * @param high precision of earlier scans, 0 if there was none
   * @param shift precision of this one
   */
  JpegScan(
      JpegBits bits,
      List<JpegComponent> components,
      JpegHuffman[] dcTables,
      JpegHuffman[] acTables,
      int restartInterval,
      boolean progressive,
      int first,
      int last,
      int high,
      int shift) {
    this.bits = bits;
    this.components = components;
    this.dcTables = dcTables;
    this.acTables = acTables;
    this.restartInterval = restartInterval;
    this.progressive = progressive;
    this.first = first;
    this.last = last;
    this.refinement = high > 0;
    this.shift = shift;
  }

  /** Decodes all units of the scan: {@code across} times {@code down} where it is interleaved. */
  void decode(int across, int down) throws ImageException {
    boolean interleaved = components.size() > 1;
    JpegComponent only = components.getFirst();
    int columns = interleaved ? across : only.blocksWide;
    int rows = interleaved ? down : only.blocksHigh;
    int untilRestart = restartInterval;
    int restart = 0;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        if (restartInterval > 0) {
          if (untilRestart == 0) {
            bits.restart(restart);
            restart = (restart + 1) & 7;
            untilRestart = restartInterval;
            endOfBandRun = 0;
            components.forEach(c -> c.prediction = 0);
          }
          untilRestart--;
        }
        // Where data is missing, libjpeg leaves blocks at zero and does not repeat the last DC.
        boolean missing = bits.exhausted();
        if (interleaved) {
          for (int c = 0; c < components.size(); c++) {
            JpegComponent component = components.get(c);
            for (int y = 0; y < component.vertical; y++) {
              for (int x = 0; x < component.horizontal; x++) {
                decodeBlock(
                    c, column * component.horizontal + x, row * component.vertical + y, missing);
              }
            }
          }
        } else {
          decodeBlock(0, column, row, missing);
        }
      }
    }
  }

  private void decodeBlock(int c, int x, int y, boolean missing) throws ImageException {
    JpegComponent component = components.get(c);
    int[] steps = component.steps;
    if (component.coefficients.length == 0 && steps != null) {
      int at = 8 * (y * component.stride() + x);
      int end = 0;
      if (missing) {
        block[0] = 0;
      } else {
        end = sequential(component, dcTables[c], acTables[c], block, 0);
      }
      if (end == 0) {
        JpegTransform.flat(block[0], steps[0], component.samples, at, component.stride());
      } else {
        JpegTransform.inverse(block, 0, steps, scratch, component.samples, at, component.stride());
        Arrays.fill(block, (short) 0);
      }
      return;
    }
    int at = 64 * (y * component.storedWide + x);
    short[] target = component.coefficients;
    if (!progressive) {
      if (!missing) {
        sequential(component, dcTables[c], acTables[c], target, at);
      }
    } else if (first == 0) {
      if (refinement) {
        if (bits.get(1) != 0) {
          target[at] |= (short) (1 << shift);
        }
      } else if (!missing) {
        target[at] = (short) (dc(component, dcTables[c]) << shift);
      }
    } else if (!missing) {
      if (refinement) {
        acRefinement(acTables[c], target, at);
      } else {
        acFirst(acTables[c], target, at);
      }
    }
  }

  private int dc(JpegComponent component, JpegHuffman table) throws ImageException {
    int size = bits.symbol(table);
    if (size > 0) {
      component.prediction += bits.getSigned(size);
    }
    return component.prediction;
  }

  /** A whole block. Returns the position of the last AC coefficient, 0 if there is none. */
  private int sequential(
      JpegComponent component, JpegHuffman dc, JpegHuffman ac, short[] target, int at)
      throws ImageException {
    target[at] = (short) dc(component, dc);
    return bits.coefficients(ac, target, at);
  }

  private void acFirst(JpegHuffman table, short[] target, int at) throws ImageException {
    if (endOfBandRun > 0) {
      endOfBandRun--;
      return;
    }
    for (int k = first; k <= last; k++) {
      int symbol = bits.symbol(table);
      int run = symbol >> 4;
      int size = symbol & 15;
      if (size != 0) {
        k += run;
        target[at + NATURAL_ORDER[k]] = (short) (bits.getSigned(size) << shift);
      } else if (run == 15) {
        k += 15;
      } else {
        endOfBandRun = (1 << run) - 1 + (run > 0 ? bits.get(run) : 0);
        break;
      }
    }
  }

  private void acRefinement(JpegHuffman table, short[] target, int at) throws ImageException {
    int k = first;
    if (endOfBandRun == 0) {
      for (; k <= last; k++) {
        int symbol = bits.symbol(table);
        int run = symbol >> 4;
        int value = 0;
        if ((symbol & 15) != 0) {
          value = bits.get(1) != 0 ? 1 << shift : -1 << shift;
        } else if (run != 15) {
          endOfBandRun = (1 << run) + (run > 0 ? bits.get(run) : 0);
          break;
        }
        // Pass over `run` zeros, correcting what is not zero on the way.
        while (k <= last) {
          int i = at + NATURAL_ORDER[k];
          if (target[i] != 0) {
            correct(target, i);
          } else if (--run < 0) {
            break;
          }
          k++;
        }
        if (value != 0) {
          target[at + NATURAL_ORDER[k]] = (short) value;
        }
      }
    }
    if (endOfBandRun > 0) {
      for (; k <= last; k++) {
        int i = at + NATURAL_ORDER[k];
        if (target[i] != 0) {
          correct(target, i);
        }
      }
      endOfBandRun--;
    }
  }

  private void correct(short[] target, int i) throws ImageException {
    if (bits.get(1) != 0 && (target[i] & 1 << shift) == 0) {
      target[i] += (short) (target[i] >= 0 ? 1 << shift : -1 << shift);
    }
  }
}
