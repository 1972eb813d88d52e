// cuBLAS' products and cuDNN's attention in plain loops, behind the JNI functions of TornadoVM's tornado-cublas and
// tornado-cudnn. Arguments are checked as the libraries document them, and operands must be within their allocations.

#include "include/cuda.h"

#include <jni.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

namespace {

enum Type { FLOAT = 0, HALF = 2 }; // cudaDataType

constexpr int TF32_MATH = 3; // CUBLAS_TF32_TENSOR_OP_MATH
constexpr int SUCCESS = 0;
constexpr int INVALID_VALUE = 7;
constexpr int EXECUTION_FAILED = 13;
constexpr int NOT_SUPPORTED = 15;

struct Handle {
  void *stream = nullptr;
  int mathMode = 0;
};

int refuse(int status, const char *why) {
  std::fprintf(stderr, "[cuda-on-cpu] %s\n", why);
  return status;
}

CUresult call(void *function) {
  (*static_cast<std::function<void()> *>(function))();
  return CUDA_SUCCESS;
}

int enqueue(jlong handle, std::function<void()> function) {
  // Kept for good: a graph may call it again.
  auto *kept = new std::function<void()>(std::move(function));
  return cpuEnqueue(reinterpret_cast<Handle *>(handle)->stream, call, kept) == CUDA_SUCCESS ? SUCCESS : EXECUTION_FAILED;
}

/// A column-major matrix of a batch of them, transposed or not.
struct Matrix {
  jlong pointer;
  int type;
  int rows;
  int columns;
  int leading;
  long stride;
  bool transposed;

  size_t at(int batch, int row, int column) const {
    return batch * stride + (transposed ? size_t(row) * leading + column : size_t(column) * leading + row);
  }

  float get(int batch, int row, int column) const {
    size_t i = at(batch, row, column);
    return type == FLOAT ? reinterpret_cast<float *>(pointer)[i] : float(reinterpret_cast<_Float16 *>(pointer)[i]);
  }

  void set(int batch, int row, int column, float value) const {
    size_t i = at(batch, row, column);
    if (type == FLOAT) {
      reinterpret_cast<float *>(pointer)[i] = value;
    } else {
      reinterpret_cast<_Float16 *>(pointer)[i] = static_cast<_Float16>(value);
    }
  }

  bool isLeadingRight() const { return leading >= (transposed ? columns : rows); }

  bool isAllocated(int count) const {
    return cpuIsAllocated(pointer, (at(count - 1, rows - 1, columns - 1) + 1) * (type == FLOAT ? 4 : 2));
  }
};

/// Of 24 bits the 11 that tensor cores take, rounded to nearest.
float tensorFloat(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
  std::memcpy(&x, &bits, 4);
  return x;
}

/// C = alpha·A·B + beta·C, with sums in floats.
int multiply(jlong handle, float alpha, Matrix a, Matrix b, float beta, Matrix c, int count) {
  if (c.rows <= 0 || c.columns <= 0 || a.columns <= 0 || count <= 0) {
    return refuse(INVALID_VALUE, "a product without elements");
  }
  if (!a.isLeadingRight() || !b.isLeadingRight() || !c.isLeadingRight()) {
    return refuse(INVALID_VALUE, "a product with a leading dimension that is too small");
  }
  if (!a.isAllocated(count) || !b.isAllocated(count) || !c.isAllocated(count)) {
    return refuse(EXECUTION_FAILED, "a product with an operand that is not within an allocation");
  }
  bool tensorFloats = reinterpret_cast<Handle *>(handle)->mathMode == TF32_MATH && a.type == FLOAT;
  return enqueue(handle, [=] {
    int depth = a.columns;
    std::vector<float> rows(size_t(depth) * c.rows);
    std::vector<float> sums(c.rows);
    for (int batch = 0; batch < count; batch++) {
      for (int k = 0; k < depth; k++) {
        for (int i = 0; i < c.rows; i++) {
          float value = a.get(batch, i, k);
          rows[size_t(k) * c.rows + i] = tensorFloats ? tensorFloat(value) : value;
        }
      }
      for (int j = 0; j < c.columns; j++) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int k = 0; k < depth; k++) {
          float factor = b.get(batch, k, j);
          factor = tensorFloats ? tensorFloat(factor) : factor;
          const float *row = &rows[size_t(k) * c.rows];
          for (int i = 0; i < c.rows; i++) {
            sums[i] += row[i] * factor;
          }
        }
        for (int i = 0; i < c.rows; i++) {
          // Where beta is 0, C is not read: it may be NaN.
          c.set(batch, i, j, alpha * sums[i] + (beta == 0 ? 0 : beta * c.get(batch, i, j)));
        }
      }
    }
  });
}

