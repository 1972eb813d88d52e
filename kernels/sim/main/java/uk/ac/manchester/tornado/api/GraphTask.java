package uk.ac.manchester.tornado.api;

import java.util.List;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;

/** A kernel, or a call of a library, with its arguments. */
record GraphTask(String id, Code code, List<Object> arguments, boolean isLibrary) {
  /** Calls the kernel with arguments that a task graph was given as objects. */
  interface Code {
    void call(Arguments arguments);
  }

  /** What the kernel is called with; the context is that of one work-item. */
  record Arguments(Object[] values) {
    @SuppressWarnings({
      "unchecked",
      "TypeParameterUnusedInFormals"
    }) // typed when the task was added
    <T> T at(int index) {
      return (T) values[index];
    }
  }

  static GraphTask of(String id, LibraryTaskDescriptor call) {
    return new GraphTask(id, _ -> LibraryCalls.call(call), List.of(call.getParameters()), true);
  }

  /** Runs one work-item. */
  void run(KernelContext context) {
    Object[] values = arguments.toArray();
    for (int i = 0; i < values.length; i++) {
      if (values[i] instanceof KernelContext) {
        values[i] = context;
      }
    }
    code.call(new Arguments(values));
  }

  /** Makes the library's call. */
  void call() {
    code.call(new Arguments(arguments.toArray()));
  }
}
