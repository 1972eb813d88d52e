package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/** An array of half-precision floats for kernels. A new one holds no useful values. */
public final class HalfFloatArray extends TornadoNativeArray {
  private static final short UNWRITTEN = Float.floatToFloat16(Float.NaN);

  private final short[] host;
  private short[] current;

  public HalfFloatArray(int numberOfElements) {
    host = new short[numberOfElements];
    Arrays.fill(host, UNWRITTEN);
    current = host;
  }

  public HalfFloat get(int index) {
    return new HalfFloat(current[index]);
  }

  public void set(int index, HalfFloat value) {
    current[index] = value.getHalfFloatValue();
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
    return 2L * host.length;
  }

  @Override
  Object newDeviceCopy() {
    short[] copy = new short[host.length];
    Arrays.fill(copy, UNWRITTEN);
    return copy;
  }

  @Override
  Object host() {
    return host;
  }

  @Override
  void show(Object elements) {
    current = (short[]) elements;
  }
}
