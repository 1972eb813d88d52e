// What CUDA C has that C++ has not, for kernels on the CPU. A block runs on one thread of the CPU. Where it has barriers,
// each of its threads has a stack, and a barrier goes on with the next thread; the last thread goes first, so that who
// relies on an order is found out.

#pragma once

#include <sys/mman.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __restrict__
#define __forceinline__ inline
#define __shared__ static thread_local

struct Dimensions {
  unsigned x, y, z;
};

/// A thread of a block.
struct Fiber {
  void *stack; // its top, while others run
  Dimensions index;
  bool ended;
};

static thread_local Fiber *fiber;
static thread_local void *scheduler; // its stack, while a fiber runs
static thread_local Dimensions gridDim, blockDim, blockIdx;
static thread_local void (*kernel)(void **);
static thread_local void **parameters;
static thread_local bool mayWait;

#define threadIdx (fiber->index)

/// Leaves this stack, whose top is stored, for another: with the registers that a call keeps (System V, x86-64).
extern "C" void switchStack(void **from, void *to);
asm(R"(
.text
.local switchStack
.type switchStack, @function
switchStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

static __attribute__((noinline)) void __syncthreads() {
  if (!mayWait) {
    std::fprintf(stderr, "[cuda-on-cpu] a barrier that compiler.cpp did not see\n");
    std::abort();
  }
  switchStack(&fiber->stack, scheduler);
}

static __attribute__((noinline)) void runFiber() {
  kernel(parameters);
  fiber->ended = true;
  switchStack(&fiber->stack, scheduler);
  std::abort(); // nobody comes back to it
}

static constexpr size_t STACK = 256 << 10;

/// A stack on which switchStack finds no registers of interest, and runFiber to return to.
static void *freshStack(char *end) {
  void **top = reinterpret_cast<void **>(end);
  *--top = nullptr;
  *--top = reinterpret_cast<void *>(&runFiber);
  for (int i = 0; i < 6; i++) {
    *--top = nullptr;
  }
  return top;
}

/// Blocks from..to−1 of a grid, x first.
static void runBlocks(void (*what)(void **), void **with, const unsigned *grid, const unsigned *block, unsigned long from,
                      unsigned long to, bool barriers) {
  kernel = what;
  parameters = with;
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {block[0], block[1], block[2]};
  mayWait = barriers;
  const unsigned count = block[0] * block[1] * block[2];
  Fiber *fibers = new Fiber[count];
  char *stacks = nullptr;
  if (barriers) {
    stacks = static_cast<char *>(
        mmap(nullptr, count * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    if (stacks == MAP_FAILED) {
      std::abort();
    }
  }
  for (unsigned long at = from; at < to; at++) {
    blockIdx = {unsigned(at % grid[0]), unsigned(at / grid[0] % grid[1]), unsigned(at / grid[0] / grid[1])};
    for (unsigned i = 0; i < count; i++) {
      fibers[i] = {nullptr, {i % block[0], i / block[0] % block[1], i / block[0] / block[1]}, false};
      if (barriers) {
        fibers[i].stack = freshStack(stacks + (i + 1) * STACK);
      } else {
        fiber = &fibers[i];
        kernel(parameters);
      }
    }
    // From one barrier to the next.
    for (unsigned left = barriers ? count : 0; left > 0;) {
      unsigned ended = 0;
      for (unsigned i = count; i-- > 0;) {
        if (!fibers[i].ended) {
          fiber = &fibers[i];
          switchStack(&scheduler, fiber->stack);
          ended += fiber->ended;
        }
      }
      if (ended != 0 && ended != left) {
        std::fprintf(stderr, "[cuda-on-cpu] %u of %u threads of a block missed a barrier\n", ended, left);
        std::abort();
      }
      left -= ended;
    }
  }
  if (stacks != nullptr) {
    munmap(stacks, count * STACK);
  }
  delete[] fibers;
}

using std::isfinite;
using std::isinf;
using std::isnan;

static inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline long min(long a, long b) { return a < b ? a : b; }
static inline long max(long a, long b) { return a > b ? a : b; }
static inline float min(float a, float b) { return std::fmin(a, b); }
static inline float max(float a, float b) { return std::fmax(a, b); }
