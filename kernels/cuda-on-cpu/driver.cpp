// The driver of an NVIDIA GPU, on the CPU: what TornadoVM's CUDA backend asks of libcuda.so.1.
//
// Kernels are those that compiler.cpp made. A stream does everything at once, in order; one that is being captured only
// records, and refuses what CUDA refuses then. Memory that is allocated is NaN until it is written, ends at a page that
// nobody may touch, and is checked wherever a copy or a library goes there. No time that is measured here means anything.

#include "include/cuda.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

/// What a stream does: a kernel (K), a call of a library (L), a copy to the device (H) or to the host (D).
struct Operation {
  char kind;
  std::function<CUresult()> run;
};

using Operations = std::vector<Operation>;

typedef void (*RunBlocks)(void **parameters, const unsigned *grid, const unsigned *block, unsigned long from, unsigned long to);

constexpr size_t PAGE = 4096;
constexpr size_t ALIGNMENT = 256; // what cuMemAlloc promises

} // namespace

struct CUctx_st {};
struct CUstream_st {
  bool capturing = false;
  bool invalid = false;
  Operations recorded;
};
struct CUgraph_st {
  Operations operations;
};
struct CUgraphExec_st {
  Operations operations;
};
struct CUevent_st {
  std::chrono::steady_clock::time_point time;
};
struct CUmod_st {
  void *library;
};
struct CUfunc_st {
  std::string name;
  RunBlocks run;
  std::vector<size_t> parameters; // their sizes
};

namespace {

std::recursive_mutex mutex;
std::map<uintptr_t, size_t> allocations;
std::set<CUstream> streams;
size_t used = 0;
CUctx_st onlyContext;
thread_local CUcontext current = nullptr;

size_t total() {
  const char *bytes = std::getenv("CUDA_ON_CPU_MEMORY");
  return bytes == nullptr ? size_t(8) << 30 : std::strtoull(bytes, nullptr, 10);
}

FILE *log() {
  static FILE *file = [] {
    const char *name = std::getenv("CUDA_ON_CPU_LOG");
    FILE *opened = name == nullptr ? nullptr : std::fopen(name, "a");
    if (opened != nullptr) {
      setlinebuf(opened);
    }
    return opened;
  }();
  return file;
}

template <class... Values> void note(const char *format, Values... values) {
  if (log() != nullptr) {
    std::fprintf(log(), format, values...);
  }
}

template <class... Values> CUresult refuse(CUresult result, const char *format, Values... values) {
  std::fprintf(stderr, "[cuda-on-cpu] ");
  std::fprintf(stderr, format, values...);
  std::fprintf(stderr, "\n");
  note("refused ");
  note(format, values...);
  note("\n");
  return result;
}

CUresult enqueue(CUstream stream, char kind, std::function<CUresult()> run) {
  if (stream == nullptr) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "an operation of no stream");
  }
  if (stream->capturing) {
    stream->recorded.push_back({kind, std::move(run)});
    return CUDA_SUCCESS;
  }
  return run();
}

size_t roundUp(size_t bytes, size_t step) { return (bytes + step - 1) / step * step; }

/// Where an allocation's pages start; it ends at a page that is not accessible.
char *pagesOf(uintptr_t pointer, size_t bytes) {
  size_t inside = roundUp(bytes, ALIGNMENT);
  return reinterpret_cast<char *>(pointer) - (roundUp(inside, PAGE) - inside);
}

size_t pageBytes(size_t bytes) { return roundUp(roundUp(bytes, ALIGNMENT), PAGE) + PAGE; }

} // namespace

extern "C" {

CUresult cpuEnqueue(void *stream, CUresult (*function)(void *), void *argument) {
  std::lock_guard guard(mutex);
  return enqueue(static_cast<CUstream>(stream), 'L', [=] { return function(argument); });
}

bool cpuIsAllocated(uintptr_t pointer, size_t bytes) {
  std::lock_guard guard(mutex);
  auto after = allocations.upper_bound(pointer);
  if (after == allocations.begin()) {
    return false;
  }
  auto [start, size] = *std::prev(after);
  return pointer + bytes <= start + size;
}

bool cpuForbidCapture(const char *call) {
  std::lock_guard guard(mutex);
  for (CUstream stream : streams) {
    if (stream->capturing) {
      stream->invalid = true;
      refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "%s while a stream is captured", call);
      return true;
    }
  }
  return false;
}

CUresult cuInit(unsigned) { return CUDA_SUCCESS; }