struct Attention {
  int batch, heads, queries, keys, width;
  float scale;
  bool causal;

  void run(const _Float16 *q, const _Float16 *k, const _Float16 *v, _Float16 *y) const {
    std::vector<float> weights(keys);
    std::vector<float> sums(width);
    for (long pair = 0; pair < long(batch) * heads; pair++) {
      for (int query = 0; query < queries; query++) {
        int seen = causal ? std::min(query + 1, keys) : keys;
        float largest = -std::numeric_limits<float>::infinity();
        for (int key = 0; key < seen; key++) {
          float sum = 0;
          for (int d = 0; d < width; d++) {
            sum += float(q[(pair * queries + query) * width + d]) * float(k[(pair * keys + key) * width + d]);
          }
          weights[key] = sum * scale;
          largest = std::fmax(largest, weights[key]);
        }
        float total = 0;
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int key = 0; key < seen; key++) {
          float weight = std::exp(weights[key] - largest);
          total += weight;
          for (int d = 0; d < width; d++) {
            sums[d] += float(_Float16(weight)) * float(v[(pair * keys + key) * width + d]);
          }
        }
        for (int d = 0; d < width; d++) {
          y[(pair * queries + query) * width + d] = _Float16(sums[d] / total);
        }
      }
    }
  }
};

jlong create(const char *call) { return cpuForbidCapture(call) ? 0 : reinterpret_cast<jlong>(new Handle()); }

jint setStream(jlong handle, jlong stream) {
  reinterpret_cast<Handle *>(handle)->stream = reinterpret_cast<void *>(stream);
  return SUCCESS;
}

jlong allocate(jlong bytes) {
  CUdeviceptr pointer = 0;
  return cuMemAlloc(&pointer, bytes) == CUDA_SUCCESS ? static_cast<jlong>(pointer) : 0;
}

void release(jlong pointer) {
  if (pointer != 0) {
    cuMemFree(pointer);
  }
}

} // namespace

#define CUBLAS(result, name) JNIEXPORT result JNICALL Java_uk_ac_manchester_tornado_cublas_provider_CuBlasNativeLib_##name
#define CUDNN(result, name) JNIEXPORT result JNICALL Java_uk_ac_manchester_tornado_cudnn_provider_CuDnnNativeLib_##name

