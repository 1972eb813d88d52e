package uk.ac.manchester.tornado.api.enums;

/** Where the times of an execution go: to standard output, or into the plan. */
public enum ProfilerMode {
  CONSOLE,
  SILENT
}