CUresult cuDriverGetVersion(int *version) {
  *version = CUDA_VERSION;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
  *count = 1;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice) {
  // Those of an H100.
  static const std::map<int, int> values = {{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1024},
                                            {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X, 1024},
                                            {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y, 1024},
                                            {CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z, 64},
                                            {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 48 << 10},
                                            {CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY, 64 << 10},
                                            {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1980000},
                                            {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 132},
                                            {CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 1},
                                            {CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 3},
                                            {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 9},
                                            {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0}};
  auto found = values.find(attribute);
  if (found == values.end()) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "attribute %d of the device", static_cast<int>(attribute));
  }
  *value = found->second;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice) {
  std::snprintf(name, length, "CUDA on the CPU");
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem(size_t *bytes, CUdevice) {
  *bytes = total();
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate(CUcontext *context, unsigned, CUdevice) {
  *context = current = &onlyContext;
  return CUDA_SUCCESS;
}

CUresult cuCtxDestroy(CUcontext) { return CUDA_SUCCESS; }

CUresult cuCtxSetCurrent(CUcontext context) {
  current = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
  if (current == nullptr) {
    return refuse(CUDA_ERROR_INVALID_CONTEXT, "cuCtxSynchronize without a context");
  }
  return cpuForbidCapture("cuCtxSynchronize") ? CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED : CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned) {
  std::lock_guard guard(mutex);
  *stream = new CUstream_st();
  streams.insert(*stream);
  return CUDA_SUCCESS;
}

CUresult cuStreamDestroy(CUstream stream) {
  std::lock_guard guard(mutex);
  streams.erase(stream);
  delete stream;
  return CUDA_SUCCESS;
}

CUresult cuStreamSynchronize(CUstream stream) {
  std::lock_guard guard(mutex);
  if (stream->capturing) {
    stream->invalid = true;
    return refuse(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "cuStreamSynchronize of a stream that is captured");
  }
  return CUDA_SUCCESS;
}

CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned) { return CUDA_SUCCESS; }

CUresult cuStreamBeginCapture(CUstream stream, CUstreamCaptureMode) {
  std::lock_guard guard(mutex);
  stream->capturing = true;
  stream->invalid = false;
  stream->recorded.clear();
  return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream stream, CUgraph *graph) {
  std::lock_guard guard(mutex);
  stream->capturing = false;
  *graph = nullptr;
  if (stream->invalid) {
    return refuse(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "a capture is invalid");
  }
  *graph = new CUgraph_st{std::move(stream->recorded)};
  stream->recorded.clear();
  note("captured %zu operations\n", (*graph)->operations.size());
  return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus *status) {
  std::lock_guard guard(mutex);
  *status = stream->capturing ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
  return CUDA_SUCCESS;
}

CUresult cuGraphInstantiate(CUgraphExec *executable, CUgraph graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->operations};
  return CUDA_SUCCESS;
}

CUresult cuGraphExecUpdate(CUgraphExec executable, CUgraph graph, CUgraphExecUpdateResultInfo *info) {
  const Operations &was = executable->operations;
  const Operations &is = graph->operations;
  bool same = std::equal(was.begin(), was.end(), is.begin(), is.end(),
                         [](const Operation &a, const Operation &b) { return a.kind == b.kind; });
  info->result = same ? CU_GRAPH_EXEC_UPDATE_SUCCESS : CU_GRAPH_EXEC_UPDATE_ERROR;
  if (!same) {
    return CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE; // which TornadoVM answers with a new instance
  }
  executable->operations = is;
  return CUDA_SUCCESS;
}

CUresult cuGraphLaunch(CUgraphExec executable, CUstream) {
  std::lock_guard guard(mutex);
  note("replay of %zu operations\n", executable->operations.size());
  for (const Operation &operation : executable->operations) {
    CUresult result = operation.run();
    if (result != CUDA_SUCCESS) {
      return result;
    }
  }
  return CUDA_SUCCESS;
}

CUresult cuGraphExecDestroy(CUgraphExec executable) {
  delete executable;
  return CUDA_SUCCESS;
}

CUresult cuGraphDestroy(CUgraph graph) {
  delete graph;
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned) {
  *event = new CUevent_st();
  return CUDA_SUCCESS;
}

CUresult cuEventDestroy(CUevent event) {
  delete event;
  return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream) {
  event->time = std::chrono::steady_clock::now();
  return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent) { return CUDA_SUCCESS; }

CUresult cuEventQuery(CUevent) { return CUDA_SUCCESS; }

CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc(CUdeviceptr *pointer, size_t bytes) {
  std::lock_guard guard(mutex);
  if (current == nullptr || bytes == 0) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemAlloc of %zu bytes%s", bytes, current == nullptr ? " without a context" : "");
  }
  if (cpuForbidCapture("cuMemAlloc")) {
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  if (used + bytes > total()) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  size_t pages = pageBytes(bytes);
  void *mapped = mmap(nullptr, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  }
  char *end = static_cast<char *>(mapped) + pages - PAGE;
  mprotect(end, PAGE, PROT_NONE);
  char *start = end - roundUp(bytes, ALIGNMENT);
  std::memset(start, 0xff, end - start); // NaN, in floats and in halves
  allocations[reinterpret_cast<uintptr_t>(start)] = bytes;
  used += bytes;
  *pointer = reinterpret_cast<CUdeviceptr>(start);
  return CUDA_SUCCESS;
}

CUresult cuMemFree(CUdeviceptr pointer) {
  std::lock_guard guard(mutex);
  if (cpuForbidCapture("cuMemFree")) {
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  auto found = allocations.find(pointer);
  if (found == allocations.end()) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemFree of what is not allocated");
  }
  munmap(pagesOf(pointer, found->second), pageBytes(found->second));
  used -= found->second;
  allocations.erase(found);
  return CUDA_SUCCESS;
}

