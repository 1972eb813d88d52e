package uk.ac.manchester.tornado.api.types.arrays;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/**
 * One task graph's arrays on the simulated device. Belongs to the simulator; TornadoVM has no such
 * class.
 */
public final class DeviceMemory {
  private final Map<TornadoNativeArray, Object> copies = new HashMap<>();
  private final Budget budget;

  public DeviceMemory(Budget budget) {
    this.budget = budget;
  }

  /** What all graphs of a plan may allocate together. */
  public static final class Budget {
    private final long bytes;
    private long used;
    private boolean exceeded;

    public Budget(long bytes) {
      this.bytes = bytes;
    }

    private void take(long more) {
      if (used + more > bytes) {
        exceeded = true;
        throw new TornadoOutOfMemoryException(
            "Unable to allocate " + more + " bytes of memory: " + used + " of " + bytes + " used");
      }
      used += more;
    }

    public long used() {
      return used;
    }

    /** Fails as TornadoVM does over an array for which there was no room. */
    public void free() {
      if (exceeded) {
        throw new TornadoInternalError(
            "failed guarantee: Fatal error: trying to deallocate an invalid buffer");
      }
    }
  }

  public boolean contains(Object array) {
    return copies.containsKey(array);
  }

  public void allocate(TornadoNativeArray array) {
    if (!copies.containsKey(array)) {
      budget.take(array.getNumBytesOfSegment());
      copies.put(array, array.newDeviceCopy());
    }
  }

  public void toDevice(TornadoNativeArray array) {
    allocate(array);
    array.toDevice(copy(array));
  }

  public void toHost(TornadoNativeArray array) {
    array.toHost(copy(array));
  }

  /** Has this graph use the other graph's copy of an array. */
  public void alias(TornadoNativeArray array, DeviceMemory other) {
    copies.put(array, other.copy(array));
  }

  /** Runs something with kernels seeing the device's copies of the arrays among the arguments. */
  public void during(Object[] arguments, Runnable kernel) {
    try {
      for (Object argument : arguments) {
        if (argument instanceof TornadoNativeArray array) {
          array.enterKernel(copy(array));
        }
      }
      kernel.run();
    } finally {
      for (Object argument : arguments) {
        if (argument instanceof TornadoNativeArray array) {
          array.leaveKernel();
        }
      }
    }
  }

  private Object copy(TornadoNativeArray array) {
    @Nullable Object copy = copies.get(array);
    if (copy == null) {
      throw new TornadoRuntimeException("an array is not on the device");
    }
    return copy;
  }
}
