package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;

/** An array that exists on the host and, while a plan holds it, on a device. */
public abstract sealed class TornadoNativeArray permits FloatArray, HalfFloatArray {
  TornadoNativeArray() {}

  public abstract int getSize();

  /** The elements on the host. */
  public abstract MemorySegment getSegment();

  public abstract long getNumBytesOfSegment();

  /** A device's copy of this array, which nothing has been written to. */
  abstract Object newDeviceCopy();

  /** The host's elements, a Java array of the same type as a device's copy. */
  abstract Object host();

  /** Has whoever reads and writes this array from now on do so with these elements. */
  abstract void show(Object elements);

  /** Copies the host's elements to the device's copy. */
  final void toDevice(Object copy) {
    System.arraycopy(host(), 0, copy, 0, getSize());
  }

  /** Copies the elements of the device's copy to the host. */
  final void toHost(Object copy) {
    System.arraycopy(copy, 0, host(), 0, getSize());
  }

  /** Has kernels read and write the device's copy. */
  final void enterKernel(Object copy) {
    show(copy);
  }

  /** Has the program read and write the host's elements again. */
  final void leaveKernel() {
    show(host());
  }
}