CUresult cuMemAllocHost(void **pointer, size_t bytes) {
  *pointer = std::malloc(bytes);
  return *pointer == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void *pointer) {
  std::free(pointer);
  return CUDA_SUCCESS;
}

CUresult cuMemHostRegister(void *, size_t, unsigned) { return CUDA_SUCCESS; }

CUresult cuMemHostUnregister(void *) { return CUDA_SUCCESS; }

CUresult cuMemsetD8(CUdeviceptr pointer, unsigned char value, size_t bytes) {
  if (cpuForbidCapture("cuMemsetD8")) {
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  if (!cpuIsAllocated(pointer, bytes)) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemsetD8 of %zu bytes outside of an allocation", bytes);
  }
  std::memset(reinterpret_cast<void *>(pointer), value, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  std::lock_guard guard(mutex);
  if (!cpuIsAllocated(to, bytes)) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "a copy of %zu bytes to outside of an allocation", bytes);
  }
  return enqueue(stream, 'H', [=] {
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  std::lock_guard guard(mutex);
  if (!cpuIsAllocated(from, bytes)) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "a copy of %zu bytes from outside of an allocation", bytes);
  }
  return enqueue(stream, 'D', [=] {
    std::memcpy(to, reinterpret_cast<void *>(from), bytes);
    return CUDA_SUCCESS;
  });
}

CUresult cuMemcpyDtoD(CUdeviceptr to, CUdeviceptr from, size_t bytes) {
  if (cpuForbidCapture("cuMemcpyDtoD")) {
    return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
  }
  if (!cpuIsAllocated(to, bytes) || !cpuIsAllocated(from, bytes)) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "cuMemcpyDtoD of %zu bytes outside of an allocation", bytes);
  }
  std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
  return CUDA_SUCCESS;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, CUjit_option *, void **) {
  // compiler.cpp gives the path of a library for an image.
  void *library = dlopen(static_cast<const char *>(image), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return refuse(CUDA_ERROR_INVALID_PTX, "%s", dlerror());
  }
  *module = new CUmod_st{library};
  return CUDA_SUCCESS;
}

CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  std::string prefix = name;
  auto run = reinterpret_cast<RunBlocks>(dlsym(module->library, (prefix + "_run").c_str()));
  auto count = static_cast<const int *>(dlsym(module->library, (prefix + "_count").c_str()));
  auto sizes = static_cast<const size_t *>(dlsym(module->library, (prefix + "_sizes").c_str()));
  if (run == nullptr || count == nullptr || sizes == nullptr) {
    return refuse(CUDA_ERROR_NOT_FOUND, "there is no kernel %s", name);
  }
  *function = new CUfunc_st{prefix, run, {sizes, sizes + *count}};
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned, CUstream stream, void **parameters, void **) {
  std::lock_guard guard(mutex);
  const char *name = function->name.c_str();
  note("%s <<<%u %u %u, %u %u %u>>>\n", name, gridX, gridY, gridZ, blockX, blockY, blockZ);
  if (gridX == 0 || gridY == 0 || gridZ == 0 || gridY > 65535 || gridZ > 65535 || blockX * blockY * blockZ > 1024 || blockZ > 64) {
    return refuse(CUDA_ERROR_INVALID_VALUE, "%s with a grid of %u %u %u of %u %u %u", name, gridX, gridY, gridZ, blockX, blockY,
                  blockZ);
  }
  std::vector<std::vector<char>> arguments; // copied, as CUDA does it
  for (size_t i = 0; i < function->parameters.size(); i++) {
    auto from = static_cast<const char *>(parameters[i]);
    arguments.emplace_back(from, from + function->parameters[i]);
  }
  return enqueue(stream, 'K', [=]() mutable {
    std::vector<void *> pointers;
    for (auto &argument : arguments) {
      pointers.push_back(argument.data());
    }
    const unsigned grid[] = {gridX, gridY, gridZ};
    const unsigned block[] = {blockX, blockY, blockZ};
    unsigned long blocks = 1ul * gridX * gridY * gridZ;
    unsigned long count = std::min<unsigned long>(blocks, std::max(1u, std::thread::hardware_concurrency()));
    std::vector<std::thread> threads;
    for (unsigned long i = 0; i < count; i++) {
      threads.emplace_back([&, i] { function->run(pointers.data(), grid, block, blocks * i / count, blocks * (i + 1) / count); });
    }
    for (std::thread &thread : threads) {
      thread.join();
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuOccupancyMaxPotentialBlockSize(int *grid, int *block, CUfunction, CUoccupancyB2DSize, size_t, int) {
  *grid = 132;
  *block = 1024;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult result, const char **name) {
  static thread_local char text[32];
  std::snprintf(text, sizeof text, "CUDA error %d", static_cast<int>(result));
  *name = text;
  return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult result, const char **text) { return cuGetErrorName(result, text); }
}
