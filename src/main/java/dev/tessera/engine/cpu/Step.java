package dev.tessera.engine.cpu;

/** One operation, bound to the arrays it reads and writes. */
interface Step {
  void run(WorkerPool pool, Kernels kernels);
}
