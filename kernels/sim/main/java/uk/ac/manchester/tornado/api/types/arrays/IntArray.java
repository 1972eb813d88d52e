package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** An array of ints for kernels. A new one holds no useful values. */
public final class IntArray extends TornadoNativeArray {
  private static final int UNWRITTEN = 0xdeadbeef;

  private final int[] host;
  private int[] current;

  public IntArray(int numberOfElements) {
    host = new int[numberOfElements];
    Arrays.fill(host, UNWRITTEN);
    current = host;
  }

  private IntArray(int[] values) {
    host = values;
    current = host;
  }

  public static IntArray fromArray(int[] values) {
    return new IntArray(values.clone());
  }

  public static IntArray fromElements(int... values) {
    return new IntArray(values.clone());
  }

  public int[] toHeapArray() {
    return host.clone();
  }

  public int get(int index) {
    return current[index];
  }

  public void set(int index, int value) {
    current[index] = value;
  }

  public void init(int value) {
    Arrays.fill(host, value);
  }

  @Override
  public int getSize() {
    return host.length;
  }

  @Override
  public MemorySegment getSegment() {
    return MemorySegment.ofArray(host);
  }

  @Override
  public long getNumBytesOfSegment() {
    return 4L * host.length;
  }

  @Override
  Object newDeviceCopy() {
    int[] copy = new int[host.length];
    Arrays.fill(copy, UNWRITTEN);
    return copy;
  }

  @Override
  Object host() {
    return host;
  }

  @Override
  void show(Object elements) {
    current = (int[]) elements;
  }
}