extern "C" {

CUBLAS(jlong, cublasCreate)(JNIEnv *, jclass) { return create("cublasCreate"); }

CUBLAS(jint, cublasSetStream)(JNIEnv *, jclass, jlong handle, jlong stream) { return setStream(handle, stream); }

CUBLAS(void, cublasDestroy)(JNIEnv *, jclass, jlong handle) { delete reinterpret_cast<Handle *>(handle); }

CUBLAS(jint, cublasSetMathMode)(JNIEnv *, jclass, jlong handle, jint mode) {
  reinterpret_cast<Handle *>(handle)->mathMode = mode;
  return SUCCESS;
}

CUBLAS(jint, cublasSetWorkspace)(JNIEnv *, jclass, jlong, jlong, jlong) { return SUCCESS; }

CUBLAS(jlong, allocateDeviceMemory)(JNIEnv *, jclass, jlong bytes) { return allocate(bytes); }

CUBLAS(void, freeDeviceMemory)(JNIEnv *, jclass, jlong pointer) { release(pointer); }

CUBLAS(jint, cublasSgemm)
(JNIEnv *, jclass, jlong handle, jint transA, jint transB, jint m, jint n, jint k, jfloat alpha, jlong a, jint lda, jlong b,
 jint ldb, jfloat beta, jlong c, jint ldc) {
  return multiply(handle, alpha, {a, FLOAT, m, k, lda, 0, transA != 0}, {b, FLOAT, k, n, ldb, 0, transB != 0}, beta,
                  {c, FLOAT, m, n, ldc, 0, false}, 1);
}

CUBLAS(jint, cublasSgemmStridedBatched)
(JNIEnv *, jclass, jlong handle, jint transA, jint transB, jint m, jint n, jint k, jfloat alpha, jlong a, jint lda, jlong strideA,
 jlong b, jint ldb, jlong strideB, jfloat beta, jlong c, jint ldc, jlong strideC, jint count) {
  return multiply(handle, alpha, {a, FLOAT, m, k, lda, strideA, transA != 0}, {b, FLOAT, k, n, ldb, strideB, transB != 0}, beta,
                  {c, FLOAT, m, n, ldc, strideC, false}, count);
}

CUBLAS(jint, cublasGemmEx)
(JNIEnv *, jclass, jlong handle, jint transA, jint transB, jint m, jint n, jint k, jfloat alpha, jlong a, jint typeA, jint lda,
 jlong b, jint typeB, jint ldb, jfloat beta, jlong c, jint typeC, jint ldc, jint, jint) {
  if (typeA != typeB || (typeA != HALF && typeA != FLOAT) || (typeC != FLOAT && typeC != typeA)) {
    return refuse(NOT_SUPPORTED, "a product of other types than floats and halves");
  }
  return multiply(handle, alpha, {a, typeA, m, k, lda, 0, transA != 0}, {b, typeB, k, n, ldb, 0, transB != 0}, beta,
                  {c, typeC, m, n, ldc, 0, false}, 1);
}

CUDNN(jlong, cudnnCreateHandle)(JNIEnv *, jclass) { return create("cudnnCreate"); }

CUDNN(jint, cudnnSetStream)(JNIEnv *, jclass, jlong handle, jlong stream) { return setStream(handle, stream); }

CUDNN(void, cudnnDestroyHandle)(JNIEnv *, jclass, jlong handle) { delete reinterpret_cast<Handle *>(handle); }

CUDNN(jlong, cudnnGetVersionNative)(JNIEnv *, jclass) { return 91002; }

CUDNN(jlong, allocateDeviceMemory)(JNIEnv *, jclass, jlong bytes) { return allocate(bytes); }

CUDNN(void, freeDeviceMemory)(JNIEnv *, jclass, jlong pointer) { release(pointer); }

CUDNN(jlong, createSdpaPlan)
(JNIEnv *, jclass, jlong, jint batch, jint heads, jint queries, jint keys, jint width, jfloat scale, jboolean causal) {
  if (cpuForbidCapture("a plan for an attention")) {
    return 0;
  }
  if (width % 8 != 0 || width > 256) {
    refuse(0, "an attention whose heads are no multiple of 8 up to 256 wide");
    return 0;
  }
  return reinterpret_cast<jlong>(new Attention{batch, heads, queries, keys, width, scale, causal != 0});
}

CUDNN(jlong, sdpaPlanWorkspaceBytes)(JNIEnv *, jclass, jlong) { return 64; }

CUDNN(void, destroySdpaPlan)(JNIEnv *, jclass, jlong plan) { delete reinterpret_cast<Attention *>(plan); }

CUDNN(jint, executeSdpaPlan)(JNIEnv *, jclass, jlong handle, jlong plan, jlong q, jlong k, jlong v, jlong y, jlong) {
  Attention sizes = *reinterpret_cast<Attention *>(plan);
  size_t queries = sizeof(_Float16) * sizes.batch * sizes.heads * sizes.queries * sizes.width;
  size_t keys = sizeof(_Float16) * sizes.batch * sizes.heads * sizes.keys * sizes.width;
  if (!cpuIsAllocated(q, queries) || !cpuIsAllocated(k, keys) || !cpuIsAllocated(v, keys) || !cpuIsAllocated(y, queries)) {
    return refuse(1, "an attention with an operand that is not within an allocation");
  }
  return enqueue(handle, [=] {
    sizes.run(reinterpret_cast<_Float16 *>(q), reinterpret_cast<_Float16 *>(k), reinterpret_cast<_Float16 *>(v),
              reinterpret_cast<_Float16 *>(y));
  });
}
}
