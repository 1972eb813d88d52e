package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;

/** An array that exists on the host and, while a plan holds it, on a device. */
public abstract sealed class TornadoNativeArray permits FloatArray, HalfFloatArray, IntArray {
  TornadoNativeArray() {}

  public abstract int getSize();

  /** The elements on the host. */
  public abstract MemorySegment getSegment();

  public abstract long getNumBytesOfSegment();

  /** A device's copy of this array, which nothing has been written to. */
  abstract Object newDeviceCopy();

  /** Copies the host's elements to the device's copy. */
  abstract void toDevice(Object copy);

  /** Copies the elements of the device's copy to the host. */
  abstract void toHost(Object copy);

  /** Has kernels read and write the device's copy. */
  abstract void enterKernel(Object copy);

  /** Has the program read and write the host's elements again. */
  abstract void leaveKernel();
}
