package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** An array of floats for kernels. A new one holds no useful values. */
public final class FloatArray extends TornadoNativeArray {
  private static final float UNWRITTEN = Float.NaN;

  private final float[] host;
  private float[] current;

  public FloatArray(int numberOfElements) {
    host = new float[numberOfElements];
    Arrays.fill(host, UNWRITTEN);
    current = host;
  }

  private FloatArray(float[] values) {
    host = values;
    current = host;
  }

  public static FloatArray fromArray(float[] values) {
    return new FloatArray(values.clone());
  }

  public static FloatArray fromElements(float... values) {
    return new FloatArray(values.clone());
  }

  public float[] toHeapArray() {
    return host.clone();
  }

  public float get(int index) {
    return current[index];
  }

  public void set(int index, float value) {
    current[index] = value;
  }

  public void init(float value) {
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
    float[] copy = new float[host.length];
    Arrays.fill(copy, UNWRITTEN);
    return copy;
  }

  @Override
  Object host() {
    return host;
  }

  @Override
  void show(Object elements) {
    current = (float[]) elements;
  }
}
