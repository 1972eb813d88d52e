package uk.ac.manchester.tornado.api.common;

import org.jspecify.annotations.Nullable;

/** A call of a function of a vendor's library, to be made by a task. */
public class LibraryTaskDescriptor {
  private String library = "";
  private String function = "";
  private Object[] parameters = {};
  private Access[] access = {};
  private @Nullable Object tuning;

  public LibraryTaskDescriptor withLibrary(String libraryName) {
    library = libraryName;
    return this;
  }

  public LibraryTaskDescriptor withFunction(String functionName) {
    function = functionName;
    return this;
  }

  /** The function's arguments: arrays stand for their device memory. */
  public LibraryTaskDescriptor withParameters(Object[] functionParameters) {
    parameters = functionParameters.clone();
    return this;
  }

  /** What the function does with each of its arguments. */
  public LibraryTaskDescriptor withAccess(Access[] parameterAccess) {
    access = parameterAccess.clone();
    return this;
  }

  /** Settings that the library understands. */
  public LibraryTaskDescriptor withTuning(Object libraryTuning) {
    tuning = libraryTuning;
    return this;
  }

  public String getLibraryName() {
    return library;
  }

  public String getFunctionName() {
    return function;
  }

  public Object[] getParameters() {
    return parameters.clone();
  }

  public Access[] getAccess() {
    return access.clone();
  }

  public @Nullable Object getTuning() {
    return tuning;
  }
}
